"""A shipment as a value, and every decision about one that needs no IO. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point
from haulage.domain.transit.states import Reason, ShipmentState, Word, may_move

CANCELLED = "cancelled"
"""The error code of a transfer that somebody cancelled."""
NO_ERROR = {"error_code": "", "error_message": "", "error_hint": "", "error_family": ""}
NOTHING_CAME = {"parcel": "", "bytes_planned": 0, "bytes_done": 0, "bytes_wire": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Who said something of a transfer, when, and at which revision of the site where it was said: the last word counts."""

    by: str
    time: dt.datetime
    revision: int = 0


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
    word: Word = Word.NONE
    """What somebody said last of this transfer."""
    word_by: str = ""
    word_time: dt.datetime | None = None
    word_revision: int = 0
    armed: dt.datetime | None = None
    """Since when what is wanted is wanted."""
    expected: dt.datetime | None = None
    """When it should have arrived, by the rate of the line as it was when it began to move."""
    rate: int = 0
    """Bytes per second, as measured last while it moves."""
    wire_ever: int = 0
    """Bytes that crossed the line for this duty since there is one; never falls."""
    reused_ever: int = 0
    """Bytes that were here already when versions arrived; never falls."""
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

    @property
    def stopped(self) -> bool:
        """Somebody holds or cancelled it, and the wanted version is not here. Removals are never stopped."""
        return self.word is not Word.NONE and self.wanted != NO_VERSION and self.present != self.wanted

    def moved(self, state: ShipmentState, now: dt.datetime, **changes: object) -> Shipment:
        """The shipment after a move; a move that is not allowed is a defect."""
        if not may_move(self.state, state):
            raise AssertionError(f"{self.package} at {self.place}: {self.state.value} to {state.value}")
        reason = changes.pop("reason", Reason.NONE)
        if state is not ShipmentState.MOVING:
            changes["rate"] = 0
        return dataclasses.replace(self, state=state, reason=reason, updated=now, **changes)  # type: ignore[arg-type]


def arm(before: Shipment, wanted: VersionNumber, now: dt.datetime) -> Shipment:
    """Point a shipment at what is wanted now. Unchanged if it already is: a definition told twice does nothing (Q281754, I25).
    A hold goes on for the newer version; a cancellation was of the version before."""
    gone = before.state in (ShipmentState.REMOVING, ShipmentState.REMOVED)
    if before.wanted == wanted and (wanted != NO_VERSION or gone):
        return before
    lasting = before.word if before.word is Word.HELD and wanted != NO_VERSION else Word.NONE
    fresh = {"wanted": wanted, "word": lasting, "armed": now, "expected": None, "verify": False, "repair": False}
    state = ShipmentState.REMOVING if wanted == NO_VERSION else ShipmentState.PLANNED
    return obeying(_anew(before, state, now, **fresh, **NOTHING_CAME, **NO_ERROR))


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
    once, so that whoever waits for the outcome cannot take what was before for it. Ask :func:`forbids` first."""
    if before.wanted == NO_VERSION:
        return _anew(before, ShipmentState.REMOVING, now) if before.state is ShipmentState.REMOVING else before
    looked = {"verify": action != "retry", "repair": action == "repair"}
    word = Word.NONE if before.word is Word.CANCELLED else before.word
    return obeying(_anew(before, ShipmentState.PLANNED, now, word=word, **looked, **NO_ERROR))


def forbids(before: Shipment, action: str) -> str:
    """Why ``retry``, ``verify`` or ``repair`` is not done to a transfer that somebody stopped, as a sentence; empty if it is."""
    if not before.stopped or (before.word is Word.CANCELLED and action == "retry"):
        return ""
    if before.word is Word.HELD:
        return f"{before.package} at {before.place} is held by {before.word_by}: release it first"
    return f"{before.package} at {before.place} was cancelled by {before.word_by}: have it tried again, or released"


def lost(before: Shipment, now: dt.datetime) -> Shipment:
    """What this place held is gone, or nobody knows whether it is there: nothing is present, and it is due at once, unless somebody
    stopped it."""
    gone = dataclasses.replace(before, present=NO_VERSION, verified=None)
    if before.wanted == NO_VERSION:
        return gone
    looked = {"verify": False, "repair": False}
    return obeying(_anew(gone, ShipmentState.PLANNED, now, **looked, **NOTHING_CAME, **NO_ERROR))


def outranked(before: Shipment, said: Said) -> bool:
    """Whether a later word on this transfer was heard already: orders come from several sites, and each may be late."""
    return before.word_time is not None and (said.time, said.revision) <= (before.word_time, before.word_revision)


def hold(before: Shipment, said: Said, now: dt.datetime) -> Shipment:
    """Nothing is brought here until it is released. Work under way stops, and what has arrived stays; where the wanted version is
    present, the hold begins with the next one."""
    if before.wanted == NO_VERSION:
        return before
    held = _spoken(before, Word.HELD, said)
    if before.word is Word.HELD or before.present == before.wanted:
        return held
    return obeying(_anew(held, ShipmentState.WAITING, now, reason=Reason.HELD, **NO_ERROR))


def release(before: Shipment, said: Said, now: dt.datetime) -> Shipment:
    """Neither held nor cancelled any more: what was stopped is due at once and goes on with what has arrived."""
    if before.wanted == NO_VERSION:
        return before
    free = _spoken(before, Word.NONE, said)
    return _anew(free, ShipmentState.PLANNED, now, expected=None, **NO_ERROR) if before.stopped else free


def cancel(before: Shipment, said: Said, now: dt.datetime) -> Shipment:
    """The version under way is not brought here, and what has arrived of it is given up; what is present stays. Where nothing is
    under way there is nothing to cancel."""
    if before.wanted == NO_VERSION:
        return before
    if before.present == before.wanted:
        return _spoken(before, before.word, Said(by=before.word_by, time=said.time, revision=said.revision))
    gone = _spoken(before, Word.CANCELLED, said)
    if before.word is Word.CANCELLED:
        return obeying(gone)
    return obeying(_anew(gone, ShipmentState.FAILED, now, verify=False, repair=False, **NOTHING_CAME))


def obeying(shipment: Shipment) -> Shipment:
    """Whatever happened to a transfer that somebody stopped, it stays as they want it. One that was cancelled keeps its due time:
    what has arrived is still to be cleared away."""
    if not shipment.stopped:
        return shipment
    if shipment.word is Word.HELD:
        return dataclasses.replace(shipment, state=ShipmentState.WAITING, reason=Reason.HELD, due=None, rate=0, expected=None)
    when = "" if shipment.word_time is None else f" on {shipment.word_time:%Y-%m-%d at %H:%M} UTC"
    return dataclasses.replace(
        shipment,
        state=ShipmentState.FAILED,
        reason=Reason.NONE,
        rate=0,
        expected=None,
        error_code=CANCELLED,
        error_message=f"{shipment.word_by or 'Somebody'} cancelled version {shipment.wanted}{when}.",
        error_hint=f"haulage package retry {shipment.package} --at {shipment.place}, or publish a newer version.",
        error_family="conflict",
    )


def _spoken(before: Shipment, word: Word, said: Said) -> Shipment:
    return dataclasses.replace(before, word=word, word_by=said.by, word_time=said.time, word_revision=said.revision)


def _anew(before: Shipment, state: ShipmentState, now: dt.datetime, **changes: object) -> Shipment:
    """Armed anew: work under way notices it, failures are counted from nothing, and it is due."""
    return before.moved(state, now, **({"generation": before.generation + 1, "tries": 0, "due": now} | changes))
