"""The words of the content room: chunk ids, the store's interface, and the figures reported about it.

A chunk is the unit of identity, named by its BLAKE3. Manifest pages are chunks like any other: one mechanism stores, verifies,
sends and sweeps everything. Must not know packages, sites or SQL.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NewType, Protocol

ChunkId = NewType("ChunkId", bytes)
"""The 32-byte BLAKE3 of a chunk's bytes."""

ManifestId = NewType("ManifestId", bytes)
"""The 32-byte BLAKE3 of a manifest's root page: the identity of a tree. Also the ChunkId under which the root page is stored."""

Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A durable lease on a manifest (with every chunk it names): sweep spares it."""

    owner: str
    """Who needs it and why, unique: ``held:HQ100042:7``, ``receive:…``, ``serve:…``."""
    manifest: ManifestId
    expires: dt.datetime | None = None
    """None: until removed."""


class WriteSession(Protocol):
    """New chunks on their way into the store. Chunks are visible to readers once ``checkpoint`` or ``commit`` returned.
    Everything the session wrote or found present is safe from sweep until it ends. One thread at a time."""

    def put(self, chunk: ChunkId, data: Buffer) -> bool:
        """Add a chunk whose id the caller computed from these very bytes; False if it is held (here or in the store) already."""
        ...

    def has(self, chunk: ChunkId) -> bool:
        """Whether the chunk is held already; if so it is relied upon, and stays."""
        ...

    def checkpoint(self) -> None:
        """Make everything put so far durable and visible: it survives a kill or power cut from here on."""
        ...

    def commit(self) -> None:
        """``checkpoint``, seal, and end the session."""
        ...

    def abort(self) -> None:
        """End the session; chunks made durable by ``checkpoint`` stay (until swept), others are gone. Safe after ``commit``."""
        ...


class ChunkStore(Protocol):
    """Where a site keeps content. One process owns it. Every read verifies the id (I3)."""

    def session(self, owner: str) -> AbstractContextManager[WriteSession]:
        """Begin writing; leaving the context commits, leaving it by an exception aborts."""
        ...

    def missing(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        """Those of ``chunks`` that are not held."""
        ...

    def read(self, chunk: ChunkId) -> bytes:
        """One chunk's bytes. Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged``."""
        ...

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        """Each distinct chunk once, in whatever order is cheapest (neighbours in one block together), every one verified.
        Several threads may read at once. Raises like ``read``."""
        ...

    def pin(self, pin: Pin) -> None:
        """Set or replace the pin of that owner, durably."""
        ...

    def unpin(self, owner: str) -> None:
        """Remove a pin, durably; no error if there is none."""
        ...

    def pins(self) -> Sequence[Pin]:
        """All pins, by owner."""
        ...

    def drop_unreadable_pins(self) -> int:
        """Remove pins that cannot be read; returns how many. Only where every pin that counts was just written again, and nothing
        that sets pins of its own is running."""
        ...

    def sweep(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime, dry_run: bool = False) -> SweepReport:
        """Remove chunks that no unexpired pin and no open session needs. ``live`` names every chunk of a manifest, its pages
        included; if it raises for one pinned manifest nothing at all is removed (I10, I11)."""
        ...

    def parts(self) -> Sequence[str]:
        """What can be checked one by one: everything that is no pack first, as ``""``, then the packs by name."""
        ...

    def check(self, *, part: str | None = None, on_progress: Callable[[int], None] | None = None) -> CheckReport:
        """Read and verify everything held, or one of ``parts`` (none there any more: nothing to say). Changes nothing but what is
        known: what proves damaged counts as missing from then on."""
        ...

    def damaged(self) -> Sequence[ChunkId]:
        """Chunks known to be damaged of which no good copy is held, in order."""
        ...

    def unsound(self) -> Sequence[str]:
        """Packs in which anything was found wrong, by name. They are read from where they are right, and leave by ``mend``."""
        ...

    def mend(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime) -> MendReport:
        """Put right what can be put right from here: derive damaged indexes again, move what is needed and readable out of unsound
        packs, and put such a pack aside once every needed chunk in it has a good copy elsewhere. Raises like ``sweep``."""
        ...

    def clear_aside(self) -> bool:
        """Everything was read since and is right: remove what was set aside. Whether there was anything."""
        ...

    def stats(self) -> StoreStats:
        """Sizes and counts."""
        ...

    def close(self) -> None:
        """Release files; safe to repeat."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One damaged place in the store."""

    where: str
    """File and offset, for people."""
    chunks: tuple[ChunkId, ...]
    cause: str
    pack: str = ""
    """The pack it is in; empty for anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MendReport:
    """What mending did."""

    indexes_written: int
    packs_set_aside: int
    chunks_moved: int
    packs_left: int
    """Unsound packs that stay, because a chunk in them is needed of which there is no good copy."""
    damages: tuple[Damage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """What a sweep removed, or would remove."""

    chunks_removed: int
    bytes_removed: int
    """Stored bytes given back."""
    chunks_kept: int
    packs_removed: int
    packs_rewritten: int
    dry_run: bool
    damages: tuple[Damage, ...] = ()
    """Packs left as they are because a needed chunk in them is damaged: it is never copied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """Everything wrong with a store; no damages means every byte was read and was right."""

    chunks_checked: int
    bytes_checked: int
    damages: tuple[Damage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """Sizes and counts of a store."""

    chunks: int
    bytes_raw: int
    """Sum of the chunks' lengths."""
    bytes_stored: int
    """What the packs occupy on disk."""
    packs: int
