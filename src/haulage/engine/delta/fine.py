"""Fine fingerprints: small content-defined pieces and their short digests, for finding content that moved or resembles other
content. They only suggest; bytes decide. Knows only bytes.
"""

from __future__ import annotations

import heapq
import threading

from blake3 import blake3
from pyfastcdc import FastCDC

AVERAGE_BYTES = 2048
MIN_BYTES = 512
MAX_BYTES = 8192
ID_BYTES = 8
SKETCH_SIZE = 64

Sketch = tuple[bytes, ...]
"""The smallest distinct fine ids of a content, in order; at most SKETCH_SIZE."""

_per_thread = threading.local()


def fine_cuts(data: bytes | memoryview) -> list[tuple[int, int, bytes]]:
    """Offset, length and 8-byte id of each piece, in order; together they are ``data``. Equal content further along is cut alike
    after at most a few pieces."""
    view = memoryview(data)
    cuts: list[tuple[int, int, bytes]] = []
    offset = 0
    if not len(view):
        return cuts
    for piece in _cutter().cut_buf(view):
        length = piece.length
        cuts.append((offset, length, blake3(view[offset : offset + length]).digest(ID_BYTES)))
        offset += length
    return cuts


def sketch(data: bytes | memoryview) -> Sketch:
    """The similarity sketch of a content. Empty for empty content."""
    return sketch_of(fine_cuts(data))


def sketch_of(cuts: list[tuple[int, int, bytes]]) -> Sketch:
    """The sketch of content that is cut already."""
    return tuple(heapq.nsmallest(SKETCH_SIZE, {ident for _, _, ident in cuts}))


def similarity(a: Sketch, b: Sketch) -> float:
    """An estimate from 0 to 1 of the share of pieces that two contents have in common (of both together: a part resembles its
    whole by its share of it)."""
    if not a or not b:
        return 0.0
    smallest = heapq.nsmallest(SKETCH_SIZE, {*a, *b})
    both = set(a) & set(b)
    return sum(1 for ident in smallest if ident in both) / len(smallest)


def _cutter() -> FastCDC:
    """This thread's cutter; one object must not be used by two threads at once."""
    cutter: FastCDC | None = getattr(_per_thread, "cutter", None)
    if cutter is None:
        cutter = FastCDC(AVERAGE_BYTES, min_size=MIN_BYTES, max_size=MAX_BYTES, normalized_chunking=2)
        _per_thread.cutter = cutter
    return cutter
