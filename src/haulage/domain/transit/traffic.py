"""How much crossed the line to this site and how much was saved, since the process began. Knows no parcel and no table."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Bytes since the process began."""

    received_bytes: int = 0
    """Of parcels, as they crossed the line; what had to be sent twice counts twice."""
    reused_bytes: int = 0
    """Of versions that arrived in parcels: what was here already and did not cross the line."""


class Traffic:
    """Any thread may count."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tally = Tally()

    def add(self, *, received_bytes: int = 0, reused_bytes: int = 0) -> None:
        """Count what came just now."""
        with self._lock:
            before = self._tally
            self._tally = Tally(
                received_bytes=before.received_bytes + received_bytes, reused_bytes=before.reused_bytes + reused_bytes
            )

    @property
    def tally(self) -> Tally:
        """What was counted so far."""
        return self._tally
