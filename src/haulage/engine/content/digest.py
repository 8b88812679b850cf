"""The one hash of content: BLAKE3. Knows nothing of where bytes come from or go to."""

from __future__ import annotations

from blake3 import blake3

from haulage.engine.content.model import Buffer, ChunkId

DIGEST_SIZE = 32


def digest(data: Buffer) -> bytes:
    """The 32-byte BLAKE3 of ``data``."""
    return blake3(data).digest()


def chunk_id(data: Buffer) -> ChunkId:
    """The id under which these bytes are stored."""
    return ChunkId(blake3(data).digest())
