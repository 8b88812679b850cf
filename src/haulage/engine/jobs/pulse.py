"""How often the job library's queues look for work: at once when something was handed over, often while something runs, seldom
otherwise. Knows no job."""

from __future__ import annotations

import threading
from collections.abc import Callable

BUSY_SECONDS = 0.1


class Pulse:
    """Stands in for the event on which the library's threads wait between two looks, and by which they are told to stop."""

    def __init__(self, stop: threading.Event, busy: Callable[[], bool]) -> None:
        self._stop = stop
        self._busy = busy
        self._changed = threading.Condition()
        self._rung = 0
        self._stopping = False

    def wake(self) -> None:
        """Let everybody look now."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def stop(self) -> None:
        """The same, for the last time."""
        self._stopping = True
        self.wake()

    def is_set(self) -> bool:
        """Whether to stop."""
        return self._stopping or self._stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next look; whether to stop instead."""
        with self._changed:
            before = self._rung
            if not self.is_set():
                longest = min(BUSY_SECONDS, timeout or BUSY_SECONDS) if self._busy() else timeout
                self._changed.wait_for(lambda: self._rung != before, longest)
        return self.is_set()
