"""Time, injected. Only this module reads the machine's clocks; order is never taken from them (I18)."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time for people and due times; monotonic time for durations."""

    def now(self) -> dt.datetime:
        """The present moment, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def iso(moment: dt.datetime) -> str:
    """ISO 8601 in UTC with a Z, microseconds kept: the only form in which a time leaves the process."""
    if moment.tzinfo is None:
        raise ValueError("naive time")
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_iso(text: str) -> dt.datetime:
    """The inverse of :func:`iso`; also accepts whole seconds. Raises ValueError for anything without a Z."""
    form = "%Y-%m-%dT%H:%M:%S.%fZ" if "." in text else "%Y-%m-%dT%H:%M:%SZ"
    return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
