"""The parameters of zlib that writers of deflate streams use, likeliest first. Knows no stream."""

from __future__ import annotations

import zlib

_W = zlib.MAX_WBITS

PLAIN: tuple[tuple[int, ...], ...] = tuple(
    (level, memory, zlib.Z_DEFAULT_STRATEGY, _W)
    for level, memory in (
        (6, 8), (9, 8), (9, 9), (6, 9), (8, 8), (1, 8), (8, 9), (7, 8), (5, 8), (4, 8), (3, 8), (2, 8), (7, 9), (1, 9), (5, 9),
        (4, 9), (3, 9), (2, 9),
    )
)  # fmt: skip
FILTERED: tuple[tuple[int, ...], ...] = tuple(
    (level, memory, strategy, _W)
    for strategy in (zlib.Z_FILTERED, zlib.Z_RLE, zlib.Z_HUFFMAN_ONLY)
    for level, memory in ((9, 9), (9, 8), (6, 8))
)
"""For pictures."""

_FAVOURED = {0: (6,), 1: (9, 8), 2: (2,), 3: (1,)}
"""Levels that bits 1 and 2 of a zip member's flags speak of; writers of gzip say as much."""


def deflate_ways(hint: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """All parameters, those a container hints at first."""
    favoured = _FAVOURED.get(hint[0], ()) if hint else ()
    return tuple(sorted(PLAIN, key=lambda way: way[0] not in favoured))
