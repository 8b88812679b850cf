"""HDiffPatch's container, as far as it is needed to check it before native code sees it: every declared size against what is known
and against the bytes that are there.
"""

from __future__ import annotations

import hdiffpatch

from haulage.base.errors import FormatError

HEAD = b"HDIFF13&\0"
"""Format 13, no compression inside."""
_SIZES = 11
_SIZE_BITS = 40
_COVER_BYTES = 3
"""Least bytes of one cover: three numbers."""


def make_hdiff(old: bytes, new: bytes) -> bytes:
    """An uncompressed container that turns ``old`` into ``new``. Takes about a second for 6 MB, outside the GIL."""
    return hdiffpatch.diff(old, new, compression="none", validate=False, big_cache_match=True)


def apply_hdiff(container: bytes, old: bytes, size: int) -> bytes:
    """The ``size`` new bytes. Raises FormatError ``bad-delta`` for a container that does not say exactly this."""
    _check(container, len(old), size)
    try:
        new = hdiffpatch.apply(old, container)
    except (hdiffpatch.HDiffPatchError, ValueError) as error:
        raise bad_delta(str(error)) from error
    if len(new) != size:
        raise bad_delta("it makes another number of bytes")
    return new


def bad_delta(why: str) -> FormatError:
    """What encoded bytes are refused with."""
    return FormatError("bad-delta", f"Encoded bytes of an update cannot be decoded: {why}.", "Get it again from a trusted site.")


def covers_of(container: bytes) -> list[tuple[int, int, int]]:
    """Of a container made here: old offset, new offset and length of each range of new bytes that is like one of old bytes, in
    the order of the new ones."""
    sizes, at = [], len(HEAD)
    for _ in range(_SIZES):
        number, at = _number(container, at)
        sizes.append(number)
    covers: list[tuple[int, int, int]] = []
    old_at = new_at = 0
    for _ in range(sizes[2]):
        jump, at = _signed_number(container, at)
        gap, at = _number(container, at)
        length, at = _number(container, at)
        old_at, new_at = old_at + jump, new_at + gap
        covers.append((old_at, new_at, length))
        old_at, new_at = old_at + length, new_at + length
    return covers


def _signed_number(data: bytes, at: int) -> tuple[int, int]:
    """A number whose first byte holds a sign, whether more bytes follow, and six bits."""
    first = data[at]
    number, at = first & 63, at + 1
    more = first & 64
    while more:
        number = number << 7 | data[at] & 127
        more = data[at] & 128
        at += 1
    return (-number if first & 128 else number), at


def _check(container: bytes, old_size: int, size: int) -> None:
    if not container.startswith(HEAD):
        raise bad_delta("the container is of another kind")
    sizes, at = [], len(HEAD)
    for _ in range(_SIZES):
        number, at = _number(container, at)
        sizes.append(number)
    new, old, covers, cover_bytes, *rest = sizes
    if (new, old) != (size, old_size):
        raise bad_delta("the container is for other sizes")
    if any(rest[0::2]):
        raise bad_delta("the container is compressed inside")
    stored = (cover_bytes, *rest[1::2])
    if sum(stored) != len(container) - at or covers * _COVER_BYTES > cover_bytes:
        raise bad_delta("the container's parts do not fill it")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number in base 128, most significant first, and where the next begins."""
    number = 0
    for here in range(at, min(at + _SIZE_BITS // 7, len(data))):
        number = number << 7 | data[here] & 127
        if data[here] < 128:
            return number, here + 1
    raise bad_delta("a number has no end")
