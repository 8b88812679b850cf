"""A chunk store that fails on demand: wraps any other and raises at the n-th operation. Knows nothing of how stores work."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence

from haulage.base.errors import TransferError
from haulage.engine.content.model import (
    Buffer,
    CheckReport,
    ChunkId,
    ChunkStore,
    ManifestId,
    MendReport,
    Pin,
    StoreStats,
    SweepReport,
    WriteSession,
)


def disk_full() -> TransferError:
    """What a store says on a full disk."""
    return TransferError("disk-full", "Cannot write to the store: no space left on device.", "Free space there; the work resumes.")


class Fuse:
    """Burns once after ``operations`` more operations whose name is in ``names`` (all when empty); None: never."""

    def __init__(
        self, operations: int | None = None, names: Iterable[str] = (), error: Callable[[], Exception] = disk_full
    ) -> None:
        self.left = operations
        self.names = frozenset(names)
        self.error = error
        self.seen: list[str] = []

    def count(self, name: str) -> None:
        """One operation is about to happen. Raises the error when its turn has come."""
        self.seen.append(name)
        if self.left is None or (self.names and name not in self.names):
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise self.error()


class FaultyStore:
    """A :class:`ChunkStore` around another."""

    def __init__(self, inner: ChunkStore, fuse: Fuse) -> None:
        self.inner = inner
        self.fuse = fuse

    @contextlib.contextmanager
    def session(self, owner: str) -> Iterator[WriteSession]:
        self.fuse.count("session")
        with self.inner.session(owner) as session:
            yield FaultySession(session, self.fuse)

    def missing(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        self.fuse.count("missing")
        return self.inner.missing(chunks)

    def read(self, chunk: ChunkId) -> bytes:
        self.fuse.count("read")
        return self.inner.read(chunk)

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        for item in self.inner.read_many(chunks):
            self.fuse.count("read_many")
            yield item

    def pin(self, pin: Pin) -> None:
        self.fuse.count("pin")
        self.inner.pin(pin)

    def unpin(self, owner: str) -> None:
        self.fuse.count("unpin")
        self.inner.unpin(owner)

    def pins(self) -> Sequence[Pin]:
        self.fuse.count("pins")
        return self.inner.pins()

    def drop_unreadable_pins(self) -> int:
        return self.inner.drop_unreadable_pins()

    def sweep(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime, dry_run: bool = False) -> SweepReport:
        self.fuse.count("sweep")
        return self.inner.sweep(live, now=now, dry_run=dry_run)

    def parts(self) -> Sequence[str]:
        return self.inner.parts()

    def check(self, *, part: str | None = None, on_progress: Callable[[int], None] | None = None) -> CheckReport:
        self.fuse.count("check")
        return self.inner.check(part=part, on_progress=on_progress)

    def damaged(self) -> Sequence[ChunkId]:
        return self.inner.damaged()

    def unsound(self) -> Sequence[str]:
        return self.inner.unsound()

    def mend(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime) -> MendReport:
        self.fuse.count("mend")
        return self.inner.mend(live, now=now)

    def clear_aside(self) -> bool:
        return self.inner.clear_aside()

    def stats(self) -> StoreStats:
        return self.inner.stats()

    def close(self) -> None:
        self.inner.close()


class FaultySession:
    """A :class:`WriteSession` around another."""

    def __init__(self, inner: WriteSession, fuse: Fuse) -> None:
        self.inner = inner
        self.fuse = fuse

    def put(self, chunk: ChunkId, data: Buffer) -> bool:
        self.fuse.count("put")
        return self.inner.put(chunk, data)

    def has(self, chunk: ChunkId) -> bool:
        self.fuse.count("has")
        return self.inner.has(chunk)

    def checkpoint(self) -> None:
        self.fuse.count("checkpoint")
        self.inner.checkpoint()

    def commit(self) -> None:
        self.fuse.count("commit")
        self.inner.commit()

    def abort(self) -> None:
        self.inner.abort()
