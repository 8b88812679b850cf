"""The streams of a zip file: by its central directory, or, where that is broken, by its local headers. Reads, and believes nothing:
what it gives is a guess that unpacking decides."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Found, Inside, measured
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import View

LOCAL = b"PK\x03\x04"
_CENTRAL = b"PK\x01\x02"
_END = b"PK\x05\x06"
_LOCAL_FIELDS = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL_FIELDS = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END_FIELDS = struct.Struct("<4sHHHHIIH")
_END64_FIELDS = struct.Struct("<4sQHHIIQQQQ")
_LOCATOR_FIELDS = struct.Struct("<4sIQI")
_ENCRYPTED = 1 | 1 << 6 | 1 << 13
_SIZES_FOLLOW = 1 << 3
_DEFLATED = 8
_CONTAINERS = (0, 12, 93, 95)
"""Methods whose data starts with a mark of its own, or may: stored, bzip2, zstd, xz."""
_BLOCK = 1 << 20
_UNKNOWN = 0xFFFFFFFF
_FAR = 1 << 16
"""How far behind a stream the next local header is looked for."""


def zip_streams(view: View, bounds: Bounds) -> Iterator[Found | Inside]:
    """Of each member its stream, or, where it is not compressed or a container of its own, its range; in any order."""
    place = _directory(view)
    count = 0
    if place is not None:
        for entry in _central(view, *place):
            count += 1
            if count > bounds.most_members:
                return
            yield from _member(view, *entry)
    if not count and view.read(0, 4) == LOCAL:
        yield from _scan(view, bounds)


def has_end(view: View) -> bool:
    """Whether the end of a central directory without a comment stands at the end of the view."""
    return view.read(max(0, view.size - _END_FIELDS.size), 4) == _END


def _directory(view: View) -> tuple[int, int, int] | None:
    """Where the central directory starts and ends, and what is to be added to the offsets in it."""
    start = max(0, view.size - _END_FIELDS.size - 0xFFFF)
    tail = view.read(start, view.size - start)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_FIELDS.size:
        return None
    _, disk, _, _, _, size, offset, _ = _END_FIELDS.unpack_from(tail, at)
    end = start + at
    if disk not in (0, 0xFFFF):
        return None
    if _UNKNOWN in (size, offset) or disk == 0xFFFF:
        wide = _directory64(view, end)
        if wide is None:
            return None
        end, size, offset = wide
    if size > end or offset > end - size:
        return None
    return end - size, end, end - size - offset


def _directory64(view: View, end: int) -> tuple[int, int, int] | None:
    if end < _LOCATOR_FIELDS.size:
        return None
    locator = view.read(end - _LOCATOR_FIELDS.size, _LOCATOR_FIELDS.size)
    if locator[:4] != b"PK\x06\x07":
        return None
    at = _LOCATOR_FIELDS.unpack(locator)[2]
    data = view.read(at, _END64_FIELDS.size) if at < view.size else b""
    if len(data) < _END64_FIELDS.size or data[:4] != b"PK\x06\x06":
        return None
    size, offset = _END64_FIELDS.unpack(data)[8:]
    return at, size, offset


def _central(view: View, start: int, end: int, shift: int) -> Iterator[tuple[int, int, int, int]]:
    """Local header's offset, method, flags and stored size of each entry."""
    data, base, at = b"", start, 0
    while base + at < end:
        if len(data) - at < _CENTRAL_FIELDS.size + 3 * 0xFFFF and base + len(data) < end:
            base, at, data = base + at, 0, view.read(base + at, min(_BLOCK, end - base - at))
        if len(data) - at < _CENTRAL_FIELDS.size or data[at : at + 4] != _CENTRAL:
            return
        fields = _CENTRAL_FIELDS.unpack_from(data, at)
        flags, method, stored, raw, name, extra, comment, offset = *fields[3:5], *fields[8:13], fields[16]
        if _UNKNOWN in (stored, raw, offset):
            stored, offset = _wide(data[at + 46 + name : at + 46 + name + extra], stored, raw, offset)
        yield offset + shift, method, flags, stored
        at += _CENTRAL_FIELDS.size + name + extra + comment


def _wide(extra: bytes, stored: int, raw: int, offset: int) -> tuple[int, int]:
    """Stored size and offset from the zip64 field: it holds, in this order, raw size, stored size and offset, each if needed."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + size]
            numbers = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
            if raw == _UNKNOWN:
                next(numbers, 0)
            stored = next(numbers, 0) if stored == _UNKNOWN else stored
            offset = next(numbers, 0) if offset == _UNKNOWN else offset
            break
        at += 4 + size
    return stored, offset


def _member(view: View, offset: int, method: int, flags: int, stored: int) -> Iterator[Found | Inside]:
    """The stream behind a local header, if that says the same as the directory."""
    header = view.read(offset, _LOCAL_FIELDS.size) if 0 <= offset < view.size else b""
    if len(header) < _LOCAL_FIELDS.size or header[:4] != LOCAL or flags & _ENCRYPTED:
        return
    name, extra = _LOCAL_FIELDS.unpack(header)[9:]
    start = offset + _LOCAL_FIELDS.size + name + extra
    end = start + stored
    if stored <= 0 or end > view.size:
        return
    if method == _DEFLATED:
        yield Found(offset=start, end=end, codec=Codec.DEFLATE, hint=(flags >> 1 & 3,))
    elif method in _CONTAINERS:
        yield Inside(offset=start, end=end)


def _scan(view: View, bounds: Bounds) -> Iterator[Found | Inside]:
    """Members one after the other by their local headers; where a header tells no size, the stream is unpacked to find its end."""
    at = 0
    for _ in range(bounds.most_members):
        header = view.read(at, _LOCAL_FIELDS.size)
        if len(header) < _LOCAL_FIELDS.size or header[:4] != LOCAL:
            return
        _, _, flags, method, _, _, _, stored, _, name, extra = _LOCAL_FIELDS.unpack(header)
        start = at + _LOCAL_FIELDS.size + name + extra
        end = start + stored
        if flags & _SIZES_FOLLOW and not stored:
            guess = Found(offset=start, end=view.size, codec=Codec.DEFLATE, hint=(flags >> 1 & 3,))
            found = measured(view, guess, bounds) if method == _DEFLATED and not flags & _ENCRYPTED else None
            if found is None:
                return
            yield found
            end = found.end
        else:
            yield from _member(view, at, method, flags, stored)
        following = view.read(end, _FAR).find(LOCAL) if end < view.size else -1
        if following < 0:
            return
        at = end + following
