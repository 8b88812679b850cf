"""What this machine's compression libraries make of a fixed sample. A recipe is of use only where they make the same bytes as where
it was proven: libraries of one name differ between makers and versions."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from haulage.engine.archives.coding import packer
from haulage.engine.archives.deflate import STANDARD, is_foreign, native_digest, native_is_used
from haulage.engine.archives.pinned import available
from haulage.engine.archives.recipe import Codec, Member, Recipe
from haulage.engine.archives.sample import made_of_sample
from haulage.engine.archives.ways import sampled_ways

FAMILIES = "families-1"
"""The sandbox: it makes the same bytes everywhere, so its version says all."""


def abilities() -> frozenset[str]:
    """One text for each codec: its name and the fingerprint of what is made with it here. Two machines with a text in common make
    the same bytes with that codec and any parameters that are tried."""
    return frozenset({ability(codec) for codec in Codec} | ({FAMILIES} if available() else set()))


@functools.cache
def ability(codec: Codec) -> str:
    """The text of one codec."""
    if codec is Codec.DEFLATE:
        return f"deflate-{native_digest() if native_is_used() else STANDARD}"
    made = made_of_sample((functools.partial(packer, codec, way), long) for way, long in sampled_ways(codec))
    return f"{codec.name.lower()}-{made}"


def _ability(member: Member) -> str:
    return FAMILIES if member.codec is Codec.DEFLATE and is_foreign(member.parameters) else ability(member.codec)


def needed(recipe: Recipe) -> frozenset[str]:
    """The abilities that a machine needs to make the container again, if it has those of this one's libraries."""
    return frozenset(_ability(member) for member in recipe.members)


def feasible(recipe: Recipe, elsewhere: Iterable[str]) -> Recipe:
    """The recipe with the members that a machine with these abilities makes again just as this one does."""
    there = frozenset(elsewhere)
    return recipe.only(tuple(member for member in recipe.members if _ability(member) in there))
