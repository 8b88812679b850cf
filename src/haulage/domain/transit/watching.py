"""Looking at a transfer while it is under way: is it still wanted, how fast does it come. Knows neither parcels nor points."""

from __future__ import annotations

import collections
import datetime as dt
from collections.abc import Iterator

from haulage.base.clock import Clock
from haulage.domain.transit.asking import Fetch
from haulage.domain.transit.attempt import Attempts, Superseded
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState, Word

LOOK_SECONDS = 1.0
"""How often it is looked whether somebody stopped it, at most."""
FINISH_SECONDS = 10.0
"""A batch that is on its way when somebody holds the transfer is finished within so long, or given up: bytes that have crossed the
line are not thrown away for nothing, and nobody waits long for their word to count."""
REPORT_SECONDS = 10.0
"""How often the rate is written down, and told to the parent, while no batch is whole."""
WINDOW_SECONDS = 10.0
"""The rate is that of the last so many seconds."""


class Pace:
    """Bytes per second over the last seconds; used by one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came: collections.deque[tuple[float, int]] = collections.deque([(clock.monotonic(), 0)])
        self._total = 0

    def add(self, count: int) -> None:
        """So many bytes came just now."""
        now = self._clock.monotonic()
        self._total += count
        self._came.append((now, self._total))
        while len(self._came) > 2 and now - self._came[1][0] > WINDOW_SECONDS:
            self._came.popleft()

    @property
    def rate(self) -> int:
        """Bytes per second; 0 while there is nothing to reckon with."""
        begin, before = self._came[0]
        seconds = self._clock.monotonic() - begin
        return round((self._total - before) / seconds) if seconds > 0 else 0


class Watched:
    """One transfer over the line, from inside the attempt that receives it."""

    def __init__(self, shipment: Shipment, parcel: str, attempts: Attempts, clock: Clock) -> None:
        self._shipment = shipment
        self._parcel = parcel
        self._attempts = attempts
        self._clock = clock
        self._pace = Pace(clock)
        self._looked = self._reported = clock.monotonic()
        self._held: float | None = None

    def along(self, fetch: Fetch) -> Fetch:
        """``fetch``, watched: raises Superseded between two pieces when nobody wants the rest."""

        def watched(offset: int, count: int) -> Iterator[bytes]:
            for piece in fetch(offset, count):
                self._pace.add(len(piece))
                self._look()
                yield piece

        return watched

    def batch(self, wire_bytes: int) -> None:
        """So many bytes of the parcel are durable now. Raises Superseded."""
        self._reported = self._clock.monotonic()
        self._attempts.arrived(self._shipment, self._parcel, wire_bytes, self._pace.rate)

    def _look(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        if self._held is None:
            found = self._attempts.find(self._shipment)
            if found is None or found.generation != self._shipment.generation:
                if found is None or found.word is not Word.HELD:
                    raise Superseded
                self._held = now
            elif now - self._reported >= REPORT_SECONDS:
                self._reported = now
                self._attempts.show(self._shipment, ShipmentState.MOVING, rate=self._pace.rate)
        elif now - self._held >= FINISH_SECONDS:
            raise Superseded


def expected_at(now: dt.datetime, left_bytes: int, rate: int) -> dt.datetime | None:
    """When so many bytes will have come at a rate; None if the rate is not known, or the moment lies beyond all planning."""
    if rate <= 0 or left_bytes > rate * 10 * 365 * 86_400:
        return None
    return now + dt.timedelta(seconds=left_bytes / rate)
