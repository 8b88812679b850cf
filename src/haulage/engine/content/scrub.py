"""Reading a whole store again and again, slowly: part by part, at a bounded rate, going on where it was after a restart. Finds what
nobody reads (I15). Knows the store by its interface; must not know what is done about what it finds."""

from __future__ import annotations

import bisect
import dataclasses
import datetime as dt
from collections.abc import Callable

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.engine.content.model import ChunkStore, Damage
from haulage.engine.content.scrub_state import ScrubState, load_scrub, save_scrub

FIRST_SECONDS = 3600.0
"""A store that was never read begins so long after its server started; a pass that was cut off goes on after RESUME_SECONDS."""
RESUME_SECONDS = 60.0
IDLE_SECONDS = 600.0
RETRY_SECONDS = 60.0
"""After a part could not be read for a cause that says nothing about it."""
SAVE_SECONDS = 30.0
EARLY = 0.75
"""A pass begins when this share of the period is over: every byte is then read within the period even if the pass takes a while."""

OnEnd = Callable[[ScrubState], None]


class ScrubStopped(Exception):
    """The server stops in the middle of a part."""


class Scrub:
    """The scrub of one store. One thread calls ``turn``; any may ask for ``state``."""

    def __init__(
        self,
        store: ChunkStore,
        path: str | None,
        clock: Clock,
        *,
        period: dt.timedelta,
        rate_bytes: int,
        pause: Callable[[float], bool],
        on_end: OnEnd,
    ) -> None:
        """``path`` keeps how far it is (None: nowhere). ``pause`` waits so many seconds, and says whether to stop. ``on_end`` is
        told of each finished pass."""
        self._store = store
        self._path = path
        self._clock = clock
        self._period = period
        self._rate_bytes = rate_bytes
        self._pause = pause
        self._on_end = on_end
        self._started = clock.monotonic()
        self._saved = clock.monotonic()
        self._recheck: list[str] | None = None
        self.state = (load_scrub(path) if path is not None else None) or ScrubState(since=clock.now())

    @property
    def late(self) -> dt.timedelta | None:
        """Since when the store was not read whole, if that is longer than it should be."""
        gone = self._clock.now() - (self.state.finished or self.state.since)
        return gone if gone > self._period else None

    @property
    def due(self) -> dt.datetime:
        """When the next pass begins, or began."""
        if self.state.began is not None:
            return self.state.began
        base = self.state.finished
        return self.state.since if base is None else base + self._period * EARLY

    def turn(self) -> float:
        """Read one part, if it is time; returns how many seconds nothing is to be done."""
        now, up = self._clock.now(), self._clock.monotonic() - self._started
        self._set_right(now)
        if self.state.began is None:
            if now < self.due:
                return min(IDLE_SECONDS, (self.due - now).total_seconds())
            if self.state.finished is None and up < FIRST_SECONDS:
                return FIRST_SECONDS - up
            self._save(dataclasses.replace(self.state, began=now, next="", bytes=0, damages=0))
        elif up < RESUME_SECONDS:
            return RESUME_SECONDS - up
        try:
            self._step()
        except ScrubStopped:
            return 0.0
        except HaulageError:
            # The place does not work this time; the part is read again.
            return RETRY_SECONDS
        return 0.0

    def _set_right(self, now: dt.datetime) -> None:
        """A clock that was put back must not keep the store unread for years (I18)."""
        state = self.state
        if max(moment for moment in (state.since, state.began, state.finished) if moment is not None) > now + dt.timedelta(hours=1):
            self.state = dataclasses.replace(
                state,
                since=min(state.since, now),
                began=min(state.began, now) if state.began else None,
                finished=min(state.finished, now) if state.finished else None,
            )

    def _step(self) -> None:
        """The packs found wrong before the restart first, then the next part, or the end."""
        if self._recheck is None:
            self._recheck = list(self.state.unsound)
        if self._recheck:
            self._read(self._recheck[-1])
            self._recheck.pop()
            return
        parts = sorted(self._store.parts())
        at = bisect.bisect_left(parts, self.state.next)
        if at < len(parts):
            size, damages = self._read(parts[at])
            following = parts[at + 1] if at + 1 < len(parts) else "f" * 32
            self._move(following, size, len(damages))
        if at + 1 >= len(parts):
            self._end()

    def _move(self, following: str, size: int, damages: int) -> None:
        before = self.state
        self.state = dataclasses.replace(
            before, next=following, bytes=before.bytes + size, damages=before.damages + damages, unsound=self._unsound()
        )
        if damages or self._clock.monotonic() - self._saved >= SAVE_SECONDS:
            self._save(self.state)

    def _end(self) -> None:
        state = dataclasses.replace(self.state, began=None, next="", finished=self._clock.now(), unsound=self._unsound())
        if not state.damages and not state.unsound:
            self._store.clear_aside()
        self._save(state)
        self._on_end(state)

    def _unsound(self) -> tuple[str, ...]:
        return tuple(self._store.unsound()[:10_000])

    def _save(self, state: ScrubState) -> None:
        self.state = state
        self._saved = self._clock.monotonic()
        if self._path is not None:
            save_scrub(self._path, state)

    def _read(self, part: str) -> tuple[int, tuple[Damage, ...]]:
        """One part at the rate; the bytes it took on disk, and what is wrong with it."""
        began, read = self._clock.monotonic(), 0

        def pace(done: int) -> None:
            nonlocal read
            read = done
            ahead = done / self._rate_bytes - (self._clock.monotonic() - began)
            if self._pause(max(0.0, ahead)):
                raise ScrubStopped

        report = self._store.check(part=part, on_progress=pace)
        return read, report.damages
