"""Bytes that moved within a large content, found by fine fingerprints and proven by comparison: copies in the midst of what is new.
Knows views. Memory: some hundred bytes for each fingerprint looked for, of which there is a bounded number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from haulage.engine.archives.view import View
from haulage.engine.content.ordered import in_order
from haulage.engine.delta.agreement import common_prefix, common_suffix
from haulage.engine.delta.fine import fine_cuts

_BLOCK_BYTES = 4 * 1024 * 1024
_MOST_LOOKED_FOR = 200_000
_NOWHERE = -1
_LEAST_ISLAND = 1024
_LOOK_BYTES = 64 * 1024


class Island(NamedTuple):
    """New bytes that stand in the old content."""

    offset: int
    length: int
    old: int


class Islands:
    """Where in an old content pieces of a new one stand."""

    def __init__(self, new: View, ranges: Callable[[], Iterable[tuple[int, int]]], old: View, *, threads: int = 2) -> None:
        """``ranges``: offset and size of what is to be found, given twice. All of ``old`` is read once."""
        self._new, self._old, self._ranges, self._threads = new, old, ranges, threads
        self._shift = 64
        self._found: dict[bytes, int] | None = None

    @property
    def _where(self) -> dict[bytes, int]:
        """Looked for when first needed."""
        if self._found is None:
            self._found = self._find()
        return self._found

    def _find(self) -> dict[bytes, int]:
        total = sum([size for _offset, size in self._ranges()])
        while total >> (11 + 64 - self._shift) > _MOST_LOOKED_FOR:
            self._shift -= 1
        where: dict[bytes, int] = {}
        for cuts in _cut_blocks(self._new, self._ranges(), self._threads):
            for _offset, _length, ident in cuts:
                if self._sampled(ident):
                    where[ident] = _NOWHERE
        several: set[bytes] = set()
        for cuts in _cut_blocks(self._old, [(0, self._old.size)] if where else [], self._threads):
            for offset, _length, ident in cuts:
                if ident in where:
                    if where[ident] != _NOWHERE:
                        several.add(ident)
                    where[ident] = offset
        return {ident: at for ident, at in where.items() if at != _NOWHERE and ident not in several}

    def _sampled(self, ident: bytes) -> bool:
        return self._shift == 64 or not int.from_bytes(ident) >> self._shift

    def __bool__(self) -> bool:
        return bool(self._where)

    def within(self, offset: int, size: int) -> Iterator[Island]:
        """Islands in a range of the new content, in order, none touching another."""
        done = offset
        for start in range(offset, offset + size, _BLOCK_BYTES):
            end = min(start + _BLOCK_BYTES, offset + size)
            for at, length, ident in fine_cuts(self._new.read(start, end - start)):
                old = self._where.get(ident)
                if old is None or start + at < done:
                    continue
                island = self._grown(start + at, length, old, done, offset + size)
                if island is not None:
                    yield island
                    done = island.offset + island.length

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


def _cut_blocks(view: View, ranges: Iterable[tuple[int, int]], threads: int) -> Iterator[list[tuple[int, int, bytes]]]:
    """The fine pieces of ranges, offsets counted in the view."""
    blocks = (
        (at, min(_BLOCK_BYTES, offset + size - at)) for offset, size in ranges for at in range(offset, offset + size, _BLOCK_BYTES)
    )

    def work(block: tuple[int, int]) -> list[tuple[int, int, bytes]]:
        start, size = block
        return [(start + at, length, ident) for at, length, ident in fine_cuts(view.read(start, size))]

    for _block, cuts in in_order(work, blocks, threads=threads):
        yield cuts
