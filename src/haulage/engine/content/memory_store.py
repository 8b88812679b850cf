"""A chunk store in memory: the same promises as the one on disk, for tests and for the simulation, where ``crash`` takes away
whatever had not been made durable. Must not touch files, threads or clocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType

from haulage.engine.content.digest import digest
from haulage.engine.content.model import (
    Buffer,
    CheckReport,
    ChunkId,
    Damage,
    ManifestId,
    MendReport,
    Pin,
    StoreStats,
    SweepReport,
)
from haulage.engine.content.store_errors import chunk_damaged, chunk_missing, require_chunk_size, session_ended, store_closed


class MemorySession:
    """A :class:`WriteSession` on a dict."""

    def __init__(self, store: MemoryStore, owner: str) -> None:
        self.owner = owner
        self.relied: set[ChunkId] = set()
        self._store = store
        self._fresh: dict[ChunkId, bytes] = {}
        self._ended = False

    def put(self, chunk: ChunkId, data: Buffer) -> bool:
        require_chunk_size(len(data))
        if self.has(chunk):
            return False
        self._fresh[chunk] = bytes(data)
        return True

    def has(self, chunk: ChunkId) -> bool:
        self._require_open()
        if chunk in self._fresh:
            return True
        if chunk not in self._store.chunks or chunk in self._store.bad:
            return False
        self.relied.add(chunk)
        return True

    def checkpoint(self) -> None:
        self._require_open()
        self._store.chunks.update(self._fresh)
        self._store.bad.difference_update(self._fresh)
        self.relied.update(self._fresh)
        self._fresh.clear()

    def commit(self) -> None:
        self.checkpoint()
        self.end()

    def abort(self) -> None:
        self.end()

    def end(self) -> None:
        self._ended = True
        self._fresh.clear()
        self._store.sessions.discard(self)

    def _require_open(self) -> None:
        if self._ended:
            raise session_ended(self.owner)
        self._store.require_open()

    def __enter__(self) -> MemorySession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.abort()
        elif not self._ended:
            self.commit()


class MemoryStore:
    """A :class:`ChunkStore` on a dict. ``chunks`` is open to tests that want to damage it."""

    def __init__(self) -> None:
        self.chunks: dict[ChunkId, bytes] = {}
        self.bad: set[ChunkId] = set()
        """Chunks that were found damaged; they count as missing."""
        self.sessions: set[MemorySession] = set()
        self._pins: dict[str, Pin] = {}
        self._closed = False

    def session(self, owner: str) -> MemorySession:
        self.require_open()
        session = MemorySession(self, owner)
        self.sessions.add(session)
        return session

    def missing(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        self.require_open()
        return {chunk for chunk in chunks if chunk not in self.chunks or chunk in self.bad}

    def read(self, chunk: ChunkId) -> bytes:
        self.require_open()
        data = self.chunks.get(chunk)
        if data is None:
            raise chunk_missing(chunk)
        if digest(data) != chunk:
            self.bad.add(chunk)
            raise chunk_damaged(chunk, "memory", "its bytes do not have its id")
        return data

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        self.require_open()
        for chunk in dict.fromkeys(chunks):
            yield chunk, memoryview(self.read(chunk))

    def pin(self, pin: Pin) -> None:
        self.require_open()
        self._pins[pin.owner] = pin

    def unpin(self, owner: str) -> None:
        self.require_open()
        self._pins.pop(owner, None)

    def pins(self) -> Sequence[Pin]:
        self.require_open()
        return [self._pins[owner] for owner in sorted(self._pins)]

    def drop_unreadable_pins(self) -> int:
        return 0

    def sweep(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime, dry_run: bool = False) -> SweepReport:
        self.require_open()
        kept: set[ChunkId] = set()
        marked: set[ManifestId] = set()
        # Marking may take long and set pins of its own: go on until none is left unmarked.
        while fresh := {pin.manifest for pin in self._pins.values() if _valid(pin, now)} - marked:
            for manifest in fresh:
                kept.update(live(manifest))
            marked |= fresh
        for session in self.sessions:
            kept |= session.relied
        dead = [chunk for chunk in self.chunks if chunk not in kept]
        size_bytes = sum(len(self.chunks[chunk]) for chunk in dead)
        report = SweepReport(
            chunks_removed=len(dead),
            bytes_removed=size_bytes,
            chunks_kept=len(self.chunks) - len(dead),
            packs_removed=0,
            packs_rewritten=0,
            dry_run=dry_run,
        )
        if not dry_run:
            for chunk in dead:
                del self.chunks[chunk]
                self.bad.discard(chunk)
            self._pins = {owner: pin for owner, pin in self._pins.items() if _valid(pin, now)}
        return report

    def parts(self) -> Sequence[str]:
        self.require_open()
        return [""]

    def damaged(self) -> Sequence[ChunkId]:
        self.require_open()
        return sorted(self.bad)

    def unsound(self) -> Sequence[str]:
        self.require_open()
        return []

    def mend(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime) -> MendReport:  # noqa: ARG002  (no packs)
        self.require_open()
        return MendReport(indexes_written=0, packs_set_aside=0, chunks_moved=0, packs_left=0)

    def check(self, *, part: str | None = None, on_progress: Callable[[int], None] | None = None) -> CheckReport:
        self.require_open()
        size_bytes, damages = 0, list[Damage]()
        for chunk, data in list(self.chunks.items()) if not part else ():
            size_bytes += len(data)
            if digest(data) != chunk:
                self.bad.add(chunk)
                damages.append(Damage(where="memory", chunks=(chunk,), cause="bytes do not have the chunk's id"))
            if on_progress:
                on_progress(size_bytes)
        return CheckReport(chunks_checked=len(self.chunks), bytes_checked=size_bytes, damages=tuple(damages))

    def clear_aside(self) -> bool:
        return False

    def stats(self) -> StoreStats:
        self.require_open()
        size_bytes = sum(map(len, self.chunks.values()))
        return StoreStats(chunks=len(self.chunks), bytes_raw=size_bytes, bytes_stored=size_bytes, packs=0)

    def crash(self) -> None:
        """The process dies and starts again: open sessions are over, and what they had not checkpointed is gone."""
        for session in list(self.sessions):
            session.end()
        self._closed = False

    def close(self) -> None:
        self._closed = True

    def require_open(self) -> None:
        """Raises ConflictError ``store-closed``."""
        if self._closed:
            raise store_closed("memory")


def _valid(pin: Pin, now: dt.datetime) -> bool:
    return pin.expires is None or pin.expires > now
