"""A shipment as a value, and every decision about one that needs no IO. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point
from haulage.domain.transit.states import Reason, ShipmentState, may_move


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """The duty to bring one package to one place, and how far it is.

    ``wanted`` follows the definitions; ``present`` is what was seen. ``generation`` counts armings, ``run`` the jobs that ended,
    ``tries`` the failures in a row. ``epoch`` and ``observation`` order what the owner reported.
    """

    package: PackageId
    place: Place
    owner: SiteCode
    wanted: VersionNumber = NO_VERSION
    present: VersionNumber = NO_VERSION
    state: ShipmentState = ShipmentState.PLANNED
    reason: Reason = Reason.NONE
    generation: int = 0
    tries: int = 0
    run: int = 0
    due: dt.datetime | None = None
    wakes: int = 0
    """How often something it may wait for came; a job that ends in waiting and missed one goes on at once."""
    error_code: str = ""
    error_message: str = ""
    error_hint: str = ""
    error_family: str = ""
    """Of which family of errors it is: ``transfer`` says that nothing is known of the bytes there."""
    bytes_planned: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_reused: int = 0
    bytes_new: int = 0
    bytes_wire: int = 0
    parcel: str = ""
    """The parcel under way; what of it is held already is what the store holds."""
    verify: bool = False
    """Read everything at the place again, although the version is present."""
    repair: bool = False
    verified: dt.datetime | None = None
    updated: dt.datetime
    epoch: int = 0
    observation: int = 0

    @property
    def kind(self) -> str:
        """``site`` or ``point``."""
        return "point" if is_point(self.place) else "site"

    @property
    def settled(self) -> bool:
        """Nothing left to do: the wanted version is present, or nothing is wanted and nothing is here."""
        if self.wanted == NO_VERSION:
            return self.state is ShipmentState.REMOVED
        return self.state is ShipmentState.PRESENT and self.present == self.wanted

    def moved(self, state: ShipmentState, now: dt.datetime, **changes: object) -> Shipment:
        """The shipment after a move; a move that is not allowed is a defect."""
        if not may_move(self.state, state):
            raise AssertionError(f"{self.package} at {self.place}: {self.state.value} to {state.value}")
        reason = changes.pop("reason", Reason.NONE)
        return dataclasses.replace(self, state=state, reason=reason, updated=now, **changes)  # type: ignore[arg-type]


def arm(before: Shipment, wanted: VersionNumber, now: dt.datetime) -> Shipment:
    """Point a shipment at what is wanted now. Unchanged if it already is: a definition told twice does nothing (Q281754, I25)."""
    gone = before.state in (ShipmentState.REMOVING, ShipmentState.REMOVED)
    if before.wanted == wanted and (wanted != NO_VERSION or gone):
        return before
    fresh = {
        "wanted": wanted,
        "generation": before.generation + 1,
        "tries": 0,
        "due": now,
        "error_code": "",
        "error_message": "",
        "error_hint": "",
        "error_family": "",
        "parcel": "",
        "bytes_planned": 0,
        "bytes_done": 0,
        "verify": False,
        "repair": False,
    }
    return before.moved(ShipmentState.REMOVING if wanted == NO_VERSION else ShipmentState.PLANNED, now, **fresh)


def wake(before: Shipment, now: dt.datetime) -> Shipment:
    """Something this shipment may wait for is there. If it waits, it is due at once; if it is being worked on, the job will see it;
    in any case no other due time changes (Q319207)."""
    if before.settled or before.wanted == NO_VERSION:
        return before
    woken = dataclasses.replace(before, wakes=before.wakes + 1)
    return dataclasses.replace(woken, due=now) if waits_to_be_woken(before) else woken


def waits_to_be_woken(shipment: Shipment) -> bool:
    """Whether it waits for content, definition or parcel."""
    return shipment.state is ShipmentState.WAITING and shipment.reason in (Reason.CONTENT, Reason.DEFINITION, Reason.PARCEL)


def order(before: Shipment, action: str, now: dt.datetime) -> Shipment:
    """Carry out a person's order on one shipment: ``retry``, ``verify`` or ``repair``. Counts as a new arming, and shows as one at
    once, so that whoever waits for the outcome cannot take what was before for it."""
    fresh = {"generation": before.generation + 1, "tries": 0, "due": now}
    if before.wanted == NO_VERSION:
        return before.moved(ShipmentState.REMOVING, now, **fresh) if before.state is ShipmentState.REMOVING else before
    looked = {"verify": action != "retry", "repair": action == "repair"}
    cleared = {"error_code": "", "error_message": "", "error_hint": "", "error_family": ""}
    return before.moved(ShipmentState.PLANNED, now, **fresh, **looked, **cleared)


def lost(before: Shipment, now: dt.datetime) -> Shipment:
    """What this place held is gone, or nobody knows whether it is there: nothing is present, and it is due at once."""
    nothing = {"present": NO_VERSION, "verified": None, "parcel": "", "bytes_planned": 0, "bytes_done": 0, "bytes_wire": 0}
    if before.wanted == NO_VERSION:
        return dataclasses.replace(before, present=NO_VERSION, verified=None)
    return dataclasses.replace(order(before, "retry", now), **nothing)  # type: ignore[arg-type]
