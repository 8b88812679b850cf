"""``haulage group``: places under one name, usable as @NAME wherever places are."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.base.ids import group_name, place
from haulage.cli import output
from haulage.cli.client import Row, path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Yes

app = App(
    name="group",
    help="Groups of places: what is assigned to a group goes wherever the group goes.\n\n"
    "haulage group add shops LA1/SHOP CHI/SHOP\n\n"
    "haulage package assign HQ100001 --to @shops",
)

_LIST = (output.field("name"), output.field("owner"), output.field("places"), output.field("packages"))
_SHOW = (output.field("name"), output.field("owner"), output.field("places"), output.field("assigned", "packages"))
_MOVED = (output.field("package"), output.field("gained", "comes to"), output.field("lost", "leaves"))

Name = Annotated[str, Parameter(help="Small letters, digits and dashes; with or without @.")]
Where = Annotated[str, Parameter(help="CODE or CODE/POINT; no other group.")]


@app.command
def add(name: Name, /, *where: Where, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Make a group, or let more places into it. Every package assigned to it goes there.

    haulage group add shops LA1/SHOP CHI/SHOP

    haulage group add shops NY1/SHOP --dry-run
    """
    client = how.client()
    made = client.put(_path(name, "places"), {"places": _places(where), "dry_run": dry_run})
    _tell(made, how)


@app.command(name="set")
def set_(
    name: Name,
    /,
    *where: Where,
    empty: Annotated[bool, Parameter(negative=(), show_default=False, help="It is meant that no place is named.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Say which places a group holds from now on. If any leaves it, its reach is shown and asked about.

    haulage group set shops LA1/SHOP CHI/SHOP

    haulage group set shops LA1/SHOP --dry-run
    """
    body = {"places": [] if empty and not where else _places(where), "empty": empty}
    client = how.client()
    if not dry_run:
        _ask(client.put(_path(name), body | {"dry_run": True}), yes)
    _tell(client.put(_path(name), body | {"dry_run": dry_run}), how)


@app.command
def drop(name: Name, /, *where: Where, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Take places out of a group; packages are removed there unless something else brings them.

    haulage group drop shops CHI/SHOP --dry-run

    haulage group drop shops CHI/SHOP --yes
    """
    body, client = {"places": _places(where)}, how.client()
    if not dry_run:
        _ask(client.delete(_path(name, "places"), None, body | {"dry_run": True}), yes)
    _tell(client.delete(_path(name, "places"), None, body | {"dry_run": dry_run}), how)


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All groups this server knows; usable here are its own.

    haulage group list -o json
    """
    empty = "There is no group; haulage group add NAME PLACE… makes one."
    output.print_rows(how.client().rows("/groups"), how.output, _LIST, empty=empty)


@app.command
def show(name: Name, /, *, how: How = PLAIN) -> None:
    """One group: its places, and the packages assigned to it.

    haulage group show shops
    """
    output.print_object(how.client().get(_path(name)), how.output, _SHOW)


@app.command
def remove(name: Name, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Forget a group. While packages are assigned to it, its reach is shown and asked about.

    haulage group remove shops --dry-run

    haulage group remove shops --yes
    """
    client = how.client()
    if dry_run:
        _tell(client.delete(_path(name), {"dry_run": True}), how)
        return
    _ask(client.delete(_path(name), {"dry_run": True}), yes)
    _tell(client.delete(_path(name), {"even_used": True}), how)


def _ask(reach: Row, yes: bool) -> None:
    """Whoever takes something away sees first from where."""
    if not reach["lost"] and not reach["removals"]:
        return
    if reach["moved"] and not yes:
        output.say(_lines(reach))
    lost = ", ".join(reach["lost"][:20]) + (" and more" if len(reach["lost"]) > 20 else "")
    confirm(f"{lost} would leave group {reach['name']}; packages would be removed {reach['removals']} times. Do it?", yes)


def _lines(reach: Row) -> str:
    lines = [f"{one['package']} leaves {', '.join(one['lost'])}" for one in reach["moved"] if one["lost"]]
    return "\n".join([*lines, *([f"and {reach['not_shown']} more packages"] if reach["not_shown"] else [])])


def _tell(reach: Row, how: How) -> None:
    if how.output != "table":
        output.print_object(reach, how.output, [])
        return
    if reach["moved"]:
        output.print_rows(reach["moved"], "table", _MOVED)
    would = " (not done, only looked at)" if reach["dry_run"] else ""
    output.say(
        f"Group {reach['name']}{would}: {len(reach['gained'])} places came, {len(reach['lost'])} left; "
        f"{reach['packages']} packages with it: {reach['additions']} places gained, {reach['removals']} lost."
    )


def _path(name: str, *more: str) -> str:
    return path("groups", group_name(name), *more)


def _places(names: tuple[str, ...]) -> list[str]:
    if not names:
        raise UsageError("no-places", "No place was named.", "Name them after the group: CODE or CODE/POINT.")
    nested = [name for name in names if name.startswith("@")]
    if nested:
        raise UsageError("group-in-group", f"{nested[0]!r} is a group; a group holds places only.", "Name the places themselves.")
    return [place(name) for name in names]
