"""``haulage overview``: what needs a person, what moves, what changed today."""

from __future__ import annotations

from haulage.cli import output
from haulage.cli.client import Row
from haulage.cli.options import PLAIN, How

_NEEDS = (
    output.field("severity"),
    ("what", lambda row: output.text_of(what(row))),
    output.field("cause"),
    output.field("next"),
)
_FIGURES = ("moving", "verifying", "waiting", "held", "retrying", "failed", "late", "present", "packages", "sites", "away")


def overview(*, how: How = PLAIN) -> None:
    """What needs somebody, each cause once, and how everything stands.

    haulage overview

    haulage overview -o json
    """
    found = how.client().get("/overview")
    if how.output == "json":
        output.print_object(found, how.output, [])
        return
    output.print_rows(found["needs"], how.output, _NEEDS, empty="Nothing needs anybody.")
    if how.output == "table":
        totals: Row = found["totals"]
        output.print_line(", ".join(f"{totals[name]} {name}" for name in _FIGURES if totals[name] or name in ("moving", "failed")))


def what(need: Row) -> str:
    """What it is and how often, with the first of those that are alike."""
    if need["kind"] == "server":
        return "this server"
    first = next(iter(need["examples"]), {"package": "", "place": ""})
    named = " at ".join(part for part in (first["package"], first["place"]) if part)
    more = f" and {need['count'] - 1} more" if need["count"] > 1 else ""
    return f"{need['count']}{'+' if need['at_least'] else ''} {need['words']}: {named}{more}"
