"""What a parcel must carry: the chunks of a target that none of its bases has, in packing order, cut into batches. Reads manifests
only, so that planned figures are known before a byte is read or sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.content.packing import packing_key
from haulage.engine.parcels.head import MAX_BATCH_CHUNKS
from haulage.engine.parcels.section import BATCH_BYTES

WINDOW_CONTENTS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelPlan:
    """What to send. Sizes in bytes."""

    target: ManifestId
    bases: tuple[ManifestId, ...]
    structure: tuple[ChunkId, ...]
    """Root, pages and chunk lists to send."""
    batches: tuple[bytes, ...]
    """Chunk rows of each batch."""
    batch_bytes: tuple[int, ...]
    bytes_total: int
    bytes_new: int

    @property
    def bytes_reused(self) -> int:
        """What need not be sent."""
        return self.bytes_total - self.bytes_new


def plan_parcel(target: ManifestId, bases: Sequence[ManifestId], store: ChunkStore) -> ParcelPlan:
    """Decide what a parcel from ``bases`` to ``target`` carries. Memory: some 150 bytes for each chunk in a changed page.

    Raises NotFoundError ``chunk-missing`` if a manifest is not held.
    """
    wanted = Manifest.open(target, store.read)
    held = [Manifest.open(base, store.read) for base in dict.fromkeys(bases)]
    shared = {page.id for base in held for page in base.pages()}
    structure: dict[ChunkId, None] = {ChunkId(target): None}
    new: set[ChunkId] = set()
    for chunk, entries in _fresh_pages(wanted, shared):
        structure[chunk] = None
        for entry in entries:
            structure.update(dict.fromkeys(_lists(entry)))
            new.update([chunk for _length, chunk in _chunks(entry, wanted)])
    for chunk in {ChunkId(base.id) for base in held}:
        structure.pop(chunk, None)
    for base in held:
        if not new and len(structure) <= 1:
            break
        for _page, entries in _fresh_pages(base, set()):
            for entry in entries:
                for chunk in _lists(entry):
                    structure.pop(chunk, None)
                if new:
                    new.difference_update([chunk for _length, chunk in _chunks(entry, base)])
    batches = list(_batches(wanted, shared, new))
    sizes = tuple([sum([length for length, _ in CHUNK_ROW.iter_unpack(rows)]) for rows in batches])
    return ParcelPlan(
        target=target,
        bases=tuple(base.id for base in held),
        structure=tuple(structure),
        batches=tuple(batches),
        batch_bytes=sizes,
        bytes_total=wanted.totals.bytes_total,
        bytes_new=sum(sizes),
    )


def _fresh_pages(manifest: Manifest, shared: set[ChunkId]) -> Iterator[tuple[ChunkId, list[ManifestEntry]]]:
    """Pages that are not in ``shared``, with their entries."""
    for index, page in enumerate(manifest.pages()):
        if page.id not in shared:
            yield page.id, manifest.page(index)


def _lists(entry: ManifestEntry) -> list[ChunkId]:
    return [chunk for content in entry.contents() if content.lists for _size, _count, chunk in list_rows(content)]


def _chunks(entry: ManifestEntry, manifest: Manifest) -> Iterator[tuple[int, ChunkId]]:
    for content in entry.contents():
        yield from read_chunks(content, manifest.read)


def _batches(manifest: Manifest, shared: set[ChunkId], new: set[ChunkId]) -> Iterator[bytes]:
    """Rows of each batch; takes each chunk out of ``new`` where it first stands, so each is sent once."""
    rows, size = bytearray(), 0
    for content in _in_packing_order(_fresh_pages(manifest, shared)):
        for length, chunk in read_chunks(content, manifest.read):
            if chunk not in new:
                continue
            new.remove(chunk)
            if size and (size + length > BATCH_BYTES or len(rows) >= MAX_BATCH_CHUNKS * CHUNK_ROW.size):
                yield bytes(rows)
                rows, size = bytearray(), 0
            rows += CHUNK_ROW.pack(length, chunk)
            size += length
    if rows:
        yield bytes(rows)


def _in_packing_order(pages: Iterator[tuple[ChunkId, list[ManifestEntry]]]) -> Iterator[ContentRef]:
    window: list[tuple[tuple[bool, bytes, bytes, bytes], ContentRef]] = []
    for _page, entries in pages:
        for entry in entries:
            window += [(packing_key(entry.path, None, content.size), content) for content in entry.contents() if content.size]
        if len(window) >= WINDOW_CONTENTS:
            yield from _drain(window)
            window = []
    yield from _drain(window)


def _drain(window: list[tuple[tuple[bool, bytes, bytes, bytes], ContentRef]]) -> Iterator[ContentRef]:
    window.sort(key=lambda item: item[0])
    for _key, content in window:
        yield content
