"""``haulage status``: the numbered messages, and what each number means."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
_TINTS: dict[str, output.Tint] = {"error": "red", "warning": "yellow"}
_FIRST_SECONDS, _LONGEST_SECONDS = 0.5, 10.0
"""Before a server that is away is looked for again."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages; what is not given narrows nothing."""

    package: Annotated[list[str], Parameter(negative=(), show_default=False, help="Only about these packages.")] = field(
        default_factory=list
    )
    place: Annotated[
        list[str], Parameter(name=["--place", "--at"], negative=(), show_default=False, help="Only about these places.")
    ] = field(default_factory=list)
    site: Annotated[list[str], Parameter(negative=(), show_default=False, help="Only what these sites said.")] = field(
        default_factory=list
    )
    below: Annotated[
        list[str], Parameter(negative=(), show_default=False, help="Only what these sites and those below them said.")
    ] = field(default_factory=list)
    number: Annotated[list[int], Parameter(negative=(), show_default=False, help="Only these numbers.")] = field(
        default_factory=list
    )
    severity: Annotated[Literal["information", "warning", "error"] | None, Parameter(help="The least severity shown.")] = None
    type: Annotated[
        list[Literal["milestone", "detail", "audit"]], Parameter(negative=(), show_default=False, help="Only these types.")
    ] = field(default_factory=list)
    component: Annotated[list[str], Parameter(negative=(), show_default=False, help="Only what these parts of Haulage said.")] = (
        field(default_factory=list)
    )
    since: Annotated[
        str | None, Parameter(help="From then on: 2026-01-31T08:00:00Z, 2026-01-31, or how long ago: 15m, 2h, 7d.")
    ] = None
    until: Annotated[str | None, Parameter(help="Before then, written like --since.")] = None
    text: Annotated[str | None, Parameter(help="Words that stand in the sentence or its fields, all of them.")] = None

    def query(self) -> dict[str, str | None]:
        """As the API takes it."""
        listed: dict[str, Sequence[str]] = {
            "package": self.package,
            "place": self.place,
            "site": self.site,
            "below": self.below,
            "type": self.type,
        }
        listed["number"], listed["component"] = [str(each) for each in self.number], self.component
        plain = {"severity": self.severity, "since": self.since, "until": self.until, "text": self.text}
        return {name: ",".join(values) or None for name, values in listed.items()} | plain


ALL = Wanted()


@app.command(name="list")
def list_(
    *,
    wanted: Wanted = ALL,
    limit: Annotated[int, Parameter(help="How many of the newest are shown.")] = 100,
    how: How = PLAIN,
) -> None:
    """The newest messages, oldest of them first.

    haulage status list --severity error

    haulage status list --package HQ100001 --place CHI -o json

    haulage status list --since 2h --text "disk full"
    """
    rows = _newest(how.client(), wanted.query(), limit)
    output.print_rows(rows, how.output, _COLUMNS, empty="There is no such message.")
    bad = sorted({row["number"] for row in rows if row["severity"] != "information"})
    if how.output == "table" and bad:
        output.say(f"What is known about them: haulage status explain {bad[-1]}" + (f" (or {bad[:-1]})" if bad[:-1] else ""))


@app.command
def follow(*, wanted: Wanted = ALL, how: How = PLAIN) -> None:
    """Messages as they come, until Ctrl-C; with --since those before them, too. A server that is restarted is waited for, and none
    of its messages is missed or shown twice.

    haulage status follow --severity warning

    haulage status follow --since 1h -o jsonl
    """
    with contextlib.suppress(KeyboardInterrupt):
        for row in _follow(how, wanted.query()):
            if how.output in ("json", "jsonl"):
                output.print_rows([row], "jsonl", _COLUMNS)
            elif how.output == "csv":
                output.print_rows([row], "csv", _COLUMNS)
            else:
                output.print_line("  ".join(cell(row) for _, cell in _COLUMNS), tint=_TINTS.get(str(row["severity"])))


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


def _newest(client: Client, asked: Mapping[str, str | None], limit: int) -> list[Row]:
    """Looks go back until there are enough: one look may find none among many."""
    rows: list[Row] = []
    cursor: str | None = None
    while True:
        page = client.get("/status", {**asked, "limit": limit - len(rows), "newest": True, "cursor": cursor})
        rows, cursor = [*page["items"], *rows], page["cursor"]
        if cursor is None or len(rows) >= limit:
            return rows


def _follow(how: How, asked: Mapping[str, str | None]) -> Iterator[Row]:
    """For ever: a connection that ends is made anew where it ended; a server that is away is waited for once it was there."""
    client = how.client()
    after = _last_id(client)
    if asked["since"] is not None:
        for row in client.rows("/status", asked):
            after = max(after, int(row["id"]))
            yield row
    pause, away = _FIRST_SECONDS, False
    while True:
        try:
            client = how.client()
            for event, row in client.events("/status/stream", {**asked, "after": after}):
                after, pause, away = int(event), _FIRST_SECONDS, False
                yield row
            pause = _FIRST_SECONDS
        except TransferError as error:
            if not away:
                output.say(f"{error.message} It is waited for.")
            away = True
        SystemClock().sleep(pause)
        pause = min(2 * pause, _LONGEST_SECONDS)


def _last_id(client: Client) -> int:
    items = client.get("/status", {"limit": 1, "newest": True})["items"]
    return int(items[0]["id"]) if items else 0
