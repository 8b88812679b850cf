"""Packs full of places that only look like the start of a block: searched in one pass, nothing found that is none."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from haulage.engine.content import pack_scan
from haulage.engine.content.digest import digest
from haulage.engine.content.model import ChunkId
from haulage.engine.content.pack import BLOCK_MAGIC, MAX_BLOCK_CHUNKS, PACK_HEAD_SIZE, encode_pack_head
from haulage.engine.content.pack_block import encode_block

BLOCK = encode_block(b"a chunk", [(ChunkId(digest(b"a chunk")), 7)])
BYTES = BLOCK.header + BLOCK.payload


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Bytes that were read by each call."""
    counted: list[int] = []
    plain = os.pread

    def pread(fd: int, size: int, offset: int) -> bytes:
        data = plain(fd, size, offset)
        counted.append(len(data))
        return data

    monkeypatch.setattr(os, "pread", pread)
    yield counted
    monkeypatch.undo()


def scan(data: bytes) -> pack_scan.PackScan:
    fd = os.memfd_create("pack")
    try:
        os.write(fd, data)
        return pack_scan.scan_pack(fd)
    finally:
        os.close(fd)


@pytest.mark.parametrize(
    "filling",
    [
        BLOCK_MAGIC * 20_000,
        BLOCK.header[:-1] * 700,
        b"".join([BLOCK_MAGIC + b"\0" + bytes(3) + MAX_BLOCK_CHUNKS.to_bytes(4, "little") + bytes(44)] * 1000),
        b"HBL" * 20_000,
    ],
    ids=["magic", "headers cut", "headers that promise much", "parts of the magic"],
)
def test_false_starts_are_passed_in_one_reading(filling: bytes, reads: list[int]) -> None:
    data = encode_pack_head(bytes(16)) + filling + BYTES + filling + BYTES
    found = scan(data)
    first = PACK_HEAD_SIZE + len(filling)
    assert [block.place.offset for block in found.blocks] == [first, first + len(BYTES) + len(filling)]
    assert all(block.whole for block in found.blocks)
    assert sum(reads) < 40 * len(data)


def test_blocks_that_lie_over_the_edge_of_a_window_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_scan, "_WINDOW_BYTES", 64)
    chance = random.Random(5)
    for _ in range(200):
        gaps = [chance.randbytes(chance.randrange(1, 200)).replace(b"H", b"h") for _ in range(3)]
        found = scan(encode_pack_head(bytes(16)) + b"".join([gap + BYTES for gap in gaps]))
        assert len(found.blocks) == 3
