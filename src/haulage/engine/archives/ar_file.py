"""The members of a Unix archive, of which Debian packages are made; each may be a container itself."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Inside
from haulage.engine.archives.view import View

MAGIC = b"!<arch>\n"
_HEAD_BYTES = 60


def ar_members(view: View, bounds: Bounds) -> Iterator[Inside]:
    """The range of each member."""
    at = len(MAGIC)
    for _ in range(bounds.most_members):
        head = view.read(at, _HEAD_BYTES)
        digits = head[48:58].rstrip(b" ")
        if head[58:] != b"`\n" or not digits.isdigit():
            return
        at += _HEAD_BYTES
        end = at + int(digits)
        yield Inside(offset=at, end=min(end, view.size))
        at = end + end % 2
