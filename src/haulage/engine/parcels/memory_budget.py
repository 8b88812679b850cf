"""Work that takes memory waits for room. Knows no work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class MemoryBudget:
    """So many bytes for everything that is under way at once."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._taken = 0
        self._freed = threading.Condition()

    @contextlib.contextmanager
    def reserve(self, size_bytes: int) -> Iterator[None]:
        """Wait until there is room. What needs more than there is at all waits until it is alone."""
        with self._freed:
            self._freed.wait_for(lambda: self._taken == 0 or self._taken + size_bytes <= self._limit)
            self._taken += size_bytes
        try:
            yield
        finally:
            with self._freed:
                self._taken -= size_bytes
                self._freed.notify_all()
