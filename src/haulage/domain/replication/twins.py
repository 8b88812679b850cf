"""Noticing that a site runs twice: a copy of its disk beside the one it was made from, or a restored one beside the old one. Each
finds that the neighbours remember more than it does, and raises its epoch past the other, for ever. Knows no site."""

from __future__ import annotations

FREE_RISES = 3
"""So often within the hour the epoch may rise because a neighbour remembers more: a site put back to an older state needs one, or
one for each neighbour in a bad case."""
WITHIN_SECONDS = 3600.0
FIRST_SECONDS = 60.0


class Twins:
    """Counts the rises of one process."""

    def __init__(self) -> None:
        self._rises: list[float] = []

    @property
    def rises(self) -> int:
        """How many there were within the last hour before the last one."""
        return len(self._rises)

    def wait_seconds(self, now: float) -> float:
        """How long the next rise must wait; 0 for not at all. Longer each time, so that two never keep all others busy."""
        self._rises = [when for when in self._rises if now - when < WITHIN_SECONDS]
        over = len(self._rises) - FREE_RISES
        if over < 0:
            return 0.0
        return max(0.0, self._rises[-1] + min(WITHIN_SECONDS, FIRST_SECONDS * 2.0**over) - now)

    def rose(self, now: float) -> None:
        """The epoch was raised."""
        self._rises.append(now)
