"""The streams of a bzip2 file, one after the other; their heads tell the one parameter there is."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Found, measured
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import View

MAGIC = b"BZh"
_BLOCK = b"1AY&SY"


def bzip2_stream(view: View, offset: int, end: int) -> Found | None:
    """The stream at ``offset``, if one starts there."""
    head = view.read(offset, 10)
    if head[:3] != MAGIC or head[4:] != _BLOCK or not b"1" <= head[3:4] <= b"9":
        return None
    return Found(offset=offset, end=end, codec=Codec.BZIP2, hint=(head[3] - ord("0"),))


def bzip2_streams(view: View, bounds: Bounds) -> Iterator[Found]:
    """Each stream, measured."""
    at = 0
    for _ in range(bounds.most_members):
        found = bzip2_stream(view, at, view.size)
        whole = found and measured(view, found, bounds)
        if not whole:
            return
        yield whole
        at = whole.end
