"""``haulage status``: the numbered messages, and what each number means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated, Literal

from cyclopts import App, Parameter

from haulage.base.clock import SystemClock
from haulage.base.errors import TransferError
from haulage.cli import output
from haulage.cli.client import Client, Row, path
from haulage.cli.kb import likely_lines
from haulage.cli.options import PLAIN, How

app = App(
    name="status",
    help="Numbered messages: what happened.\n\nhaulage status list --severity warning\n\n"
    "haulage status follow\n\nhaulage status explain 2302",
)

_COLUMNS = (
    output.time_field("time"),
    output.field("severity"),
    output.field("number"),
    output.field("site"),
    output.field("package"),
    output.field("place"),
    output.field("text"),
)
_RECONNECT_SECONDS = 2.0

Severity = Annotated[Literal["information", "warning", "error"] | None, Parameter(help="The least severity shown.")]
Package = Annotated[str | None, Parameter(help="Only about this package.")]
Place = Annotated[str | None, Parameter(name=["--place", "--at"], help="Only about this place.")]
Site = Annotated[str | None, Parameter(help="Only what this site said.")]
Number = Annotated[int | None, Parameter(help="Only this number.")]


@app.command(name="list")
def list_(
    *,
    package: Package = None,
    place: Place = None,
    site: Site = None,
    number: Number = None,
    severity: Severity = None,
    limit: Annotated[int, Parameter(help="How many of the newest are shown.")] = 100,
    how: How = PLAIN,
) -> None:
    """The newest messages, oldest of them first.

    haulage status list --severity error

    haulage status list --package HQ100001 --place CHI -o json
    """
    asked = {"package": package, "place": place, "site": site, "number": number, "severity": severity}
    rows = how.client().get("/status", {**asked, "limit": limit, "newest": True})["items"]
    output.print_rows(rows, how.output, _COLUMNS, empty="There is no such message.")
    bad = sorted({row["number"] for row in rows if row["severity"] != "information"})
    if how.output == "table" and bad:
        output.say(f"What is known about them: haulage status explain {bad[-1]}" + (f" (or {bad[:-1]})" if bad[:-1] else ""))


@app.command
def follow(
    *,
    package: Package = None,
    place: Place = None,
    site: Site = None,
    number: Number = None,
    severity: Severity = None,
    how: How = PLAIN,
) -> None:
    """Messages as they come, until Ctrl-C.

    haulage status follow --severity warning

    haulage status follow -o jsonl
    """
    asked = {"package": package, "place": place, "site": site, "number": number, "severity": severity}
    client = how.client()
    wanted = {name: value for name, value in asked.items() if value is not None}
    for row in _events(client, wanted):
        if how.output in ("json", "jsonl"):
            output.print_rows([row], "jsonl", _COLUMNS)
        elif how.output == "csv":
            output.print_rows([row], "csv", _COLUMNS)
        else:
            output.print_line("  ".join(cell(row) for _, cell in _COLUMNS))


@app.command
def explain(number: int, /, *, how: How = PLAIN) -> None:
    """What a number means and what to do.

    haulage status explain 2302
    """
    found = how.client().get(path("status", "numbers", str(number)))
    fields = ("number", "name", "severity", "type", "component", "text", "cause", "remedy")
    output.print_object(found, how.output, [output.field(name) for name in fields])
    if how.output == "table":
        for line in likely_lines(found.get("articles", [])):
            output.print_line(f"see: {line}")


def _events(client: Client, asked: dict[str, str | int]) -> Iterator[Row]:
    """For ever: a connection that ends is made anew where it ended; a server that is away is waited for once it was there."""
    cursor: str | None = None
    seen = False
    while True:
        try:
            for event, row in client.events("/status/stream", {**asked, "after": cursor}):
                cursor = event
                yield row
            seen = True
        except TransferError as error:
            if error.code == "no-server" and not seen and cursor is None:
                raise
            output.say(f"{error.message} Trying again.")
        with contextlib.suppress(KeyboardInterrupt):
            SystemClock().sleep(_RECONNECT_SECONDS)
            continue
        return
