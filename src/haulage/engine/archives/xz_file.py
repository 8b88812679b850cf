"""The LZMA2 streams of an xz file: one in each block. What frames them (headers, checks, index) stays as it is. A block's end is
found by its chunks' heads, without unpacking."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Found
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import View

MAGIC = b"\xfd7zXZ\x00"
_STREAM_HEAD_BYTES = 12
_STREAM_FOOT_BYTES = 12
_CHECK_BYTES = (0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64)
_HAS_STORED, _HAS_RAW = 0x40, 0x80
_FILTERS = 0x3F
_LZMA2 = 0x21
_MOST_INDEX_BYTES = 1 << 24
_MOST_PADDING_BYTES = 1 << 16
_FREE_CHUNKS = 1000
_LEAST_CHUNK_BYTES = 4096
"""In the mean, of a stream that is worth following."""


def xz_streams(view: View, bounds: Bounds) -> Iterator[Found]:
    """The LZMA2 stream of each block of each stream that has no other filter."""
    at = check = 0
    inside = False
    for _ in range(2 * bounds.most_members):
        block = _block(view, at) if inside else None
        if block is not None:
            yield block
            at = block.end + -(block.end - block.offset) % 4 + check
            continue
        if inside:
            at = _behind_index(view, at)
        head = view.read(at, _STREAM_HEAD_BYTES)
        if head[:6] != MAGIC or len(head) < _STREAM_HEAD_BYTES:
            return
        inside, check = True, _CHECK_BYTES[head[7] & 15]
        at += _STREAM_HEAD_BYTES


def _block(view: View, at: int) -> Found | None:
    first = view.read(at, 1)
    if not first or first == b"\0":
        return None
    header = view.read(at, (first[0] + 1) * 4)
    dictionary = _dictionary(header)
    end = _lzma2_end(view, at + len(header)) if dictionary else 0
    return Found(offset=at + len(header), end=end, codec=Codec.LZMA2, hint=(dictionary,)) if end else None


def _dictionary(header: bytes) -> int:
    """The dictionary's size in bytes; 0 if there is another filter, or no block header."""
    if len(header) < 8 or header[1] & _FILTERS:
        return 0
    at = 2
    for flag in (_HAS_STORED, _HAS_RAW):
        if header[1] & flag:
            at = _number(header, at)[1]
    if header[at : at + 2] != bytes([_LZMA2, 1]) or at + 2 >= len(header) or header[at + 2] > 40:
        return 0
    bits = header[at + 2]
    return min((2 | bits & 1) << bits // 2 + 11, 0xFFFFFFFF)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to nine bytes, seven bits in each, and where it ends; a broken one ends behind the data."""
    value = 0
    for place in range(9):
        if at + place >= len(data):
            break
        value |= (data[at + place] & 0x7F) << 7 * place
        if not data[at + place] & 0x80:
            return value, at + place + 1
    return 0, len(data)


def _lzma2_end(view: View, at: int) -> int:
    """Where an LZMA2 stream ends, 0 if it does not."""
    for _ in range(_FREE_CHUNKS + view.size // _LEAST_CHUNK_BYTES):
        head = view.read(at, 6) or b"\xff"
        control = head[0]
        if control == 0:
            return at + 1
        if control >= 0x80 and len(head) >= 5:
            at += 5 + (control >= 0xC0) + struct.unpack_from(">H", head, 3)[0] + 1
        elif control in (1, 2) and len(head) >= 3:
            at += 3 + struct.unpack_from(">H", head, 1)[0] + 1
        else:
            break
    return 0


def _behind_index(view: View, at: int) -> int:
    """Where the next stream may start."""
    data = view.read(at, _MOST_INDEX_BYTES)
    if data[:1] != b"\0":
        return view.size
    count, place = _number(data, 1)
    for _ in range(2 * count):
        if place >= len(data):
            return view.size
        place = _number(data, place)[1]
    at += place + -place % 4 + 4 + _STREAM_FOOT_BYTES
    padding = view.read(at, _MOST_PADDING_BYTES)
    return at + len(padding) - len(padding.lstrip(b"\0"))
