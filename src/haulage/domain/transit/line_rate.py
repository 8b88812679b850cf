"""How many bytes per second a line brings, measured from real transfers: only while somebody waits for the line, because what came
while its bytes were being worked on says nothing of it. Knows no parcel."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from haulage.base.clock import Clock

ENOUGH_BYTES = 1024 * 1024
ENOUGH_SECONDS = 2.0
"""One of the two must have gone by before a measurement means anything: the first bytes of a line come slowly."""
AWAY_SECONDS = 0.02
"""Who was away from the line for longer finds bytes waiting that came meanwhile."""
AT_ONCE_SECONDS = 0.001
"""What comes so soon was waiting already."""
FORGET = 0.5
"""What earlier transfers count for beside a new one: lines change."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Bytes, and the seconds somebody waited for them."""

    size: float = 0.0
    seconds: float = 0.0

    @property
    def rate(self) -> int:
        """Bytes per second; 0 while too little is known."""
        if self.seconds <= 0 or (self.size < ENOUGH_BYTES and self.seconds < ENOUGH_SECONDS):
            return 0
        return max(1, round(self.size / self.seconds))

    def then(self, new: Measured) -> Measured:
        """This, fading, and what was measured after it."""
        return Measured(self.size * FORGET + new.size, self.seconds * FORGET + new.seconds) if new.seconds else self


class LineRate:
    """Measures one line, used by several transfers at once: each then sees its share, and so does whoever comes next."""

    def __init__(self, clock: Clock, rate: int = 0) -> None:
        """``rate``: what an earlier process measured; it fades like anything else."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known = Measured(float(rate) * ENOUGH_SECONDS, ENOUGH_SECONDS) if rate else Measured()

    @property
    def bytes_per_second(self) -> int:
        """As measured so far; 0: not known."""
        with self._lock:
            return self._known.rate

    def learn(self, measured: Measured) -> None:
        """A transfer ended, or a part of one."""
        with self._lock:
            self._known = self._known.then(measured)

    def watch(self, pieces: Iterable[bytes], into: list[Measured]) -> Iterator[bytes]:
        """The pieces of one answer as they come; what was measured is added to ``into`` in the end, however it ends."""
        size, seconds, away = 0, 0.0, False
        asked = self._clock.monotonic()
        try:
            for piece in pieces:
                came = self._clock.monotonic()
                away = away and came - asked < AT_ONCE_SECONDS
                if not away:
                    size += len(piece)
                    seconds += came - asked
                yield piece
                asked = self._clock.monotonic()
                away = away or asked - came > AWAY_SECONDS
        finally:
            into.append(Measured(float(size), seconds))


def total(parts: Iterable[Measured]) -> Measured:
    """All parts of one transfer together."""
    size = seconds = 0.0
    for part in parts:
        size, seconds = size + part.size, seconds + part.seconds
    return Measured(size, seconds)
