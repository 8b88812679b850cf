"""Reading everything a store holds and saying what is wrong with it. Changes nothing on disk; what it finds damaged counts as
missing from then on. Knows nothing of manifests."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.digest import digest
from haulage.engine.content.index_file import BlockPlace, IndexFile
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.model import CheckReport, ChunkId, Damage
from haulage.engine.content.pack import END_SIZE, PACK_HEAD_SIZE, BlockHeader, decode_end, encode_pack_head
from haulage.engine.content.pack_block import decode_block
from haulage.engine.content.pack_scan import FoundBlock, index_of
from haulage.engine.content.pack_writer import GrowingPack, index_path
from haulage.engine.content.pins import PinFolder
from haulage.engine.content.store_state import StoreState, where

_BLOCKS_AHEAD = 4


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

    def run(self) -> CheckReport:
        """Look at every byte. Never raises for damage."""
        with self._state.lock:
            sealed, growing, lost = self._state.indexes.sealed, self._state.indexes.growing, list(self._state.lost)
        self._check_marker()
        with self._state.lock:
            unreadable = list(self._pins.damaged())
        for path, cause in unreadable:
            self._damage(path, (), cause)
        for index in lost:
            self._check_lost(index)
        for pack in growing:
            if isinstance(pack, GrowingPack):
                blocks = list(pack.blocks)
                self._check_file(pack.name, pack.path, blocks, lambda _number: ())
        for pack in sealed:
            before = len(self._damages)
            self._check_sealed(pack)
            if pack not in self._state.indexes.sealed:
                del self._damages[before:]  # a sweep took it meanwhile
        return CheckReport(chunks_checked=self._chunks, bytes_checked=self._raw_bytes, damages=tuple(self._damages))

    def _damage(self, place: str, chunks: Iterable[ChunkId], cause: str) -> None:
        self._damages.append(Damage(where=place, chunks=tuple(chunks), cause=cause))

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
        try:
            on_disk = IndexFile.open(index_path(pack.path))
        except (OSError, IntegrityError, FormatError) as error:
            self._damage(index_path(pack.path), (), str(error))
            return
        if len(found) == len(blocks) and not on_disk.is_same(index_of(bytes.fromhex(pack.name), index.pack_size, tuple(found))):
            self._damage(index_path(pack.path), (), "the index does not say what the pack holds")

    def _check_ends(self, pack: SealedPack, blocks: list[BlockPlace]) -> None:
        """The blocks stand one behind the other, then comes the end record, and nothing else (B44)."""
        expected = PACK_HEAD_SIZE
        for block in blocks:
            if block.offset != expected:
                self._damage(where(pack.path, expected), (), "there are bytes that belong to no block")
            expected = block.offset + block.size
        try:
            with open(pack.path, "rb") as file:
                file.seek(expected)
                tail = file.read(END_SIZE + 1)
        except OSError as error:
            self._damage(where(pack.path, expected), (), str(error))
            return
        end = decode_end(tail)
        if end is None or end.offset != expected or end.blocks != len(blocks) or expected + END_SIZE != pack.index.pack_size:
            self._damage(where(pack.path, expected), (), "the end record is damaged or not the end")

    def _check_file(
        self, name: str, path: str, blocks: list[BlockPlace], chunks_in: Callable[[int], Iterable[ChunkId]]
    ) -> list[FoundBlock] | None:
        """Read the head and each block; None when the file cannot be opened."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            self._gone(name, path, chunks_in, len(blocks))
            return None
        found: list[FoundBlock] = []
        try:
            if os.pread(fd, PACK_HEAD_SIZE, 0) != encode_pack_head(bytes.fromhex(name)):
                self._damage(where(path, 0), (), "the head of the pack is damaged")
            for number, checked in enumerate(self._blocks(fd, blocks)):
                place, header = checked.place, checked.header
                if header:
                    found.append(FoundBlock(place=place, header=header, whole=not checked.bad))
                    self._chunks += len(header.chunks)
                    self._raw_bytes += header.raw_size
                if checked.cause:
                    self._bad_block(name, where(path, place.offset), checked, checked.bad or tuple(chunks_in(number)))
                self._stored_bytes += place.size
                self._on_progress(self._stored_bytes)
        finally:
            os.close(fd)
        return found

    def _gone(self, name: str, path: str, chunks_in: Callable[[int], Iterable[ChunkId]], blocks: int) -> None:
        if any(pack.name == name for pack in self._state.indexes.all()):
            chunks = [chunk for number in range(blocks) for chunk in chunks_in(number)]
            for chunk in chunks:
                self._state.indexes.mark_damaged(chunk, name)
            self._damage(path, chunks, "the pack file is gone")

    def _bad_block(self, name: str, place: str, checked: _Checked, chunks: tuple[ChunkId, ...]) -> None:
        for chunk in chunks:
            self._state.indexes.mark_damaged(chunk, name)
        self._damage(place, chunks, checked.cause)

    def _blocks(self, fd: int, blocks: list[BlockPlace]) -> Iterator[_Checked]:
        running: deque[Future[_Checked]] = deque()
        for place in blocks:
            running.append(self._state.submit(_check_block, fd, place))
            if len(running) >= _BLOCKS_AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _chunks_in(index: IndexFile, number: int) -> Iterator[ChunkId]:
    return (index.chunk(at) for at in range(index.count) if index.place(at)[0] == number)


def _check_block(fd: int, place: BlockPlace) -> _Checked:
    try:
        header, data = decode_block(os.pread(fd, place.size, place.offset))
    except IntegrityError as error:
        return _Checked(place, None, (), error.message)
    except OSError as error:
        return _Checked(place, None, (), f"it cannot be read ({error.strerror})")
    view = memoryview(data)
    pairs = zip(header.chunks, header.offsets(), strict=True)
    bad = tuple(chunk for (chunk, length), start in pairs if digest(view[start : start + length]) != chunk)
    return _Checked(place, header, bad, "bytes do not have their chunk's id" if bad else "")
