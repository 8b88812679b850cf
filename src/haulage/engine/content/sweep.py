"""Taking away what nobody needs: marks what pins name, removes dead packs, rewrites packs that are partly dead. Knows manifests
only through the callable that names their chunks.

Nothing is removed before everything pinned was marked, and what a session wrote or relied upon since the sweep began is spared,
so captures and readers go on meanwhile. Each step leaves a store that holds every needed chunk at least once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from haulage.base import files
from haulage.base.errors import ConflictError, IntegrityError
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.model import ChunkId, Damage, ManifestId, SweepReport
from haulage.engine.content.pack_copy import PackCopier
from haulage.engine.content.pack_writer import index_path
from haulage.engine.content.pins import PinFolder
from haulage.engine.content.store_errors import naming
from haulage.engine.content.store_state import StoreState

Live = Callable[[ManifestId], Iterable[ChunkId]]


@dataclass(frozen=True, slots=True)
class _Judged:
    """A pack and how much of it is needed."""

    pack: SealedPack
    live: int
    dead_bytes: int

    @property
    def stored_bytes(self) -> int:
        return self.pack.index.pack_size + self.pack.index.size

    @property
    def freed_bytes(self) -> int:
        """What removing the dead chunks would give back, about."""
        return self.stored_bytes * self.dead_bytes // max(1, self.pack.index.raw_bytes) if self.live else self.stored_bytes


class Sweep:
    """One sweep of one store."""

    def __init__(self, state: StoreState, pins: PinFolder, live: Live, now: dt.datetime) -> None:
        self._state = state
        self._pins = pins
        self._live = live
        self._now = now
        self._packs: tuple[SealedPack, ...] = ()
        self._marks: dict[str, bytearray] = {}
        self._lost: dict[str, bytearray] = {}
        self._marked: set[ManifestId] = set()
        self._damages: list[Damage] = []
        self._report = SweepReport(
            chunks_removed=0, bytes_removed=0, chunks_kept=0, packs_removed=0, packs_rewritten=0, dry_run=False
        )

    def run(self, *, dry_run: bool) -> SweepReport:
        """Raises ConflictError ``sweep-running``, IntegrityError ``pin-unreadable``, TransferError, and whatever ``live`` raises
        (then nothing was removed)."""
        self._begin(dry_run)
        try:
            self._mark()
            if dry_run:
                self._foretell()
            else:
                self._remove_dead()
                self._rewrite()
                self._tidy()
            return self._finished(dry_run)
        finally:
            with self._state.lock:
                self._state.sweeping = None

    def _begin(self, dry_run: bool) -> None:
        with self._state.lock:
            if self._state.sweeping is not None:
                raise ConflictError("sweep-running", "A sweep of this store is running already.", "Wait for it.")
            self._state.sweeping = set()
            if not dry_run:
                self._state.finish_stranded()
            self._packs = self._state.indexes.sealed
            self._marks = {pack.name: bytearray(pack.count) for pack in self._packs}
            self._lost = {index.path: bytearray(1) for index in self._state.lost}

    def _roots(self) -> set[ManifestId]:
        with self._state.lock:
            return {pin.manifest for pin in self._pins.all() if pin.expires is None or pin.expires > self._now}

    def _mark(self) -> None:
        """Until no pin is left unmarked; a pin set meanwhile counts."""
        while fresh := self._roots() - self._marked:
            for manifest in fresh:
                for chunk in self._live(manifest):
                    self._mark_chunk(chunk)
                self._marked.add(manifest)

    def _mark_chunk(self, chunk: ChunkId) -> None:
        pack = self._state.indexes.find(chunk) or self._state.indexes.find_damaged(chunk)
        if isinstance(pack, SealedPack):
            marks = self._marks.get(pack.name)
            at = pack.index.find(chunk)
            if marks is not None and at >= 0:
                marks[at] = 1
        elif pack is None:
            for index in self._state.lost:
                if index.find(chunk) >= 0:
                    self._lost[index.path][0] = 1

    def _with_all_marked(self, act: Callable[[], None]) -> None:
        """Do ``act`` under the lock at a moment when every pin there is has been marked."""
        while True:
            self._mark()
            with self._state.lock:
                if not self._roots() - self._marked:
                    act()
                    return

    def _judge(self, pack: SealedPack) -> _Judged:
        marks = self._marks[pack.name]
        live = marks.count(1)
        dead_bytes = pack.index.raw_bytes if not live else 0
        if 0 < live < pack.count:
            dead_bytes = sum(pack.index.place(at)[2] for at, mark in enumerate(marks) if not mark)
        return _Judged(pack, live, dead_bytes)

    def _dead(self) -> list[_Judged]:
        judged = [_Judged(pack, 0, 0) for pack in self._packs if self._marks[pack.name].find(1) < 0]
        return [one for one in judged if not self._state.spared(one.pack)]

    def _to_rewrite(self) -> list[_Judged]:
        settings = self._state.settings
        chosen: list[_Judged] = []
        small: list[_Judged] = []
        for pack in self._packs:
            one = self._judge(pack)
            if not one.live or self._state.spared(pack) or pack.name in self._state.unsound:
                continue
            is_small = pack.index.pack_size < settings.small_pack_bytes
            if one.live < pack.count and (is_small or one.dead_bytes >= settings.dead_share * pack.index.raw_bytes):
                chosen.append(one)
            elif is_small:
                small.append(one)
        return chosen + small if len(small) > settings.small_packs_kept else chosen

    def _foretell(self) -> None:
        with self._state.lock:
            dead, rewritten = self._dead(), self._to_rewrite()
        for one in dead:
            self._count(one.pack.count, one.stored_bytes)
        for one in rewritten:
            self._count(one.pack.count - one.live, one.freed_bytes)
        self._report = replace(self._report, packs_removed=len(dead), packs_rewritten=len(rewritten))

    def _remove_dead(self) -> None:
        def act() -> None:
            dead = self._dead()
            self._forget([one.pack for one in dead])
            for one in dead:
                self._count(one.pack.count, one.stored_bytes)
            self._report = replace(self._report, packs_removed=len(dead))

        self._with_all_marked(act)

    def _forget(self, packs: Sequence[SealedPack]) -> None:
        """Remove packs, indexes first: an index without a pack always means that a pack was lost. Call with the lock held."""
        folder = self._state.folder.packs
        for pack in packs:
            _unlink(index_path(pack.path))
            self._state.indexes.remove(pack)
            self._state.unlinked.append(pack.path)
        if packs:
            with naming(folder, "make durable"):
                files.sync_folder(folder)
        self._state.remove_unlinked()

    def _rewrite(self) -> None:
        with self._state.lock:
            chosen = self._to_rewrite()
        batch: list[tuple[_Judged, bytes]] = []
        copier = PackCopier(self._state)
        try:
            for one in chosen:
                marks = bytes(self._marks[one.pack.name])
                try:
                    copier.verify(one.pack, marks)
                except IntegrityError as error:
                    self._damages.append(Damage(where=one.pack.path, chunks=(), cause=f"not rewritten: {error.message}"))
                    self._state.mark(one.pack.name, (), one.pack.path, error.message)
                    continue
                copier.copy(one.pack, marks)
                batch.append((one, marks))
                if copier.size >= self._state.settings.pack_bytes:
                    self._replace(copier, batch)
            self._replace(copier, batch)
        finally:
            copier.close()

    def _replace(self, copier: PackCopier, batch: list[tuple[_Judged, bytes]]) -> None:
        """The copies are durable and indexed first; then the originals go, unless someone began to need them."""
        if not batch:
            return
        self._count(0, -copier.seal())

        def act() -> None:
            for one, marks in batch:
                if self._state.spared(one.pack) or self._marks[one.pack.name] != marks:
                    continue
                self._forget([one.pack])
                self._count(one.pack.count - one.live, one.stored_bytes)
                self._report = replace(self._report, packs_rewritten=self._report.packs_rewritten + 1)

        self._with_all_marked(act)
        batch.clear()

    def _tidy(self) -> None:
        """Expired pins, indexes of lost packs that nobody needs, and a fresh table."""

        def act() -> None:
            for pin in self._pins.all():
                if pin.expires is not None and pin.expires <= self._now:
                    self._pins.remove(pin.owner)
            for index in list(self._state.lost):
                if not self._lost[index.path][0]:
                    _unlink(index.path)
                    self._state.lost.remove(index)
            if self._report.packs_rewritten:
                self._state.indexes.rebuild()

        self._with_all_marked(act)

    def _count(self, chunks: int, size_bytes: int) -> None:
        self._report = replace(
            self._report,
            chunks_removed=self._report.chunks_removed + chunks,
            bytes_removed=self._report.bytes_removed + size_bytes,
        )

    def _finished(self, dry_run: bool) -> SweepReport:
        held = sum(pack.count for pack in self._state.indexes.all())
        kept = held - self._report.chunks_removed if dry_run else held
        return replace(self._report, chunks_kept=kept, damages=tuple(self._damages), dry_run=dry_run)


def _unlink(path: str) -> None:
    with naming(path, "remove"):
        files.unlink(path)
