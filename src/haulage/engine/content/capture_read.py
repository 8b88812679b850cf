"""The reading side of a capture: which pieces of which contents make one task, and how a task is read, cut and hashed by a worker.
Knows trees; nothing of the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.chunker import SEGMENT_BYTES, cut, segments
from haulage.engine.content.content_list import ContentWriter
from haulage.engine.content.manifest_model import EMPTY, ContentRef, ManifestEntry, shown
from haulage.engine.content.model import ChunkId
from haulage.engine.content.packing import packing_key
from haulage.engine.content.pages import KeptPage
from haulage.engine.trees.model import Content, Entry, TreeReader

MAX_TASK_CONTENTS = 512
_BACKOFF_SECONDS = 0.2


class Slot(msgspec.Struct):
    """One entry on its way into the manifest."""

    entry: Entry
    token: bytes = b""
    known: ManifestEntry | None = None
    """The earlier entry, if content and streams need not be read."""
    warnings: Sequence[WarningKind] = ()
    contents: dict[bytes | None, ContentRef] = msgspec.field(default_factory=dict)
    """References that are complete, by stream name; None is the unnamed content. Empty contents are not listed."""


@dataclass(slots=True)
class Shared:
    """A large content read in several tasks through one handle."""

    left: int
    writer: ContentWriter | None = None
    handle: Content | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def close(self) -> None:
        """Release the handle."""
        with self.lock:
            if self.handle is not None:
                self.handle.close()
                self.handle = None


class Piece(msgspec.Struct):
    """A range of one content: a whole small one, or a segment."""

    slot: Slot
    stream: bytes | None
    size: int
    """Of the whole content."""
    offset: int
    length: int
    shared: Shared | None = None


class Task(msgspec.Struct):
    """What one worker does in one go."""

    pieces: list[Piece]
    ends: list[Slot | KeptPage] | None = None
    """The window of entries that is complete after this task."""


class Cut(msgspec.Struct):
    """A piece that was read."""

    data: bytes
    chunks: list[tuple[int, ChunkId]]


def plan_tasks(window: list[Slot | KeptPage]) -> Iterator[Task]:
    """Tasks for the contents of a window: small ones gathered, alike with alike (they are compressed together in the order they are
    put), large ones by segment. The last task carries the window."""
    contents = [
        (slot, stream, size)
        for slot in window
        if isinstance(slot, Slot) and slot.known is None
        for stream, size in ((None, slot.entry.size), *[(item.name, item.size) for item in slot.entry.streams])
        if size
    ]
    contents.sort(key=lambda item: packing_key(item[0].entry.path, item[1], item[2]))
    batch: list[Piece] = []
    batch_bytes = 0
    for slot, stream, size in contents:
        if batch and (batch_bytes + size > SEGMENT_BYTES or len(batch) >= MAX_TASK_CONTENTS):
            yield Task(batch)
            batch, batch_bytes = [], 0
        if size <= SEGMENT_BYTES:
            batch.append(Piece(slot, stream, size, 0, size))
            batch_bytes += size
        else:
            yield from _segment_tasks(slot, stream, size)
    yield Task(batch, ends=window)


def _segment_tasks(slot: Slot, stream: bytes | None, size: int) -> Iterator[Task]:
    shared = Shared(left=-(-size // SEGMENT_BYTES))
    for offset, length in segments(size):
        yield Task([Piece(slot, stream, size, offset, length, shared)])


class Worker:
    """Reads and cuts tasks; used by several threads at once."""

    def __init__(self, reader: TreeReader, clock: Clock, tries: int) -> None:
        self._reader = reader
        self._clock = clock
        self._tries = tries
        self._handles: dict[int, Shared] = {}
        self._read_whole: Callable[[Entry, bytes | None], bytes] | None = getattr(reader, "read_whole", None)

    def __call__(self, task: Task) -> list[Cut]:
        """Read every piece; the file it came from must be as it was listed, before and after.

        Raises TransferError with path, stream and cause: ``source-changed`` at once, anything else after bounded tries."""
        cuts = [self._patiently(piece) for piece in task.pieces]
        # A reader that reads whole contents looks before and after by itself.
        looked = self._read_whole is not None
        for slot in _distinct(piece.slot for piece in task.pieces if piece.shared is not None or not looked):
            if not self._reader.still(slot.entry):
                name = shown(slot.entry.path)
                raise TransferError("source-changed", f"{name} changed while it was read.", "Capture again when it rests.")
        return cuts

    def done(self, shared: Shared) -> None:
        """A large content is complete."""
        shared.close()
        self._handles.pop(id(shared), None)

    def close(self) -> None:
        """Release what is open; no thread may be reading any more."""
        for shared in list(self._handles.values()):
            self.done(shared)

    def _patiently(self, piece: Piece) -> Cut:
        for attempt in range(1, self._tries):
            try:
                return self._read(piece)
            except TransferError as error:
                if error.code == "source-changed":
                    raise
                self._clock.sleep(_BACKOFF_SECONDS * 2**attempt)
        return self._read(piece)

    def _read(self, piece: Piece) -> Cut:
        if piece.shared is None and self._read_whole is not None:
            data = self._read_whole(piece.slot.entry, piece.stream)
            _check_size(piece, len(data))
            return Cut(data, cut(data))
        handle = self._open(piece)
        try:
            _check_size(piece, handle.size)
            data = handle.read_at(piece.offset, piece.length)
        finally:
            if piece.shared is None:
                handle.close()
        return Cut(data, cut(data))

    def _open(self, piece: Piece) -> Content:
        if piece.shared is None:
            return self._reader.open(piece.slot.entry, piece.stream)
        with piece.shared.lock:
            if piece.shared.handle is None:
                self._handles[id(piece.shared)] = piece.shared
                piece.shared.handle = self._reader.open(piece.slot.entry, piece.stream)
            return piece.shared.handle


def _check_size(piece: Piece, size: int) -> None:
    if size != piece.size:
        name = shown(piece.slot.entry.path) + (f":{shown(piece.stream)}" if piece.stream is not None else "")
        raise TransferError("source-changed", f"{name} has {size} bytes now and had {piece.size} when listed.")


def _distinct(slots: Iterable[Slot]) -> list[Slot]:
    return list({id(slot): slot for slot in slots}.values())


def content_of(slot: Slot, stream: bytes | None) -> ContentRef:
    """The finished reference of one content of a slot."""
    return slot.contents.get(stream, EMPTY)
