"""``haulage site``, ``haulage invite``: the sites of the hierarchy."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from haulage.base.ids import site_code
from haulage.cli import output
from haulage.cli.client import path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, DryRun, How, Yes
from haulage.cli.place_table import print_place

app = App(name="site", help="The sites of the hierarchy.\n\nhaulage site tree\n\nhaulage site list -o json")
invite = App(name="invite", help="Let somebody join.\n\nhaulage invite site CHI --name Chicago")

_COLUMNS = (
    output.field("code"),
    output.field("name"),
    output.field("parent"),
    output.field("state"),
    output.time_field("last_seen"),
    ("waiting", lambda row: output.text_of((row.get("link") or {}).get("messages_waiting"))),
    output.field("url"),
)

_SHOWN = ("code", "name", "parent", "url", "state", "epoch", "version", "home")


@app.command(name="list")
def list_(*, how: How = PLAIN) -> None:
    """All sites this server knows, with the state of the streams to its neighbours.

    haulage site list -o json
    """
    output.print_rows(how.client().rows("/sites"), how.output, _COLUMNS)


@app.command
def tree(*, how: How = PLAIN) -> None:
    """The sites as the tree they form.

    haulage site tree
    """
    output.print_rows(how.client().rows("/sites/tree"), how.output, (("site", _branch), *_COLUMNS[1:]))


_HEALTH_COLUMNS = (
    output.field("code"),
    output.field("name"),
    output.field("parent"),
    output.field("health"),
    *((name, lambda row, name=name: output.text_of(row["standing"][name])) for name in ("failed", "stuck", "late", "busy")),
    ("link", lambda row: output.text_of(row["link"]["state"])),
    ("heard", lambda row: output.time_text(row["link"]["heard"] or row["link"]["away_since"])),
)


@app.command
def health(
    *,
    problems: Annotated[bool, Parameter(negative=(), show_default=False, help="Only sites that have a problem.")] = False,
    below: Annotated[str | None, Parameter(help="Only this site and what is below it.")] = None,
    how: How = PLAIN,
) -> None:
    """How every site stands: what failed, is stuck, late or under way at it and its points, and whether it is heard of.

    haulage site health --problems
    """
    query = {"problems": problems or None, "top": below and site_code(below)}
    rows = how.client().rows("/sites/health", {name: value for name, value in query.items() if value is not None})
    output.print_rows(rows, how.output, _HEALTH_COLUMNS, empty="No site is like that.")


@app.command
def show(
    code: Annotated[str | None, Parameter(help="A site; the one whose server this is if not given.")] = None,
    /,
    *,
    how: How = PLAIN,
) -> None:
    """One site: its link, what it holds and should hold, what is stuck. Without a code the site whose server this is, and what it
    has handed to each child since it started.

    haulage site show CHI

    haulage site show -o json
    """
    if code is not None:
        print_place(how.client().get(path("sites", site_code(code))), how.output, ("code", "name", "parent", "url", "state"))
        return
    found = how.client().get("/site")
    served = [(f"served to {code}", _served(counters)) for code, counters in found["served"].items()]
    output.print_object(found, how.output, [*map(output.field, _SHOWN), output.time_field("started"), *served])


@app.command
def remove(code: str, /, *, yes: Yes = False, dry_run: DryRun = False, how: How = PLAIN) -> None:
    """Take a site without children out of the hierarchy; everything owed to it goes, everywhere.

    haulage site remove CHI --yes
    """
    site_code(code)
    if not dry_run:
        confirm(f"Remove site {code} from the hierarchy for good?", yes)
    gone = how.client().delete(path("sites", code), {"dry_run": dry_run}) or {}
    done = "would be removed" if dry_run else "is removed"
    output.print_made({"id": code, "code": code, "removed": not dry_run, **gone}, how.output, f"Site {code} {done}.")


@invite.command(name="site")
def invite_site(
    code: str,
    /,
    *,
    parent: Annotated[str | None, Parameter(help="The site it will be below; this one if not given.")] = None,
    name: Annotated[str | None, Parameter(help="A name for people.")] = None,
    hours: Annotated[float | None, Parameter(help="How long the join string lives; 24 if not given.")] = None,
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Make a join string for a new site. It works once; it is printed and kept nowhere.

    haulage invite site CHI

    haulage invite site LA1 --parent CHI --name "Los Angeles"
    """
    body = {
        "code": site_code(code),
        "parent": parent and site_code(parent),
        "name": name,
        "hours": hours,
        "dry_run": dry_run or None,
    }
    made = how.client().post("/sites/invitations", {name: value for name, value in body.items() if value is not None})
    output.print_made(made, how.output, f"At {code}: haulage join --home DIR JOIN_STRING", key="join")


def _branch(row: output.Row) -> str:
    depth = int(row.get("depth", 0))
    return "   " * (depth - 1) + ("└─ " if depth else "") + str(row["code"])


def _served(counters: output.Row) -> output.Cell:
    return lambda _row: output.size_text(counters["bytes"])
