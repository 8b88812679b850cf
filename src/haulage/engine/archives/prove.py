"""Which parameters make the stored bytes of a stream again: found by packing its raw bytes and comparing, first a little, then all.
Knows streams, no containers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from haulage.engine.archives.coding import PIECE_BYTES, Unpacking, packer
from haulage.engine.archives.found import Bounds, Found, measured
from haulage.engine.archives.recipe import Codec, Member
from haulage.engine.archives.view import View

Way = tuple[int, ...]
"""The parameters of a codec."""
_FIRST_BYTES = {Codec.DEFLATE: 128 * 1024, Codec.LZMA2: 768 * 1024}
"""Raw bytes that most wrong parameters do not survive: packers give nothing before they have read some."""


def proven(view: View, found: Found, ways: Iterable[Way], bounds: Bounds, stop: Callable[[], bool]) -> Member | None:
    """The member with the first of these ways in which its stored bytes come back, every one of them; None if in none, if it is no
    stream or too large, or if ``stop`` says so."""
    most = bounds.raw_bytes(found.end - found.offset)
    unpacking = Unpacking(view, found.offset, found.end, found.codec, found.hint, most=most)
    head = _first_pieces(unpacking, _FIRST_BYTES.get(found.codec, PIECE_BYTES))
    if not head and not unpacking.whole:
        return None
    whole: Found | None = None
    for way in ways:
        if stop():
            return None
        if unpacking.whole:
            member = _ended(view, found, way, _packed(found, way, head, end=True), unpacking, found.offset, bounds)
        else:
            stored = _packed(found, way, head, end=False)
            if view.read(found.offset, len(stored)) != stored:
                continue
            whole = whole or measured(view, found, bounds)
            if whole is None:
                return None
            member = _all_of_it(view, found, way, most, bounds, stop)
        if member is not None:
            return member
    return None


def _first_pieces(unpacking: Unpacking, size: int) -> list[bytes]:
    """The first pieces; of a longer stream no more bytes than asked for, and of a shorter one all."""
    head: list[bytes] = []
    for piece in unpacking:
        head.append(piece)
        if unpacking.raw_bytes >= size and not unpacking.whole:
            head[-1] = piece[: len(piece) - max(0, sum(map(len, head)) - size)]
            break
    return head


def _packed(found: Found, way: Way, pieces: Iterable[bytes], *, end: bool) -> bytes:
    inner = packer(found.codec, way)
    stored = b"".join([inner.compress(piece) for piece in pieces])
    return stored + inner.flush() if end else stored


def _all_of_it(view: View, found: Found, way: Way, most: int, bounds: Bounds, stop: Callable[[], bool]) -> Member | None:
    inner = packer(found.codec, way)
    at = found.offset
    unpacking = Unpacking(view, found.offset, found.end, found.codec, found.hint, most=most)
    for piece in unpacking:
        stored = inner.compress(piece)
        if stop() or view.read(at, len(stored)) != stored:
            return None
        at += len(stored)
    return _ended(view, found, way, inner.flush(), unpacking, at, bounds)


def _ended(view: View, found: Found, way: Way, stored: bytes, unpacking: Unpacking, at: int, bounds: Bounds) -> Member | None:
    """The member, if ``stored`` are the stream's last bytes, from ``at`` on."""
    end = found.offset + unpacking.stored_bytes
    same = unpacking.whole and at + len(stored) == end and view.read(at, len(stored)) == stored
    if not same or unpacking.raw_bytes > bounds.raw_bytes(unpacking.stored_bytes):
        return None
    return Member(found.offset, unpacking.stored_bytes, unpacking.raw_bytes, found.codec, way)
