"""Bytes that moved within a large content, found by sampled anchors and proven by comparison: copies in the midst of what is new;
and what it only resembles. Knows views. Memory: some bytes for each anchor looked for, of which there is a bounded number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from haulage.engine.archives.view import View
from haulage.engine.content.ordered import in_order
from haulage.engine.delta.agreement import common_prefix, common_suffix
from haulage.engine.delta.columns import Ints
from haulage.engine.delta.numbers import np, npt
from haulage.engine.delta.sampling import ANCHOR_BYTES, Words, anchors

_BLOCK_BYTES = 4 * 1024 * 1024
_MASK = 255
"""One place of 256 is an anchor."""
_MOST_LOOKED_FOR = 800_000
_NOWHERE = -1
_LEAST_ISLAND = 1024
_LOOK_BYTES = 64 * 1024
_LEAST_ALIKE = 2
"""Anchors that point to the same part of the old content."""
_APART_BYTES = 32 * 1024
"""Between them, at most; and around them as much may help."""


class Island(NamedTuple):
    """New bytes that stand in the old content."""

    offset: int
    length: int
    old: int


class _Wanted(NamedTuple):
    """Hashes, ascending, and where in the old content the bytes they are of stand first, or _NOWHERE."""

    hashes: Words
    places: Ints
    often: npt.NDArray[np.bool_]
    """Whether they stand in several places."""

    def rows(self, hashes: Words) -> tuple[Ints, Ints]:
        """Of those hashes that are wanted: their numbers, and their rows here."""
        if not len(self.hashes):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        rows = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        numbers = np.flatnonzero(self.hashes[rows] == hashes)
        return numbers, rows[numbers]


def _agreed(shifts: Ints) -> npt.NDArray[np.bool_]:
    """Which are as the one before or behind: what stands in several places is believed of no anchor alone."""
    same = np.zeros(len(shifts) + 1, np.bool_)
    same[1:-1] = shifts[1:] == shifts[:-1]
    return same[1:] | same[:-1]


class Islands:
    """Where in an old content pieces of a new one stand."""

    def __init__(self, new: View, ranges: Callable[[], Iterable[tuple[int, int]]], old: View, *, threads: int = 2) -> None:
        """``ranges``: offset and size of what is to be found, given twice."""
        self._new, self._old, self._ranges, self._threads = new, old, ranges, threads
        self._shift = np.uint64(0)
        self._found: _Wanted | None = None

    def within(self, offset: int, size: int) -> Iterator[Island]:
        """Islands in a range of the new content, in order, none touching another."""
        wanted = self._found or self.find()
        done = offset
        for start in range(offset, offset + size, _BLOCK_BYTES):
            end = min(start + _BLOCK_BYTES, offset + size)
            at, hashes = self._anchors(self._new, start, end - start)
            numbers, rows = wanted.rows(hashes)
            places = wanted.places[rows]
            sure = (places >= 0) & (~wanted.often[rows] | _agreed(at[numbers] - places))
            for place, old in zip(at[numbers][sure].tolist(), places[sure].tolist(), strict=True):
                if place < done:
                    continue
                island = self._grown(place, ANCHOR_BYTES, old, done, offset + size)
                if island is not None:
                    yield island
                    done = island.offset + island.length

    def alike(self, offset: int, size: int) -> Iterator[tuple[int, int]]:
        """Ranges (start, end) of the old content, ascending, that several places in a range of the new one point to."""
        wanted = self._found or self.find()
        parts = [np.empty(0, np.int64)]
        for start in range(offset, offset + size, _BLOCK_BYTES):
            _at, hashes = self._anchors(self._new, start, min(_BLOCK_BYTES, offset + size - start))
            _numbers, rows = wanted.rows(hashes)
            parts.append(wanted.places[rows])
        places = np.unique(np.concatenate(parts))
        places = places[places >= 0]
        for part in np.split(places, np.flatnonzero(np.diff(places) > _APART_BYTES) + 1):
            if len(part) >= _LEAST_ALIKE:
                yield max(0, int(part[0]) - _APART_BYTES), min(self._old.size, int(part[-1]) + _APART_BYTES)

    def find(self) -> _Wanted:
        """Read all of the old content once, unless that was done."""
        if self._found is None:
            self._found = self._find()
        return self._found

    def _find(self) -> _Wanted:
        total = sum([size for _offset, size in self._ranges()])
        self._shift = np.uint64(max(0, (total // (_MASK + 1) // _MOST_LOOKED_FOR).bit_length()))
        hashes = [found for _block, (_at, found) in self._blocks(self._new, self._ranges())]
        unique = np.unique(np.concatenate(hashes)) if hashes else np.empty(0, np.uint64)
        wanted = _Wanted(unique, np.full(len(unique), _NOWHERE, np.int64), np.zeros(len(unique), np.bool_))
        for _block, (at, found) in self._blocks(self._old, [(0, self._old.size)] if len(unique) else []):
            numbers, rows = wanted.rows(found)
            wanted.often[rows] |= (wanted.places[rows] != _NOWHERE) | (np.bincount(rows, minlength=1)[rows] > 1)
            first = wanted.places[rows] == _NOWHERE
            wanted.places[rows[first]] = at[numbers[first]]
        return wanted

    def _blocks(self, view: View, ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], tuple[Ints, Words]]]:
        blocks = (
            (at, min(_BLOCK_BYTES, offset + size - at))
            for offset, size in ranges
            for at in range(offset, offset + size, _BLOCK_BYTES)
        )
        return in_order(lambda block: self._anchors(view, *block), blocks, threads=self._threads)

    def _anchors(self, view: View, offset: int, size: int) -> tuple[Ints, Words]:
        """Places in the view, of which few enough are sampled."""
        at, hashes = anchors(view.read(offset, size), _MASK)
        if self._shift:
            some = hashes >> (np.uint64(64) - self._shift) == 0
            at, hashes = at[some], hashes[some]
        return at + offset, hashes

    def _grown(self, at: int, length: int, old: int, least: int, most: int) -> Island | None:
        """As far as both agree around a piece, between ``least`` and ``most`` of the new content."""
        forward = 0
        while (size := min(_LOOK_BYTES, most - at - forward, self._old.size - old - forward)) > 0:
            same = common_prefix(self._new.read(at + forward, size), self._old.read(old + forward, size))
            forward += same
            if same < size:
                break
        if forward < length:
            return None
        back = 0
        while (size := min(_LOOK_BYTES, at - back - least, old - back)) > 0:
            same = common_suffix(self._new.read(at - back - size, size), self._old.read(old - back - size, size))
            back += same
            if same < size:
                break
        if forward + back < _LEAST_ISLAND:
            return None
        return Island(at - back, forward + back, old - back)
