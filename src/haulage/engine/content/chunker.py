"""Cuts bytes into chunks where the content says so, and names each by its BLAKE3. Knows only buffers, no
files, no stores.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from pyfastcdc import FastCDC

from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import Buffer, ChunkId

AVERAGE_BYTES = 32 * 1024
MIN_BYTES = 8 * 1024
MAX_BYTES = 128 * 1024
"""No chunk of content is longer."""
WHOLE_BYTES = 64 * 1024
"""A segment of at most this length is one chunk."""
SEGMENT_BYTES = 16 * 1024 * 1024
"""A content is cut at every multiple of this, whatever it holds, so that segments can be read and hashed independently."""

_per_thread = threading.local()


def segments(size_bytes: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each segment of a content; none for an empty one."""
    for offset in range(0, size_bytes, SEGMENT_BYTES):
        yield offset, min(SEGMENT_BYTES, size_bytes - offset)


def cut(segment: Buffer) -> list[tuple[int, ChunkId]]:
    """Length and id of each chunk of one whole segment, in order. Safe from any thread; the work is done outside the GIL."""
    length = len(segment)
    if length <= WHOLE_BYTES:
        return [(length, chunk_id(segment))] if length else []
    if length > SEGMENT_BYTES:
        raise ValueError("longer than a segment")
    view = memoryview(segment)
    chunks: list[tuple[int, ChunkId]] = []
    offset = 0
    for piece in _cutter().cut_buf(view):
        end = offset + piece.length
        chunks.append((piece.length, chunk_id(view[offset:end])))
        offset = end
    return chunks


def _cutter() -> FastCDC:
    """This thread's cutter; one object must not be used by two threads at once."""
    cutter: FastCDC | None = getattr(_per_thread, "cutter", None)
    if cutter is None:
        cutter = FastCDC(AVERAGE_BYTES, min_size=MIN_BYTES, max_size=MAX_BYTES, normalized_chunking=2)
        _per_thread.cutter = cutter
    return cutter
