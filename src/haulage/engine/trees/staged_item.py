"""One file or folder of a tree being written, from its creation until its last byte: what was written, and where it goes."""

from __future__ import annotations

import threading

from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.paths import shown
from haulage.engine.trees.written_ranges import WrittenRanges

MAX_NATIVE_STREAM_BYTES = 65535
"""Linux ends one attribute value at 64 KiB; Samba's NUL takes one byte of it."""


class StagedItem:
    """``place`` is where the unnamed content is written, relative to the staging folder. Any thread may call."""

    __slots__ = ("_buffers", "_left", "_ranges", "_sizes", "entry", "lock", "place", "stored", "whole")

    def __init__(self, entry: Entry, place: bytes, *, sidecar_only: bool) -> None:
        self.entry = entry
        self.place = place
        self.lock = threading.Lock()
        self.whole = False
        """Whether the place does not hold this name at all."""
        self.stored: dict[bytes, bytes] = {}
        """Streams that go to the sidecar, and where; ``b""`` until it was made."""
        self._sizes: dict[bytes | None, int] = {stream.name: stream.size for stream in entry.streams}
        self._buffers: dict[bytes, bytearray] = {}
        for stream in entry.streams:
            if sidecar_only or stream.size > MAX_NATIVE_STREAM_BYTES:
                self.stored[stream.name] = b""
        if entry.type is EntryType.FILE:
            self._sizes[None] = entry.size
        self._ranges: dict[bytes | None, WrittenRanges] = {}
        self._left = sum(1 for size in self._sizes.values() if size)

    def size_of(self, stream: bytes | None) -> int:
        """Bytes of one content. Raises ValueError if the entry has no such content."""
        size = self._sizes.get(stream)
        if size is None:
            raise ValueError(f"{shown(self.entry.path, stream)} was not added")
        return size

    def place_of(self, stream: bytes | None) -> bytes | None:
        """Where to write; ``b""``: in the sidecar, once it is made; None: keep it in memory until the end."""
        self.size_of(stream)
        return self.place if stream is None else self.stored.get(stream)

    def keep(self, stream: bytes | None, offset: int, data: memoryview | bytes) -> None:
        """Hold part of a small stream."""
        assert stream is not None
        with self.lock:
            buffer = self._buffers.get(stream)
            if buffer is None:
                buffer = self._buffers[stream] = bytearray(self.size_of(stream))
            if offset < 0 or offset + len(data) > len(buffer):
                raise ValueError(f"{shown(self.entry.path, stream)}: bytes outside of it")
            buffer[offset : offset + len(data)] = data

    def written(self, stream: bytes | None, offset: int, size: int) -> bool:
        """Count what was written; True for the write that completed the whole item."""
        total = self.size_of(stream)
        with self.lock:
            if offset == 0 and size == total and stream not in self._ranges:
                self._ranges[stream] = WrittenRanges(0)
                complete = size > 0
            else:
                ranges = self._ranges.setdefault(stream, WrittenRanges(total))
                before = ranges.complete()
                if before:
                    return False
                ranges.add(offset, offset + size)
                complete = ranges.complete()
            self._left -= complete
            return complete and self._left == 0

    def complete(self) -> bool:
        """Whether nothing is left to write."""
        return self._left == 0

    def small_streams(self) -> dict[bytes, bytes]:
        """The streams to try natively; what was never written is zeros."""
        return {
            name: bytes(self._buffers.get(name) or bytes(size))
            for name, size in self._sizes.items()
            if name is not None and name not in self.stored
        }

    def kept(self, stream: bytes) -> bytes | None:
        """What is held of a small stream, if anything."""
        buffer = self._buffers.get(stream)
        return None if buffer is None else bytes(buffer)
