"""A bound on what one cause can write into the journal (I14): a burst is kept, the rest is counted. Pure but for its memory."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

BURST = 20
"""So many of one kind are kept at once…"""

REFILL_SECONDS = 60.0
"""…and after that one more each so many seconds."""

_MOST_KINDS = 10_000

Kind = tuple[int, str | None, str | None]
"""Number, package, place."""


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_seconds: float
    left_out: int = 0


class FloodGate:
    """One token bucket per (number, package, place)."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[Kind, _Bucket] = OrderedDict()

    def admits(self, kind: Kind, now_seconds: float) -> bool:
        """Whether one more may be kept; takes nothing."""
        bucket = self._buckets.get(kind)
        return bucket is None or self._level(bucket, now_seconds) >= 1

    def kept(self, kind: Kind, now_seconds: float) -> None:
        """One was kept: take a token, and forget what was left out, since the record says it."""
        bucket = self._buckets.pop(kind, None) or _Bucket(BURST, now_seconds)
        bucket.tokens, bucket.at_seconds, bucket.left_out = self._level(bucket, now_seconds) - 1, now_seconds, 0
        self._buckets[kind] = bucket
        while len(self._buckets) > _MOST_KINDS:
            self._buckets.popitem(last=False)

    def count(self, kind: Kind) -> None:
        """One was left out."""
        bucket = self._buckets.get(kind)
        if bucket is not None:
            bucket.left_out += 1

    def left_out(self, kind: Kind) -> int:
        """How many were left out since the last one kept."""
        bucket = self._buckets.get(kind)
        return bucket.left_out if bucket else 0

    @staticmethod
    def _level(bucket: _Bucket, now_seconds: float) -> float:
        return min(BURST, bucket.tokens + (now_seconds - bucket.at_seconds) / REFILL_SECONDS)
