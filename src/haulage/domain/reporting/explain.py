"""Why is it stuck, and what happens next: one shipment, put into words. Pure but for reading the tables."""

from __future__ import annotations

from haulage.base.clock import iso
from haulage.base.ids import Place
from haulage.domain.catalog.model import Package
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import MEANING, REASON_MEANING, Reason, ShipmentState
from haulage.domain.transit.views import package_status
from haulage.engine.database.transaction import Transaction

View = dict[str, object]


def explain(tx: Transaction, package: Package, where: Place) -> View | None:
    """The cause, the next action and when, with the bytes; None if the package is not meant for the place."""
    views = {view["place"]: view for view in package_status(tx, package)}
    view = views.get(where)
    if view is None:
        return None
    row = records.find_shipment(tx, package.id, where)
    state, reason = ShipmentState(view["state"]), Reason(view["reason"])
    return view | {
        "meaning": MEANING[state] + (f" {REASON_MEANING[reason]}" if reason is not Reason.NONE else ""),
        "cause": _cause(row, reason),
        "next": _next(row, state, reason),
        "when": None if row is None or row.due is None else iso(row.due),
    }


def _cause(row: Shipment | None, reason: Reason) -> str:
    if row is not None and row.error_message:
        return row.error_message
    return REASON_MEANING[reason]


def _next(row: Shipment | None, state: ShipmentState, reason: Reason) -> str:
    if state is ShipmentState.PRESENT:
        return "Nothing to do."
    if state is ShipmentState.FAILED:
        return (row.error_hint if row is not None else "") or "Publish a version that can be taken, or ask for a retry."
    if reason is Reason.PERSON:
        hint = row.error_hint if row is not None else ""
        return f"{hint} It is tried again by itself at the time given; sooner with: haulage package retry.".strip()
    if state is ShipmentState.RETRYING:
        return f"Try {(row.tries if row else 0) + 1} by itself at the time given."
    if reason is Reason.REPORT:
        return "The site is told when it connects; nothing else waits for it."
    if reason in (Reason.CONTENT, Reason.DEFINITION, Reason.PARCEL):
        return "It goes on by itself the moment that is there, and looks at the time given at the latest."
    if reason is Reason.SPACE:
        return "Free space at the place; it looks again at the time given."
    return "It is under way."
