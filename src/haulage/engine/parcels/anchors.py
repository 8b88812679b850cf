"""Where in an old content the neighbourhood of new chunks is: chunks that old and new have tie the two together. *Pure*."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from haulage.engine.content.model import ChunkId

_INDEX_BITS = 24
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_MOST_PENDING = 256


class Gap(NamedTuple):
    """Neighbouring new chunks of a content, and the old bytes between the chunks around them that both contents have."""

    offset: int
    """In the new content."""
    first: int
    """Ordinal of the first chunk."""
    lengths: array[int]
    """Of the chunks."""
    low: int
    """Where, in the old content, the nearest common chunk before them ends; 0 if there is none."""
    high: int
    """Where the nearest one after them begins; the old content's size if there is none. May be less than ``low``."""

    @property
    def size(self) -> int:
        """Bytes of the chunks."""
        return sum(self.lengths)


class Stretch(NamedTuple):
    """Bytes of the new content that stand in the old one too."""

    offset: int
    length: int
    old: int
    """Where."""


class Places:
    """Where the chunks of an old content are. Memory: 16 bytes a chunk, 60 while it is made. Chunks are told apart by 40 bits of
    their id, so that what is found is a hint; with ``exact`` it is certain, for 32 bytes more."""

    def __init__(self, rows: Iterable[tuple[int, ChunkId]], *, exact: bool = False) -> None:
        self._starts: array[int] = array("Q", [0])
        self._ids = bytearray() if exact else None
        keys: list[int] = []
        at = 0
        for length, chunk in rows:
            if len(keys) <= _INDEX_MASK:
                keys.append(_key(chunk) | len(keys))
            at += length
            self._starts.append(at)
            if self._ids is not None:
                self._ids += chunk
        keys.sort()
        self._keys: array[int] = array("Q", keys)
        self._next = 0
        self.size = at

    def find(self, chunk: ChunkId) -> int | None:
        """Number of the chunk in the old content. Of several the one that follows what was found before, else none: what is
        everywhere says nothing about where."""
        key = _key(chunk)
        at = bisect.bisect_left(self._keys, key | self._next)
        if at == len(self._keys) or self._keys[at] != key | self._next:
            at = bisect.bisect_left(self._keys, key)
            if at == len(self._keys) or self._keys[at] & ~_INDEX_MASK != key:
                return None
            if at + 1 < len(self._keys) and self._keys[at + 1] & ~_INDEX_MASK == key:
                return None
        number = self._keys[at] & _INDEX_MASK
        if self._ids is not None and bytes(self._ids[number * 32 : number * 32 + 32]) != chunk:
            return None
        self._next = min(number + 1, _INDEX_MASK)
        return number

    def start(self, number: int) -> int:
        """Offset of a chunk; of the number after the last: the size."""
        return self._starts[number]


def _key(chunk: ChunkId) -> int:
    return int.from_bytes(chunk[:5]) << _INDEX_BITS


def find_gaps(
    rows: Iterable[tuple[int, ChunkId]],
    ordinals: Mapping[ChunkId, int],
    first: int,
    count: int,
    places: Places | None,
    size: int,
) -> Iterator[Gap]:
    """The gaps of a content whose own new chunks have ``count`` ordinals from ``first``. ``rows``: its chunks in order; ``size``:
    the old content's."""
    low = 0
    offset = start = 0
    following, end = first, first + count
    lengths: array[int] = array("I")
    pending: list[Gap] = []
    for length, chunk in rows:
        ordinal = ordinals.get(chunk, -1)
        if ordinal == following < end:
            if not lengths:
                start = offset
            lengths.append(length)
            following += 1
        else:
            if lengths:
                pending.append(Gap(start, following - len(lengths), lengths, low, size))
                lengths = array("I")
            number = places.find(chunk) if places is not None and ordinal < 0 else None
            if places is not None and number is not None:
                high = places.start(number)
                yield from [gap._replace(high=high) for gap in pending]
                pending = []
                low = places.start(number + 1)
            elif len(pending) >= _MOST_PENDING:
                yield from pending
                pending = []
        offset += length
    if lengths:
        pending.append(Gap(start, following - len(lengths), lengths, low, size))
    yield from pending


def align(rows: Iterable[tuple[int, ChunkId]], places: Places) -> Iterator[Gap | Stretch]:
    """All of a new content: what of it ``places`` knows, exactly, and the gaps between. Ordinals of gaps mean nothing."""
    low = offset = 0
    lengths: array[int] = array("I")
    stretch: Stretch | None = None
    for length, chunk in rows:
        number = places.find(chunk)
        if number is None:
            if stretch is not None:
                yield stretch
                stretch = None
            lengths.append(length)
        else:
            old = places.start(number)
            if lengths:
                yield Gap(offset - sum(lengths), 0, lengths, low, old)
                lengths = array("I")
            if stretch is not None and stretch.old + stretch.length == old:
                stretch = stretch._replace(length=stretch.length + length)
            else:
                if stretch is not None:
                    yield stretch
                stretch = Stretch(offset, length, old)
            low = places.start(number + 1)
        offset += length
    if lengths:
        yield Gap(offset - sum(lengths), 0, lengths, low, places.size)
    if stretch is not None:
        yield stretch


def in_order_most(places: Sequence[int]) -> set[int]:
    """Which of the numbers, by their position, make a longest ascending run of them."""
    ends: list[int] = []
    values: list[int] = []
    before: list[int] = []
    for position, value in enumerate(places):
        at = bisect.bisect_left(values, value)
        before.append(ends[at - 1] if at else -1)
        if at == len(ends):
            ends.append(position)
            values.append(value)
        else:
            ends[at], values[at] = position, value
    chosen: set[int] = set()
    position = ends[-1] if ends else -1
    while position >= 0:
        chosen.add(position)
        position = before[position]
    return chosen
