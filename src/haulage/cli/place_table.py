"""One place, a site or a point, in a terminal: what it is, how it stands, and what is stuck at it with what to do."""

from __future__ import annotations

from haulage.cli import output
from haulage.cli.client import Row

_STUCK = (
    output.field("count"),
    output.field("state"),
    output.field("reason"),
    output.field("cause"),
    output.field("next", "what to do"),
    output.time_field("due", "next try"),
)
_COUNTS = ("failed", "stuck", "late", "busy", "held", "leaving", "present")


def print_place(found: Row, form: output.Form, names: tuple[str, ...]) -> None:
    """Its JSON, or its facts and then what is stuck, once for each cause."""
    flat = {name: found[name] for name in names} | {"health": found["health"], "link": found["link"]["state"]}
    flat |= {name: found["standing"][name] for name in _COUNTS}
    flat |= {"should hold": found["bytes_wanted"], "holds": found["bytes_present"]} | dict(found["ages"])
    if form != "table":
        output.print_object(found, form, [])
        return
    output.print_object(flat, form, [_column(name) for name in flat])
    if found["troubles"]:
        output.print_rows(found["troubles"], form, _STUCK)


def _column(name: str) -> output.Column:
    if name in ("should hold", "holds"):
        return output.size_field(name)
    return output.time_field(name) if name in ("verified_first", "verified_last", "updated") else output.field(name)
