"""The files in an uncompressed tar archive; each may be a container itself."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Inside
from haulage.engine.archives.view import View

MAGIC = b"ustar"
MAGIC_AT = 257
_BLOCK = 512
_REGULAR = (b"0", b"\0", b"7")
_HEADERS_ALONE = (b"1", b"2", b"3", b"4", b"5", b"6")
"""Links, devices, folders: a size in their header is of nothing that follows."""


def tar_files(view: View, bounds: Bounds) -> Iterator[Inside]:
    """The range of each file."""
    at = 0
    for _ in range(bounds.most_members):
        head = view.read(at, _BLOCK)
        size = _size(head[124:136])
        if len(head) < _BLOCK or head[MAGIC_AT : MAGIC_AT + len(MAGIC)] != MAGIC or size is None:
            return
        kind = head[156:157]
        at += _BLOCK
        if kind in _HEADERS_ALONE:
            continue
        if kind in _REGULAR and size >= bounds.least_stored_bytes:
            yield Inside(offset=at, end=min(at + size, view.size))
        at += size + -size % _BLOCK


def _size(field: bytes) -> int | None:
    """In octal digits, or in binary if it is large; None for neither."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if any(digit not in b"01234567" for digit in digits):
        return None
    return int(digits or b"0", 8)
