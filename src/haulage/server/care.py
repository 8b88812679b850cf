"""Care for the store while the server runs: what is met damaged is told and replaced, neighbours that lost something are helped,
and everything is read again slowly. Decides when; what is done is the business of domain/repair."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError
from haulage.domain.repair.beside import check_beside
from haulage.domain.repair.healing import HealReport
from haulage.engine.content.model import CheckReport, Damage
from haulage.engine.content.scrub import Scrub
from haulage.engine.content.scrub_state import ScrubState
from haulage.server.bells import Bells
from haulage.server.core import SiteCore

REPAIR = "repair"
"""Rings when something wants repair, here or at the parent."""
LOOK_SECONDS = 60.0
FIRST_SECONDS = 60.0
CAP_SECONDS = 3600.0
"""What could not be replaced is tried again after twice as long each time, up to this."""
LATE_SAID_SECONDS = 86_400.0
NICE = 15
"""The scrub has all the time there is."""

_log = logging.getLogger("haulage.care")


class StoreCare:
    """The care of one store."""

    def __init__(
        self, core: SiteCore, bells: Bells, clock: Clock, *, scrub_path: str | None, scrub_days: int, rate_bytes: int
    ) -> None:
        self._core = core
        self._bells = bells
        self._clock = clock
        self._met: deque[Damage] = deque(maxlen=10_000)
        self._told: set[str] = set()
        self._told_lock = threading.Lock()
        self._next_try = 0.0
        self._failures = 0
        self._late_said: float | None = None
        self._stopping = threading.Event()
        self._rate_bytes = rate_bytes
        self.scrub = Scrub(
            core.parts.store,
            scrub_path,
            clock,
            period=dt.timedelta(days=scrub_days),
            rate_bytes=rate_bytes,
            pause=self._stopping.wait,
            on_end=self._pass_ended,
        )

    def met(self, damage: Damage) -> None:
        """The store met damage, in whatever thread: told and repaired from another one."""
        self._met.append(damage)
        self._bells.ring(REPAIR)

    def hurry(self) -> None:
        """Something came that may help: healing is tried now, whatever was planned."""
        self._next_try, self._failures = 0.0, 0
        self._bells.ring(REPAIR)

    def stop(self) -> None:
        """End what waits."""
        self._stopping.set()

    def repair(self, stopping: threading.Event) -> None:
        """Until the server stops: told, helped, healed."""
        with self._bells.in_thread(REPAIR) as bell:
            while True:
                bell.clear()
                if stopping.is_set():
                    return
                self.turn()
                bell.wait(LOOK_SECONDS)

    def turn(self) -> HealReport | None:
        """One round; what healing did, if it was tried."""
        fresh = [self._met.popleft() for _one in range(len(self._met))]
        if self.tell(fresh):
            self._next_try, self._failures = 0.0, 0
        try:
            self._core.lender.help_parent()
        except HaulageError as error:
            _log.info("the parent could not be helped now: %s", error)
        healer = self._core.healer
        if not healer.wanted or self._clock.monotonic() < self._next_try:
            return None
        return self.heal()

    def heal(self) -> HealReport | None:
        """Try now, and settle when to try again."""
        report = None
        try:
            report = self._core.healer.heal()
        except HaulageError as error:
            _log.warning("the store could not be healed now: %s", error)
        if self._core.healer.wanted:
            self._failures += 1
            self._next_try = self._clock.monotonic() + min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(self._failures - 1, 10))
        else:
            self._failures, self._next_try = 0, 0.0
            with self._told_lock:
                self._told.clear()
        return report

    def heal_now(self) -> HealReport:
        """Because somebody asked. Raises what healing raises."""
        report = self._core.healer.heal()
        self._next_try, self._failures = 0.0, 0
        return report

    def tell(self, damages: Iterable[Damage]) -> bool:
        """Say what was not said yet; whether there was any."""
        with self._told_lock:
            fresh = [damage for damage in damages if damage.where not in self._told]
            self._told.update(damage.where for damage in fresh)
        if fresh:
            with self._core.database.writing() as tx:
                self._core.store_herald.found(tx, fresh)
        return bool(fresh)

    def check(self, on_progress: Callable[[int], None] | None = None) -> CheckReport:
        """Read everything there is, because somebody asked; what is found is told, and healed in the background. ``on_progress``
        is told the stored bytes read so far."""
        report = self._core.parts.store.check(on_progress=on_progress)
        beside = check_beside(self._core.provider, self._core.parts.hints_folder)
        report = dataclasses.replace(report, damages=(*report.damages, *beside))
        self.tell(report.damages)
        if not report.damages:
            self._core.parts.store.clear_aside()
        with self._core.database.writing() as tx:
            self._core.store_herald.checked(tx, report.chunks_checked, report.bytes_checked, len(report.damages))
        return report

    def scrub_turn(self, stopping: threading.Event) -> None:
        """One part of the scrub, or a wait."""
        self._lower()
        self._say_late()
        wait = self.scrub.turn()
        if wait:
            stopping.wait(wait)

    def scrub_view(self) -> dict[str, object]:
        """Where the scrub is, for people."""
        state, late = self.scrub.state, self.scrub.late
        return {
            "state": "reading" if state.began is not None else "waiting",
            "bytes": state.bytes,
            "damages": state.damages,
            "began": None if state.began is None else iso(state.began),
            "finished": None if state.finished is None else iso(state.finished),
            "next": iso(self.scrub.due),
            "rate_bytes": self._rate_bytes,
            "late_days": 0 if late is None else late.days,
        }

    def _lower(self) -> None:
        """This thread only, once is enough and again is harmless; whoever may not is as he was."""
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)

    def _say_late(self) -> None:
        late, now = self.scrub.late, self._clock.monotonic()
        if late is None or (self._late_said is not None and now - self._late_said < LATE_SAID_SECONDS):
            return
        self._late_said = now
        with self._core.database.writing() as tx:
            self._core.store_herald.late(tx, late.days)

    def _pass_ended(self, state: ScrubState) -> None:
        beside = check_beside(self._core.provider, self._core.parts.hints_folder)
        self.tell(beside)
        chunks = self._core.parts.store.stats().chunks
        with self._core.database.writing() as tx:
            self._core.store_herald.checked(tx, chunks, state.bytes, state.damages + len(beside))
