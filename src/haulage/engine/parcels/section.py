"""Encoding and decoding single sections of a parcel, and the layout of what they hold. Decoders get digest-checked bytes only, and
stop at declared sizes (B42 to B47). Knows nothing of stores or transport.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from backports import zstd

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content import codec
from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.content.digest import digest
from haulage.engine.content.manifest_model import CHUNK_ROW
from haulage.engine.parcels.head import MAX_BATCH_CHUNKS, MAX_STRUCTURE_BYTES, Method, Section

BATCH_BYTES = 8 * 1024 * 1024
"""Raw bytes after which a batch ends; the unit of verification and resumption."""
STRUCTURE_BYTES = 4 * 1024 * 1024
"""Raw bytes after which a section of pages ends."""
INDEX_BYTES = 1024 * 1024
WINDOW_LOG = 23
"""No frame may ask a decoder for a larger window: 8 MiB (B43)."""

_PARTS = msgspec.msgpack.Decoder(list[bytes])
_LIMITS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: WINDOW_LOG}


def compress(raw: bytes, level: int) -> tuple[Method, bytes]:
    """The smaller of stored and zstd. One frame with its size, no checksum (the section's digest is stronger).
    Deterministic for one version of the library."""
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        zstd.CompressionParameter.window_log: WINDOW_LOG,
        zstd.CompressionParameter.content_size_flag: 1,
        zstd.CompressionParameter.checksum_flag: 0,
    }
    packed = zstd.compress(raw, options=options)
    return (Method.ZSTD, packed) if len(packed) < len(raw) else (Method.STORED, raw)


def verify_section(section: Section, stored: bytes) -> None:
    """Refuse stored bytes that are not what the head says: IntegrityError ``parcel-damaged``. Always before ``decode_section``."""
    if len(stored) != section.stored_bytes or digest(stored) != section.digest:
        raise IntegrityError(
            "parcel-damaged", f"The section at offset {section.offset} of a parcel is damaged.", "It is fetched again."
        )


def decode_section(section: Section, stored: bytes) -> bytes:
    """The raw bytes of a verified section. Raises FormatError ``bad-parcel`` when they are not exactly as many as declared."""
    if section.method is Method.STORED:
        return stored
    decoder = zstd.ZstdDecompressor(options=_LIMITS)
    try:
        raw = decoder.decompress(stored, max_length=section.raw_bytes + 1)
    except zstd.ZstdError as error:
        raise _bad(f"it cannot be decoded ({error})") from error
    if len(raw) != section.raw_bytes or not decoder.eof or decoder.unused_data:
        raise _bad("it does not hold the declared number of bytes")
    return raw


def encode_parts(parts: Sequence[bytes]) -> bytes:
    """Pages, or the chunk rows of batches, as one section's raw bytes."""
    return codec.encode(list(parts))


def decode_parts(raw: bytes) -> list[bytes]:
    """The inverse of ``encode_parts``."""
    value = codec.decode(raw, max_bytes=MAX_STRUCTURE_BYTES, what="parcel section", shape=_PARTS)
    if not isinstance(value, list):
        raise _bad("it is not a list")
    parts = [part for part in value if isinstance(part, bytes) and part]
    if len(parts) != len(value):
        raise _bad("it is not a list of byte strings")
    return parts


def check_batch_rows(rows: bytes, section: Section) -> None:
    """Refuse an index that does not describe exactly the batch it belongs to (B34, B49)."""
    if len(rows) % CHUNK_ROW.size or len(rows) > MAX_BATCH_CHUNKS * CHUNK_ROW.size:
        raise _bad("its index is malformed")
    total = 0
    for length, _chunk in CHUNK_ROW.iter_unpack(rows):
        if not 0 < length <= MAX_BYTES:
            raise _bad("its index names a chunk of a length it cannot have")
        total += length
    if total != section.raw_bytes:
        raise _bad("its index does not add up to its batch")


def _bad(why: str) -> FormatError:
    return FormatError("bad-parcel", f"A section of a parcel is wrong: {why}.", "Get it again from a trusted site.")
