"""Why is it stuck, and what happens next: one shipment, put into words. Pure but for reading the tables."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from haulage.base.clock import iso
from haulage.base.ids import Place, VersionNumber, is_point
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.reporting.forecast import names_of
from haulage.domain.transit import records
from haulage.domain.transit.records import ParcelRecord
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import MEANING, REASON_MEANING, Reason, ShipmentState
from haulage.domain.transit.views import package_status
from haulage.engine.content.model import ManifestId
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
        "cause": cause_of(row, reason),
        "next": next_of(row, state, reason),
        "when": None if row is None or row.due is None else iso(row.due),
        **dataclasses.asdict(update_of(tx, package, where, row)),
    }


def parcel_for(tx: Transaction, package: Package, row: Shipment | None) -> ParcelRecord | None:
    """The parcel this site made for a shipment of the newest version, as far as it can tell; None if none, or it is not kept."""
    wanted = row.wanted if row is not None and row.wanted else package.version
    version = catalog.find_version(tx, package.id, VersionNumber(wanted)) if wanted else None
    made = [] if version is None else list(records.list_parcels(tx, version.manifest))
    if row is not None and row.bytes_total:
        # What travelled has the figures that were reported from there.
        made = [one for one in made if one.figures.get("bytes_new") == row.bytes_new]
    return made[-1] if made else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """From what the bytes of a version came, at which level, and why they were as many as they were."""

    bases: list[str]
    level: str | None
    why: str


def update_of(tx: Transaction, package: Package, where: Place, row: Shipment | None) -> Update:
    """What is known here of how it came to a place."""
    parcel = parcel_for(tx, package, row)
    here = {(name, number): manifest for name, number, manifest in records.all_holdings(tx)}
    bases = [] if parcel is None else names_of([ManifestId(bytes.fromhex(base)) for base in parcel.bases], here)
    return Update(bases=bases, level=None if parcel is None else parcel.level, why=_why(where, row, parcel, bases))


def _why(where: Place, row: Shipment | None, parcel: ParcelRecord | None, bases: list[str]) -> str:
    if is_point(where):
        return "A point takes every byte from its site's store; nothing of it crosses a line between sites."
    if row is None or not row.bytes_total:
        return "Nothing has moved yet; haulage plan says what it will take."
    if not row.bytes_new:
        return "Every byte was held there already."
    if parcel is None:
        return "What it was made from is known at the site above, as long as it is kept there."
    if not bases:
        return "Nothing was held there that is held here, too, so all of it had to travel, compressed."
    return f"It was made on top of {', '.join(bases)}: only what differs travelled, at the level {parcel.level}."


def cause_of(row: Shipment | None, reason: Reason) -> str:
    """Why a shipment is not further, in one sentence; empty if nothing keeps it."""
    if row is not None and reason is Reason.HELD:
        return (
            f"{row.word_by or 'Somebody'} holds it{'' if row.word_time is None else f' since {row.word_time:%Y-%m-%d %H:%M} UTC'}."
        )
    if row is not None and row.error_message:
        return row.error_message
    return REASON_MEANING[reason]


def next_of(row: Shipment | None, state: ShipmentState, reason: Reason) -> str:
    """What happens next by itself, or what somebody has to do."""
    if state is ShipmentState.PRESENT:
        return "Nothing to do."
    if state is ShipmentState.FAILED:
        return (row.error_hint if row is not None else "") or "Publish a version that can be taken, or ask for a retry."
    if reason is Reason.HELD:
        what = f"{row.package} --at {row.place}" if row is not None else "ID --at PLACE"
        return f"It goes on, with what has arrived, when somebody releases it: haulage transfer release {what}"
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
