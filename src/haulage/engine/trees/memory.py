"""A tree in memory: for simulations and tests, and the plainest statement of what readers and writers promise."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from haulage.engine.trees.local_content import BytesContent
from haulage.engine.trees.model import Content, Entry, EntryType, Omission, ReadPolicy, StreamInfo
from haulage.engine.trees.paths import shown
from haulage.engine.trees.policy import PolicyFilter
from haulage.engine.trees.trouble import changed
from haulage.engine.trees.writing_order import WritingOrder

_SERIALS = itertools.count(1)

ContentKey = tuple[bytes, bytes | None]
"""Path and stream name (None: the unnamed content)."""


class MemoryTree:
    """Entries and contents by path. ``put`` replaces; every replacement is a change that readers see."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self.contents: dict[ContentKey, bytes] = {}

    def put(self, entry: Entry, content: bytes = b"", streams: Mapping[bytes, bytes] | None = None) -> Entry:
        """Set one entry; its sizes and stream list are those of the contents given. Returns it as stored."""
        self.remove(entry.path)
        for name, data in (streams or {}).items():
            self.contents[entry.path, name] = data
        size = 0
        if entry.type is EntryType.FILE and entry.same_as is None:
            self.contents[entry.path, None] = content
            size = len(content)
        infos = tuple(StreamInfo(name=name, size=len(data)) for name, data in sorted((streams or {}).items()))
        serial = next(_SERIALS).to_bytes(8, "big")
        stored = self.entries[entry.path] = replace(entry, size=size, streams=infos, seen=serial)
        return stored

    def file(self, path: bytes, content: bytes, *, mtime_ns: int = 0, streams: Mapping[bytes, bytes] | None = None) -> Entry:
        """Put a plain file, and the folders above it that are missing."""
        folder = path
        while folder:
            folder = folder.rpartition(b"/")[0]
            if folder not in self.entries:
                self.put(Entry(path=folder, type=EntryType.FOLDER))
        return self.put(Entry(path=path, type=EntryType.FILE, mtime_ns=mtime_ns), content, streams)

    def remove(self, path: bytes) -> None:
        """Remove one entry; no error if it is not there."""
        entry = self.entries.pop(path, None)
        if entry is not None:
            self.contents.pop((path, None), None)
            for stream in entry.streams:
                self.contents.pop((path, stream.name), None)


class MemoryReader:
    """A :class:`haulage.engine.trees.model.TreeReader` over a :class:`MemoryTree`, which may change meanwhile."""

    def __init__(self, tree: MemoryTree, policy: ReadPolicy | None = None) -> None:
        self._tree = tree
        self._policy = policy or ReadPolicy()
        self._filter = PolicyFilter(self._policy)

    def entries(self) -> Iterator[Entry]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        self._filter = PolicyFilter(self._policy)
        for path in sorted(self._tree.entries):
            entry = self._tree.entries.get(path)
            if entry is None:
                raise changed(path, "it was removed")
            yield self._filter.apply(entry)

    def open(self, entry: Entry, stream: bytes | None = None) -> Content:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return BytesContent(self.read_whole(entry, stream), entry.path, stream)

    def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
        """See :class:`haulage.engine.trees.model.WholeReader`."""
        if not self.still(entry):
            raise changed(entry.path, "it is not what was listed any more", stream)
        try:
            return self._tree.contents[entry.same_as or entry.path, stream]
        except KeyError:
            raise ValueError(f"{shown(entry.path, stream)} has no content") from None

    def change_token(self, entry: Entry) -> bytes:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return entry.seen

    def still(self, entry: Entry) -> bool:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        now = self._tree.entries.get(entry.path)
        return now is not None and (not entry.seen or now.seen == entry.seen)

    def dropped(self) -> Sequence[Omission]:
        """See :class:`haulage.engine.trees.model.TreeReader`."""
        return tuple(self._filter.dropped)

    def close(self) -> None:
        """See :class:`haulage.engine.trees.model.TreeReader`."""


class MemoryWriter:
    """A :class:`haulage.engine.trees.model.TreeWriter` whose ``tree`` can be read once ``finish`` returned."""

    def __init__(self) -> None:
        self.tree = MemoryTree()
        self._order = WritingOrder()
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._contents: dict[ContentKey, bytearray] = {}

    def add(self, entry: Entry) -> bool:
        """See :class:`haulage.engine.trees.model.TreeWriter`."""
        self._order.admit(entry)
        self._entries.append(entry)
        if entry.type is EntryType.FILE and entry.same_as is None:
            self._contents[entry.path, None] = bytearray(entry.size)
        for stream in entry.streams:
            self._contents[entry.path, stream.name] = bytearray(stream.size)
        return False

    def write(self, path: bytes, stream: bytes | None, offset: int, data: memoryview | bytes) -> None:
        """See :class:`haulage.engine.trees.model.TreeWriter`."""
        content = self._contents.get((path, stream))
        if content is None or offset < 0 or offset + len(data) > len(content):
            raise ValueError(f"{shown(path, stream)} was not added, or is smaller")
        with self._lock:
            content[offset : offset + len(data)] = data

    def finish(self) -> Sequence[Omission]:
        """See :class:`haulage.engine.trees.model.TreeWriter`."""
        for entry in self._entries:
            streams = {stream.name: bytes(self._contents[entry.path, stream.name]) for stream in entry.streams}
            self.tree.put(entry, bytes(self._contents.get((entry.path, None), b"")), streams)
        self.abandon()
        return ()

    def abandon(self) -> None:
        """See :class:`haulage.engine.trees.model.TreeWriter`."""
        self._entries.clear()
        self._contents.clear()
