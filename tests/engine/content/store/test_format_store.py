"""docs/format-store.md is enough to read a store: this reader was written from it alone and shares no code with the product."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path

from backports import zstd
from blake3 import blake3

from haulage.engine.content.digest import chunk_id
from haulage.engine.content.index_file import BlockPlace, ChunkPlace, encode_index
from haulage.engine.content.model import Pin
from haulage.engine.content.pack import End, encode_end, encode_pack_head
from haulage.engine.content.pack_block import encode_block
from haulage.engine.content.store import LocalStore
from tests.engine.content.store.promises import manifest, put_all, some
from tests.engine.content.store.test_local_store import SMALL


def read_block(data: bytes, at: int) -> tuple[int, dict[bytes, bytes]]:
    """The size of the block and its chunks."""
    magic, method, zeros, count, raw_size, stored_size, zero, payload_digest = struct.unpack_from("<4sB3sIIII32s", data, at)
    assert (magic, zeros, zero) == (b"HBLK", bytes(3), 0)
    table = at + 56
    digest_at = table + 36 * count
    assert blake3(data[at:digest_at]).digest() == data[digest_at : digest_at + 32]
    payload = data[digest_at + 32 : digest_at + 32 + stored_size]
    assert blake3(payload).digest() == payload_digest
    content = zstd.decompress(payload) if method else payload
    assert len(content) == raw_size
    chunks, start = {}, 0
    for number in range(count):
        one, length = struct.unpack_from("<32sI", data, table + 36 * number)
        chunks[one] = content[start : start + length]
        assert blake3(chunks[one]).digest() == one
        start += length
    return digest_at + 32 + stored_size - at, chunks


def read_pack(path: Path) -> dict[bytes, bytes]:
    data = path.read_bytes()
    assert data[:32] == b"HLGPACK1" + bytes.fromhex(path.stem) + bytes(8)
    magic, zeros, blocks, count, end_at, end_digest = struct.unpack("<4s4sQQQ32s", data[-64:])
    assert (magic, zeros, end_at) == (b"HEND", bytes(4), len(data) - 64)
    assert blake3(data[-64:-32]).digest() == end_digest
    at, chunks, seen = 32, dict[bytes, bytes](), 0
    while at < end_at:
        size, found = read_block(data, at)
        chunks |= found
        at += size
        seen += 1
    assert (at, seen, len(chunks)) == (end_at, blocks, count)
    return chunks


def read_index(path: Path) -> Iterator[tuple[bytes, int, int, int, int]]:
    """Id, offset and size of the block, offset and length in it."""
    data = path.read_bytes()
    assert blake3(data[:-32]).digest() == data[-32:]
    magic, name, pack_size, _, zero, block_count, count = struct.unpack_from("<8s16sQQQII", data)
    assert (magic, name.hex(), zero) == (b"HLGINDX1", path.stem, 0)
    assert pack_size == path.with_suffix(".pack").stat().st_size
    heads, tails = 56, 56 + 8 * count
    places, blocks = tails + 24 * count, tails + 36 * count
    assert len(data) == blocks + 12 * block_count + 32
    for at in range(count):
        one = data[heads + 8 * at : heads + 8 * at + 8][::-1] + data[tails + 24 * at : tails + 24 * at + 24]
        number, start, length = struct.unpack_from("<III", data, places + 12 * at)
        offset, size = struct.unpack_from("<QI", data, blocks + 12 * number)
        yield one, offset, size, start, length


def test_a_reader_written_from_the_document_reads_a_store(tmp_path: Path) -> None:
    pieces = [some(seed, 1 + 211 * seed) for seed in range(40)] + [bytes(9000), b""]
    with contextlib.closing(LocalStore(tmp_path, settings=SMALL)) as store, store.session("test") as session:
        put_all(session, pieces)
    found: dict[bytes, bytes] = {}
    for path in (tmp_path / "packs").glob("*.pack"):
        chunks = read_pack(path)
        found |= chunks
        named = list(read_index(path.with_suffix(".index")))
        assert [one for one, *_ in named] == sorted(chunks)
        for one, offset, size, start, length in named:
            block_size, in_block = read_block(path.read_bytes(), offset)
            assert size == block_size
            assert b"".join(in_block.values())[start : start + length] == chunks[one]
    assert found == {chunk_id(piece): piece for piece in pieces}
    assert (tmp_path / "format").read_bytes() == b"haulage-store 1\n"


def test_a_pin_reads_as_the_document_says(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path)) as store:
        store.pin(Pin(owner="held:HQ100042:7", manifest=manifest(5)))
    (path,) = (tmp_path / "pins").iterdir()
    assert path.name == blake3(b"held:HQ100042:7").hexdigest()[:32] + ".pin"
    body = f"haulage-pin 1\nowner held:HQ100042:7\nmanifest {manifest(5).hex()}\nexpires never\n"
    assert path.read_text() == f"{body}blake3 {blake3(body.encode()).hexdigest()}\n"


def test_the_bytes_of_version_1_do_not_change() -> None:
    """A change here is a new format version."""
    piece = bytes(range(40))
    chunk = chunk_id(piece)
    block = encode_block(piece, [(chunk, 40)])
    name = bytes(range(16))
    pack = encode_pack_head(name) + block.header + block.payload + encode_end(End(blocks=1, chunks=1, offset=32 + block.size))
    index = encode_index(
        name, len(pack), [BlockPlace(offset=32, size=block.size)], [(chunk, ChunkPlace(block=0, offset=0, length=40))]
    )
    assert blake3(pack).hexdigest() == "1a80cd905cb2d86f713f1e5e68dcd2500434dd5a77f917fca77151e075500420"
    assert blake3(index).hexdigest() == "db5f5b24e8d6f4b6274bbad8c4dbc2cd4902a2426d8f9f1fa70537eb240a5767"
