"""So much of something in a stretch of time, and no more: for what strangers can cause. Knows no clock."""

from __future__ import annotations

import threading


class Budget:
    """``most`` in any stretch of ``seconds`` that begins with the first. Any thread may take of it."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._lock = threading.Lock()
        self._begun: float | None = None
        self._taken = 0

    def take(self, now: float) -> bool:
        """One of it at a moment of a monotonic clock; whether there was one left."""
        with self._lock:
            if self._begun is None or now - self._begun >= self._seconds:
                self._begun, self._taken = now, 0
            self._taken += 1
            return self._taken <= self._most
