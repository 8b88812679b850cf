"""Reading everything a store holds, or a part of it, and saying what is wrong with it. Changes nothing on disk; what it finds
damaged counts as missing from then on. Knows nothing of manifests."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from haulage.base.errors import FormatError, IntegrityError, TransferError
from haulage.engine.content.digest import digest
from haulage.engine.content.index_file import BlockPlace, IndexFile
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.model import CheckReport, ChunkId, Damage
from haulage.engine.content.pack import END_SIZE, PACK_HEAD_SIZE, BlockHeader, decode_end, encode_pack_head
from haulage.engine.content.pack_block import decode_block
from haulage.engine.content.pack_scan import FoundBlock, index_of
from haulage.engine.content.pack_writer import GrowingPack, index_path
from haulage.engine.content.pins import PinFolder
from haulage.engine.content.scrub_state import check_scrub
from haulage.engine.content.store_errors import is_medium_fault, naming
from haulage.engine.content.store_state import StoreState, where

_BLOCKS_AHEAD = 4
REST = ""
"""The part that is everything but packs."""


@dataclass(frozen=True, slots=True)
class _Checked:
    """One block as read."""

    place: BlockPlace
    header: BlockHeader | None
    bad: tuple[ChunkId, ...]
    cause: str


class Check:
    """One check of one store."""

    def __init__(self, state: StoreState, pins: PinFolder, on_progress: Callable[[int], None] | None) -> None:
        self._state = state
        self._pins = pins
        self._on_progress = on_progress or (lambda _bytes: None)
        self._chunks = 0
        self._raw_bytes = 0
        self._stored_bytes = 0
        self._damages: list[Damage] = []

    def run(self, part: str | None = None) -> CheckReport:
        """Look at every byte, or at those of one part. Never raises for damage; TransferError when a try to read says nothing about
        the bytes."""
        with self._state.lock:
            sealed, growing = self._state.indexes.sealed, self._state.indexes.growing
        if part in (None, REST):
            self._check_rest()
        for pack in growing:
            if isinstance(pack, GrowingPack) and part in (None, pack.name):
                blocks = list(pack.blocks)
                self._check_file(pack.name, pack.path, blocks, lambda _number: ())
        for one in sealed:
            if part in (None, one.name):
                self._check_one(one)
        return CheckReport(chunks_checked=self._chunks, bytes_checked=self._raw_bytes, damages=tuple(self._damages))

    def _check_rest(self) -> None:
        self._check_marker()
        with self._state.lock:
            unreadable, lost = list(self._pins.damaged()), list(self._state.lost)
        for path, cause in unreadable:
            self._damage(path, (), cause)
        for index in lost:
            self._check_lost(index)
        scrub = check_scrub(self._state.folder.scrub)
        if scrub:
            self._damage(self._state.folder.scrub, (), f"what is kept of the scrub is damaged ({scrub}); it begins anew")

    def _check_one(self, pack: SealedPack) -> None:
        before = len(self._damages)
        self._check_sealed(pack)
        with self._state.lock:
            if all(one.name != pack.name for one in self._state.indexes.sealed):
                del self._damages[before:]  # a sweep took it meanwhile
                self._state.unsound.pop(pack.name, None)
                self._state.indexes.forget_damage(pack.name)
            elif len(self._damages) == before and self._state.unsound.pop(pack.name, "") != "":
                # What failed once and is whole now (a cable, a controller) need not be moved.
                self._state.indexes.forget_damage(pack.name)

    def _damage(self, place: str, chunks: Iterable[ChunkId], cause: str, pack: str = "") -> None:
        damage = Damage(where=place, chunks=tuple(chunks), cause=cause, pack=pack)
        self._damages.append(damage)
        if pack:
            self._state.mark(pack, damage.chunks, place, cause)

    def _damage_index(self, path: str, cause: str, pack: str) -> None:
        """The pack is as it should be: its index can be derived again."""
        damage = Damage(where=path, chunks=(), cause=cause, pack=pack)
        self._damages.append(damage)
        self._state.mark_index(damage)

    def _check_marker(self) -> None:
        try:
            self._state.folder.verify_marker()
        except (OSError, FormatError) as error:
            self._damage(os.path.join(self._state.folder.path, "format"), (), str(error))

    def _check_lost(self, index: IndexFile) -> None:
        chunks = tuple(chunk for chunk in index.chunks() if self._state.indexes.find(chunk) is None)
        self._damage(index.path, chunks, "the pack of this index is gone")

    def _check_sealed(self, pack: SealedPack) -> None:
        index = pack.index
        blocks = [index.block(number) for number in range(index.block_count)]
        found = self._check_file(pack.name, pack.path, blocks, lambda number: _chunks_in(index, number))
        if found is None:
            return
        self._check_ends(pack, blocks)
        path = index_path(pack.path)
        try:
            on_disk = _open_index(path)
        except (FileNotFoundError, IntegrityError, FormatError) as error:
            self._damage_index(path, str(error), pack.name)
            return
        if len(found) == len(blocks) and not on_disk.is_same(index_of(bytes.fromhex(pack.name), index.pack_size, tuple(found))):
            self._damage_index(path, "the index does not say what the pack holds", pack.name)

    def _check_ends(self, pack: SealedPack, blocks: list[BlockPlace]) -> None:
        """The blocks stand one behind the other, then comes the end record, and nothing else (B44)."""
        expected = PACK_HEAD_SIZE
        for block in blocks:
            if block.offset != expected:
                self._damage(where(pack.path, expected), (), "there are bytes that belong to no block", pack.name)
            expected = block.offset + block.size
        try:
            with open(pack.path, "rb") as file:
                file.seek(expected)
                tail = file.read(END_SIZE + 1)
        except OSError as error:
            self._unreadable(where(pack.path, expected), pack.path, error, (), pack.name)
            return
        end = decode_end(tail)
        if end is None or end.offset != expected or end.blocks != len(blocks) or expected + END_SIZE != pack.index.pack_size:
            self._damage(where(pack.path, expected), (), "the end record is damaged or not the end", pack.name)

    def _check_file(
        self, name: str, path: str, blocks: list[BlockPlace], chunks_in: Callable[[int], Iterable[ChunkId]]
    ) -> list[FoundBlock] | None:
        """Read the head and each block; None when the file cannot be opened."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            chunks = [chunk for number in range(len(blocks)) for chunk in chunks_in(number)]
            self._unreadable(path, path, error, chunks, name)
            return None
        found: list[FoundBlock] = []
        try:
            # What is in memory proves nothing about the disk: it is to be read again.
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            self._check_head(fd, name, path)
            for number, checked in enumerate(self._blocks(fd, path, blocks)):
                place, header = checked.place, checked.header
                if header:
                    found.append(FoundBlock(place=place, header=header, whole=not checked.bad))
                    self._chunks += len(header.chunks)
                    self._raw_bytes += header.raw_size
                if checked.cause:
                    self._damage(where(path, place.offset), checked.bad or tuple(chunks_in(number)), checked.cause, name)
                self._stored_bytes += place.size
                os.posix_fadvise(fd, place.offset, place.size, os.POSIX_FADV_DONTNEED)
                self._on_progress(self._stored_bytes)
        finally:
            os.close(fd)
        return found

    def _check_head(self, fd: int, name: str, path: str) -> None:
        try:
            if os.pread(fd, PACK_HEAD_SIZE, 0) != encode_pack_head(bytes.fromhex(name)):
                self._damage(where(path, 0), (), "the head of the pack is damaged", name)
        except OSError as error:
            self._unreadable(where(path, 0), path, error, (), name)

    def _unreadable(self, place: str, path: str, error: OSError, chunks: Iterable[ChunkId], pack: str) -> None:
        if isinstance(error, FileNotFoundError):
            # A sweep may have taken it just now; then it is not among the packs any more.
            if any(one.name == pack for one in self._state.indexes.all()):
                self._damage(place, chunks, "the pack file is gone", pack)
            return
        if not is_medium_fault(error):
            with naming(path, "read"):
                raise error
        self._damage(place, chunks, f"it cannot be read ({error.strerror})", pack)

    def _blocks(self, fd: int, path: str, blocks: list[BlockPlace]) -> Iterator[_Checked]:
        running: deque[Future[_Checked]] = deque()
        try:
            for place in blocks:
                running.append(self._state.submit(_check_block, fd, path, place))
                if len(running) >= _BLOCKS_AHEAD:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:  # the file must not be closed under a worker
                if not future.cancel():
                    future.exception()


