"""What this machine's compression libraries make of a fixed sample. A recipe is of use only where they make the same bytes as where
it was proven: libraries of one name differ between makers and versions."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from blake3 import blake3

from haulage.engine.archives.coding import packer
from haulage.engine.archives.recipe import Codec, Recipe
from haulage.engine.archives.ways import sampled_ways

_LONG_BYTES = 150 * 1024
_SHORT_BYTES = 20 * 1024


def abilities() -> frozenset[str]:
    """One text for each codec: its name and the fingerprint of what is made with it here. Two machines with a text in common make
    the same bytes with that codec and any parameters that are tried."""
    return frozenset(ability(codec) for codec in Codec)


@functools.cache
def ability(codec: Codec) -> str:
    """The text of one codec."""
    made = blake3()
    for way, long in sampled_ways(codec):
        inner = packer(codec, way)
        sample = _sample()[: _LONG_BYTES if long else _SHORT_BYTES]
        for half in (sample[: len(sample) // 2], sample[len(sample) // 2 :]):
            made.update(inner.compress(half))
        made.update(inner.flush() + b"\0")
    return f"{codec.name.lower()}-{made.hexdigest(length=8)}"


def needed(recipe: Recipe) -> frozenset[str]:
    """The abilities that a machine needs to make the container again, if it has those of this one's libraries."""
    return frozenset(ability(codec) for codec in recipe.codecs)


def feasible(recipe: Recipe, elsewhere: Iterable[str]) -> Recipe:
    """The recipe with the members that a machine with these abilities makes again just as this one does."""
    there = frozenset(elsewhere)
    able = {codec for codec in recipe.codecs if ability(codec) in there}
    return recipe.only(tuple(member for member in recipe.members if member.codec in able))


@functools.cache
def _sample() -> bytes:
    """Words, numbers and noise, with repeats near and far."""
    noise = blake3(b"sample of compression").digest(length=48 * 1024)
    words = [noise[at : at + 3 + noise[at] % 9].hex().encode()[: 2 + noise[at] % 11] for at in range(0, 4096, 16)]
    text = b" ".join(words[byte] for byte in noise[4096:20000])
    binary = b"".join(noise[at : at + 9] + bytes(3) + text[at * 3 : at * 3 + noise[at] % 40] for at in range(20000, 24000, 4))
    return (text[:60000] + noise[24000:28000] + binary + text[30000:] + bytes(3000) + binary[::-1] + noise[28000:])[:_LONG_BYTES]
