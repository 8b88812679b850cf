"""Which pack holds a chunk, over all packs of a store, in microseconds and bounded memory. Knows nothing of files.

A table of one byte per slot, addressed by the leading bits of the id, names the one pack worth asking (or *several*, or none), so
that looking up a chunk that is not held costs nothing per pack.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from haulage.engine.content.index_file import IndexFile
from haulage.engine.content.model import ChunkId

_SEVERAL = 255
_LEAST_BITS = 16
_MOST_BITS = 26


class Location(NamedTuple):
    """Where a chunk's bytes are: a block in a pack's file, and a range of the decoded block. Sorts in the order of files."""

    pack: str
    path: str
    offset: int
    size: int
    start: int
    length: int


class Pack(Protocol):
    """A pack that can be asked."""

    @property
    def name(self) -> str: ...

    @property
    def count(self) -> int: ...

    def holds(self, chunk: ChunkId) -> bool: ...

    def locate(self, chunk: ChunkId) -> Location | None: ...

    def chunks(self) -> Iterable[ChunkId]: ...


class SealedPack:
    """A finished pack with its index."""

    def __init__(self, name: str, path: str, index: IndexFile) -> None:
        self.name = name
        self.path = path
        self.index = index
        self.count: int = index.count

    def holds(self, chunk: ChunkId) -> bool:
        return self.index.find(chunk) >= 0

    def locate(self, chunk: ChunkId) -> Location | None:
        place = self.index.locate(chunk)
        return Location(self.name, self.path, *place) if place else None

    def chunks(self) -> Iterable[ChunkId]:
        return self.index.chunks()


@dataclass(slots=True)
class _Table:
    """One generation of the table; replaced as a whole, filled in place."""

    bits: int
    slots: bytearray
    groups: list[tuple[SealedPack, ...]] = field(default_factory=lambda: [()] * _SEVERAL)
    entries: int = 0

    def add(self, pack: SealedPack) -> None:
        number = 1 + min(range(_SEVERAL - 1), key=lambda at: len(self.groups[at + 1]))
        self.groups[number] += (pack,)
        self.entries += pack.count
        slots, shift = self.slots, 64 - self.bits
        for head in pack.index.heads:
            slot = head >> shift
            if not slots[slot]:
                slots[slot] = number
            elif slots[slot] != number:
                slots[slot] = _SEVERAL

    def remove(self, pack: SealedPack) -> None:
        self.groups = [tuple(one for one in group if one is not pack) for group in self.groups]


def _table(packs: Sequence[SealedPack]) -> _Table:
    entries = sum(pack.count for pack in packs)
    bits = max(_LEAST_BITS, min(_MOST_BITS, (6 * entries).bit_length()))
    table = _Table(bits=bits, slots=bytearray(1 << bits))
    for pack in packs:
        table.add(pack)
    return table


class IndexSet:
    """All packs of a store. Changed by one thread at a time (the store's lock); asked by any number without it."""

    def __init__(self, packs: Iterable[SealedPack] = ()) -> None:
        self.sealed: tuple[SealedPack, ...] = tuple(packs)
        self.growing: tuple[Pack, ...] = ()
        self._table = _table(self.sealed)
        self._damaged: dict[ChunkId, frozenset[str]] = {}

    def find(self, chunk: ChunkId) -> Pack | None:
        """The pack to read the chunk from, or None."""
        if self._damaged and chunk in self._damaged:
            return self._find_good(chunk)
        for pack in self.growing:
            if pack.holds(chunk):
                return pack
        table = self._table
        number = table.slots[int.from_bytes(chunk[:4], "big") >> (32 - table.bits)]
        if not number:
            return None
        for sealed in self.sealed if number == _SEVERAL else table.groups[number]:
            if sealed.index.find(chunk) >= 0:
                return sealed
        return None

    def locate(self, chunk: ChunkId) -> Location | None:
        """Where to read the chunk: as ``find``, then asking the pack, with one look instead of two where the pack is sealed."""
        if not self.growing and not (self._damaged and chunk in self._damaged):
            table = self._table
            number = table.slots[int.from_bytes(chunk[:4], "big") >> (32 - table.bits)]
            if number and number != _SEVERAL:
                for sealed in table.groups[number]:
                    place = sealed.index.locate(chunk)
                    if place is not None:
                        return Location(sealed.name, sealed.path, *place)
                return None
        while pack := self.find(chunk):
            location = pack.locate(chunk)
            if location:
                return location
        return None

    def _find_good(self, chunk: ChunkId) -> Pack | None:
        bad = self._damaged.get(chunk, frozenset())
        return next((pack for pack in self.all() if pack.name not in bad and pack.holds(chunk)), None)

    def find_damaged(self, chunk: ChunkId) -> Pack | None:
        """A pack whose copy is known to be bad, where there is no good one."""
        return next((pack for pack in self.all() if pack.holds(chunk)), None) if chunk in self._damaged else None

    def all(self) -> Iterator[Pack]:
        """Every pack, growing ones first."""
        yield from self.growing
        yield from self.sealed

    def add(self, pack: SealedPack) -> None:
        """Take in a sealed pack."""
        self.sealed += (pack,)
        if (
            self._table.entries + pack.count > max(1 << (_LEAST_BITS - 2), (1 << self._table.bits) // 3)
            and self._table.bits < _MOST_BITS
        ):
            self._table = _table(self.sealed)
        else:
            self._table.add(pack)

    def remove(self, pack: SealedPack) -> None:
        """Forget a pack; its marks in the table stay and are harmless until it is built anew."""
        self.sealed = tuple(one for one in self.sealed if one is not pack)
        self._table.remove(pack)
        self.forget_damage(pack.name)
        if sum(one.count for one in self.sealed) * 2 < self._table.entries:
            self._table = _table(self.sealed)

    def rebuild(self) -> None:
        """A fresh table, without the marks of packs that are gone."""
        self._table = _table(self.sealed)

    def add_growing(self, pack: Pack) -> None:
        """Take in a pack that a session is writing."""
        self.growing += (pack,)

    def remove_growing(self, pack: Pack) -> None:
        """Forget a pack that a session was writing."""
        self.growing = tuple(one for one in self.growing if one is not pack)

    def mark_damaged(self, chunk: ChunkId, pack: str) -> None:
        """Remember that this pack's copy is bad: other copies are preferred, and without one the chunk counts as missing, so that
        it is brought again."""
        self._damaged[chunk] = self._damaged.get(chunk, frozenset()) | {pack}

    def knows_damage(self, chunk: ChunkId, pack: str) -> bool:
        """Whether this very copy is known to be bad."""
        return pack in self._damaged.get(chunk, ())

    def knows_any_damage(self) -> bool:
        """Whether any copy of any chunk is known to be bad."""
        return bool(self._damaged)

    def is_damaged(self, chunk: ChunkId) -> bool:
        """Whether some copy is known to be bad."""
        return chunk in self._damaged

    def damaged(self) -> list[ChunkId]:
        """The chunks of which every copy is known to be bad, in order."""
        return sorted(chunk for chunk in list(self._damaged) if self._find_good(chunk) is None)

    def has_good_outside(self, chunk: ChunkId, packs: Container[str]) -> bool:
        """Whether a pack that is none of these has a copy not known to be bad."""
        bad = self._damaged.get(chunk, frozenset())
        return any(pack.name not in bad and pack.name not in packs and pack.holds(chunk) for pack in self.all())

    def forget_damage(self, pack: str) -> None:
        """What was known to be bad in a pack is of no interest any more: the pack is gone, or was found right again."""
        for chunk, bad in list(self._damaged.items()):
            if pack in bad:
                left = bad - {pack}
                if left:
                    self._damaged[chunk] = left
                else:
                    del self._damaged[chunk]

    def replace(self, old: SealedPack, new: SealedPack) -> None:
        """The same pack with its index derived again."""
        self.sealed = tuple(new if one is old else one for one in self.sealed)
        self._table = _table(self.sealed)
