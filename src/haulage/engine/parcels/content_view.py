"""Held contents as bytes with random access: ranges become chunks, and chunks are read from the store many at a time, since single
ones out of packed blocks are slow. Knows manifests and the store; nothing of parcels.
"""

from __future__ import annotations

import bisect
import itertools
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from haulage.base.errors import FormatError
from haulage.engine.content.content_list import list_rows
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef
from haulage.engine.content.model import ChunkId, ChunkStore

CACHE_BYTES = 24 * 1024 * 1024
_LISTS_KEPT = 8
_AGAIN = "Read it again; if it stays, verify the store."


class ReadsChunks(Protocol):
    """What a view needs of a manifest: chunk lists by id, verified."""

    def read(self, chunk: ChunkId) -> bytes: ...


class ChunkCache:
    """The chunks that were read last, for any number of threads and views. Memory: ``limit_bytes`` and one request."""

    room_bytes = 10 * 1024 * 1024
    """Of chunks that may be staged together."""

    def __init__(self, store: ChunkStore, limit_bytes: int = CACHE_BYTES) -> None:
        self._store = store
        self._limit = limit_bytes
        self._kept: OrderedDict[ChunkId, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    def one(self, chunk: ChunkId) -> bytes:
        """The bytes of one. Raises like the store's ``read``."""
        with self._lock:
            data = self._kept.get(chunk)
            if data is not None:
                self._kept.move_to_end(chunk)
                return data
        return self.get([chunk])[chunk]

    def get(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:
        """The bytes of each. Raises like the store's ``read``."""
        found: dict[ChunkId, bytes] = {}
        with self._lock:
            for chunk in chunks:
                data = self._kept.get(chunk)
                if data is not None:
                    self._kept.move_to_end(chunk)
                    found[chunk] = data
        lacking = [chunk for chunk in chunks if chunk not in found]
        if lacking:
            read = self._aside(lacking)
            lacking = [chunk for chunk in lacking if chunk not in read]
            read.update(self._stored(lacking) if lacking else {})
            found.update(read)
            self._keep(read)
        return found

    def stage(self, chunks: Sequence[ChunkId]) -> None:
        """Read what will be read soon, in the order that is cheapest for the store."""
        self.get(chunks)

    def expect(self, chunks: Sequence[ChunkId]) -> None:
        """These will be staged; much else is read before. Nothing is read."""

    def close(self) -> None:
        """Give back what is not memory; safe to repeat."""

    def _stored(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:
        return {chunk: bytes(view) for chunk, view in self._store.read_many(chunks)}

    def _aside(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:  # noqa: ARG002  (there is nothing here)
        """What is at hand without the store."""
        return {}

    def _keep(self, read: dict[ChunkId, bytes]) -> None:
        with self._lock:
            for chunk, data in read.items():
                if chunk not in self._kept:
                    self._kept[chunk] = data
                    self._kept_bytes += len(data)
            while self._kept_bytes > self._limit:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])


class _Rows:
    """The rows of one chunk list (or of a content that has none), with where each chunk ends."""

    __slots__ = ("ends", "rows", "start")

    def __init__(self, start: int, rows: bytes) -> None:
        if len(rows) % CHUNK_ROW.size:
            raise FormatError("bad-chunk-list", "A chunk list is malformed.", _AGAIN)
        self.start = start
        self.rows = rows
        self.ends = array("Q", itertools.accumulate([length for length, _chunk in CHUNK_ROW.iter_unpack(rows)], initial=start))

    def find(self, offset: int, end: int) -> Iterator[tuple[int, int, ChunkId]]:
        at = bisect.bisect_right(self.ends, offset) - 1
        while at < len(self.ends) - 1 and self.ends[at] < end:
            row = at * CHUNK_ROW.size
            yield self.ends[at], self.ends[at + 1], ChunkId(self.rows[row + 4 : row + CHUNK_ROW.size])
            at += 1


class ContentView:
    """A ``View`` of one content. Memory: its chunk rows, of a very large one a few of its chunk lists."""

    __slots__ = ("_cache", "_inline", "_large", "_rows", "size")

    def __init__(self, content: ContentRef, manifest: ReadsChunks, store: ChunkStore | ChunkCache) -> None:
        self.size = content.size
        self._cache = store if isinstance(store, ChunkCache) else ChunkCache(store)
        self._inline = content.chunks
        self._rows: _Rows | None = None
        self._large = _Lists(content, manifest) if content.lists else None

    def read(self, offset: int, size: int) -> bytes:
        """The bytes at ``offset``: ``size`` of them, fewer only where the content ends. Raises like the store's ``read``."""
        end = min(offset + size, self.size)
        if offset >= end:
            return b""
        if self._large is None and len(self._inline) == CHUNK_ROW.size:
            chunk = ChunkId(self._inline[4:])
            data = self._cache.one(chunk)
            if len(data) != self.size:
                raise _bad_length()
            return data if end - offset == self.size else data[offset:end]
        wanted = list(self._find(offset, end))
        read = self._cache.get([chunk for _start, _end, chunk in wanted])
        parts: list[bytes] = []
        for start, stop, chunk in wanted:
            part = read[chunk]
            if len(part) != stop - start:
                raise _bad_length()
            parts.append(part if offset <= start and stop <= end else part[max(0, offset - start) : end - start])
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def chunks(self, offset: int, size: int) -> list[ChunkId]:
        """The chunks that hold a range."""
        if self._large is None and len(self._inline) == CHUNK_ROW.size:
            return [ChunkId(self._inline[4:])] if size > 0 else []
        return [chunk for _start, _end, chunk in self._find(offset, min(offset + size, self.size))]

    def _find(self, offset: int, end: int) -> Iterator[tuple[int, int, ChunkId]]:
        if self._large is not None:
            return self._large.find(offset, end)
        if self._rows is None:
            self._rows = _Rows(0, self._inline)
        return self._rows.find(offset, end)


class _Lists:
    """The chunk lists of a large content; a few of them are kept."""

    __slots__ = ("_lists", "_loaded", "_lock", "_manifest", "_starts")

    def __init__(self, content: ContentRef, manifest: ReadsChunks) -> None:
        self._manifest = manifest
        self._lists = list(list_rows(content))
        self._starts = list(itertools.accumulate([size for size, _count, _chunk in self._lists], initial=0))
        self._loaded: OrderedDict[int, _Rows] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, offset: int, end: int) -> Iterator[tuple[int, int, ChunkId]]:
        """Start, end and id of each chunk that holds a part of the range."""
        at = bisect.bisect_right(self._starts, offset) - 1
        while at < len(self._lists) and self._starts[at] < end:
            yield from self._rows(at).find(max(offset, self._starts[at]), end)
            at += 1

    def _rows(self, number: int) -> _Rows:
        with self._lock:
            rows = self._loaded.get(number)
            if rows is not None:
                self._loaded.move_to_end(number)
                return rows
        rows = _Rows(self._starts[number], self._manifest.read(self._lists[number][2]))
        with self._lock:
            self._loaded[number] = rows
            while len(self._loaded) > _LISTS_KEPT:
                self._loaded.popitem(last=False)
        return rows


def _bad_length() -> FormatError:
    return FormatError("bad-content", "A chunk does not have the length its manifest says.", _AGAIN)


def chunks_of(ranges: Iterable[tuple[ContentView, int, int]]) -> list[ChunkId]:
    """The chunks of many ranges (view, offset, size), each once."""
    return list(dict.fromkeys([chunk for view, offset, size in ranges for chunk in view.chunks(offset, size)]))


def prefetch(cache: ChunkCache, ranges: Iterable[tuple[ContentView, int, int]]) -> None:
    """Read the chunks of many ranges (view, offset, size) in the order that is cheapest for the store, so that the views over the
    same cache have them at hand. Only what fits the cache is of use."""
    cache.get(chunks_of(ranges))
