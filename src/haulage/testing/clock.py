"""A clock that moves only when it is told to."""

from __future__ import annotations

import datetime as dt

_START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class HandClock:
    """Stands still until ``sleep`` or ``move``. Wall time and monotonic time are moved apart by ``set_wall`` only."""

    def __init__(self, start: dt.datetime = _START) -> None:
        self._wall = start
        self._monotonic = 0.0

    def now(self) -> dt.datetime:
        return self._wall

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.move(seconds)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self._wall += dt.timedelta(seconds=seconds)
        self._monotonic += seconds

    def set_wall(self, moment: dt.datetime) -> None:
        """Set the wall clock, as an operator or a dead battery does; durations are not touched."""
        self._wall = moment
