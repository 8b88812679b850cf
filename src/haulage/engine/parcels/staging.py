"""Chunks read ahead in the order that is cheapest for the store, and put into a temporary file until they are used: blocks of the
store are decoded once, whatever order a plan reads them in. Knows the store; nothing of what is planned.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from haulage.engine.archives.view import Spill
from haulage.engine.content.model import ChunkId, ChunkStore
from haulage.engine.parcels.content_view import ChunkCache

ROOM_BYTES = 384 * 1024 * 1024
"""Staged together; what was staged before that stays as well, for batches that are not full."""


class Staging(ChunkCache):
    """A cache of chunks with temporary space behind it. Memory: that of the cache, and some 200 bytes a chunk in the space."""

    room_bytes = ROOM_BYTES

    def __init__(self, store: ChunkStore, limit_bytes: int, folder: str) -> None:
        """``folder`` takes the temporary space, in files without a name."""
        super().__init__(store, limit_bytes)
        self._folder = folder
        self._spills: list[tuple[Spill, dict[ChunkId, tuple[int, int]]]] = []
        self._expected: set[ChunkId] = set()
        self._spill_lock = threading.Lock()

    def expect(self, chunks: Sequence[ChunkId]) -> None:
        """Such of these as are read from now on are put aside at once. What was put aside before the last time goes."""
        with self._spill_lock:
            self._expected = {chunk for chunk in chunks if not any(chunk in places for _spill, places in self._spills[-1:])}
            self._spills.append((Spill(self._folder), {}))
            while len(self._spills) > 2:
                self._spills.pop(0)[0].close()

    def stage(self, chunks: Sequence[ChunkId]) -> None:
        """Read what is not at hand of what is expected, or else of these, each block of the store once."""
        if not self._expected:
            self.expect(chunks)
        with self._spill_lock:
            lacking = [chunk for chunk in dict.fromkeys(chunks) if chunk in self._expected]
        for chunk, view in self._store.read_many(lacking):
            self._put_aside(chunk, view)
        self._expected = set()

    def close(self) -> None:
        """Give all temporary space back; safe to repeat."""
        with self._spill_lock:
            while self._spills:
                self._spills.pop()[0].close()

    def _stored(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:
        read = super()._stored(chunks)
        for chunk, data in read.items():
            if chunk in self._expected:
                self._put_aside(chunk, data)
        return read

    def _put_aside(self, chunk: ChunkId, data: bytes | memoryview) -> None:
        with self._spill_lock:
            if chunk in self._expected:
                spill, places = self._spills[-1]
                places[chunk] = spill.size, len(data)
                spill.append(data)
                self._expected.discard(chunk)

    def _aside(self, chunks: Sequence[ChunkId]) -> dict[ChunkId, bytes]:
        found: dict[ChunkId, bytes] = {}
        with self._spill_lock:
            for spill, places in self._spills:
                found.update({chunk: spill.read(*places[chunk]) for chunk in chunks if chunk in places and chunk not in found})
        return found
