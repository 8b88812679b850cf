"""Reading a pack file without its index: which blocks stand in it, and what is wrong. Changes nothing; knows nothing of the store.

A bad place is stepped over, never taken for the end: whole blocks behind it are found again by their header's digest.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.base.errors import IntegrityError
from haulage.engine.content.digest import digest
from haulage.engine.content.index_file import BlockPlace, ChunkPlace, encode_index
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack import (
    BLOCK_HEAD_SIZE,
    BLOCK_MAGIC,
    END_SIZE,
    PACK_HEAD_SIZE,
    BlockHeader,
    End,
    block_header_size,
    decode_block_header,
    decode_end,
)

_WINDOW_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBlock:
    """A block whose header is whole."""

    place: BlockPlace
    header: BlockHeader
    whole: bool
    """Whether the payload matches its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackScan:
    """What stands in a pack file."""

    head: bytes
    size: int
    blocks: tuple[FoundBlock, ...]
    end: End | None
    """None: the pack was never sealed."""

    def kept(self) -> tuple[FoundBlock, ...]:
        """The blocks an index should name: all of a sealed pack (a damaged one must be seen as damaged), the whole ones of a
        pack that was still growing."""
        return self.blocks if self.end else tuple(block for block in self.blocks if block.whole)


def scan_pack(fd: int) -> PackScan:
    """Read a pack file from its start. Raises OSError only."""
    size = os.fstat(fd).st_size
    end = decode_end(os.pread(fd, END_SIZE, size - END_SIZE)) if size >= PACK_HEAD_SIZE + END_SIZE else None
    if end and end.offset != size - END_SIZE:
        end = None
    stop = end.offset if end else size
    return PackScan(head=os.pread(fd, PACK_HEAD_SIZE, 0), size=size, blocks=tuple(_blocks(fd, stop)), end=end)


def _blocks(fd: int, stop: int) -> Iterator[FoundBlock]:
    offset, search = PACK_HEAD_SIZE, _Search(fd, stop)
    while offset < stop:
        block = _block_at(fd, offset, stop)
        if block:
            yield block
            offset = block.place.offset + block.place.size
        else:
            offset = search.next(offset + 1)


def _block_at(fd: int, offset: int, stop: int) -> FoundBlock | None:
    try:
        fixed = os.pread(fd, BLOCK_HEAD_SIZE, offset)
        size = block_header_size(fixed)
        if offset + size > stop:
            return None
        header = decode_block_header(os.pread(fd, size, offset))
    except IntegrityError:
        return None
    if offset + header.block_size > stop:
        return None
    whole = digest(os.pread(fd, header.stored_size, offset + header.size)) == header.payload_digest
    return FoundBlock(place=BlockPlace(offset=offset, size=header.block_size), header=header, whole=whole)


class _Search:
    """Looks for where a block may start, reading every byte once however many false starts there are."""

    def __init__(self, fd: int, stop: int) -> None:
        self._fd = fd
        self._stop = stop
        self._start = 0
        self._window = b""

    def next(self, offset: int) -> int:
        """The first place from ``offset`` on, or ``stop``."""
        overlap = len(BLOCK_MAGIC) - 1
        while offset < self._stop:
            if not self._start <= offset < self._start + len(self._window) - overlap:
                self._start = offset
                self._window = os.pread(self._fd, min(_WINDOW_BYTES, self._stop - offset), offset)
            at = self._window.find(BLOCK_MAGIC, offset - self._start)
            if at >= 0:
                return self._start + at
            offset = max(offset + 1, self._start + len(self._window) - overlap)
        return self._stop


def index_of(pack: bytes, pack_size: int, blocks: tuple[FoundBlock, ...]) -> bytes:
    """The index that names these blocks' chunks; the first of equal chunks wins."""
    places: dict[ChunkId, ChunkPlace] = {}
    for number, block in enumerate(blocks):
        for (chunk, length), start in zip(block.header.chunks, block.header.offsets(), strict=True):
            places.setdefault(chunk, ChunkPlace(block=number, offset=start, length=length))
    return encode_index(pack, pack_size, [block.place for block in blocks], list(places.items()))
