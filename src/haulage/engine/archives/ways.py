"""The parameters worth trying for a stream, by its codec."""

from __future__ import annotations

from haulage.engine.archives.deflate import FILTERED, PLAIN, deflate_ways
from haulage.engine.archives.found import Found
from haulage.engine.archives.prove import Way
from haulage.engine.archives.recipe import Codec

_QUICK_WAYS = 4


def ways_of(found: Found, *, quick: bool) -> tuple[Way, ...]:
    """Likeliest first; few of them with ``quick``."""
    match found.codec:
        case Codec.DEFLATE:
            ways = deflate_ways(found.hint)
        case Codec.BZIP2:
            ways = (found.hint,)
        case _:
            ways = ()
    return ways[:_QUICK_WAYS] if quick else ways


def sampled_ways(codec: Codec) -> tuple[tuple[Way, bool], ...]:
    """What a fingerprint is made of: ways, and for each whether its sample is to be long."""
    match codec:
        case Codec.DEFLATE:
            return tuple((way, way in PLAIN[:4]) for way in (*PLAIN, *FILTERED))
        case Codec.BZIP2:
            return (((9,), True), ((1,), False))
        case _:
            return ()
