"""When a transfer counts as late, by which rule: once for a row in hand, once for all rows of the table. The two say the same."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from haulage.domain.transit.records import shipments
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState

QUIET = dt.timedelta(minutes=15)
"""So long nothing was heard of something that moves, or that should have been tried again."""
WAITED = dt.timedelta(hours=24)
"""So long something waits for what should have come."""

_MOVES = (ShipmentState.MOVING, ShipmentState.VERIFYING)
_TRIED = (ShipmentState.PLANNED, ShipmentState.RETRYING, ShipmentState.WAITING, ShipmentState.REMOVING)
_S = shipments.c


def rule_of(one: Shipment, now: dt.datetime) -> tuple[str, str]:
    """The rule by which it is late, and a sentence; both empty if it is not. What is held is never late."""
    if one.state in (ShipmentState.PRESENT, ShipmentState.REMOVED, ShipmentState.FAILED) or one.reason is Reason.HELD:
        return "", ""
    if one.expected is not None and one.expected < now:
        return "expected", f"By the rate of the line it should have arrived at {_moment(one.expected)}."
    if one.state in _MOVES and one.updated < now - QUIET:
        return "quiet", f"Nothing was heard of it since {_moment(one.updated)}, although it is under way."
    if one.state in _TRIED and one.due is not None and one.due < now - QUIET:
        return "overdue", f"It was to be looked at again at {_moment(one.due)}, and nothing was heard since."
    if one.state is ShipmentState.WAITING and one.armed is not None and one.armed < now - WAITED:
        return "waited", f"It has been waiting since {_moment(one.armed)}."
    return "", ""


def is_late(now: dt.datetime) -> sa.ColumnElement[bool]:
    """The same as a condition on rows that are not settled."""
    waits = _S.state == ShipmentState.WAITING.value
    return sa.and_(
        _S.state != ShipmentState.FAILED.value,
        _S.reason != Reason.HELD.value,
        sa.or_(
            _S.expected < now,
            sa.and_(_S.state.in_([state.value for state in _MOVES]), _S.updated < now - QUIET),
            sa.and_(_S.state.in_([state.value for state in _TRIED]), _S.due < now - QUIET),
            sa.and_(waits, _S.armed < now - WAITED),
        ),
    )


def _moment(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
