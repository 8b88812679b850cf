"""``haulage transfer``: what is on its way, and holding, releasing, cancelling it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from cyclopts import App, Parameter

from haulage.base.errors import UsageError
from haulage.base.ids import package_id, place, site_code
from haulage.cli import output
from haulage.cli.client import Client, path
from haulage.cli.confirm import confirm
from haulage.cli.options import PLAIN, At, DryRun, How, Timeout, Wait, Yes, seconds
from haulage.cli.output import Row
from haulage.cli.plan import seconds_text
from haulage.cli.waiting import Bar, Look, wait

app = App(
    name="transfer",
    help="What is on its way.\n\nhaulage transfer list\n\nhaulage transfer hold HQ100001 --at LA1/SHOP\n\n"
    "haulage transfer release --site LA1",
)

Package = Annotated[str | None, Parameter(help="Only of this package.")]
Place = Annotated[str | None, Parameter(name=["--at", "--place"], help="Only at this place: CODE or CODE/POINT.")]
Site = Annotated[str | None, Parameter(help="Only to this site and its points.")]
State = Annotated[
    str | None,
    Parameter(help="open, all, held, cancelled, late, asked, or a state: moving, verifying, failed, retrying, waiting, planned."),
]
Reason = Annotated[
    str | None, Parameter(help="Only those that wait for this: content, definition, parcel, space, person, report, held.")
]
All = Annotated[bool, Parameter(name="--all", negative=(), show_default=False, help="Every transfer this server knows of.")]


def _state(row: Row) -> str:
    words = f"{row['state']} {row['reason']}".strip()
    if row["asked"]:
        return f"{words} (asked to {row['asked']['action']}, not answered)"
    return f"{words} (late)" if row["late"] else words


def _done(row: Row) -> str:
    planned, done = row["bytes_planned"], row["bytes_done"]
    if not planned or row["state"] in ("present", "removed"):
        return "-"
    return f"{output.size_text(done)} of {output.size_text(planned)}, {100 * done // planned} %"


def _what(row: Row) -> str:
    if row["error"]:
        return str(row["error"]["message"])
    if row["word"]:
        return f"{row['word']} by {row['word_by']}"
    return str(row["late_why"] or row["name"] or "-")


_LIST = (
    output.field("package"),
    output.field("version"),
    output.field("place"),
    ("state", _state),
    ("done", _done),
    ("rate", lambda row: f"{output.size_text(row['rate'])}/s" if row["rate"] else "-"),
    output.time_field("eta", "there at"),
    output.field("tries"),
    ("what", _what),
)
_ONE = (
    output.field("package"),
    output.field("name"),
    output.field("version"),
    output.field("present"),
    output.field("place"),
    output.field("sender", "from"),
    ("state", _state),
    ("done", _done),
    output.size_field("bytes_total", "bytes in all"),
    output.size_field("bytes_reused"),
    output.size_field("bytes_new"),
    output.size_field("bytes_wire", "bytes on the wire"),
    ("rate", lambda row: f"{output.size_text(row['rate'])}/s" if row["rate"] else "-"),
    output.time_field("eta", "there at"),
    ("late", lambda row: output.text_of(row["late_why"])),
    output.time_field("due"),
    output.field("tries"),
    output.time_field("since"),
    ("reported", lambda row: f"{seconds_text(row['age_seconds'])} ago"),
    ("what", _what),
)
_FILES = (
    output.field("change"),
    output.field("path"),
    output.size_field("size"),
    output.size_field("bytes_new", "new"),
    output.field("streams"),
)
_DONE = {"hold": "held", "release": "released", "cancel": "cancelled"}


@app.command(name="list")
def list_(
    *,
    package: Package = None,
    place: Place = None,
    site: Site = None,
    state: State = None,
    reason: Reason = None,
    how: How = PLAIN,
) -> None:
    """What moves, waits, is held, fails or is late; what moves comes first.

    haulage transfer list

    haulage transfer list --state late --site LA1 -o json

    haulage transfer list --reason space
    """
    wanted = _filter(package, place, site, state) | ({"reason": reason} if reason else {})
    rows = how.client().rows("/transfers", wanted)
    output.print_rows(rows, how.output, _LIST, empty="There is no such transfer.")


@app.command
def show(
    package: str,
    /,
    *,
    at: At,
    files: Annotated[bool, Parameter(negative=(), show_default=False, help="Every file that is new, changed or gone.")] = False,
    how: How = PLAIN,
) -> None:
    """One package at one place: how far, how fast, when it will have arrived.

    haulage transfer show HQ100001 --at LA1

    haulage transfer show HQ100001 --at LA1 --files -o jsonl
    """
    client, asked = how.client(), {"at": place(at)}
    if files:
        output.print_rows(
            client.rows(path("transfers", package_id(package), "files"), asked), how.output, _FILES, empty="No file differs."
        )
        return
    output.print_object(client.get(path("transfers", package_id(package)), asked), how.output, _ONE)


@app.command
def hold(
    package: str | None = None,
    *,
    at: Place = None,
    site: Site = None,
    state: State = None,
    all_: All = False,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = "10m",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Stop transfers until they are released; what has arrived is kept, and newer versions wait, too.

    haulage transfer hold HQ100001 --at LA1/SHOP

    haulage transfer hold --site LA1 --dry-run
    """
    _say("hold", _body(package, at, site, state, all_), yes, wait, timeout, dry_run, how)


