"""When a transfer counts as late, and by which rule. Pure; ``moving/records.py`` asks the same of all rows of the table."""

from __future__ import annotations

import datetime as dt

from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState

QUIET = dt.timedelta(minutes=15)
"""So long nothing was heard of something that moves, or that should have been tried again."""
WAITED = dt.timedelta(hours=24)
"""So long something waits for what should have come."""

MOVES = (ShipmentState.MOVING, ShipmentState.VERIFYING)
TRIED = (ShipmentState.PLANNED, ShipmentState.RETRYING, ShipmentState.WAITING, ShipmentState.REMOVING)


def rule_of(one: Shipment, now: dt.datetime) -> tuple[str, str]:
    """The rule by which it is late, and a sentence; both empty if it is not. What is held is never late."""
    if one.state in (ShipmentState.PRESENT, ShipmentState.REMOVED, ShipmentState.FAILED) or one.reason is Reason.HELD:
        return "", ""
    if one.expected is not None and one.expected < now:
        return "expected", f"By the rate of the line it should have arrived at {_moment(one.expected)}."
    if one.state in MOVES and one.updated < now - QUIET:
        return "quiet", f"Nothing was heard of it since {_moment(one.updated)}, although it is under way."
    if one.state in TRIED and one.due is not None and one.due < now - QUIET:
        return "overdue", f"It was to be looked at again at {_moment(one.due)}, and nothing was heard since."
    if one.state is ShipmentState.WAITING and one.armed is not None and one.armed < now - WAITED:
        return "waited", f"It has been waiting since {_moment(one.armed)}."
    return "", ""


def _moment(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
