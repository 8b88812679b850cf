"""The chunk store in a folder: packs, their indexes and pins, owned by one process. Puts the parts together; knows no manifest
format, package or site."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from haulage.engine.content.check import REST, Check
from haulage.engine.content.model import CheckReport, ChunkId, Damage, ManifestId, MendReport, Pin, StoreStats, SweepReport
from haulage.engine.content.pack_writer import GrowingPack
from haulage.engine.content.pins import PinFolder
from haulage.engine.content.store_folder import StoreFolder
from haulage.engine.content.store_mend import Mend
from haulage.engine.content.store_read import ChunkReader
from haulage.engine.content.store_session import LocalSession
from haulage.engine.content.store_state import StoreSettings, StoreState
from haulage.engine.content.sweep import Sweep


class LocalStore:
    """A :class:`ChunkStore` in a folder, created if it is absent or empty. Raises ConflictError ``store-in-use`` when another
    process owns it, FormatError for a format this program does not know. ``read_only`` is for offline checks."""

    def __init__(self, folder: str | os.PathLike[str], *, read_only: bool = False, settings: StoreSettings | None = None) -> None:
        owned = StoreFolder(os.fspath(folder), read_only=read_only)
        try:
            self._state = StoreState(owned, settings or StoreSettings(), read_only=read_only)
        except BaseException:
            owned.close()
            raise
        self.folder = owned.path
        self._pins = PinFolder(owned.pins)
        self._reader = ChunkReader(self._state)

    def session(self, owner: str) -> LocalSession:
        self._state.require_open(writing=True)
        self._state.finish_stranded()
        return LocalSession(self._state, owner)

    def missing(self, chunks: Iterable[ChunkId]) -> set[ChunkId]:
        self._state.require_open()
        find = self._state.indexes.find
        return {chunk for chunk in chunks if find(chunk) is None}

    def read(self, chunk: ChunkId) -> bytes:
        self._state.require_open()
        return self._reader.read(chunk)

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        self._state.require_open()
        return self._reader.read_many(chunks)

    def pin(self, pin: Pin) -> None:
        self._state.require_open(writing=True)
        with self._state.lock:
            self._pins.put(pin)

    def unpin(self, owner: str) -> None:
        self._state.require_open(writing=True)
        with self._state.lock:
            self._pins.remove(owner)

    def pins(self) -> Sequence[Pin]:
        self._state.require_open()
        with self._state.lock:
            return self._pins.all()

    def drop_unreadable_pins(self) -> int:
        self._state.require_open(writing=True)
        with self._state.lock:
            return self._pins.drop_unreadable()

    def sweep(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime, dry_run: bool = False) -> SweepReport:
        self._state.require_open(writing=not dry_run)
        return Sweep(self._state, self._pins, live, now).run(dry_run=dry_run)

    def parts(self) -> Sequence[str]:
        self._state.require_open()
        return [REST, *sorted(pack.name for pack in self._state.indexes.sealed)]

    def check(self, *, part: str | None = None, on_progress: Callable[[int], None] | None = None) -> CheckReport:
        """``on_progress`` is told the stored bytes read so far."""
        self._state.require_open()
        return Check(self._state, self._pins, on_progress).run(part)

    def damaged(self) -> Sequence[ChunkId]:
        self._state.require_open()
        return self._state.damaged()

    def unsound(self) -> Sequence[str]:
        self._state.require_open()
        with self._state.lock:
            return sorted({*self._state.unsound, *self._state.bad_indexes, *(index.pack.hex() for index in self._state.lost)})

    def mend(self, live: Callable[[ManifestId], Iterable[ChunkId]], *, now: dt.datetime) -> MendReport:
        self._state.require_open(writing=True)
        return Mend(self._state, self._pins, live, now).mend()

    def watch(self, on_damage: Callable[[Damage], None]) -> None:
        """Be told of each damage that is met, in whatever thread meets it; it must return at once."""
        self._state.on_damage = on_damage

    @property
    def scrub_path(self) -> str:
        """Where the scrub keeps how far it is."""
        return self._state.folder.scrub

    def clear_aside(self) -> bool:
        self._state.require_open(writing=True)
        found = bool(self._state.folder.aside())
        if found:
            self._state.folder.clear_aside()
        return found

    def stats(self) -> StoreStats:
        self._state.require_open()
        with self._state.lock:
            sealed, growing = self._state.indexes.sealed, self._state.indexes.growing
        moving = [pack for pack in growing if isinstance(pack, GrowingPack)]
        return StoreStats(
            chunks=sum(pack.count for pack in sealed) + sum(pack.count for pack in moving),
            bytes_raw=sum(pack.index.raw_bytes for pack in sealed) + sum(pack.raw_bytes for pack in moving),
            bytes_stored=sum(pack.index.pack_size + pack.index.size for pack in sealed) + sum(pack.stored_bytes for pack in moving),
            packs=len(sealed) + sum(1 for pack in moving if pack.count),
        )

    def close(self) -> None:
        self._state.close()
