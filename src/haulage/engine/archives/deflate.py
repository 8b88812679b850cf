"""Writers of deflate streams and the parameters they use, likeliest first. Knows no stream."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable

from haulage.engine.archives.packer import Packer
from haulage.engine.archives.pinned import Family, PinnedPacker, available
from haulage.engine.archives.sample import made_of_sample

_W = zlib.MAX_WBITS

PLAIN: tuple[tuple[int, ...], ...] = tuple(
    (level, memory, zlib.Z_DEFAULT_STRATEGY, _W)
    for level, memory in (
        (6, 8), (9, 8), (9, 9), (6, 9), (8, 8), (1, 8), (8, 9), (7, 8), (5, 8), (4, 8), (3, 8), (2, 8), (7, 9), (1, 9), (5, 9),
        (4, 9), (3, 9), (2, 9),
    )
)  # fmt: skip
FOREIGN: tuple[tuple[int, ...], ...] = tuple(
    (level, memory, zlib.Z_DEFAULT_STRATEGY, _W, int(family))
    for family, memory, levels in (
        (Family.GNU_GZIP, 9, (9, 6)),
        (Family.CHROMIUM, 8, (9, 6)),
        (Family.GNU_GZIP, 9, (1, 8, 7, 5, 4, 3, 2)),
        (Family.CHROMIUM, 8, (1, 8, 7, 5, 4, 3, 2)),
        (Family.CHROMIUM, 9, (9, 6)),
    )
    for level in levels
)
"""What only the sandbox makes."""
FILTERED: tuple[tuple[int, ...], ...] = tuple(
    (level, memory, strategy, _W)
    for strategy in (zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY)
    for level, memory in ((9, 9), (9, 8), (6, 8))
)
"""For pictures."""
STANDARD = "f90c67896452d736"
"""The digest of what zlib makes of the sample, from version 1.2.11 on at least; zlib-ng and others differ."""

_FAVOURED = {0: (6,), 1: (9, 8), 2: (2,), 3: (1,)}
"""Levels that bits 1 and 2 of a zip member's flags speak of; writers of gzip say as much."""


def deflate_ways(hint: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """All parameters, those a container hints at first."""
    favoured = _FAVOURED.get(hint[0], ()) if hint else ()
    ways = (*PLAIN[:4], *FOREIGN[:4], *PLAIN[4:], *FOREIGN[4:]) if available() else PLAIN
    return tuple(sorted(ways, key=lambda way: way[0] not in favoured))


def deflate_packer(way: tuple[int, ...]) -> Packer:
    """A fresh packer for raw deflate. Raises ValueError, TypeError or OverflowError for parameters it cannot have, and for those of
    other families where there is no sandbox."""
    if not is_foreign(way) and native_is_used():
        return native_packer(way)
    if not available():
        raise ValueError("there is no sandbox here")
    level, memory, strategy, window, family = way if is_foreign(way) else (*way, Family.ZLIB)
    return PinnedPacker(level, memory, strategy, window, family)


def is_foreign(way: tuple[int, ...]) -> bool:
    """Whether only the sandbox packs in this way."""
    return len(way) > len(PLAIN[0])


def native_packer(way: tuple[int, ...]) -> Packer:
    """A packer of this machine's zlib."""
    level, memory, strategy, window = way
    return zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)


@functools.cache
def native_digest() -> str:
    """What this machine's zlib makes of the sample."""
    return digest_of(native_packer)


def digest_of(fresh: Callable[[tuple[int, ...]], Packer]) -> str:
    """What such packers make of the sample, in all ways that are tried."""
    return made_of_sample((functools.partial(fresh, way), way in PLAIN[:4]) for way in (*PLAIN, *FILTERED))


def native_is_used() -> bool:
    """Whether this machine's zlib, which is faster than the sandbox, makes the same bytes, or is all there is."""
    return not available() or native_digest() == STANDARD
