"""Places in bytes sampled by what stands there, so that equal bytes are sampled alike wherever they are, each with a hash of what
follows. Hashes only suggest; bytes decide. Knows only bytes.
"""

from __future__ import annotations

from haulage.engine.delta.columns import Ints
from haulage.engine.delta.numbers import np, npt

ANCHOR_BYTES = 32
"""What a hash is of."""
_FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
"""Odd numbers whose bits look random, one for each word of an anchor."""
_SAMPLED = 37
"""Never among zeros."""
_MOST_SAMPLED = 16
"""One place of so many, at most, where bytes repeat themselves."""

Words = npt.NDArray[np.uint64]


def anchors(data: bytes, mask: int) -> tuple[Ints, Words]:
    """Offsets, about one of ``mask`` + 1 (a power of two, at most 256), and their hashes."""
    octets = np.frombuffer(data, np.uint8)
    size = len(octets) - ANCHOR_BYTES
    if size <= 0:
        return np.empty(0, np.int64), np.empty(0, np.uint64)
    mixed = (octets[:size] * np.uint8(171)) ^ (octets[1 : size + 1] * np.uint8(29))
    mixed += octets[3 : size + 3] * np.uint8(73)
    at: Ints = np.flatnonzero((mixed & np.uint8(mask)) == np.uint8(_SAMPLED & mask))
    at = at[:: 1 + len(at) // (1 + size // _MOST_SAMPLED)]
    everywhere: Words = np.ndarray((len(data) - 7,), "<u8", buffer=data, strides=(1,))
    hashes = np.zeros(len(at), np.uint64)
    for number, factor in enumerate(_FACTORS):
        hashes += everywhere[at + 8 * number] * np.uint64(factor)
        hashes ^= hashes >> np.uint64(29)
    return at, hashes
