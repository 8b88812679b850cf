"""Finding chunks over many packs."""

from __future__ import annotations

import pytest

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.digest import chunk_id, digest
from haulage.engine.content.index_file import BlockPlace, ChunkPlace, IndexFile, encode_index
from haulage.engine.content.index_set import IndexSet, SealedPack
from haulage.engine.content.model import ChunkId


def ids(pack: int, count: int = 50) -> list[ChunkId]:
    return [chunk_id(f"{pack}:{number}".encode()) for number in range(count)]


def index(pack: int, chunks: list[ChunkId]) -> bytes:
    places = [(chunk, ChunkPlace(block=number // 10, offset=number % 10, length=number)) for number, chunk in enumerate(chunks)]
    blocks = [BlockPlace(offset=32 + 100 * number, size=100) for number in range(-(-len(chunks) // 10))]
    return encode_index(pack.to_bytes(16, "big"), 5000, blocks, places)


def sealed(pack: int, chunks: list[ChunkId]) -> SealedPack:
    name = pack.to_bytes(16, "big").hex()
    return SealedPack(name, f"{name}.pack", IndexFile(index(pack, chunks), f"{name}.index"))


def test_each_chunk_is_found_where_it_is() -> None:
    chunks = ids(1)
    pack = sealed(1, chunks)
    for number, chunk in enumerate(chunks):
        place = pack.locate(chunk)
        assert place is not None
        assert (place.offset, place.size, place.start, place.length) == (32 + 100 * (number // 10), 100, number % 10, number)
    assert pack.locate(chunk_id(b"absent")) is None
    assert list(pack.chunks()) == sorted(chunks)


def test_ids_that_begin_alike_are_told_apart() -> None:
    alike = [ChunkId(bytes(8) + bytes([number]) + bytes(23)) for number in range(5)] + [ChunkId(b"\xff" * 32)]
    pack = sealed(1, alike)
    found = IndexSet([pack])
    assert all(found.find(one) is pack for one in alike)
    assert found.find(ChunkId(bytes(8) + b"\x09" + bytes(23))) is None
    assert found.find(ChunkId(b"\xff" * 31 + b"\xfe")) is None


def test_ids_that_are_not_spread_evenly_are_found() -> None:
    crowded = [ChunkId(bytes(6) + number.to_bytes(2, "big") + bytes(24)) for number in range(500)]
    pack = sealed(1, crowded)
    assert all(pack.holds(one) for one in crowded)


def test_packs_come_and_go_beyond_the_number_of_marks() -> None:
    """More packs than the table has marks, with collisions: slots then name several packs, or a group."""
    packs = {number: sealed(number, ids(number, 40)) for number in range(300)}
    found = IndexSet(list(packs.values())[:20])
    for number in range(20, 300):
        found.add(packs[number])
    for number in range(0, 300, 3):
        found.remove(packs[number])
    for number in range(300):
        expected = None if number % 3 == 0 else packs[number]
        assert all(found.find(one) is expected for one in ids(number, 40))
    found.rebuild()
    assert all(found.find(ids(number)[0]) is (None if number % 3 == 0 else packs[number]) for number in range(300))


def test_a_damaged_copy_is_passed_over() -> None:
    shared = ids(1)
    first, second = sealed(1, shared), sealed(2, shared)
    found = IndexSet([first, second])
    found.mark_damaged(shared[0], first.name)
    assert found.find(shared[0]) is second
    found.mark_damaged(shared[0], second.name)
    assert found.find(shared[0]) is None
    assert found.find_damaged(shared[0]) is not None
    assert found.find(shared[1]) is not None


@pytest.mark.parametrize("cut", [0, 7, 55, 100, -1])
def test_a_cut_index_is_refused(cut: int) -> None:
    with pytest.raises(IntegrityError):
        IndexFile(index(1, ids(1))[:cut], "x.index")


def test_an_index_that_declares_too_much_is_refused() -> None:
    """B34: the digest is right, the count is not."""
    body = bytearray(index(1, ids(1))[:-32])
    body[52:56] = (1 << 31).to_bytes(4, "little")
    with pytest.raises(IntegrityError):
        IndexFile(bytes(body) + digest(bytes(body)), "x.index")


def test_an_unknown_index_version_is_named() -> None:
    body = b"HLGINDX2" + index(1, ids(1))[8:-32]
    with pytest.raises(FormatError, match=r"x\.index"):
        IndexFile(body + digest(body), "x.index")
