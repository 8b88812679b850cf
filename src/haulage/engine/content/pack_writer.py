"""One growing pack file: blocks are appended, made durable and visible at a sync, and at the end sealed with its index. Knows
nothing of sessions, of other packs or of what the chunks are for."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable

from haulage.base import files
from haulage.base.errors import TransferError
from haulage.engine.content.index_file import BlockPlace, ChunkPlace, IndexFile, encode_index
from haulage.engine.content.index_set import Location, SealedPack
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack import End, encode_end, encode_pack_head
from haulage.engine.content.pack_block import EncodedBlock
from haulage.engine.content.store_errors import naming

_BITS = 25
"""Enough for an offset or a length up to and including 16 MiB."""
_MASK = (1 << _BITS) - 1


class GrowingPack:
    """The durable part of a pack that is still written, as readers see it."""

    def __init__(self, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self.blocks: list[BlockPlace] = []
        self.raw_bytes = 0
        self._places: dict[ChunkId, int] = {}

    @property
    def count(self) -> int:
        return len(self._places)

    @property
    def stored_bytes(self) -> int:
        """Bytes of the file that are durable."""
        return self.blocks[-1].offset + self.blocks[-1].size if self.blocks else 0

    def holds(self, chunk: ChunkId) -> bool:
        return chunk in self._places

    def locate(self, chunk: ChunkId) -> Location | None:
        packed = self._places.get(chunk)
        if packed is None:
            return None
        place = _unpack(packed)
        block = self.blocks[place.block]
        return Location(self.name, self.path, block.offset, block.size, place.offset, place.length)

    def chunks(self) -> Iterable[ChunkId]:
        return list(self._places)

    def publish(self, block: BlockPlace, chunks: Iterable[tuple[ChunkId, int]]) -> None:
        """Show a block that is durable now."""
        number, start = len(self.blocks), 0
        self.blocks.append(block)
        for chunk, length in chunks:
            self._places.setdefault(chunk, number << 2 * _BITS | start << _BITS | length)
            start += length
        self.raw_bytes += start

    def encode_index(self, pack_size: int) -> bytes:
        """The index of everything published."""
        places = [(chunk, _unpack(packed)) for chunk, packed in self._places.items()]
        return encode_index(bytes.fromhex(self.name), pack_size, self.blocks, places)


def _unpack(packed: int) -> ChunkPlace:
    """One number per chunk keeps a growing pack's table small."""
    return ChunkPlace(block=packed >> 2 * _BITS, offset=packed >> _BITS & _MASK, length=packed & _MASK)


class PackWriter:
    """Appends to one new pack. After an error only ``roll_back`` and ``close`` make sense."""

    def __init__(self, folder: str) -> None:
        """Create the file. Raises TransferError ``disk-full`` or ``store-io``."""
        name = secrets.token_hex(16)
        self.pack = GrowingPack(name, os.path.join(folder, f"{name}.pack"))
        self.size = 0
        self.chunk_count = 0
        self.doubtful = False
        """An fsync failed once: what it was for may be in memory only, however well a later one goes."""
        self._folder = folder
        self._unsynced: list[tuple[BlockPlace, EncodedBlock]] = []
        self._synced_size = 0
        with naming(self.pack.path, "create"):
            files.step("pack-create")
            self._fd = os.open(self.pack.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            self._write(encode_pack_head(bytes.fromhex(name)))
        except TransferError:
            self.close()
            with contextlib.suppress(OSError):
                files.remove_durable(self.pack.path)
            raise

    def append(self, block: EncodedBlock) -> None:
        """Write a block behind the others. Raises TransferError."""
        place = BlockPlace(offset=self.size, size=block.size)
        self._write(block.header)
        self._write(block.payload)
        self._unsynced.append((place, EncodedBlock(header=b"", payload=b"", raw_size=block.raw_size, chunks=block.chunks)))
        self.chunk_count += len(block.chunks)

    def sync(self) -> None:
        """Make what was appended durable, then visible. Raises TransferError."""
        if self._unsynced:
            self._fsync()
            self._show()

    def seal(self) -> SealedPack:
        """Sync, end the pack and write its index. Raises TransferError; the pack can then be sealed later."""
        ended = End(blocks=len(self.pack.blocks) + len(self._unsynced), chunks=self.chunk_count, offset=self.size)
        self._write(encode_end(ended))
        self._fsync()
        self._show()
        self.close()
        return write_index(self.pack.path, self.pack.name, self.pack.encode_index(self.size))

    def roll_back(self) -> bool:
        """Take away what was never synced. Returns whether anything is left; without, the file is gone. Raises TransferError."""
        self._unsynced.clear()
        if self._fd < 0 and self.pack.blocks:
            # It is ended and durable; only its index could not be written.
            return True
        with naming(self.pack.path, "roll back"):
            if not self.pack.blocks:
                self.close()
                files.remove_durable(self.pack.path)
                return False
            files.truncate(self._fd, self._synced_size, "pack-truncate")
            os.lseek(self._fd, self._synced_size, os.SEEK_SET)
        self.size = self._synced_size
        self.chunk_count = self.pack.count
        return True

    def close(self) -> None:
        """Release the file; safe to repeat."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            with contextlib.suppress(OSError):
                os.close(fd)

    def _write(self, data: bytes) -> None:
        with naming(self.pack.path, "write to"):
            files.write_all(self._fd, data, name="pack-write")
        self.size += len(data)

    def _fsync(self) -> None:
        with naming(self.pack.path, "make durable"):
            self.doubtful, before = True, self.doubtful
            files.sync_file(self._fd, "pack-fsync")
            if not self._synced_size:
                files.sync_folder(self._folder)
            self.doubtful = before

    def _show(self) -> None:
        for place, block in self._unsynced:
            self.pack.publish(place, block.chunks)
            self._synced_size = place.offset + place.size
        self._unsynced.clear()


def write_index(pack_path: str, name: str, data: bytes) -> SealedPack:
    """Put the index beside its pack, durably, and open it. Raises TransferError."""
    path = index_path(pack_path)
    with naming(path, "write"):
        files.write_durable(path, data)
        return SealedPack(name, pack_path, IndexFile.open(path))


def index_path(pack_path: str) -> str:
    """Where the index of a pack stands."""
    return pack_path.removesuffix(".pack") + ".index"
