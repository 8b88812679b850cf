"""One try at one shipment: run the work, turn what came of it into the next state. Knows nothing of the work.

A job is one attempt. It never fails as a job: every end, expected or not, is written into the shipment, which alone decides
whether and when there is another.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, Remedy, TransferError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode
from haulage.domain.transit import records
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.retry import RetryPolicy
from haulage.domain.transit.shipment import NO_ERROR, Shipment, waits_to_be_woken
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.database.transaction import Database, Transaction

_log = logging.getLogger("haulage.transit")


NOTHING_SEEN: Mapping[str, object] = {}
_SEEN = ("present", "verified")
"""Fields that say what is at a place, not what somebody wants of it."""

SPACE = frozenset({"disk-full", "no-space-at-point"})
"""Codes of errors that pass by themselves once somebody has made room: they wait for that, not for a person, and are told once."""
SPACE_SECONDS = 60.0
"""How often it is looked whether there is room."""

STOPPED = frozenset({"link-closed"})
"""Codes of errors that only say that this server stops: no failure of the place, and no try (Q317893)."""


class Superseded(Exception):
    """Somebody changed what is wanted while the work was under way; it stops at once and starts afresh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt ended with. What ``changes`` says is present is a fact about the place and holds whatever is wanted by now,
    unless only ``effect``, which runs in the same transaction, makes it one (``by_effect``)."""

    state: ShipmentState
    reason: Reason = Reason.NONE
    due_after_seconds: float | None = None
    changes: Mapping[str, object] = field(default_factory=dict)
    effect: Callable[[Transaction, Shipment], None] | None = None
    by_effect: bool = False


Work = Callable[[Shipment], Outcome]
OnFailure = Callable[[Transaction, Shipment, HaulageError], None]
OnSuperseded = Callable[[Transaction, Shipment, Shipment], None]
"""(transaction, as it was when the work began, as it is now): what is wanted changed under the work, which stopped."""


class Attempts:
    """Runs attempts and writes their ends."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        retry: RetryPolicy,
        chance: random.Random,
        on_failure: OnFailure,
        on_superseded: OnSuperseded,
    ) -> None:
        self._code = code
        self._database = database
        self._ledger = ledger
        self._clock = clock
        self._retry = retry
        self._chance = chance
        self._on_failure = on_failure
        self._on_superseded = on_superseded

    @property
    def space_seconds(self) -> float:
        """How often it is looked whether there is room."""
        return min(SPACE_SECONDS, self._retry.cap_seconds)

    def run(self, package: PackageId, where: Place, run: int, work: Work) -> None:
        """One attempt. ``run`` names the job: a job that was done already, or is of another time, does nothing."""
        with self._database.reading() as tx:
            shipment = records.find_shipment(tx, package, where)
        if shipment is None or shipment.owner != self._code or shipment.run != run or shipment.due is None:
            return
        try:
            outcome = work(shipment)
        except Superseded:
            self._end(shipment, self._again, on_changed=self._on_superseded)
        except HaulageError as error:
            again = error.code in STOPPED
            self._end(shipment, self._again if again else functools.partial(self._fail, error))
        except Exception as defect:
            _log.exception("defect in the work on %s at %s", package, where)
            unexpected = TransferError(
                "defect",
                f"The work on {package} at {where} ended unexpectedly: {type(defect).__name__}: {defect}"[:500],
                "Please report it with the server's log; it is tried again.",
            )
            self._end(shipment, functools.partial(self._fail, unexpected))
        else:
            seen = {} if outcome.by_effect else {name: outcome.changes[name] for name in _SEEN if name in outcome.changes}
            self._end(shipment, functools.partial(self._finish, outcome, shipment.wakes), seen)

    def renumber(self, package: PackageId, where: Place, run: int) -> None:
        """The job engine says this run is over, the shipment does not: give it a new number so that it can run again."""
        with self._database.writing() as tx:
            shipment = records.find_shipment(tx, package, where)
            if shipment is not None and shipment.run == run:
                records.put_shipment(tx, dataclasses.replace(shipment, run=run + 1))

    def check_wanted(self, before: Shipment) -> Callable[[Transaction], Shipment]:
        """A function that returns the shipment as it is now, or raises Superseded if it was armed anew since ``before``."""

        def check(tx: Transaction) -> Shipment:
            now = records.find_shipment(tx, before.package, before.place)
            if now is None or now.generation != before.generation:
                raise Superseded
            return now

        return check

    def find(self, before: Shipment) -> Shipment | None:
        """The shipment as it is now."""
        with self._database.reading() as tx:
            return records.find_shipment(tx, before.package, before.place)

    def arrived(self, before: Shipment, parcel: str, wire_bytes: int, rate: int) -> None:
        """So many bytes more crossed the line and are durable, whatever is wanted by now. Raises Superseded after writing it."""
        with self._database.writing() as tx:
            now = records.find_shipment(tx, before.package, before.place)
            wanted = now is not None and now.generation == before.generation
            if now is not None:
                facts: dict[str, object] = {"wire_ever": now.wire_ever + wire_bytes}
                if now.parcel == parcel:
                    facts["bytes_done"] = min(now.bytes_done + wire_bytes, now.bytes_planned)
                    facts["bytes_wire"] = now.bytes_wire + wire_bytes
                after = dataclasses.replace(now, **facts)  # type: ignore[arg-type]
                self._ledger.save(tx, after.moved(ShipmentState.MOVING, self._clock.now(), rate=rate) if wanted else after)
        if not wanted:
            raise Superseded

    def show(self, before: Shipment, state: ShipmentState, **changes: object) -> None:
        """Write a step of the way (moving, verifying, bytes done). Raises Superseded."""
        check = self.check_wanted(before)
        with self._database.writing() as tx:
            self._ledger.save(tx, check(tx).moved(state, self._clock.now(), **changes))

    def _end(
        self,
        before: Shipment,
        write: Callable[[Transaction, Shipment], Shipment],
        seen: Mapping[str, object] = NOTHING_SEEN,
        on_changed: OnSuperseded | None = None,
    ) -> None:
        """Write the end. If the shipment was armed anew meanwhile, only what was seen at the place counts and it starts anew."""
        with self._database.writing() as tx:
            now = records.find_shipment(tx, before.package, before.place)
            if now is None or now.run != before.run:
                return
            if now.generation == before.generation:
                after = write(tx, now)
            else:
                if on_changed is not None:
                    on_changed(tx, before, now)
                after = dataclasses.replace(self._again(tx, now), **seen)  # type: ignore[arg-type]
            self._ledger.save(tx, dataclasses.replace(after, run=before.run + 1))

    def _again(self, _tx: Transaction, now: Shipment) -> Shipment:
        return dataclasses.replace(now, due=self._clock.now())

    def _finish(self, outcome: Outcome, wakes: int, tx: Transaction, now: Shipment) -> Shipment:
        """Take the outcome over. A job that found something missing which came while it was looking does not wait for it."""
        if outcome.effect is not None:
            outcome.effect(tx, now)
        facts: dict[str, object] = {
            "due": self._after(outcome.due_after_seconds),
            "tries": now.tries if outcome.state is ShipmentState.WAITING else 0,
            **NO_ERROR,
        }
        after = now.moved(outcome.state, self._clock.now(), reason=outcome.reason, **(facts | dict(outcome.changes)))
        if after.word is Word.CANCELLED and after.present == after.wanted:
            # The word came too late: it is here.
            after = dataclasses.replace(after, word=Word.NONE)
        missed = now.wakes != wakes and waits_to_be_woken(after)
        return dataclasses.replace(after, due=self._clock.now()) if missed else after

    def _fail(self, error: HaulageError, tx: Transaction, now: Shipment) -> Shipment:
        """Retry on the shipment's own clock; wait for a person, looking again at the slowest pace; or give up."""
        tries = now.tries + 1
        moment = self._clock.now()
        facts = {
            "error_code": error.code,
            "error_message": error.message,
            "error_hint": error.hint,
            "error_family": error.family,
            "tries": tries,
        }
        if now.wanted == NO_VERSION:
            after = now.moved(ShipmentState.REMOVING, moment, due=self._retry.due(moment, tries, self._chance), **facts)
        elif error.code in SPACE:
            after = now.moved(ShipmentState.WAITING, moment, reason=Reason.SPACE, due=self._after(self.space_seconds), **facts)
            if now.error_code == error.code:
                return after
        elif error.remedy is Remedy.RETRY and tries < self._retry.tries:
            after = now.moved(ShipmentState.RETRYING, moment, due=self._retry.due(moment, tries, self._chance), **facts)
        elif error.remedy is not Remedy.GIVE_UP:
            after = now.moved(
                ShipmentState.WAITING, moment, reason=Reason.PERSON, due=self._after(self._retry.cap_seconds), **facts
            )
        else:
            after = now.moved(ShipmentState.FAILED, moment, due=None, **facts)
        self._on_failure(tx, after, error)
        return after

    def _after(self, seconds: float | None) -> dt.datetime | None:
        return None if seconds is None else self._clock.now() + dt.timedelta(seconds=seconds)
