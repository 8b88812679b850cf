"""Which bytes of a content were written so far, in any order, some perhaps twice. Pure."""

from __future__ import annotations

import bisect


class WrittenRanges:
    """Disjoint ranges, merged as they touch; almost always one."""

    __slots__ = ("_ends", "_size", "_starts")

    def __init__(self, size: int) -> None:
        self._size = size
        self._starts: list[int] = []
        self._ends: list[int] = []

    def add(self, start: int, end: int) -> None:
        """Count the bytes from ``start`` to before ``end``. Raises ValueError outside the content."""
        if not 0 <= start <= end <= self._size:
            raise ValueError(f"bytes {start} to {end} of {self._size}")
        if start == end:
            return
        low = bisect.bisect_left(self._ends, start)
        high = bisect.bisect_right(self._starts, end)
        if low < high:
            start = min(start, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]

    def complete(self) -> bool:
        """Whether every byte was written."""
        return self._size == 0 or (len(self._starts) == 1 and self._starts[0] == 0 and self._ends[0] == self._size)