def _chunks_in(index: IndexFile, number: int) -> Iterator[ChunkId]:
    return (index.chunk(at) for at in range(index.count) if index.place(at)[0] == number)


def _open_index(path: str) -> IndexFile:
    """Raises IntegrityError also where the disk cannot give the bytes back, TransferError where only this try failed."""
    try:
        return IndexFile.open(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        if is_medium_fault(error):
            raise IntegrityError("index-damaged", f"The index {path} cannot be read: {error.strerror}.", "") from error
        raise TransferError("store-io", f"Cannot read {path}: {error.strerror}.", "It is tried again by itself.") from error


def _check_block(fd: int, path: str, place: BlockPlace) -> _Checked:
    try:
        header, data = decode_block(os.pread(fd, place.size, place.offset))
    except IntegrityError as error:
        return _Checked(place, None, (), error.message)
    except OSError as error:
        if not is_medium_fault(error):
            raise TransferError("store-io", f"Cannot read {path}: {error.strerror}.", "It is tried again by itself.") from error
        return _Checked(place, None, (), f"it cannot be read ({error.strerror})")
    view = memoryview(data)
    pairs = zip(header.chunks, header.offsets(), strict=True)
    bad = tuple(chunk for (chunk, length), start in pairs if digest(view[start : start + length]) != chunk)
    return _Checked(place, header, bad, "bytes do not have their chunk's id" if bad else "")
