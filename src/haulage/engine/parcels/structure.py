"""The structure of a parcel: all that a receiver needs to make the target's pages and chunk lists again, byte for byte, from the
bases it holds and from the new chunks once it has them. The root page's digest proves the result; nothing else of it is believed.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from haulage.base.errors import FormatError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import Buffer, ChunkId, ManifestId
from haulage.engine.parcels.model import At
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure_columns import VERBATIM, bad
from haulage.engine.parcels.structure_encode import encode_columns
from haulage.engine.parcels.structure_pages import Row, ToldPages
from haulage.engine.parcels.structure_verbatim import VerbatimPages, encode_verbatim


class _Told(Protocol):
    """What either form of sections gives."""

    ids: bytearray | None

    @property
    def lengths(self) -> array[int]: ...

    def pages(self, ids: memoryview) -> Iterator[bytes]: ...

    def rows(self, at: At) -> Iterator[Row]: ...


def encode_structure(
    target: Manifest, bases: Sequence[Manifest], new: NewChunks, *, give_ids: bool, verbatim: bool = False
) -> Iterator[bytes]:
    """Raw bytes of each structure section, at most 4 MiB, to be compressed one by one. ``give_ids``: with the ids of new chunks.
    ``verbatim``: pages and lists as they are, and ids in any case; for a target that ``proves`` says is not given back.

    Raises NotFoundError ``chunk-missing`` if a manifest is not held. Memory: as :class:`NewChunks`, and some 16 MiB.
    """
    if verbatim:
        return encode_verbatim(target, new)
    return encode_columns(target, bases, new, give_ids=give_ids)


class Structure:
    """The structure sections of a parcel, read. One thread at a time."""

    def __init__(self, told: _Told, target: ManifestId) -> None:
        self._told = told
        self.target = target

    @classmethod
    def decode(cls, sections: Iterable[bytes], target: ManifestId, bases: Sequence[Manifest]) -> Structure:
        """Read and check all sections. Raises FormatError (mostly ``bad-parcel``), and what reading the bases raises. Memory: what
        the sections hold, 32 bytes for each new chunk whose id is given, and some 16 MiB."""
        rest = iter(sections)
        first = next(rest, b"")
        if not first:
            raise bad("there is none")
        every = itertools.chain([first], rest)
        if first[0] == VERBATIM:
            return cls(VerbatimPages(every, target, bases), target)
        return cls(ToldPages(every, bases), target)

    @property
    def new_lengths(self) -> array[int]:
        """Bytes of each new chunk, by ordinal."""
        return self._told.lengths

    @property
    def new_ids(self) -> bytearray | None:
        """32 bytes for each new chunk, by ordinal; None if the parcel leaves them out."""
        return self._told.ids

    @property
    def new_chunks(self) -> int:
        """How many there are."""
        return len(self._told.lengths)

    @property
    def bytes_new(self) -> int:
        """What they hold together."""
        return sum(self._told.lengths)

    def rows(self, at: At) -> Iterator[Row]:
        """The chunks of one content of the target, in order: length, id if it is held already (or given), ordinal if it is new,
        else -1. Cheap for neighbours. Raises FormatError ``bad-parcel`` if there is no such content."""
        return self._told.rows(at)

    def pages(self, ids: Buffer) -> Iterator[bytes]:
        """The target's chunk lists and pages that no base has, each after what it names, and the root page last. ``ids``: 32 bytes
        for each new chunk. Only when the last one's BLAKE3 is the target's id are they the target's. Raises FormatError."""
        return self._told.pages(memoryview(ids).cast("B"))


def proves(sections: Iterable[bytes], target: ManifestId, bases: Sequence[Manifest], new: NewChunks) -> bool:
    """Whether sections give back exactly their target, and number new chunks as they are numbered here. Raises what reading the
    bases raises, but for FormatError."""
    try:
        structure = Structure.decode(sections, target, bases)
        if structure.new_lengths != new.lengths:
            return False
        root = b""
        for data in structure.pages(b"".join(new.ordinals)):
            root = data
    except FormatError:
        return False
    return chunk_id(root) == ChunkId(target)


def structure_sections(target: Manifest, bases: Sequence[Manifest], new: NewChunks) -> list[bytes]:
    """The structure sections of a parcel: against the bases where that is proven to give back the very same pages, else as they
    are; nothing about another's manifest is taken for granted. Raises NotFoundError ``chunk-missing`` if a manifest is not held."""
    try:
        sections = list(encode_structure(target, bases, new, give_ids=not bases))
        if proves(sections, target.id, bases, new):
            return sections
    except FormatError:
        # Too scattered to be told entry by entry in bounded time.
        pass
    return list(encode_structure(target, bases, new, give_ids=True, verbatim=True))
