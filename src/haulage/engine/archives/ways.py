"""The parameters worth trying for a stream, by its codec."""

from __future__ import annotations

import lzma

from haulage.engine.archives.deflate import deflate_ways
from haulage.engine.archives.found import Found
from haulage.engine.archives.prove import Way
from haulage.engine.archives.recipe import Codec

_QUICK_WAYS = 8
_EXTREME = lzma.PRESET_EXTREME
_LZMA2_PRESETS = {1 << 18: (0,), 1 << 20: (1,), 1 << 21: (2,), 1 << 22: (4, 3), 1 << 23: (6, 5)}
"""By the size of their dictionary. Those above take more memory than a receiver has to give."""


def ways_of(found: Found, *, quick: bool) -> tuple[Way, ...]:
    """Likeliest first; few of them with ``quick``."""
    match found.codec:
        case Codec.DEFLATE:
            ways = deflate_ways(found.hint)
        case Codec.BZIP2:
            ways = (found.hint,)
        case Codec.LZMA2:
            (dictionary,) = found.hint
            presets = _LZMA2_PRESETS.get(dictionary, ())
            ways = tuple((dictionary, preset | extreme) for extreme in (0, _EXTREME) for preset in presets)
    return ways[:_QUICK_WAYS] if quick else ways


def fits(found: Found, way: Way) -> bool:
    """Whether a way that was another stream's can be this one's, by what its container says."""
    match found.codec:
        case Codec.BZIP2 | Codec.LZMA2:
            return way[:1] == found.hint
        case _:
            return True


def sampled_ways(codec: Codec) -> tuple[tuple[Way, bool], ...]:
    """What a fingerprint of a codec other than deflate is made of: ways, and for each whether its sample is to be long."""
    if codec is Codec.BZIP2:
        return (((9,), True), ((1,), False))
    return tuple(((1 << 16, preset), preset == 6) for preset in (0, 1, 2, 3, 4, 5, 6, 5 | _EXTREME, 6 | _EXTREME))
