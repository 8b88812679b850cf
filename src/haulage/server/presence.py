"""When each neighbour was last heard. In memory; what must survive a restart is written by housekeeping."""

from __future__ import annotations

import datetime as dt
import threading

from haulage.base.clock import Clock
from haulage.base.ids import SiteCode


class Presence:
    """Any thread may use it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[SiteCode, dt.datetime] = {}

    def hear(self, peer: SiteCode) -> None:
        """A proven word of a neighbour came just now."""
        with self._lock:
            self._heard[peer] = self._clock.now()

    def heard(self) -> dict[SiteCode, dt.datetime]:
        """When each was last heard since this server started."""
        with self._lock:
            return dict(self._heard)
