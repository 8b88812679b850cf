"""The child's side of the hop, running: one thread pulls by long poll, one pushes when there is something to tell. Keeps no truth:
a restart begins with what the tables say."""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
from collections.abc import Callable

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.replication.uplink import Uplink
from haulage.engine.links.link import Link
from haulage.engine.status import on_sites
from haulage.server.api.hop import peer_bell
from haulage.server.bells import Bells
from haulage.server.core import SiteCore
from haulage.server.presence import Presence
from haulage.server.threads import Repeating

POLL_SECONDS = 50.0
"""Below what proxies and firewalls let be silent."""
PUSH_IDLE_SECONDS = 60.0
"""A parent hears from its child at least this often."""
GATHER_SECONDS = 0.05
"""Progress comes in bursts; what is said within so long goes together."""
AWAY_SECONDS = 60.0
"""A parent that cannot be reached for so long is reported."""
CLOCK_SECONDS = 60
"""Clocks that differ by more than this are reported."""
FIRST_SECONDS = 0.5
CAP_SECONDS = 30.0
REMOVED_CAP_SECONDS = 600.0
"""A site that was removed asks so seldom: nothing will change but by a person."""
REMOVED = "site-removed"

_log = logging.getLogger("haulage.uplink")


class Contact:
    """Whether the parent answers, and saying so when that changes for long."""

    def __init__(
        self,
        parent: SiteCode,
        core: SiteCore,
        clock: Clock,
        presence: Presence,
        clock_offset_seconds: Callable[[], float],
        hear_version: Callable[[], None] = lambda: None,
    ) -> None:
        self._parent = parent
        self._clock_offset_seconds = clock_offset_seconds
        self._hear_version = hear_version
        self._clock_said = False
        self._core = core
        self._clock = clock
        self._presence = presence
        self._lock = threading.Lock()
        self._failing_since: dt.datetime | None = None
        self._said = False
        self._removed = ""

    @property
    def removed(self) -> str:
        """The parent's word that this site was removed from the hierarchy; empty if it never said so."""
        return self._removed

    @property
    def failing_since(self) -> dt.datetime | None:
        """Since when the parent does not answer; None while it does."""
        return self._failing_since

    def good(self) -> bool:
        """An answer came; True if it is the first one after failures."""
        self._presence.hear(self._parent)
        with self._lock:
            since, said = self._failing_since, self._said
            self._failing_since, self._said, self._removed = None, False, ""
        self._compare_clocks()
        self._hear_version()
        if since is not None and said:
            away = round((self._clock.now() - since).total_seconds())
            with self._core.database.writing() as tx:
                self._core.journal.record(tx, on_sites.PARENT_BACK, parent=self._parent, away_seconds=away)
        return since is not None

    def _compare_clocks(self) -> None:
        """Requests are signed with a time that the parent corrects: how far it is off shows only here."""
        seconds = round(self._clock_offset_seconds())
        wrong = abs(seconds) > CLOCK_SECONDS
        if wrong and not self._clock_said:
            with self._core.database.writing() as tx:
                self._core.journal.record(tx, on_sites.CLOCK_DIFFERS, other=self._parent, seconds=seconds)
        self._clock_said = wrong

    def bad(self, error: HaulageError) -> None:
        """None came."""
        removed = error.code == REMOVED
        _log.log(logging.WARNING if removed else logging.INFO, "parent %s: %s", self._parent, error)
        now = self._clock.now()
        with self._lock:
            since = self._failing_since = self._failing_since or now
            # That it was removed is told at once, also when its parent had been away before.
            news = removed and not self._removed
            say = news or (not self._said and (now - since).total_seconds() >= AWAY_SECONDS)
            self._removed = error.message if removed else ""
            self._said = self._said or say
        if say:
            with self._core.database.writing() as tx:
                self._core.journal.record(tx, on_sites.PARENT_AWAY, parent=self._parent, since=iso(since), cause=error.message)


class Uplinks:
    """Both threads."""

    def __init__(
        self,
        parent: SiteCode,
        core: SiteCore,
        link: Link,
        clock: Clock,
        bells: Bells,
        presence: Presence,
        *,
        clock_offset_seconds: Callable[[], float] = lambda: 0.0,
        hear_version: Callable[[], None] = lambda: None,
    ) -> None:
        """``hear_version`` is called after every answer: the link knows then what version the parent says it has."""
        self._parent = parent
        self._bells = bells
        self._uplink = Uplink(parent, core.streams, link, claim=core.own_claim)
        self.contact = Contact(parent, core, clock, presence, clock_offset_seconds, hear_version)
        self._stopping = threading.Event()
        self._pull_failures = self._push_failures = 0
        self._chance = random.Random()  # noqa: S311  (spreads retries; no secret)
        self._threads = [
            Repeating("pull", self._pull, self._stopping),
            Repeating("push", self._push, self._stopping),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Take no more turns; the link is closed by its owner, which ends the calls under way."""
        self._stopping.set()
        self._bells.ring(peer_bell(self._parent))

    def join(self, timeout_seconds: float) -> None:
        """Wait for the end."""
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _pull(self) -> None:
        try:
            self._uplink.pull(POLL_SECONDS)
        except HaulageError as error:
            self._pull_failures += 1
            self._failed(error, self._pull_failures)
            return
        self._pull_failures = 0
        if self.contact.good():
            self._bells.ring(peer_bell(self._parent))

    def _push(self) -> None:
        with self._bells.in_thread(peer_bell(self._parent)) as bell:
            while not self._stopping.is_set():
                bell.clear()
                try:
                    while self._uplink.push():
                        pass
                except HaulageError as error:
                    self._push_failures += 1
                    self._failed(error, self._push_failures)
                    continue
                self._push_failures = 0
                bell.wait(PUSH_IDLE_SECONDS)
                self._stopping.wait(GATHER_SECONDS)

    def _failed(self, error: HaulageError, failures: int) -> None:
        if self._stopping.is_set():
            return
        self.contact.bad(error)
        longest = REMOVED_CAP_SECONDS if error.code == REMOVED else CAP_SECONDS
        ceiling = min(longest, FIRST_SECONDS * 2.0 ** min(failures - 1, 12))
        self._stopping.wait(ceiling * (0.5 + 0.5 * self._chance.random()))
