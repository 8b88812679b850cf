"""Restore: a manifest's tree out of the store into an empty place, every chunk verified by the store as it is read.

One thread creates names in order, several read and write contents; zero chunks are not written, so they become holes. Knows trees
by their interface; which place it is and when it becomes visible is the writer's and the caller's business.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from haulage.base.errors import IntegrityError
from haulage.engine.content.chunker import MAX_BYTES, SEGMENT_BYTES
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef, ManifestEntry, shown
from haulage.engine.content.model import ChunkId, ChunkStore
from haulage.engine.content.ordered import in_order
from haulage.engine.content.packing import packing_key
from haulage.engine.content.tree_entry import tree_entry
from haulage.engine.trees.model import Omission, TreeWriter

WINDOW_ENTRIES = 16_384
WINDOW_CHUNKS = 131_072
"""Names and chunks that are planned together, so that chunks stored together are read together."""
_TASK_BYTES = 2 * SEGMENT_BYTES
_WRITE_BYTES = 1024 * 1024
_ZEROS = bytes(MAX_BYTES)

Progress = Callable[[int, int], None]
"""Names created, bytes written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreReport:
    """What was written."""

    entries: int
    bytes_total: int
    bytes_adopted: int
    """Of those, what an earlier try had written already."""
    omissions: tuple[Omission, ...]
    """What the place could not hold natively and the sidecar took."""


@dataclass(slots=True)
class _Part:
    """A run of one content's chunks."""

    path: bytes
    stream: bytes | None
    offset: int
    chunks: list[tuple[int, ChunkId]]


@dataclass(slots=True)
class _Task:
    parts: list[_Part] = field(default_factory=list)
    bytes_total: int = 0
    entries: int = 0
    """Names created before this task."""


def restore(
    manifest: Manifest,
    store: ChunkStore,
    writer: TreeWriter,
    *,
    threads: int = 2,
    on_progress: Progress | None = None,
) -> RestoreReport:
    """Write the whole tree and finish it durably. On any error the writer abandons what it has, and the error goes on.

    Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged`` and what the writer raises.
    """
    written, names = 0, _Names(writer)
    try:
        with contextlib.closing(in_order(_Filler(store, writer), _tasks(manifest, names), threads=threads)) as done:
            for task, _ in done:
                written += task.bytes_total
                if on_progress is not None:
                    on_progress(task.entries, written + names.bytes_adopted)
        omissions = writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return RestoreReport(
        entries=manifest.totals.entries,
        bytes_total=written + names.bytes_adopted,
        bytes_adopted=names.bytes_adopted,
        omissions=tuple(omissions),
    )


class _Names:
    """Creates names and counts; used by one thread."""

    def __init__(self, writer: TreeWriter) -> None:
        self._writer = writer
        self.created = self.bytes_adopted = 0

    def create(self, entry: ManifestEntry, manifest: Manifest) -> Iterator[tuple[ManifestEntry, bytes | None, ContentRef]]:
        """The contents that are to be written."""
        adopted = self._writer.add(tree_entry(entry, manifest.read))
        self.created += 1
        if adopted:
            self.bytes_adopted += entry.content.size + sum(stream.content.size for stream in entry.streams)
            return
        if entry.content.size:
            yield entry, None, entry.content
        for stream in entry.streams:
            if stream.content.size:
                yield entry, stream.name, stream.content


def _tasks(manifest: Manifest, names: _Names) -> Iterator[_Task]:
    """Create names, and yield the filling of their contents window by window."""
    window: list[tuple[ManifestEntry, bytes | None, ContentRef]] = []
    chunks = 0
    for entry in manifest.entries():
        before = len(window)
        window += names.create(entry, manifest)
        if len(window) > before:
            chunks += len(entry.content.chunks) // CHUNK_ROW.size
        if len(window) >= WINDOW_ENTRIES or chunks >= WINDOW_CHUNKS:
            yield from _window_tasks(window, manifest, names.created)
            window, chunks = [], 0
    yield from _window_tasks(window, manifest, names.created)


def _window_tasks(window: list[tuple[ManifestEntry, bytes | None, ContentRef]], manifest: Manifest, names: int) -> Iterator[_Task]:
    """The same order in which a capture packs: chunks that were stored together are read together."""
    window.sort(key=lambda item: packing_key(item[0].path, item[1], item[2].size))
    task = _Task(entries=names)
    for entry, stream, content in window:
        for part in _parts(entry.path, stream, content, manifest):
            task.parts.append(part)
            task.bytes_total += sum([length for length, _ in part.chunks])
            if task.bytes_total >= _TASK_BYTES:
                yield task
                task = _Task(entries=names)
    if task.parts:
        yield task


def _parts(path: bytes, stream: bytes | None, content: ContentRef, manifest: Manifest) -> Iterator[_Part]:
    part, size = _Part(path, stream, 0, []), 0
    for length, chunk in read_chunks(content, manifest.read):
        part.chunks.append((length, chunk))
        size += length
        if size >= SEGMENT_BYTES:
            yield part
            part, size = _Part(path, stream, part.offset + size, []), 0
    if part.chunks:
        yield part


class _Filler:
    """Reads the chunks of a task and writes them where they belong; used by several threads at once."""

    def __init__(self, store: ChunkStore, writer: TreeWriter) -> None:
        self._store = store
        self._writer = writer

    def __call__(self, task: _Task) -> None:
        places: dict[ChunkId, list[tuple[_Part, int, int]]] = {}
        for part in task.parts:
            offset = part.offset
            for length, chunk in part.chunks:
                places.setdefault(chunk, []).append((part, offset, length))
                offset += length
        run = _WriteRun(self._writer)
        for chunk, data in self._store.read_many(list(places)):
            # In place: a run of chunks of one content that are read in order is written in one go.
            for part, offset, length in places[chunk]:
                if len(data) != length:
                    raise IntegrityError(
                        "chunk-damaged", f"A chunk of {shown(part.path)} does not have the length its manifest says."
                    )
                if data[0] or data[-1] or data != _ZEROS[:length]:
                    run.write(part, offset, data)
        run.flush()


class _WriteRun:
    """Joins neighbouring writes."""

    def __init__(self, writer: TreeWriter) -> None:
        self._writer = writer
        self._part: _Part | None = None
        self._start = self._size = 0
        self._pieces: list[memoryview] = []

    def write(self, part: _Part, offset: int, data: memoryview) -> None:
        if part is not self._part or offset != self._start + self._size or self._size >= _WRITE_BYTES:
            self.flush()
            self._part, self._start = part, offset
        self._pieces.append(data)
        self._size += len(data)

    def flush(self) -> None:
        if self._part is not None and self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._writer.write(self._part.path, self._part.stream, self._start, data)
        self._part, self._pieces, self._size = None, [], 0
