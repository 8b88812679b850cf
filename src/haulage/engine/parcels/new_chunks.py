"""Which chunks of a target are in none of its bases, numbered in the order in which they first appear. Reads manifests only, so
that figures are known before a byte of content is read or sent.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence

from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ManifestEntry
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.model import At


class NewChunks:
    """The new chunks of a target and the pages in which they stand."""

    def __init__(self, target: Manifest, bases: Sequence[Manifest]) -> None:
        """Memory: some 200 bytes for each new chunk, and as much for each chunk in a changed page of the target while this runs.

        Raises NotFoundError ``chunk-missing`` if a manifest is not held.
        """
        shared = {page.id for base in bases for page in base.pages()}
        self.fresh_pages: tuple[int, ...] = tuple([index for index, page in enumerate(target.pages()) if page.id not in shared])
        """Pages of the target that no base has."""
        lengths: dict[ChunkId, int] = {}
        for _at, content_rows in _contents(target, self.fresh_pages):
            for length, chunk in content_rows:
                lengths[chunk] = length
        if lengths:
            for base in bases:
                for _at, content_rows in _contents(base, range(len(base.pages()))):
                    for _length, chunk in content_rows:
                        lengths.pop(chunk, None)
        self.ordinals: dict[ChunkId, int] = {chunk: number for number, chunk in enumerate(lengths)}
        self.lengths: array[int] = array("I", lengths.values())
        """Bytes of each, by ordinal."""

    @property
    def bytes_new(self) -> int:
        """Bytes of all of them."""
        return sum(self.lengths)


def _contents(manifest: Manifest, pages: Sequence[int]) -> Iterator[tuple[At, Iterator[tuple[int, ChunkId]]]]:
    for page in pages:
        yield from page_contents(manifest, page, manifest.page(page))


def page_contents(
    manifest: Manifest, page: int, entries: Sequence[ManifestEntry]
) -> Iterator[tuple[At, Iterator[tuple[int, ChunkId]]]]:
    """Every content of a page that is not empty: where it stands, and its chunks (length, id)."""
    for number, entry in enumerate(entries):
        for part, content in enumerate(entry.contents()):
            if content.size:
                yield At(page, number, part), read_chunks(content, manifest.read)
