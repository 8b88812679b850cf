"""Where the contents of one manifest are the same as those of another under the same paths, at the same offsets: what a place that
holds the other need not be given again. Reads manifests; knows no places.
"""

from __future__ import annotations

from collections.abc import Iterator

from haulage.base.errors import HaulageError
from haulage.engine.content.content_list import Read, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef
from haulage.engine.content.model import ChunkId

Range = tuple[int, int]
"""Offset and length."""


class OlderContents:
    """The contents of an older manifest, asked for in path order. Pages without such a path are not read; memory: one page."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest: Manifest | None = manifest
        self._pages = manifest.pages()
        self._next = 0
        self._contents: dict[bytes, ContentRef] = {}

    def like(self, path: bytes, content: ContentRef) -> list[Range]:
        """The ranges in which the older content of that path is the same. None where the manifest cannot be read."""
        if self._manifest is None:
            return []
        try:
            older = self._older(self._manifest, path)
            return [] if older is None else same_ranges(content, older, self._manifest.read)
        except HaulageError:
            self._manifest = None
            return []

    def _older(self, manifest: Manifest, path: bytes) -> ContentRef | None:
        at = self._next
        while at < len(self._pages) and self._pages[at].first <= path:
            at += 1
        if at > self._next:
            self._next = at
            self._contents = {entry.path: entry.content for entry in manifest.page(at - 1) if entry.content.size}
        return self._contents.get(path)


def same_ranges(new: ContentRef, old: ContentRef, read: Read) -> list[Range]:
    """Ranges of a content that another has at the same offsets, joined and in order."""
    if new == old:
        return [(0, new.size)] if new.size else []
    found: list[Range] = []
    for offset, length, _chunk, same in compared(new, old, read):
        if same:
            if found and found[-1][0] + found[-1][1] == offset:
                found[-1] = (found[-1][0], found[-1][1] + length)
            else:
                found.append((offset, length))
    return found


def compared(new: ContentRef, old: ContentRef, read: Read) -> Iterator[tuple[int, int, ChunkId, bool]]:
    """Offset, length and id of each chunk, and whether the other content has it at the same offset."""
    others = _placed(old, read)
    other = next(others, None)
    for offset, length, chunk in _placed(new, read):
        while other is not None and other[0] < offset:
            other = next(others, None)
        yield offset, length, chunk, other == (offset, length, chunk)


def _placed(content: ContentRef, read: Read) -> Iterator[tuple[int, int, ChunkId]]:
    offset = 0
    for length, chunk in read_chunks(content, read):
        yield offset, length, chunk
        offset += length
