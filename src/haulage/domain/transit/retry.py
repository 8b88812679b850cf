"""When a failed shipment is tried again: exponential, full jitter, capped. Pure."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The pace of tries after a failure."""

    first_seconds: float = 10.0
    cap_seconds: float = 3600.0
    tries: int = 100
    """After so many failures in a row somebody should look; until then it goes on at the slowest pace."""

    def delay_seconds(self, tries: int, chance: random.Random) -> float:
        """Seconds before the next try after ``tries`` failures in a row: between half and the whole of an exponential ceiling, so
        that many places failing together do not come back together, yet none comes back at once."""
        ceiling = min(self.cap_seconds, self.first_seconds * 2.0 ** min(max(tries - 1, 0), 30))
        return ceiling * (0.5 + 0.5 * chance.random())

    def due(self, now: dt.datetime, tries: int, chance: random.Random) -> dt.datetime:
        """The moment of the next try."""
        return now + dt.timedelta(seconds=self.delay_seconds(tries, chance))
