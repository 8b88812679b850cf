"""Where one is among target and bases while entries are told one after the other: the same for who writes and who reads. *Pure.*"""

from __future__ import annotations

from collections.abc import Sequence

from haulage.engine.content.manifest_model import PageRef
from haulage.engine.parcels.structure_entry import PLAIN, Facts, Kind


class Track:
    """What the next entry is told against."""

    __slots__ = ("base", "last_facts", "ordinal", "path", "positions", "time")

    def __init__(self, bases: int) -> None:
        self.base = 0
        self.positions = [0] * bases
        """For each base the number of the entry behind the last one used."""
        self.path = b""
        """Of the entry before."""
        self.time = 0
        """Of the entry before."""
        self.last_facts: dict[Kind, Facts] = dict.fromkeys(Kind, PLAIN)
        """Facts of the last entry of each kind that had none to start from, or told its own."""
        self.ordinal = 0
        """Of the next new chunk."""

    def took(self, base: int, number: int) -> None:
        """An entry started from this held one."""
        self.base = base
        self.positions[base] = number + 1

    def kept(self, base: int, behind: int, page: PageRef) -> None:
        """A page was kept: the number of the entry behind it, and what the root page says of it."""
        self.base = base
        self.positions[base] = behind
        self.path = page.first

    def copy(self) -> Track:
        """The same place, to come back to."""
        other = Track(0)
        other.base, other.path, other.time, other.ordinal = self.base, self.path, self.time, self.ordinal
        other.positions = list(self.positions)
        other.last_facts = dict(self.last_facts)
        return other


class PageRun:
    """A stretch of the target's pages: kept ones from a base, or fresh ones."""

    __slots__ = ("base", "count", "entries", "first")

    def __init__(self, base: int, first: int, count: int, entries: Sequence[int] = ()) -> None:
        self.base = base
        """Which base; -1 for fresh pages."""
        self.first = first
        """In the base."""
        self.count = count
        self.entries = entries
        """Fresh pages: how many entries each has; 0 where the rule of the manifest says where it ends."""
