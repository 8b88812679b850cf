"""Putting a store right from its own bytes: damaged indexes are derived again, what is needed and readable leaves an unsound
pack, and such a pack is set aside once nothing needed is left in it alone. Nothing is removed; knows manifests only by ``live``."""

from __future__ import annotations

import contextlib
import os

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.model import Damage, MendReport
from haulage.engine.content.pack_copy import PackCopier
from haulage.engine.content.pack_scan import index_of, scan_pack
from haulage.engine.content.pack_writer import write_index
from haulage.engine.content.store_errors import is_medium_fault, naming
from haulage.engine.content.sweep import Sweep


class Mend(Sweep):
    """One mending of one store: a sweep that takes nothing away, and looks at unsound packs only."""

    def mend(self) -> MendReport:
        """Raises like :meth:`Sweep.run`: what cannot be listed is not judged."""
        self._state.folder.mend_marker()
        self._begin(dry_run=False)
        try:
            indexes = self._derive_indexes()
            moved = aside = 0
            left: list[str] = []
            if self._state.unsound or self._state.lost:
                self._mark()
                for pack in self._packs:
                    if pack.name in self._state.unsound:
                        moved += self._salvage(pack)
                aside, left = self._set_aside()
            return MendReport(
                indexes_written=indexes,
                packs_set_aside=aside,
                chunks_moved=moved,
                packs_left=len(left),
                damages=tuple(Damage(where=name, chunks=(), cause=self._state.unsound.get(name, ""), pack=name) for name in left),
            )
        finally:
            with self._state.lock:
                self._state.sweeping = None

    def _derive_indexes(self) -> int:
        """From the packs, as the format says; a pack that cannot be read whole keeps the index that is in memory."""
        count = 0
        for pack in self._packs:
            if pack.name not in self._state.bad_indexes:
                continue
            data = _derived(pack)
            if data is None or not pack.index.is_same(data):
                self._state.unsound.setdefault(pack.name, "its index cannot be derived from it")
                continue
            fresh = write_index(pack.path, pack.name, data)
            with self._state.lock:
                self._state.indexes.replace(pack, fresh)
                self._packs = tuple(fresh if one is pack else one for one in self._packs)
                self._state.bad_indexes.discard(pack.name)
            count += 1
        return count

    def _salvage(self, pack: SealedPack) -> int:
        """Move what is marked and readable into a new pack, so that the old one is needed for less."""
        marks = bytearray(self._marks[pack.name])
        for at in range(pack.count):
            if marks[at] and self._state.indexes.knows_damage(pack.index.chunk(at), pack.name):
                marks[at] = 0
        if not any(marks):
            return 0
        copier = PackCopier(self._state)
        try:
            bad = copier.salvage(pack, bytes(marks))
            if bad:
                self._state.mark(pack.name, bad, pack.path, "it could not be read while it was moved")
            copier.seal()
        finally:
            copier.close()
        return marks.count(1) - len(bad)

    def _set_aside(self) -> tuple[int, list[str]]:
        """The packs of which each needed chunk has a good copy elsewhere, or which nothing needs."""
        aside: list[str] = []
        left: list[str] = []

        def act() -> None:
            for pack in self._packs:
                if pack.name not in self._state.unsound:
                    continue
                if self._state.spared(pack) or self._is_needed(pack):
                    left.append(pack.name)
                    continue
                self._state.folder.set_aside(pack.name)
                self._state.indexes.remove(pack)
                self._state.unsound.pop(pack.name, None)
                self._state.bad_indexes.discard(pack.name)
                aside.append(pack.name)
            for index in list(self._state.lost):
                if self._lost[index.path][0]:
                    left.append(index.pack.hex())
                else:
                    self._state.folder.set_aside(index.pack.hex())
                    self._state.lost.remove(index)
                    aside.append(index.pack.hex())

        self._with_all_marked(act)
        return len(aside), left

    def _is_needed(self, pack: SealedPack) -> bool:
        """Whether some marked chunk has no good copy in a sound pack. Marks made since the copying are looked at, too."""
        unsound = self._state.unsound
        for at, mark in enumerate(self._marks[pack.name]):
            if mark and not self._state.indexes.has_good_outside(pack.index.chunk(at), unsound):
                return True
        return False


def _derived(pack: SealedPack) -> bytes | None:
    """The index as it follows from the pack's own bytes; None if it cannot be read whole."""
    try:
        fd = os.open(pack.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        with contextlib.suppress(IntegrityError, FormatError):
            scan = scan_pack(fd)
            return index_of(bytes.fromhex(pack.name), scan.size, scan.kept())
    except OSError as error:
        if not is_medium_fault(error):
            with naming(pack.path, "read"):
                raise
    finally:
        os.close(fd)
    return None
