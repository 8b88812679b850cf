"""Writing into a store: chunks gather into blocks, worker threads compress them, one pack file grows. Knows nothing of manifests
or of what the chunks are for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from types import TracebackType

from haulage.base.errors import HaulageError, IntegrityError, TransferError
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.model import Buffer, ChunkId
from haulage.engine.content.pack import MAX_BLOCK_CHUNKS
from haulage.engine.content.pack_block import EncodedBlock, encode_block
from haulage.engine.content.pack_writer import PackWriter
from haulage.engine.content.store_errors import require_chunk_size, session_ended
from haulage.engine.content.store_read import drop_from_memory, load_block
from haulage.engine.content.store_state import StoreState, where

_BLOCKS_IN_FLIGHT = 4


class LocalSession:
    """A :class:`WriteSession` on a folder. After a TransferError it can only be aborted; the store stays usable."""

    def __init__(self, state: StoreState, owner: str) -> None:
        self.owner = owner
        self._state = state
        self._key = id(self)
        self._relied = state.begin(self._key)
        self._new: set[ChunkId] = set()
        """Put, and not yet visible through the store."""
        self._parts: list[Buffer] = []
        self._gathered = 0
        """Bytes in the parts."""
        self._chunks: list[tuple[ChunkId, int]] = []
        self._encoding: deque[Future[EncodedBlock]] = deque()
        self._writer: PackWriter | None = None
        self._error: HaulageError | None = None
        self._ended = False

    def put(self, chunk: ChunkId, data: Buffer) -> bool:
        size = len(data)
        require_chunk_size(size)
        if self.has(chunk):
            return False
        block_bytes = self._state.settings.block_bytes
        if self._chunks and (self._gathered + size > block_bytes or len(self._chunks) >= MAX_BLOCK_CHUNKS):
            self._durably(self._cut)
        self._parts.append(data if isinstance(data, bytes) else _kept(data))
        self._gathered += size
        self._chunks.append((chunk, size))
        self._new.add(chunk)
        if self._gathered >= block_bytes:
            self._durably(self._cut)
        return True

    def has(self, chunk: ChunkId) -> bool:
        if self._ended or self._error:
            self._require_usable()
        if chunk in self._new:
            return True
        while pack := self._state.indexes.find(chunk):
            if pack.name in self._relied or self._state.rely(self._key, pack):
                return True
        return False

    def reliance(self) -> Sequence[str]:
        """The packs that hold what was put or found, each with its number of chunks: it is less where a damaged pack was recovered.
        None at all if one of them is gone already."""
        counts = {pack.name: pack.count for pack in self._state.indexes.sealed}
        return [f"{name}:{counts[name]}" for name in sorted(self._relied)] if self._relied <= counts.keys() else []

    def rely(self, reliance: Sequence[str]) -> bool:
        """Rely on whole packs again; False if one is gone, or anything at all is known to be damaged."""
        self._require_usable()
        packs = {f"{pack.name}:{pack.count}": pack for pack in self._state.indexes.sealed}
        if self._state.indexes.knows_any_damage() or not packs.keys() >= set(reliance):
            return False
        return all(self._state.rely(self._key, packs[name]) for name in reliance)

    def checkpoint(self) -> None:
        self._require_usable()
        self._durably(self._checkpoint)

    def commit(self) -> None:
        self._require_usable()
        self._durably(self._seal)
        self._end()

    def abort(self) -> None:
        if self._ended:
            return
        for encoding in self._encoding:
            encoding.cancel()
        writer, self._writer = self._writer, None
        try:
            if writer and self._state.closed:
                writer.close()  # the folder is not ours any more; opening it again recovers the pack
            elif writer:
                self._leave(writer)
        finally:
            self._end()

    def _leave(self, writer: PackWriter) -> None:
        """Keep what is durable. When even that cannot be finished now, it is finished later."""
        try:
            if writer.roll_back():
                sealed = writer.seal()
                self._state.adopt(writer.pack, sealed)
                if writer.doubtful:
                    self._prove(sealed)
            else:
                with self._state.lock:
                    self._state.indexes.remove_growing(writer.pack)
        except TransferError:
            self._state.strand(writer.pack)
        finally:
            writer.close()

    def _prove(self, pack: SealedPack) -> None:
        """After a failed fsync nothing is believed: what was visible is read again, from the disk."""
        drop_from_memory(pack.path)
        for number in range(pack.index.block_count):
            place = pack.index.block(number)
            try:
                load_block(pack.path, place.offset, place.size)
            except (IntegrityError, FileNotFoundError) as error:
                bad = [pack.index.chunk(at) for at in range(pack.count) if pack.index.place(at)[0] == number]
                self._state.mark(pack.name, bad, where(pack.path, place.offset), f"it did not reach the disk ({error})")

    def _durably(self, act: Callable[[], None]) -> None:
        try:
            act()
        except HaulageError as error:
            self._error = error
            raise

    def _cut(self) -> None:
        """Hand the gathered chunks to the workers; wait when they are behind, so that memory stays bounded."""
        parts, chunks = self._parts, self._chunks
        self._parts, self._gathered, self._chunks = [], 0, []
        self._encoding.append(self._state.submit(_encode, parts, chunks))
        while len(self._encoding) > _BLOCKS_IN_FLIGHT or (self._encoding and self._encoding[0].done()):
            self._write_next()

    def _write_next(self) -> None:
        block = self._encoding.popleft().result()
        writer = self._writer or self._begin_pack()
        writer.append(block)
        settings = self._state.settings
        if writer.size >= settings.pack_bytes or writer.chunk_count >= settings.pack_chunks:
            self._seal_pack(writer)

    def _begin_pack(self) -> PackWriter:
        writer = self._writer = PackWriter(self._state.folder.packs)
        with self._state.lock:
            self._state.indexes.add_growing(writer.pack)
            self._state.rely(self._key, writer.pack)
        return writer

    def _seal_pack(self, writer: PackWriter) -> None:
        self._state.adopt(writer.pack, writer.seal())
        self._writer = None
        self._new.difference_update(writer.pack.chunks())

    def _flush(self) -> None:
        if self._chunks:
            self._cut()
        while self._encoding:
            self._write_next()

    def _checkpoint(self) -> None:
        self._flush()
        if self._writer:
            self._writer.sync()
        self._new.clear()

    def _seal(self) -> None:
        self._flush()
        if self._writer:
            self._seal_pack(self._writer)

    def _end(self) -> None:
        self._ended = True
        self._new.clear()
        self._encoding.clear()
        self._state.end(self._key)

    def _require_usable(self) -> None:
        if self._ended:
            raise session_ended(self.owner)
        if self._error:
            raise self._error
        self._state.require_open()

    def __enter__(self) -> LocalSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self.abort()
        elif not self._ended:
            try:
                self.commit()
            except BaseException:
                self.abort()
                raise


def _kept(data: Buffer) -> Buffer:
    """The same bytes, which nobody can change any more and which keep nothing else in memory."""
    if isinstance(data, memoryview) and isinstance(data.obj, bytes) and len(data.obj) == data.nbytes:
        return data.obj
    return bytes(data)


def _encode(parts: Sequence[Buffer], chunks: Sequence[tuple[ChunkId, int]]) -> EncodedBlock:
    return encode_block(b"".join(parts), chunks)
