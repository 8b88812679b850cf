"""Finishing what a killed process left: a pack without a valid index is scanned, cut behind its last whole block, ended and
indexed. Doing it twice, or being killed in between, is harmless. Knows nothing of sessions."""

from __future__ import annotations

import os

from haulage.base import files
from haulage.engine.content.index_file import IndexFile
from haulage.engine.content.index_set import SealedPack
from haulage.engine.content.pack import PACK_HEAD_SIZE, End, encode_end
from haulage.engine.content.pack_block import EncodedBlock
from haulage.engine.content.pack_scan import FoundBlock, index_of, scan_pack
from haulage.engine.content.pack_writer import PackWriter, index_path, write_index
from haulage.engine.content.store_errors import naming


def recover_pack(path: str, name: str) -> SealedPack | None:
    """Seal a pack from its own bytes; None when it held no whole block and was removed. Raises TransferError."""
    with naming(path, "recover"):
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            # What a failed fsync left in memory may never have reached the disk, and counts as clean by now: only the disk counts.
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            scan = scan_pack(fd)
            kept = scan.kept()
            if not kept:
                files.remove_durable(path)
                return None
            if scan.end is None and _has_gap(kept):
                return _copy_whole(fd, path, kept)
            size = scan.size if scan.end else _end_pack(fd, kept)
        finally:
            os.close(fd)
    return write_index(path, name, index_of(bytes.fromhex(name), size, kept))


def view_pack(path: str, name: str) -> SealedPack | None:
    """As :func:`recover_pack`, in memory only: for a store opened to be read. Raises TransferError."""
    with naming(path, "read"):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            scan = scan_pack(fd)
        finally:
            os.close(fd)
    kept = scan.kept()
    data = index_of(bytes.fromhex(name), scan.size, kept)
    return SealedPack(name, path, IndexFile(data, index_path(path))) if kept else None


def _has_gap(kept: tuple[FoundBlock, ...]) -> bool:
    offset = PACK_HEAD_SIZE
    for block in kept:
        if block.place.offset != offset:
            return True
        offset += block.place.size
    return False


def _end_pack(fd: int, kept: tuple[FoundBlock, ...]) -> int:
    """Cut the torn tail and write the end record; gives the size."""
    last = kept[-1].place
    offset = last.offset + last.size
    record = encode_end(End(blocks=len(kept), chunks=sum(len(block.header.chunks) for block in kept), offset=offset))
    files.truncate(fd, offset, "pack-truncate")
    files.write_all(fd, record, offset=offset, name="pack-write")
    files.sync_file(fd, "pack-fsync")
    return offset + len(record)


def _copy_whole(fd: int, path: str, kept: tuple[FoundBlock, ...]) -> SealedPack:
    """A power cut may lose a block and keep a later one: the whole blocks move to a new pack, the old file goes."""
    writer = PackWriter(os.path.dirname(path))
    try:
        for block in kept:
            header = os.pread(fd, block.header.size, block.place.offset)
            payload = os.pread(fd, block.header.stored_size, block.place.offset + block.header.size)
            writer.append(EncodedBlock(header=header, payload=payload, raw_size=block.header.raw_size, chunks=block.header.chunks))
        sealed = writer.seal()
    finally:
        writer.close()
    files.remove_durable(path)
    return sealed
