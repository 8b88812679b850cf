"""Byte strings in a row, as one document: chunks that are lent between neighbours. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haulage.base.errors import FormatError
from haulage.engine.content import codec

MAX_PARTS_BYTES = 8 * 1024 * 1024

_PARTS = msgspec.msgpack.Decoder(list[bytes])


def encode_parts(parts: Sequence[bytes]) -> bytes:
    """Byte strings as one document."""
    return codec.encode(list(parts))


def decode_parts(raw: bytes) -> list[bytes]:
    """The inverse of ``encode_parts``. Raises FormatError ``not-canonical``, ``too-large``, ``bad-parts``."""
    value = codec.decode(raw, max_bytes=MAX_PARTS_BYTES, what="list of chunks", shape=_PARTS)
    parts = [part for part in value if isinstance(part, bytes) and part] if isinstance(value, list) else []
    if not isinstance(value, list) or len(parts) != len(value):
        raise FormatError("bad-parts", "A list of chunks holds something else than byte strings.", "Get it again.")
    return parts
