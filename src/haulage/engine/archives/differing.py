"""Of an old and a new container the members whose stored bytes are not the same on both sides: the only ones worth expanding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from blake3 import blake3

from haulage.engine.archives.found import Found
from haulage.engine.archives.recipe import Member, Recipe
from haulage.engine.archives.view import View

_PIECE_BYTES = 1 << 20
_One = TypeVar("_One", Member, Found)


def differing(old: View, old_recipe: Recipe, new: View, new_recipe: Recipe) -> tuple[Recipe, Recipe]:
    """Both recipes without the members whose stored bytes are a member's of the other side too."""
    old_members, new_members = _apart(old, old_recipe.members, new, new_recipe.members)
    return old_recipe.only(tuple(old_members)), new_recipe.only(tuple(new_members))


def differing_streams(
    old: View, old_found: Sequence[Found], new: View, new_found: Sequence[Found]
) -> tuple[list[Found], list[Found]]:
    """The same for streams of which only the place is known yet, so that unchanged ones need not be proven."""
    return _apart(old, old_found, new, new_found)


def _apart(old: View, old_ones: Sequence[_One], new: View, new_ones: Sequence[_One]) -> tuple[list[_One], list[_One]]:
    sizes = {_size(one) for one in old_ones} & {_size(one) for one in new_ones}
    old_keys, new_keys = list(_keys(old, old_ones, sizes)), list(_keys(new, new_ones, sizes))
    same = set(old_keys) & set(new_keys) - {None}
    return _left(old_ones, old_keys, same), _left(new_ones, new_keys, same)


def _left(ones: Iterable[_One], keys: Iterable[bytes | None], same: set[bytes | None]) -> list[_One]:
    return [one for one, key in zip(ones, keys, strict=True) if key not in same]


def _keys(view: View, ones: Iterable[_One], sizes: set[int]) -> Iterator[bytes | None]:
    """The digest of each one's stored bytes, where the other side has one of that size."""
    for one in ones:
        size = _size(one)
        if size not in sizes:
            yield None
            continue
        seen = blake3()
        for at in range(one.offset, one.offset + size, _PIECE_BYTES):
            seen.update(view.read(at, min(_PIECE_BYTES, one.offset + size - at)))
        yield seen.digest()


def _size(one: Member | Found) -> int:
    return one.end - one.offset if isinstance(one, Found) else one.stored_bytes
