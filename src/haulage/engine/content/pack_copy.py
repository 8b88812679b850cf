"""Moving the needed chunks of packs into new ones; every chunk is verified on the way. Knows nothing of why they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.base.errors import IntegrityError
from haulage.engine.content.index_file import BlockPlace
from haulage.engine.content.index_set import Location, SealedPack
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack import MAX_BLOCK_CHUNKS
from haulage.engine.content.pack_block import encode_block
from haulage.engine.content.pack_writer import PackWriter
from haulage.engine.content.store_read import chunk_of, load_block
from haulage.engine.content.store_state import StoreState


class PackCopier:
    """Writes chunks of several packs into one new pack at a time."""

    def __init__(self, state: StoreState) -> None:
        self._state = state
        self._writer: PackWriter | None = None
        self._data = bytearray()
        self._chunks: list[tuple[ChunkId, int]] = []

    @property
    def size(self) -> int:
        """Bytes written into the present pack."""
        return self._writer.size if self._writer else 0

    def verify(self, pack: SealedPack, marks: bytes) -> None:
        """Read everything marked. Raises IntegrityError, so that a damaged pack is not begun at all."""
        for _ in _marked(pack, marks):
            pass

    def copy(self, pack: SealedPack, marks: bytes) -> None:
        """Copy everything marked. Raises IntegrityError, TransferError."""
        for chunk, view in _marked(pack, marks):
            self._add(chunk, view)

    def salvage(self, pack: SealedPack, marks: bytes) -> list[ChunkId]:
        """Copy what can still be read of everything marked; returns what cannot. Raises TransferError."""
        bad: list[ChunkId] = []
        for place, wanted in _by_block(pack, marks):
            try:
                data = load_block(pack.path, place.offset, place.size)
            except (IntegrityError, FileNotFoundError):
                bad += [pack.index.chunk(at) for at, _start, _length in wanted]
                continue
            for at, start, length in wanted:
                chunk = pack.index.chunk(at)
                try:
                    view = chunk_of(data, chunk, Location(pack.name, pack.path, place.offset, place.size, start, length))
                except IntegrityError:
                    bad.append(chunk)
                else:
                    self._add(chunk, view)
        return bad

    def seal(self) -> int:
        """Finish the present pack and show it; gives its stored size, index included. Raises TransferError."""
        if self._chunks:
            self._cut()
        writer = self._writer
        if writer is None:
            return 0
        sealed = writer.seal()
        self._writer = None
        self._state.adopt(writer.pack, sealed)
        return sealed.index.pack_size + sealed.index.size

    def close(self) -> None:
        """Leave; a pack begun and not sealed is taken away. Its chunks still stand where they came from."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            if writer.roll_back():
                self._state.strand(writer.pack)
        finally:
            writer.close()

    def _add(self, chunk: ChunkId, view: memoryview) -> None:
        block_bytes = self._state.settings.block_bytes
        if self._chunks and (len(self._data) + len(view) > block_bytes or len(self._chunks) >= MAX_BLOCK_CHUNKS):
            self._cut()
        self._data += view
        self._chunks.append((chunk, len(view)))

    def _cut(self) -> None:
        block = encode_block(self._data, self._chunks)
        self._data, self._chunks = bytearray(), []
        if self._writer is None:
            self._writer = PackWriter(self._state.folder.packs)
        self._writer.append(block)


def _marked(pack: SealedPack, marks: bytes) -> Iterator[tuple[ChunkId, memoryview]]:
    """The marked chunks, verified, in the order in which they stand in the pack."""
    for place, wanted in _by_block(pack, marks):
        data = load_block(pack.path, place.offset, place.size)
        for at, start, length in wanted:
            chunk = pack.index.chunk(at)
            yield chunk, chunk_of(data, chunk, Location(pack.name, pack.path, place.offset, place.size, start, length))


def _by_block(pack: SealedPack, marks: bytes) -> Iterator[tuple[BlockPlace, Sequence[tuple[int, int, int]]]]:
    blocks: dict[int, list[tuple[int, int, int]]] = {}
    at = marks.find(1)
    while at >= 0:
        number, start, length = pack.index.place(at)
        blocks.setdefault(number, []).append((at, start, length))
        at = marks.find(1, at + 1)
    for number in sorted(blocks):
        yield pack.index.block(number), sorted(blocks[number], key=lambda item: item[1])
