"""Reading chunks out of packs: blocks are decoded once, every chunk is verified every time. Knows nothing of writing.

A copy that is found damaged is remembered: another copy is used if there is one, and the chunk then counts as missing, so that
whoever needs it brings it again.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

from haulage.base.errors import HaulageError, IntegrityError, TransferError
from haulage.engine.content.digest import digest
from haulage.engine.content.index_set import Location
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack_block import decode_block
from haulage.engine.content.store_errors import chunk_damaged, chunk_missing, is_medium_fault
from haulage.engine.content.store_state import StoreState, where

_SLICE_CHUNKS = 65_536
"""``read_many`` plans this many at a time, so that its memory does not grow with the request."""
_BLOCKS_AHEAD = 3
_LOADING_LOCKS = 16

Wanted = list[tuple[ChunkId, Location]]


def load_block(path: str, offset: int, size: int) -> bytes:
    """Read, verify and decode one block. Raises IntegrityError ``block-damaged``, FileNotFoundError when the pack is gone,
    TransferError ``store-io`` when this try says nothing about the bytes."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.pread(fd, size, offset)
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise
    except OSError as error:
        if not is_medium_fault(error):
            raise TransferError("store-io", f"Cannot read {path}: {error.strerror}.", "It is tried again by itself.") from error
        raise IntegrityError("block-damaged", f"it cannot be read ({error.strerror})") from error
    return decode_block(data)[1]


def drop_from_memory(path: str) -> None:
    """What is read next of a file comes from the disk. A hint: raises nothing."""
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)


def chunk_of(data: bytes, chunk: ChunkId, location: Location) -> memoryview:
    """One chunk's verified bytes out of its decoded block. Raises IntegrityError ``block-damaged``."""
    view = memoryview(data)[location.start : location.start + location.length]
    if digest(view) != chunk:
        raise IntegrityError("block-damaged", "the bytes found do not have the chunk's id")
    return view


class ChunkReader:
    """Reads for any number of threads."""

    def __init__(self, state: StoreState) -> None:
        self._state = state
        self._cache: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._cached_bytes = 0
        self._cache_lock = threading.Lock()
        self._loading = tuple([threading.Lock() for _ in range(_LOADING_LOCKS)])

    def read(self, chunk: ChunkId) -> bytes:
        """One chunk. Raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged``."""
        failed: HaulageError | None = None
        while (location := self._locate(chunk)) is not None:
            try:
                return bytes(chunk_of(self._block(location), chunk, location))
            except FileNotFoundError:
                # A sweep may have taken the pack after it was looked up; then the next lookup knows better.
                if any(pack.name == location.pack for pack in self._state.indexes.all()):
                    failed = self._mark(chunk, location, "its pack file is gone")
            except IntegrityError as error:
                failed = self._mark(chunk, location, error.message)
        if failed is None and self._state.indexes.is_damaged(chunk):
            failed = chunk_damaged(chunk, self._state.folder.path, "every copy was found damaged before")
        raise failed or chunk_missing(chunk)

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        """Each distinct chunk once, block by block in file order."""
        distinct = iter(dict.fromkeys(chunks))
        while part := list(itertools.islice(distinct, _SLICE_CHUNKS)):
            groups = self._plan(part)
            if len(groups) == 1:
                yield from self._one_by_one(groups[0])
            else:
                yield from self._ahead(groups)

    def _plan(self, chunks: Sequence[ChunkId]) -> list[Wanted]:
        """Grouped by block, in file order."""
        located: list[tuple[Location, ChunkId]] = []
        for chunk in chunks:
            location = self._locate(chunk)
            if location is None:
                self.read(chunk)  # says what is wrong
                raise chunk_missing(chunk)
            located.append((location, chunk))
        located.sort()
        groups: list[Wanted] = []
        before: tuple[str, int] | None = None
        for location, chunk in located:
            block = location.pack, location.offset
            if block != before:
                groups.append([])
                before = block
            groups[-1].append((chunk, location))
        return groups

    def _one_by_one(self, wanted: Wanted) -> Iterator[tuple[ChunkId, memoryview]]:
        """Through the cache: also the way out when a block proved bad or vanished."""
        for chunk, _ in wanted:
            yield chunk, memoryview(self.read(chunk))

    def _ahead(self, groups: Sequence[Wanted]) -> Iterator[tuple[ChunkId, memoryview]]:
        """Workers decode and verify the next blocks while the caller uses this one."""
        todo = iter(groups)
        running: deque[tuple[Wanted, Future[list[memoryview]]]] = deque()
        try:
            while True:
                for group in itertools.islice(todo, _BLOCKS_AHEAD - len(running)):
                    running.append((group, self._state.submit(self._verified, group)))
                if not running:
                    return
                group, future = running.popleft()
                try:
                    views = future.result()
                except (IntegrityError, FileNotFoundError):
                    yield from self._one_by_one(group)
                    continue
                yield from zip((chunk for chunk, _ in group), views, strict=True)
        finally:
            for _, future in running:
                future.cancel()

    def _locate(self, chunk: ChunkId) -> Location | None:
        return self._state.indexes.locate(chunk)

    def _mark(self, chunk: ChunkId, location: Location, cause: str) -> HaulageError:
        self._state.mark(location.pack, [chunk], where(location.path, location.offset), cause)
        return chunk_damaged(chunk, where(location.path, location.offset), cause)

    def _block(self, location: Location) -> bytes:
        data = self._cached(location)
        if data is None:
            data = load_block(location.path, location.offset, location.size)
            self._cache_block(location, data)
        return data

    def _verified(self, wanted: Wanted) -> list[memoryview]:
        """Chunks of one block. Of which only some were wanted, others may be soon: then it is kept."""
        first = wanted[0][1]
        with self._loading[hash((first.pack, first.offset)) % len(self._loading)]:  # two that want a block load it once
            data = self._cached(first)
            if data is None:
                data = load_block(first.path, first.offset, first.size)
                if sum([location.length for _chunk, location in wanted]) < len(data):
                    self._cache_block(first, data)
        return [chunk_of(data, chunk, location) for chunk, location in wanted]

    def _cached(self, location: Location) -> bytes | None:
        key = (location.pack, location.offset)
        with self._cache_lock:
            data = self._cache.get(key)
            if data is not None:
                self._cache.move_to_end(key)
        return data

    def _cache_block(self, location: Location, data: bytes) -> None:
        key = (location.pack, location.offset)
        with self._cache_lock:
            if key not in self._cache:
                self._cache[key] = data
                self._cached_bytes += len(data)
            while self._cached_bytes > self._state.settings.cache_bytes:
                self._cached_bytes -= len(self._cache.popitem(last=False)[1])
