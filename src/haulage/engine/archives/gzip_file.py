"""The deflate streams of a gzip file, which may be several members one after the other."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from haulage.engine.archives.found import Bounds, Found, measured
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import View

MAGIC = b"\x1f\x8b\x08"
_HAS_CHECK, _HAS_EXTRA, _HAS_NAME, _HAS_COMMENT = 2, 4, 8, 16
_FIXED_BYTES = 10
_TRAILER_BYTES = 8
_MOST_HEADER_BYTES = 1 << 17
_BEST, _FASTEST = 2, 4


def gzip_streams(view: View, bounds: Bounds) -> Iterator[Found]:
    """The stream of each member, measured."""
    at = 0
    for _ in range(bounds.most_members):
        header = view.read(at, _MOST_HEADER_BYTES) if at < view.size else b""
        size = _header_bytes(header)
        if not size:
            return
        found = Found(offset=at + size, end=view.size, codec=Codec.DEFLATE, hint=({_BEST: 1, _FASTEST: 3}.get(header[8], 0),))
        whole = measured(view, found, bounds)
        if whole is None:
            return
        yield whole
        at = whole.end + _TRAILER_BYTES


def _header_bytes(header: bytes) -> int:
    """How long a member's header is; 0 if it is none."""
    if len(header) < _FIXED_BYTES or header[:3] != MAGIC:
        return 0
    flags, at = header[3], _FIXED_BYTES
    if flags & _HAS_EXTRA:
        at += 2 + (struct.unpack_from("<H", header, at)[0] if len(header) >= at + 2 else len(header))
    for flag in (_HAS_NAME, _HAS_COMMENT):
        if flags & flag:
            at = header.find(b"\0", at) + 1 or len(header)
    if flags & _HAS_CHECK:
        at += 2
    return at if at < len(header) else 0
