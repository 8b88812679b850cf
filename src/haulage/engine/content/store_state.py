"""What the parts of an open store share: its packs, who relies on which, and the lock that orders changes. Knows nothing of how
chunks are written, read or swept."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from haulage.base import files
from haulage.base.errors import ConflictError, IntegrityError, TransferError
from haulage.engine.content.index_file import IndexFile
from haulage.engine.content.index_set import IndexSet, Pack, SealedPack
from haulage.engine.content.model import ChunkId, Damage
from haulage.engine.content.pack_recover import recover_pack, view_pack
from haulage.engine.content.pack_writer import GrowingPack, index_path
from haulage.engine.content.store_errors import naming, store_closed
from haulage.engine.content.store_folder import StoreFolder

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Sizes that tests make small; what is written is readable whatever they were."""

    block_bytes: int = 4 << 20
    """Raw bytes of a block; a larger chunk has a block of its own."""
    pack_bytes: int = 512 << 20
    pack_chunks: int = 131_072
    """A pack of tiny chunks is sealed early, so that its table in memory stays small."""
    small_pack_bytes: int = 64 << 20
    """Packs below this are rewritten by a sweep for any dead chunk, larger ones from ``dead_share`` on."""
    small_packs_kept: int = 8
    dead_share: float = 0.2
    workers: int = 2
    cache_bytes: int = 32 << 20


