"""Pieces of a content that stand elsewhere in the old one, and such that only resemble something there."""

from __future__ import annotations

import random

from haulage.engine.archives.view import BytesView
from haulage.engine.parcels.islands import Island, Islands

MIB = 1024 * 1024


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def islands_in(new: bytes, old: bytes) -> Islands:
    return Islands(BytesView(new), lambda: [(0, len(new))], BytesView(old), threads=0)


def test_what_moved_is_an_island() -> None:
    moved = noise(1, 50_000)
    old = noise(2, MIB) + moved + noise(3, MIB)
    new = noise(4, 70_000) + moved + noise(5, 20_000)
    assert list(islands_in(new, old).within(0, len(new))) == [Island(70_000, 50_000, MIB)]


def test_what_stands_in_several_places_is_taken_from_one_of_them() -> None:
    copied = noise(1, 50_000)
    old = noise(2, 5 * MIB) + copied + noise(3, 7 * MIB) + copied + noise(4, MIB)
    new = noise(5, 70_000) + copied + noise(6, 20_000)
    (found,) = islands_in(new, old).within(0, len(new))
    assert (found.offset, found.length) == (70_000, 50_000)
    assert old[found.old : found.old + 50_000] == copied


def test_what_only_resembles_something_is_helped_by_what_stands_there() -> None:
    there = noise(1, 60_000)
    changed = b"".join([there[at : at + 500] + b"!" for at in range(0, len(there), 500)])
    old = noise(2, 3 * MIB) + there + noise(3, 3 * MIB)
    islands = islands_in(noise(4, 10_000) + changed, old)
    assert list(islands.within(0, 10_000 + len(changed))) == []
    ((start, end),) = islands.alike(10_000, len(changed))
    assert start <= 3 * MIB < 3 * MIB + 60_000 <= end
    assert end - start < 130_000
    assert list(islands.alike(0, 10_000)) == []
