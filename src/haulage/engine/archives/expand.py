"""The expanded form of a container, and the container again, byte for byte. Takes a few MiB and what packers need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from haulage.base.errors import FormatError
from haulage.engine.archives.coding import PIECE_BYTES, pack, packer_bytes, unpack
from haulage.engine.archives.lanes import in_lanes
from haulage.engine.archives.recipe import AGAIN, Member, Recipe
from haulage.engine.archives.view import View

AHEAD_BYTES = 24 << 20
"""What results and packers may take together, unless one needs more alone."""
_TOGETHER_BYTES = 1 << 20

Out = Callable[[bytes], object]


class Growing(View, Protocol):
    """Where an expanded form goes: it grows, and is read afterwards."""

    def append(self, data: bytes) -> None:
        """Grow by ``data``."""
        ...


def expand(view: View, recipe: Recipe, spill: Growing, *, threads: int = 2, most_bytes: int = AHEAD_BYTES) -> View:
    """Append the expanded form to ``spill``, which should be empty, and return it: the bytes between members as they are, members
    by their raw bytes. Parameters are not needed. Raises FormatError ``bad-recipe`` where the container is not as the recipe says.
    """
    _check_size(view.size, recipe.size)
    for parts in in_lanes(_grouped(_expanding(view, recipe), most_bytes), threads=threads, most_weight=most_bytes):
        for part in parts:
            spill.append(part)
    if spill.size != recipe.expanded_size:
        raise FormatError("bad-recipe", "An archive's expanded form is not as long as its recipe says.", AGAIN)
    return spill


def rebuild(expanded: View, recipe: Recipe, out: Out, *, threads: int = 2, most_bytes: int = AHEAD_BYTES) -> None:
    """Give ``out`` the container's bytes, in order, in pieces. Raises FormatError ``bad-recipe`` where the expanded form, or what
    is made of it, is not as the recipe says; what was given until then is to be thrown away."""
    _check_size(expanded.size, recipe.expanded_size)
    for parts in in_lanes(_grouped(_rebuilding(expanded, recipe), most_bytes), threads=threads, most_weight=most_bytes):
        for part in parts:
            out(part)


def _check_size(has: int, said: int) -> None:
    if has != said:
        raise FormatError("bad-recipe", f"An archive has {has} bytes where its recipe says {said}.", AGAIN)


Parts = Iterable[bytes]
Segment = tuple[int, Callable[[], Iterator[bytes]]]
"""Its weight in bytes, and what makes its pieces."""


def _expanding(view: View, recipe: Recipe) -> Iterator[Segment]:
    end = 0
    for member in recipe.members:
        yield _plain(view, end, member.offset - end)
        yield member.raw_bytes, _unpacking(view, member)
        end = member.offset + member.stored_bytes
    yield _plain(view, end, recipe.size - end)


def _rebuilding(expanded: View, recipe: Recipe) -> Iterator[Segment]:
    end = at = 0
    for member in recipe.members:
        gap = member.offset - end
        yield _plain(expanded, at, gap)
        yield member.stored_bytes + packer_bytes(member.codec, member.parameters), _packing(expanded, at + gap, member)
        at += gap + member.raw_bytes
        end = member.offset + member.stored_bytes
    yield _plain(expanded, at, expanded.size - at)


def _plain(view: View, offset: int, size: int) -> Segment:
    return size, lambda: (view.read(at, min(PIECE_BYTES, offset + size - at)) for at in range(offset, offset + size, PIECE_BYTES))


def _unpacking(view: View, member: Member) -> Callable[[], Iterator[bytes]]:
    return lambda: unpack(view, member)


def _packing(expanded: View, at: int, member: Member) -> Callable[[], Iterator[bytes]]:
    return lambda: pack(expanded, at, member)


def _grouped(segments: Iterable[Segment], most_bytes: int) -> Iterator[tuple[int, Callable[[], Parts]]]:
    """Tasks of many small segments. A segment too heavy to wait with others is made piece by piece by whoever takes it."""
    group: list[Callable[[], Iterator[bytes]]] = []
    weight = 0
    for size, make in segments:
        if group and (weight + size > _TOGETHER_BYTES or size > most_bytes):
            yield weight, _all_of(group)
            group, weight = [], 0
        if size > most_bytes:
            yield size, make
        else:
            group.append(make)
            weight += size
    yield weight, _all_of(group)


def _all_of(group: list[Callable[[], Iterator[bytes]]]) -> Callable[[], Parts]:
    return lambda: [part for make in group for part in make()]