class StoreState:
    """The open packs of a store. ``lock`` is held for every change of who holds or needs what."""

    def __init__(self, folder: StoreFolder, settings: StoreSettings, *, read_only: bool) -> None:
        self.folder = folder
        self.settings = settings
        self.read_only = read_only
        self.lock = threading.RLock()
        self._workers = ThreadPoolExecutor(settings.workers, thread_name_prefix="store")
        self.lost: list[IndexFile] = []
        """Indexes whose pack file is gone: evidence of what should be here."""
        self.indexes = IndexSet(self._open_packs())
        self.sweeping: set[str] | None = None
        """While a sweep runs: the packs that ended sessions relied upon."""
        self.unsound: dict[str, str] = {}
        """Packs in which something was found wrong, and what."""
        self.bad_indexes: set[str] = set()
        """Packs whose index file is not what it should be; what was read of it when it was opened is."""
        self.on_damage: Callable[[Damage], None] = lambda _damage: None
        """Told of each new damage, from whatever thread met it; must return at once."""
        self.unlinked: list[str] = []
        """Pack files whose index is gone and which must go too."""
        self._relied: dict[int, set[str]] = {}
        self._stranded: list[GrowingPack] = []
        self.closed = False

    def _open_packs(self) -> list[SealedPack]:
        packs, indexes = self.folder.pack_names()
        opened = [self._open_pack(name, indexed=name in indexes) for name in sorted(packs)]
        for name in sorted(indexes - packs):
            with contextlib.suppress(IntegrityError):
                self.lost.append(_open_index(index_path(self.folder.pack_path(name))))
        return [pack for pack in opened if pack]

    def _open_pack(self, name: str, *, indexed: bool) -> SealedPack | None:
        path = self.folder.pack_path(name)
        if indexed:
            with contextlib.suppress(IntegrityError):
                index = _open_index(index_path(path))
                if index.pack == bytes.fromhex(name):
                    return SealedPack(name, path, index)
        return view_pack(path, name) if self.read_only else recover_pack(path, name)

    def require_open(self, *, writing: bool = False) -> None:
        """Raises ConflictError ``store-closed`` or ``store-read-only``."""
        if self.closed:
            raise store_closed(self.folder.path)
        if writing and self.read_only:
            raise ConflictError("store-read-only", f"The store {self.folder.path} was opened to be read.", "Open it for writing.")

    def submit(self, act: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Future[Result]:
        """Have a worker do it. Raises ConflictError ``store-closed``."""
        try:
            return self._workers.submit(act, *arguments, **named)
        except RuntimeError as error:
            raise store_closed(self.folder.path) from error

    def mark(self, pack: str, chunks: Sequence[ChunkId], place: str, cause: str) -> None:
        """Something in a pack was found wrong: these copies count as gone from now on (I15)."""
        with self.lock:
            fresh = pack not in self.unsound or any(not self.indexes.knows_damage(chunk, pack) for chunk in chunks)
            self.unsound.setdefault(pack, cause)
            for chunk in chunks:
                self.indexes.mark_damaged(chunk, pack)
        if fresh:
            self.on_damage(Damage(where=place, chunks=tuple(chunks), cause=cause, pack=pack))

    def mark_index(self, damage: Damage) -> None:
        """The index file of a pack was found wrong."""
        with self.lock:
            fresh = damage.pack not in self.bad_indexes
            self.bad_indexes.add(damage.pack)
        if fresh:
            self.on_damage(damage)

    def damaged(self) -> list[ChunkId]:
        """Chunks of which there was a copy and is no good one, those of lost packs included."""
        with self.lock:
            lost = {chunk for index in self.lost for chunk in index.chunks() if self.indexes.find(chunk) is None}
            return sorted(lost.union(self.indexes.damaged()))

    def rely(self, key: int, pack: Pack) -> bool:
        """Make a session need a pack; False if a sweep took the pack just now."""
        with self.lock:
            if all(one is not pack for one in self.indexes.all()):
                return False
            self._relied[key].add(pack.name)
            return True

    def begin(self, key: int) -> set[str]:
        """Register a session; gives the set of packs it relies on."""
        with self.lock:
            return self._relied.setdefault(key, set())

    def end(self, key: int) -> None:
        """A session is over; a sweep that runs now still honours it, as its pin came after the marking began."""
        with self.lock:
            relied = self._relied.pop(key, set())
            if self.sweeping is not None:
                self.sweeping |= relied

    def spared(self, pack: SealedPack) -> bool:
        """Whether some session needs the pack. Call with the lock held."""
        if self.sweeping and pack.name in self.sweeping:
            return True
        return any(pack.name in names for names in self._relied.values())

    def adopt(self, growing: GrowingPack, sealed: SealedPack) -> None:
        """A growing pack is finished."""
        with self.lock:
            self.indexes.add(sealed)
            self.indexes.remove_growing(growing)

    def strand(self, growing: GrowingPack) -> None:
        """A pack could not be finished (a full disk): what it holds stays readable, sealing is tried again later."""
        with self.lock:
            self._stranded.append(growing)

    def finish_stranded(self) -> None:
        """Try again to seal what could not be sealed."""
        with self.lock:
            for growing in list(self._stranded):
                with contextlib.suppress(TransferError):
                    sealed = recover_pack(growing.path, growing.name) if os.path.exists(growing.path) else None
                    if sealed:
                        self.indexes.add(sealed)
                    self.indexes.remove_growing(growing)
                    self._stranded.remove(growing)

    def remove_unlinked(self) -> None:
        """Remove pack files that a sweep gave up; what cannot be removed now is tried again by the next sweep. Call with the lock
        held. Raises TransferError naming the file."""
        if not self.unlinked:
            return
        while self.unlinked:
            path = self.unlinked[-1]
            with naming(path, "remove"):
                files.unlink(path)
            self.unlinked.pop()
        with naming(self.folder.packs, "make durable"):
            files.sync_folder(self.folder.packs)

    def close(self) -> None:
        """Release threads and files; makes nothing durable that was not. Safe to repeat."""
        self.closed = True
        self._workers.shutdown(wait=True, cancel_futures=True)
        self.folder.close()


def _open_index(path: str) -> IndexFile:
    with naming(path, "read"):
        return IndexFile.open(path)


def where(path: str, offset: int) -> str:
    """A place in a file, for people."""
    return f"{path} at {offset}"