@app.command
def release(
    package: str | None = None,
    *,
    at: Place = None,
    site: Site = None,
    state: State = None,
    all_: All = False,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = "10m",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """Let transfers that are held or were cancelled go on, at once.

    haulage transfer release HQ100001 --at LA1/SHOP

    haulage transfer release --all --yes
    """
    _say("release", _body(package, at, site, state, all_), yes, wait, timeout, dry_run, how)


@app.command
def cancel(
    package: str | None = None,
    *,
    at: Place = None,
    site: Site = None,
    state: State = None,
    all_: All = False,
    yes: Yes = False,
    wait: Wait = False,
    timeout: Timeout = "10m",
    dry_run: DryRun = False,
    how: How = PLAIN,
) -> None:
    """End transfers of the versions under way; what is present stays, and a newer version comes by itself.

    haulage transfer cancel HQ100001 --at LA1/SHOP

    haulage transfer cancel HQ100001 --site LA1 --yes
    """
    _say("cancel", _body(package, at, site, state, all_), yes, wait, timeout, dry_run, how)


def _body(package: str | None, at: str | None, site: str | None, state: str | None, everything: bool) -> dict[str, Any]:
    body: dict[str, Any] = _filter(package, at, site, state)
    if everything:
        body["all"] = True
    if not body:
        raise UsageError(
            "which-transfers", "It was not said which transfers are meant.", "Name ID --at PLACE, --site CODE or --all."
        )
    return body


def _filter(package: str | None, at: str | None, site: str | None, state: str | None) -> dict[str, Any]:
    found = {
        "package": package_id(package) if package else None,
        "place": place(at) if at else None,
        "site": site_code(site) if site else None,
        "state": state,
    }
    return {name: value for name, value in found.items() if value}


def _say(word: str, body: Mapping[str, Any], yes: bool, waits: bool, timeout: str, dry_run: bool, how: How) -> None:
    """One at once; many after their reach was told and agreed to."""
    client, limit = how.client(), seconds(timeout)
    one = "package" in body and "place" in body
    if dry_run or not one:
        told = client.post(path("transfers", word), {**body, "dry_run": True})
        if dry_run:
            output.print_made(told, how.output, f"Would be {_DONE[word]}: {_reach(told)}")
            return
        confirm(f"{word.capitalize()} {_reach(told)}", yes)
    made = client.post(path("transfers", word), dict(body))
    if waits:
        _answered(client, body, limit)
    if one:
        row = client.get(path("transfers", body["package"]), {"at": body["place"]})
        made = {**made, "transfer": row}
        late = f"asked; site {row['site']} has not answered yet" if row["asked"] else _DONE[word]
        output.print_made(made, how.output, f"{made['id']} is {late}.")
        return
    output.print_made(made, how.output, f"{made['transfers']} transfers are {_DONE[word]}, or will be when their sites hear of it.")


def _reach(told: Row) -> str:
    if "what" not in told:
        return f"{told['id']}."
    parts = [f"{told['transfers']} transfers at {told['places']} places of {told['sites']} sites: {told['what']}"]
    if told["moving"]:
        parts.append(f"{told['moving']} of them move now")
    if told["present"]:
        parts.append(f"{told['present']} are there already, and only newer versions count")
    if told["left_bytes"]:
        parts.append(f"{output.size_text(told['left_bytes'])} have not arrived")
    return "; ".join(parts) + "."


def _answered(client: Client, body: Mapping[str, Any], timeout_seconds: float | None) -> None:
    """Until every site has answered."""
    wanted = {name: body[name] for name in ("package", "place", "site") if name in body}

    def look() -> Look[bool]:
        rows = client.get("/transfers", {**wanted, "state": "asked", "limit": 5})["items"]
        bars = [Bar(name=row["id"], state="asked") for row in rows]
        waits_for = f"site {rows[0]['site']} has not answered about {rows[0]['id']}" if rows else ""
        return Look(answer=None if rows else True, bars=bars, waits_for=waits_for)

    wait(look, timeout_seconds)
