"""The form of a pack file: header, blocks, end record. Pure: bytes in, values out. Knows nothing of files or of the store.

All numbers are little-endian. ``docs/format-store.md`` is the normative text.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from haulage.base.errors import IntegrityError
from haulage.engine.content.digest import DIGEST_SIZE, digest
from haulage.engine.content.model import ChunkId

MAX_CHUNK_BYTES = 16 << 20
MAX_BLOCK_CHUNKS = 16_384
MAX_BLOCK_BYTES = MAX_CHUNK_BYTES

PACK_MAGIC = b"HLGPACK1"
BLOCK_MAGIC = b"HBLK"
END_MAGIC = b"HEND"

METHOD_RAW = 0
METHOD_ZSTD = 1
METHODS = (METHOD_RAW, METHOD_ZSTD)

_PACK_HEAD = struct.Struct("<8s16s8s")
_BLOCK_HEAD = struct.Struct("<4sB3sIIII32s")
_ENTRY = struct.Struct("<32sI")
_END = struct.Struct("<4s4sQQQ32s")

PACK_HEAD_SIZE = _PACK_HEAD.size
BLOCK_HEAD_SIZE = _BLOCK_HEAD.size
END_SIZE = _END.size
MAX_HEADER_SIZE = BLOCK_HEAD_SIZE + MAX_BLOCK_CHUNKS * _ENTRY.size + DIGEST_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What a block says of itself before its payload."""

    method: int
    raw_size: int
    stored_size: int
    payload_digest: bytes
    chunks: tuple[tuple[ChunkId, int], ...]
    """Ids and lengths, in the order in which the chunks follow one another."""

    @property
    def size(self) -> int:
        """Bytes of the header itself."""
        return header_size(len(self.chunks))

    @property
    def block_size(self) -> int:
        """Bytes of the block, header and payload."""
        return self.size + self.stored_size

    def offsets(self) -> list[int]:
        """Where each chunk starts in the decoded payload."""
        return list(itertools.accumulate((length for _, length in self.chunks), initial=0))[:-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """The last record of a sealed pack."""

    blocks: int
    chunks: int
    offset: int
    """Where it stands: the size of everything before it."""


def _broken(cause: str) -> IntegrityError:
    return IntegrityError("block-damaged", cause)


def header_size(count: int) -> int:
    """Bytes of the header of a block with ``count`` chunks."""
    return BLOCK_HEAD_SIZE + count * _ENTRY.size + DIGEST_SIZE


def encode_pack_head(pack: bytes) -> bytes:
    """The first bytes of a pack file; ``pack`` is the 16-byte name of the pack."""
    return _PACK_HEAD.pack(PACK_MAGIC, pack, bytes(8))


def encode_block_header(method: int, raw_size: int, payload: bytes, chunks: Sequence[tuple[ChunkId, int]]) -> bytes:
    """The header that precedes ``payload``."""
    head = _BLOCK_HEAD.pack(BLOCK_MAGIC, method, bytes(3), len(chunks), raw_size, len(payload), 0, digest(payload))
    body = head + b"".join(itertools.starmap(_ENTRY.pack, chunks))
    return body + digest(body)


def block_header_size(data: bytes) -> int:
    """The size of the header that starts with these BLOCK_HEAD_SIZE bytes. Raises IntegrityError if none starts here."""
    if len(data) < BLOCK_HEAD_SIZE:
        raise _broken("the block's header is cut off")
    magic, method, zeros, count, raw_size, stored_size, zero, _ = _BLOCK_HEAD.unpack_from(data)
    if magic != BLOCK_MAGIC or method not in METHODS or any(zeros) or zero:
        raise _broken("no block starts here")
    if not 0 < count <= MAX_BLOCK_CHUNKS or raw_size > MAX_BLOCK_BYTES or stored_size > raw_size:
        raise _broken("the block's header declares impossible sizes")
    return header_size(count)


def decode_block_header(data: bytes) -> BlockHeader:
    """Parse a whole header, its own digest included. Raises IntegrityError ``block-damaged``."""
    size = block_header_size(data)
    if len(data) < size:
        raise _broken("the block's header is cut off")
    body_size = size - DIGEST_SIZE
    if digest(data[:body_size]) != data[body_size:size]:
        raise _broken("the block's header does not match its digest")
    _, method, _, _, raw_size, stored_size, _, payload_digest = _BLOCK_HEAD.unpack_from(data)
    chunks = tuple(_ENTRY.iter_unpack(data[BLOCK_HEAD_SIZE:body_size]))
    if sum(length for _, length in chunks) != raw_size or (method == METHOD_RAW and stored_size != raw_size):
        raise _broken("the block's chunks do not add up to its size")
    return BlockHeader(method=method, raw_size=raw_size, stored_size=stored_size, payload_digest=payload_digest, chunks=chunks)


def encode_end(end: End) -> bytes:
    """The record that seals a pack."""
    body = _END.pack(END_MAGIC, bytes(4), end.blocks, end.chunks, end.offset, bytes(DIGEST_SIZE))[:-DIGEST_SIZE]
    return body + digest(body)


def decode_end(data: bytes) -> End | None:
    """The end record in exactly these bytes, or None."""
    if len(data) != END_SIZE or data[:4] != END_MAGIC or digest(data[:-DIGEST_SIZE]) != data[-DIGEST_SIZE:]:
        return None
    _, zeros, blocks, chunks, offset, _ = _END.unpack(data)
    return None if any(zeros) else End(blocks=blocks, chunks=chunks, offset=offset)
