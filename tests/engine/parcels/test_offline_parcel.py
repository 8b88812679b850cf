"""A parcel as a file that came by any way: cut, spoiled, old, replayed, leaning on what is not here, or on itself."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Iterator

import pytest

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotFoundError
from haulage.engine.content.digest import digest
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.parcels.file import ParcelFile, check_parcel
from haulage.engine.parcels.head import MAGIC, MAX_BASES, ParcelHead, encode_head, parse_head
from haulage.engine.parcels.parts import decode_parts
from haulage.engine.parcels.receive import ReceiveReport, fetch_head, receive
from haulage.engine.trees.memory import MemoryTree
from tests.engine.content.trees import noise, take


def versions() -> tuple[MemoryStore, list[ManifestId]]:
    """A sender with three versions."""
    store, tree, made = MemoryStore(), MemoryTree(), []
    for number in range(3):
        tree.file(b"changing", noise(number, 30_000))
        tree.file(b"added %d" % number, noise(10 + number, 5_000))
        made.append(take(tree, store).manifest.id)
    return store, made


@pytest.fixture(scope="module")
def sender() -> tuple[MemoryStore, list[ManifestId]]:
    return versions()


def built(path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]], target: int, *bases: int) -> str:
    store, made = sender
    out = os.fspath(path / f"{target}-{bases}.parcel")
    build(made[target], [made[base] for base in bases], store, out, level=Level.BALANCED, folder=os.fspath(path), threads=0)
    return out


def taken(path: str, store: MemoryStore) -> tuple[ParcelHead, ReceiveReport]:
    """What a receiver makes of a file, as far as it takes it."""
    parcel = ParcelFile.open(path)
    try:
        head = fetch_head(parcel.read, parcel.head.id, parcel.size)
        with store.session("offline") as session:
            return head, receive(head, parcel.read, store, session, folder=os.path.dirname(path), owner="offline")
    finally:
        parcel.close()


def alone(target: ManifestId, bases: tuple[ManifestId, ...]) -> ParcelHead:
    """The head of a parcel without any section, written and read."""
    data = encode_head(target, bases, bytes_total=0, bytes_new=0, sections=[])
    return parse_head(data, len(MAGIC) + len(data))


def whole(target: ManifestId, store: MemoryStore) -> bool:
    try:
        return not store.missing(live_chunks(target, store))
    except HaulageError:
        return False


def flips(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), 61):
        yield data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def cuts(data: bytes) -> Iterator[bytes]:
    for size in range(0, len(data), 61):
        yield data[:size]


@pytest.mark.parametrize("spoil", [flips, cuts], ids=["flipped", "cut"])
def test_b110_q206835_a_spoiled_file_is_never_a_success(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]], spoil: Callable[[bytes], Iterator[bytes]]
) -> None:
    path = built(tmp_path, sender, 0)
    data, parcel_id = pathlib.Path(path).read_bytes(), ParcelFile.open(path).head.id
    for spoiled in spoil(data):
        pathlib.Path(path).write_bytes(spoiled)
        with pytest.raises((FormatError, IntegrityError)):
            check_parcel(path, parcel_id)
        store = MemoryStore()
        with pytest.raises(HaulageError):
            taken(path, store)
        assert not whole(sender[1][0], store)


def test_b110_bytes_behind_the_end_are_refused(tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]) -> None:
    path = built(tmp_path, sender, 0)
    with open(path, "ab") as file:
        file.write(b"PK\5\6")
    with pytest.raises(FormatError):
        ParcelFile.open(path)


def test_b110_a_version_of_which_one_chunk_is_nowhere_is_never_a_success(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]
) -> None:
    store, path = MemoryStore(), built(tmp_path, sender, 1, 0)
    taken(built(tmp_path, sender, 0), store)
    entries = Manifest.open(sender[1][0], store.read).entries()
    content = next(entry.content for entry in entries if entry.path == b"added 0")
    del store.chunks[ChunkId(content.chunks[4:36])]
    with pytest.raises(IntegrityError) as caught:
        taken(path, store)
    assert caught.value.code == "parcel-base-missing"


def test_b111_a_parcel_taken_again_has_no_effect_and_says_so(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]
) -> None:
    store, path = MemoryStore(), built(tmp_path, sender, 0)
    _, first = taken(path, store)
    before = dict(store.chunks)
    _, again = taken(path, store)
    assert first.sections_fetched > 0
    assert (again.sections_fetched, again.bytes_wire) == (0, 0)
    assert store.chunks == before


def test_b111_an_older_parcel_changes_nothing_of_the_newer_version(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]
) -> None:
    store = MemoryStore()
    taken(built(tmp_path, sender, 2), store)
    newest = dict(store.chunks)
    taken(built(tmp_path, sender, 0), store)
    assert whole(sender[1][2], store)
    assert newest.items() <= store.chunks.items()


def test_b48_b110_an_update_without_its_base_is_refused_before_anything_is_taken(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]
) -> None:
    store = MemoryStore()
    with pytest.raises(NotFoundError) as caught:
        taken(built(tmp_path, sender, 1, 0), store)
    assert caught.value.code == "parcel-base-missing"
    assert store.chunks == {}


def test_b50_a_parcel_leans_on_whole_versions_not_on_other_parcels(
    tmp_path: pathlib.Path, sender: tuple[MemoryStore, list[ManifestId]]
) -> None:
    """There are no chains: updates 0 to 1 to 2 in any order either find their base whole, or are refused."""
    store = MemoryStore()
    with pytest.raises(NotFoundError):
        taken(built(tmp_path, sender, 2, 1), store)
    taken(built(tmp_path, sender, 0), store)
    taken(built(tmp_path, sender, 1, 0), store)
    taken(built(tmp_path, sender, 2, 1), store)
    assert all(whole(version, store) for version in sender[1])


def test_b50_a_parcel_that_leans_on_its_own_target_brings_nothing_and_needs_it_whole(
    sender: tuple[MemoryStore, list[ManifestId]],
) -> None:
    target = sender[1][0]
    head = alone(target, (target,))
    store = MemoryStore()
    with store.session("x") as session, pytest.raises(NotFoundError):
        receive(head, lambda _offset, _size: [], store, session, folder="/", owner="x")


@pytest.mark.parametrize("count", [MAX_BASES + 1, 100])
def test_b50_more_bases_than_allowed_are_refused(count: int) -> None:
    bases = tuple(ManifestId(digest(bytes([number]))) for number in range(count))
    with pytest.raises(FormatError):
        alone(ManifestId(bytes(32)), bases)


@pytest.mark.parametrize("base", [b"", b"x" * 31, b"x" * 33, b"ab" * 32])
def test_b54_an_id_that_is_not_32_bytes_is_refused(base: bytes) -> None:
    for target, bases in ((base, ()), (bytes(32), (base,))):
        with pytest.raises(FormatError) as caught:
            alone(ManifestId(target), tuple(map(ManifestId, bases)))
        assert caught.value.code == "bad-field"


def test_b42_structure_of_millions_of_empty_lists_is_refused_by_its_shape() -> None:
    with pytest.raises(FormatError):
        decode_parts(b"\xdd" + (4_000_000).to_bytes(4, "big") + b"\x90" * 4_000_000)
