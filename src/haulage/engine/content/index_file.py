"""The index of one pack: which chunks it holds and where, sorted, memory-mapped, derived from the pack and verified by a digest.
Knows nothing of other packs."""

from __future__ import annotations

import math
import mmap
import os
import struct
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.digest import DIGEST_SIZE, digest
from haulage.engine.content.model import ChunkId

INDEX_MAGIC = b"HLGINDX1"
_FAMILY_MAGIC = b"HLGINDX"
MAX_CHUNKS = 1 << 24
_HEAD = struct.Struct("<8s16sQQQII")
_BLOCK = struct.Struct("<QI")
_PLACE = struct.Struct("<III")
_MAP_FROM_BYTES = 256 << 10
"""Smaller indexes are read into memory: a mapping holds a file descriptor, and those are few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockPlace:
    """Where a block stands in its pack."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlace:
    """Where a chunk stands: in which block (by number), and where in the block's decoded bytes."""

    block: int
    offset: int
    length: int


def encode_index(pack: bytes, pack_size: int, blocks: Sequence[BlockPlace], chunks: Sequence[tuple[ChunkId, ChunkPlace]]) -> bytes:
    """The bytes of an index; ``chunks`` in any order."""
    ordered = sorted(chunks, key=lambda item: item[0])
    raw_bytes = sum(place.length for _, place in ordered)
    parts = [
        _HEAD.pack(INDEX_MAGIC, pack, pack_size, raw_bytes, 0, len(blocks), len(ordered)),
        b"".join(chunk[7::-1] for chunk, _ in ordered),
        b"".join(chunk[8:] for chunk, _ in ordered),
        b"".join(_PLACE.pack(place.block, place.offset, place.length) for _, place in ordered),
        b"".join(_BLOCK.pack(block.offset, block.size) for block in blocks),
    ]
    body = b"".join(parts)
    return body + digest(body)


def _heads(view: memoryview) -> Sequence[int]:
    """The column of leading 8 bytes as numbers, searchable by bisect in C."""
    if sys.byteorder == "little":
        return view.cast("Q")
    return [int.from_bytes(view[at : at + 8], "little") for at in range(0, len(view), 8)]


class IndexFile:
    """An open index. Immutable; the mapping lives as long as someone holds it, even when the file is removed."""

    def __init__(self, data: bytes | mmap.mmap, path: str) -> None:
        """Check ``data`` whole. Raises IntegrityError ``index-damaged``, FormatError ``index-version-unknown``."""
        self.path = path
        self._view = view = memoryview(data)
        self._verify_head()
        _, pack, pack_size, raw_bytes, _, block_count, count = _HEAD.unpack_from(view)
        self.pack: bytes = pack
        self.pack_size: int = pack_size
        self.raw_bytes: int = raw_bytes
        self.count: int = count
        tails = _HEAD.size + 8 * self.count
        places = tails + 24 * self.count
        blocks = places + _PLACE.size * self.count
        if self.count > MAX_CHUNKS or len(view) != blocks + _BLOCK.size * block_count + DIGEST_SIZE or not self.intact():
            raise IntegrityError("index-damaged", f"The index {path} does not match its digest.", "It is derived again.")
        self.block_count: int = block_count
        self.heads = _heads(view[_HEAD.size : tails])
        # Hashes are spread evenly: an id stands close to where its value says. Four deviations, else the whole column.
        self._spread = 2 * math.isqrt(count) + 8
        self._tails = view[tails:places]
        self._places = view[places:blocks]
        self._blocks = view[blocks : blocks + _BLOCK.size * block_count]

    def _verify_head(self) -> None:
        magic = bytes(self._view[:8])
        if len(self._view) < _HEAD.size + DIGEST_SIZE or magic[:7] != _FAMILY_MAGIC:
            raise IntegrityError("index-damaged", f"The index {self.path} is cut off or not an index.", "It is derived again.")
        if magic != INDEX_MAGIC and self.intact():
            raise FormatError(
                "index-version-unknown", f"The index {self.path} has the unknown version {magic[7:]!r}.", "Use a newer program."
            )

    @classmethod
    def open(cls, path: str) -> IndexFile:
        """Read or map the file. Raises as the constructor does, and OSError."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(fd).st_size
            if size < _MAP_FROM_BYTES:
                return cls(os.pread(fd, size, 0), path)
            return cls(mmap.mmap(fd, size, access=mmap.ACCESS_READ), path)
        finally:
            os.close(fd)

    def intact(self) -> bool:
        """Whether the bytes match their digest now."""
        return digest(self._view[:-DIGEST_SIZE]) == self._view[-DIGEST_SIZE:]

    def is_same(self, data: bytes) -> bool:
        """Whether the file is exactly ``data``."""
        return self._view == data

    @property
    def size(self) -> int:
        """Bytes of the index file."""
        return len(self._view)

    def find(self, chunk: bytes) -> int:
        """The entry's number, or -1."""
        head = int.from_bytes(chunk[:8], "big")
        guess = head * self.count >> 64
        low, high = max(0, guess - self._spread), min(self.count, guess + self._spread)
        at = bisect_left(self.heads, head, low, high)
        if not low < at < high:
            at = bisect_left(self.heads, head)
        while at < self.count and self.heads[at] == head:
            if self._tails[24 * at : 24 * at + 24] == chunk[8:]:
                return at
            at += 1
        return -1

    def chunk(self, at: int) -> ChunkId:
        """The id of an entry."""
        return ChunkId(self.heads[at].to_bytes(8, "big") + bytes(self._tails[24 * at : 24 * at + 24]))

    def place(self, at: int) -> tuple[int, int, int]:
        """Block number, offset in the block, length."""
        return _PLACE.unpack_from(self._places, _PLACE.size * at)

    def locate(self, chunk: bytes) -> tuple[int, int, int, int] | None:
        """Where the block of a chunk stands in the pack (offset, size), and the chunk in it (start, length)."""
        at = self.find(chunk)
        if at < 0:
            return None
        number, start, length = _PLACE.unpack_from(self._places, _PLACE.size * at)
        offset, size = _BLOCK.unpack_from(self._blocks, _BLOCK.size * number)
        return offset, size, start, length

    def block(self, number: int) -> BlockPlace:
        """Where a block stands. Raises IntegrityError ``index-damaged`` if the index names a block that it does not list."""
        if number >= self.block_count:
            raise IntegrityError("index-damaged", f"The index {self.path} names a block it does not list.", "It is derived again.")
        offset, size = _BLOCK.unpack_from(self._blocks, _BLOCK.size * number)
        return BlockPlace(offset=offset, size=size)

    def chunks(self) -> Iterator[ChunkId]:
        """All ids, in order."""
        return (self.chunk(at) for at in range(self.count))
