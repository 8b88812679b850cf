"""Carrying out plans in the test's own memory: what a receiver does with batches, without encodings."""

from __future__ import annotations

import os
from collections.abc import Sequence

from haulage.engine.archives.expand import expand, rebuild
from haulage.engine.archives.fingerprint import abilities
from haulage.engine.archives.recipe import Recipe
from haulage.engine.archives.view import BytesView, Spill, View
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.delta.level import Level
from haulage.engine.parcels.content_view import ContentView
from haulage.engine.parcels.model import (
    SCRATCH,
    Copy,
    Fresh,
    Made,
    ObjectKind,
    PlannedBatch,
    Source,
)
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.planning import UpdatePlan, plan_update

Folder = str | os.PathLike[str]
ABILITIES = abilities()


class Executor:
    """Makes every object of every batch, and remembers the chunks."""

    def __init__(self, target: Manifest, bases: Sequence[Manifest], store: ChunkStore, new: NewChunks, folder: str) -> None:
        self._target, self._bases, self._store, self._folder = target, bases, store, folder
        self._chunk_at = list(new.ordinals)
        self._new = new
        self.made: dict[ChunkId, bytes] = {}
        self.scratch: dict[int, bytes] = {}

    def batch(self, batch: PlannedBatch) -> None:
        """Every object of it; its fresh bytes come from the origins, as a decoder would give them."""
        sources = [self._view(source) for source in batch.sources]
        for window in batch.windows:
            assert window.length > 0
            assert 0 <= window.offset <= window.offset + window.length <= sources[window.source].size
        for made, (origin, start) in zip(batch.objects, batch.origins, strict=True):
            data = self._object(made, origin, start, sources)
            assert len(data) == made.size
            self._keep(made, data)
        for source in batch.sources:
            if source.base == SCRATCH:
                del self.scratch[source.at.page]

    def _object(self, made: Made, origin: View, start: int, sources: Sequence[View]) -> bytes:
        parts: list[bytes] = []
        at = start
        for piece in made.pieces:
            assert piece.length > 0
            if isinstance(piece, Fresh):
                parts.append(origin.read(at, piece.length))
            else:
                assert isinstance(piece, Copy)
                parts.append(sources[piece.source].read(piece.offset, piece.length))
            assert len(parts[-1]) == piece.length
            at += piece.length
        return b"".join(parts)

    def _keep(self, made: Made, data: bytes) -> None:
        if made.kind is ObjectKind.SCRATCH:
            assert made.first not in self.scratch
            self.scratch[made.first] = data
        elif made.kind is ObjectKind.RUN:
            at = 0
            for ordinal in range(made.first, made.first + made.count):
                length = self._new.lengths[ordinal]
                self._chunk(ordinal, data[at : at + length])
                at += length
            assert at == len(data)
        else:
            self._archive(made, data)

    def _archive(self, made: Made, data: bytes) -> None:
        assert made.at is not None
        assert made.recipe is not None
        parts: list[bytes] = []
        rebuild(BytesView(data), made.recipe, parts.append)
        whole, at = b"".join(parts), 0
        content = list(self._target.page(made.at.page)[made.at.entry].contents())[made.at.part]
        for length, chunk in read_chunks(content, self._target.read):
            part = whole[at : at + length]
            assert chunk_id(part) == chunk
            if chunk in self._new.ordinals:
                self.made[chunk] = part
            at += length
        assert at == len(whole)

    def _chunk(self, ordinal: int, data: bytes) -> None:
        chunk = self._chunk_at[ordinal]
        assert chunk not in self.made
        assert chunk_id(data) == chunk
        self.made[chunk] = data

    def _view(self, source: Source) -> View:
        if source.base == SCRATCH:
            return BytesView(self.scratch[source.at.page])
        manifest = self._bases[source.base]
        content = list(manifest.page(source.at.page)[source.at.entry].contents())[source.at.part]
        view = ContentView(content, manifest, self._store)
        if not source.members:
            return view
        recipe = Recipe(source.members, view.size)
        return expand(view, recipe, Spill(self._folder), threads=0)


def planned(
    target: ManifestId,
    bases: Sequence[ManifestId],
    store: ChunkStore,
    folder: str | os.PathLike[str],
    level: Level = Level.SMALLEST,
) -> tuple[UpdatePlan, NewChunks]:
    """The plan of an update."""
    wanted, held = Manifest.open(target, store.read), [Manifest.open(base, store.read) for base in bases]
    new = NewChunks(wanted, held)
    return plan_update(wanted, held, store, new, level=level, folder=os.fspath(folder), abilities=ABILITIES), new


def carried_out(
    target: ManifestId,
    bases: Sequence[ManifestId],
    store: ChunkStore,
    folder: str | os.PathLike[str],
    level: Level = Level.SMALLEST,
) -> list[PlannedBatch]:
    """Plan, make everything, and require that every new chunk is made exactly once, from bytes alone. The batches."""
    plan, new = planned(target, bases, store, folder, level)
    wanted, held = Manifest.open(target, store.read), [Manifest.open(base, store.read) for base in bases]
    executor = Executor(wanted, held, store, new, os.fspath(folder))
    batches = []
    for batch in plan.batches():
        executor.batch(batch)
        batches.append(batch)
    assert set(executor.made) == set(new.ordinals)
    assert not executor.scratch
    return batches
