"""How much room a point of this site has, and whether it answers at all: looked at now and then, never for longer than a moment. A
place that hangs holds up one thread, whoever asks. Must not write to a point."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable

import msgspec

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError
from haulage.base.ids import Place
from haulage.domain.estate.model import Point
from haulage.domain.points.backend import PointBackend

FRESH = dt.timedelta(seconds=10)
"""So long a look counts."""
WAIT_SECONDS = 0.5
"""So long somebody waits for one."""

_log = logging.getLogger("haulage.points")


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a point. ``free`` in bytes, None where it cannot be told."""

    state: str
    """there, trouble, hangs"""
    free: int | None
    seen: str
    code: str = ""
    message: str = ""
    hint: str = ""


class PointSpace:
    """The looks of this server. Any thread may ask."""

    def __init__(self, open_point: Callable[[Point], PointBackend], clock: Clock) -> None:
        self._open_point = open_point
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[Place, tuple[dt.datetime, Space]] = {}
        self._looking: dict[Place, threading.Event] = {}

    def of(self, point: Point) -> Space:
        """The last look, or a new one if that is too old."""
        now = self._clock.now()
        with self._lock:
            known = self._seen.get(point.place)
            if known is not None and abs(now - known[0]) < FRESH:
                return known[1]
            ended = self._begin(point)
        if not ended.wait(WAIT_SECONDS):
            return Space(
                state="hangs",
                free=None,
                seen=iso(now),
                code="point-hangs",
                message=f"{point.place} does not answer.",
                hint="Look at the disk or the mount it lies on.",
            )
        with self._lock:
            return self._seen[point.place][1]

    def known(self, point: Point) -> Space | None:
        """The last look, however old, at once; a new one begins if that is too old, for whoever asks next."""
        with self._lock:
            known = self._seen.get(point.place)
            if known is None or abs(self._clock.now() - known[0]) >= FRESH:
                self._begin(point)
            return None if known is None else known[1]

    def _begin(self, point: Point) -> threading.Event:
        """One thread for each place at most; under the lock."""
        ended = self._looking.get(point.place)
        if ended is None:
            ended = self._looking[point.place] = threading.Event()
            threading.Thread(target=self._look, args=(point, ended), name="haulage-point-space", daemon=True).start()
        return ended

    def _look(self, point: Point, ended: threading.Event) -> None:
        try:
            space = self._looked(point)
        except HaulageError as error:
            space = self._trouble(error.code, error.message, error.hint)
        except Exception as error:
            _log.exception("looking at the point %s", point.place)
            space = self._trouble("point-not-readable", f"{point.place} cannot be looked at: {type(error).__name__}.", "")
        with self._lock:
            self._seen[point.place] = (self._clock.now(), space)
            self._looking.pop(point.place, None)
        ended.set()

    def _trouble(self, code: str, message: str, hint: str) -> Space:
        return Space(state="trouble", free=None, seen=iso(self._clock.now()), code=code, message=message, hint=hint)

    def _looked(self, point: Point) -> Space:
        backend = self._open_point(point)
        backend.probe()
        return Space(state="there", free=backend.free_bytes(), seen=iso(self._clock.now()))
