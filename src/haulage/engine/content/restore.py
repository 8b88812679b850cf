"""Restore: a manifest's tree out of the store into an empty place, every chunk verified by the store as it is read.

One thread creates names in order, several read and write contents; zero chunks are not written, so they become holes. What the
place has in an older tree may be shared with it. Knows trees by their interface; which place it is and when it becomes visible is
the writer's and the caller's business.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import cast

from haulage.base.errors import IntegrityError
from haulage.engine.content.chunker import MAX_BYTES, SEGMENT_BYTES
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.likeness import OlderContents, Range
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef, ManifestEntry, shown
from haulage.engine.content.model import ChunkId, ChunkStore
from haulage.engine.content.ordered import in_order
from haulage.engine.content.packing import packing_key
from haulage.engine.content.tree_entry import tree_entry
from haulage.engine.trees.model import Added, Entry, Omission, SharingWriter, TreeWriter

WINDOW_ENTRIES = 16_384
WINDOW_CHUNKS = 131_072
"""Names and chunks that are planned together, so that chunks stored together are read together."""
_TASK_BYTES = 16 * SEGMENT_BYTES
"""Read in one go, so that each block of the store is decoded once for it; only the places are held in memory, not the bytes."""
_FAR_TASK_BYTES = 2 * SEGMENT_BYTES
"""For a place that takes its time, and to which several threads write: it is told from time to time how far it is."""
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
    bytes_shared: int
    """Of those, what is shared with an older tree of the place, and believed of it until it is read."""
    omissions: tuple[Omission, ...]
    """What the place could not hold natively and the sidecar took."""


_Place = tuple[bytes, bytes | None, int, int]
"""Where a chunk goes: path, stream, offset, length."""
_Wanted = tuple[tuple[bool, bytes, bytes, bytes], bytes, bytes | None, ContentRef, Sequence[Range]]
"""A content to be written: its key in the order of packing, path, stream, reference, and ranges that are there already."""


@dataclass(slots=True)
class _Task:
    places: dict[ChunkId, list[_Place]] = field(default_factory=dict)
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
    older: Manifest | None = None,
) -> RestoreReport:
    """Write the whole tree and finish it durably. ``threads`` write, where the writer gains from several; the store decodes with
    threads of its own. ``older``: what the older tree should be that the writer can share bytes of. On any error the writer
    abandons what it has, and the error goes on.

    With bytes adopted or shared the caller must read all of the tree before he believes it.
    Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged`` and what the writer raises.
    """
    written, names = 0, _Names(writer, older)
    try:
        writers = threads if getattr(writer, "gains_from_threads", True) else 0
        tasks = _tasks(manifest, names, _FAR_TASK_BYTES if writers else _TASK_BYTES)
        with contextlib.closing(in_order(_Filler(store, writer, names.patched), tasks, threads=writers)) as done:
            for task, _ in done:
                written += task.bytes_total
                if on_progress is not None:
                    on_progress(task.entries, written + names.bytes_there)
        omissions = writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return RestoreReport(
        entries=manifest.totals.entries,
        bytes_total=written + names.bytes_there,
        bytes_adopted=names.bytes_adopted,
        bytes_shared=names.bytes_shared,
        omissions=tuple(omissions),
    )


class _Names:
    """Creates names and counts; used by one thread."""

    def __init__(self, writer: TreeWriter, older: Manifest | None) -> None:
        self._writer = writer
        self._sharer = cast(SharingWriter, writer) if older is not None and hasattr(writer, "add_like") else None
        self._older = OlderContents(older) if older is not None else None
        self.created = self.bytes_adopted = self.bytes_shared = 0
        self.patched: set[bytes] = set()
        """Contents of which only a part is shared: the rest must be written, zeros too."""

    @property
    def bytes_there(self) -> int:
        """What need not be written."""
        return self.bytes_adopted + self.bytes_shared

    def create(self, entry: ManifestEntry, manifest: Manifest) -> list[_Wanted]:
        """The contents that are to be written."""
        same = self._same(entry)
        added = self._add(tree_entry(entry, manifest.read), same)
        self.created += 1
        content = entry.content
        if added is Added.ALL:
            self.bytes_adopted += content.size + sum([stream.content.size for stream in entry.streams])
            return []
        wanted: list[_Wanted] = []
        there: Sequence[Range] = ()
        if added is Added.SAME:
            there = same
            self.bytes_shared += sum([length for _, length in same])
            if same != [(0, content.size)]:
                self.patched.add(entry.path)
        if content.size and there != [(0, content.size)]:
            wanted.append((packing_key(entry.path, None, content.size), entry.path, None, content, there))
        for stream in entry.streams:
            if stream.content.size:
                key = packing_key(entry.path, stream.name, stream.content.size)
                wanted.append((key, entry.path, stream.name, stream.content, ()))
        return wanted

    def _add(self, entry: Entry, same: list[Range]) -> Added:
        if same and self._sharer is not None:
            return self._sharer.add_like(entry, same)
        return Added.ALL if self._writer.add(entry) else Added.NOTHING

    def _same(self, entry: ManifestEntry) -> list[Range]:
        if self._sharer is None or self._older is None:
            return []
        least = self._sharer.shares_from()
        return self._older.like(entry.path, entry.content) if least is not None and entry.content.size >= least else []


def _tasks(manifest: Manifest, names: _Names, most_bytes: int) -> Iterator[_Task]:
    """Create names, and yield the filling of their contents window by window."""
    window: list[_Wanted] = []
    chunks = 0
    for entry in manifest.entries():
        wanted = names.create(entry, manifest)
        if wanted:
            window += wanted
            chunks += len(entry.content.chunks) // CHUNK_ROW.size
            if len(window) >= WINDOW_ENTRIES or chunks >= WINDOW_CHUNKS:
                yield from _window_tasks(window, manifest, names.created, most_bytes)
                window, chunks = [], 0
    yield from _window_tasks(window, manifest, names.created, most_bytes)


def _window_tasks(window: list[_Wanted], manifest: Manifest, names: int, most_bytes: int) -> Iterator[_Task]:
    """The same order in which a capture packs: chunks that were stored together are read together."""
    window.sort(key=itemgetter(0))
    task = _Task(entries=names)
    for _key, path, stream, content, there in window:
        offset = 0
        ranges = iter(there)
        start, end = _span(next(ranges, None))
        for length, chunk in read_chunks(content, manifest.read):
            at, offset = offset, offset + length
            while end <= at:
                start, end = _span(next(ranges, None))
            if start <= at:
                continue
            task.places.setdefault(chunk, []).append((path, stream, at, length))
            task.bytes_total += length
            if task.bytes_total >= most_bytes:
                yield task
                task = _Task(entries=names)
    if task.places:
        yield task


def _span(there: Range | None) -> tuple[int, int]:
    """Start and end of a range; one that is never reached if there is none."""
    return (sys.maxsize, sys.maxsize) if there is None else (there[0], there[0] + there[1])


class _Filler:
    """Reads the chunks of a task and writes them where they belong; used by several threads at once."""

    def __init__(self, store: ChunkStore, writer: TreeWriter, patched: Container[bytes]) -> None:
        self._store = store
        self._writer = writer
        self._patched = patched

    def __call__(self, task: _Task) -> None:
        run = _WriteRun(self._writer)
        for chunk, data in self._store.read_many(list(task.places)):
            # Once for each chunk: an image has the same zeros in many places.
            is_zero = not data[0] and not data[-1] and data == _ZEROS[: len(data)]
            # In place: a run of chunks of one content that are read in order is written in one go.
            for path, stream, offset, length in task.places[chunk]:
                if len(data) != length:
                    raise IntegrityError("chunk-damaged", f"A chunk of {shown(path)} does not have the length its manifest says.")
                if not is_zero or (path in self._patched and stream is None):
                    run.write(path, stream, offset, data)
        run.flush()


class _WriteRun:
    """Joins neighbouring writes."""

    def __init__(self, writer: TreeWriter) -> None:
        self._writer = writer
        self._path = b""
        self._stream: bytes | None = None
        self._start = self._end = 0
        self._pieces: list[memoryview] = []

    def write(self, path: bytes, stream: bytes | None, offset: int, data: memoryview) -> None:
        """The next piece."""
        joins = offset == self._end and path == self._path and stream == self._stream and offset - self._start < _WRITE_BYTES
        if not joins or not self._pieces:
            self.flush()
            self._path, self._stream, self._start = path, stream, offset
        self._pieces.append(data)
        self._end = offset + len(data)

    def flush(self) -> None:
        """Write what was joined."""
        if self._pieces:
            data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
            self._pieces = []
            self._writer.write(self._path, self._stream, self._start, data)
