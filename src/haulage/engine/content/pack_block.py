"""One block: consecutive chunks packed into a payload, and back, within declared sizes. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backports import zstd

from haulage.base.errors import IntegrityError
from haulage.engine.content.digest import digest
from haulage.engine.content.model import Buffer, ChunkId
from haulage.engine.content.pack import (
    METHOD_RAW,
    METHOD_ZSTD,
    BlockHeader,
    block_header_size,
    decode_block_header,
    encode_block_header,
)

LEVEL = 3
WINDOW_LOG_MAX = 24
"""A frame asking for a larger window than the largest block (16 MiB) is refused before memory is taken (B43)."""

_LIMITS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG_MAX}
_LEAST_GAIN = 32
"""Compressed must be smaller by a thirty-second, or the block stays raw: it then costs nothing to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedBlock:
    """A block ready to be written."""

    header: bytes
    payload: bytes
    raw_size: int
    chunks: Sequence[tuple[ChunkId, int]]

    @property
    def size(self) -> int:
        """Bytes it takes in the pack."""
        return len(self.header) + len(self.payload)


def encode_block(data: Buffer, chunks: Sequence[tuple[ChunkId, int]]) -> EncodedBlock:
    """Pack the chunks whose bytes stand one after the other in ``data``."""
    method, payload = METHOD_ZSTD, zstd.compress(data, level=LEVEL)
    if len(payload) >= len(data) - len(data) // _LEAST_GAIN:
        method, payload = METHOD_RAW, bytes(data)
    header = encode_block_header(method, len(data), payload, chunks)
    return EncodedBlock(header=header, payload=payload, raw_size=len(data), chunks=chunks)


def decode_payload(header: BlockHeader, payload: Buffer) -> bytes:
    """The chunks' bytes. The payload's digest is checked before anything native parses it, and no more than the declared size is
    ever produced (B42, B43, B44). Raises IntegrityError ``block-damaged``."""
    if len(payload) != header.stored_size:
        raise IntegrityError("block-damaged", "the block is cut off")
    if digest(payload) != header.payload_digest:
        raise IntegrityError("block-damaged", "the block's payload does not match its digest")
    if header.method == METHOD_RAW:
        return bytes(payload)
    try:
        return _inflate(payload, header.raw_size)
    except zstd.ZstdError as error:
        raise IntegrityError("block-damaged", f"the block cannot be decompressed ({error})") from error


def _inflate(payload: Buffer, raw_size: int) -> bytes:
    if zstd.get_frame_info(payload).decompressed_size != raw_size:
        raise IntegrityError("block-damaged", "the compressed frame declares another size than the block")
    if _window_bytes(payload) > 1 << WINDOW_LOG_MAX:
        raise IntegrityError("block-damaged", "the compressed frame asks for too large a window")
    decoder = zstd.ZstdDecompressor(options=_LIMITS)
    data = decoder.decompress(payload, max_length=raw_size)
    if not decoder.eof and len(data) == raw_size:
        data += decoder.decompress(b"", max_length=1)
    if len(data) != raw_size or not decoder.eof or decoder.unused_data:
        raise IntegrityError("block-damaged", "the compressed frame is not exactly the block's size")
    return data


def _window_bytes(frame: Buffer) -> int:
    """The window a frame declares (RFC 8878, 3.1.1.1.2). The library checks it only when it cannot decode in one pass."""
    descriptor, window = frame[4], frame[5]
    if descriptor & 0x20:
        return 0  # a single segment: the window is the content
    base = 1 << (10 + (window >> 3))
    return base + (base >> 3) * (window & 7)


def decode_block(data: bytes) -> tuple[BlockHeader, bytes]:
    """A whole block in exactly these bytes: its header and its chunks' bytes. Raises IntegrityError ``block-damaged``."""
    header = decode_block_header(data[: block_header_size(data)])
    return header, decode_payload(header, memoryview(data)[header.size :])
