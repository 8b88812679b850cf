"""Torn, flipped and hostile bytes: found, named, bounded, healed."""

from __future__ import annotations

import contextlib
import os
import tracemalloc
from pathlib import Path

import pytest
from backports import zstd

from haulage.base.errors import IntegrityError, NotFoundError
from haulage.engine.content.digest import chunk_id, digest
from haulage.engine.content.model import Pin
from haulage.engine.content.pack import METHOD_ZSTD, BlockHeader
from haulage.engine.content.pack_block import decode_payload, encode_block
from haulage.engine.content.store import LocalStore
from tests.engine.content.store.promises import NOW, manifest, put_all, some
from tests.engine.content.store.test_local_store import SMALL, flip_chunk


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(f"packs/{pattern}")
    return path


def flip(path: Path, offset: int) -> None:
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x10]))


def test_f5_b45_a_growing_pack_cut_anywhere_keeps_its_whole_blocks(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", settings=SMALL)
    session = store.session("killed").__enter__()
    ends = {}
    for number in range(4):
        ids = put_all(session, [some(10 * number + at, 50) for at in range(2)])
        session.checkpoint()
        ends[only(tmp_path / "store", "*.pack").stat().st_size] = ids
    store.close()
    whole = only(tmp_path / "store", "*.pack").read_bytes()
    name = only(tmp_path / "store", "*.pack")
    for cut in {*range(0, len(whole), 5), *ends, *(end - 1 for end in ends), *(end + 1 for end in ends if end < len(whole))}:
        for index in (tmp_path / "store").glob("packs/*"):
            index.unlink()
        name.write_bytes(whole[:cut])
        with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
            for end, ids in ends.items():
                assert store.missing(ids) == (set() if end <= cut else set(ids))
            assert not store.check().damages


def test_a_bad_byte_in_an_unsealed_pack_costs_one_block_only(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", settings=SMALL)
    session = store.session("killed").__enter__()
    groups, ends = [], []
    for number in range(3):
        groups.append(put_all(session, [some(10 * number + at, 50) for at in range(2)]))
        session.checkpoint()
        ends.append(only(tmp_path / "store", "*.pack").stat().st_size)
    store.close()
    path = only(tmp_path / "store", "*.pack")
    whole = path.read_bytes()
    for offset in range(ends[0], ends[1], 3):
        for file in (tmp_path / "store").glob("packs/*"):
            file.unlink()
        path.write_bytes(whole)
        flip(path, offset)
        with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
            assert not store.missing(groups[0] + groups[2])
            assert store.missing(groups[1]) == set(groups[1])
            assert not store.check().damages


def test_each_flipped_byte_is_found_by_check(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("test") as session:
            put_all(session, [some(seed, 60) for seed in range(4)])
            session.checkpoint()
            put_all(session, [some(9, 60)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
        for path in [*(tmp_path / "store").glob("p*/*"), tmp_path / "store" / "format"]:
            for offset in range(path.stat().st_size):
                flip(path, offset)
                damages = store.check().damages
                assert damages, f"{path.name} at {offset}"
                assert any(path.name in damage.where for damage in damages)
                flip(path, offset)
        assert not store.check().damages


def test_b44_bytes_behind_the_end_are_found(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("test") as session:
            put_all(session, [some(1)])
        with open(only(tmp_path / "store", "*.pack"), "ab") as file:
            file.write(b"more")
        assert store.check().damages


@pytest.mark.parametrize("how", ["removed", "flipped", "emptied"])
def test_an_index_that_is_missing_or_damaged_is_derived_again(tmp_path: Path, how: str) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store, store.session("test") as session:
        ids = put_all(session, [some(seed, 60) for seed in range(4)])
    path = only(tmp_path / "store", "*.index")
    before = path.read_bytes()
    if how == "removed":
        path.unlink()
    elif how == "flipped":
        flip(path, len(before) // 2)
    else:
        os.truncate(path, 0)
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert not store.missing(ids)
    assert path.read_bytes() == before


def test_a_sealed_pack_without_index_is_never_cut(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store, store.session("test") as session:
        ids = put_all(session, [some(seed) for seed in range(12)])
    path = only(tmp_path / "store", "*.pack")
    size = path.stat().st_size
    only(tmp_path / "store", "*.index").unlink()
    flip(path, size - 200)
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert path.stat().st_size == size
        damaged = {chunk for damage in store.check().damages for chunk in damage.chunks}
        assert damaged
        assert damaged < set(ids)


def test_b15_a_damaged_chunk_is_missing_then_healed_by_putting_it_again(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("test") as session:
            ids = put_all(session, [some(seed, 60) for seed in range(3)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
        flip_chunk(store, ids[0])
        damaged = {chunk for damage in store.check().damages for chunk in damage.chunks}
        assert ids[0] in damaged
        assert store.missing(ids) == damaged
        with store.session("repair") as session:
            put_all(session, [some(seed, 60) for seed in range(3)])
        assert not store.missing(ids)
        assert dict(store.read_many(ids)).keys() == set(ids)
        store.sweep(lambda _: ids, now=NOW)
        assert not store.check().damages


def test_a_second_copy_answers_for_a_damaged_one(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        piece = some(1, 60)
        with store.session("one") as one, store.session("two") as two:
            one.put(chunk_id(piece), piece)
            two.put(chunk_id(piece), piece)
        first = store._state.indexes.find(chunk_id(piece))
        assert first is not None
        location = first.locate(chunk_id(piece))
        assert location is not None
        flip(Path(location.path), location.offset + location.size - 1)
        assert store.read(chunk_id(piece)) == piece
        assert not store.missing([chunk_id(piece)])


def test_sweep_never_copies_a_damaged_chunk(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("test") as session:
            kept = put_all(session, [some(seed, 60) for seed in range(3)])
            put_all(session, [some(9, 60)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
        path = only(tmp_path / "store", "*.pack")
        flip_chunk(store, kept[0])
        report = store.sweep(lambda _: kept, now=NOW)
        assert [damage.where for damage in report.damages] == [str(path)]
        assert report.packs_rewritten == 0
        assert path.exists()


def test_a_lost_pack_is_named_until_its_chunks_are_not_needed(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store, store.session("test") as session:
        ids = put_all(session, [some(1)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    only(tmp_path / "store", "*.pack").unlink()
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert store.missing(ids) == set(ids)
        assert [damage.chunks for damage in store.check().damages] == [tuple(ids)]
        store.sweep(lambda _: ids, now=NOW)
        assert store.check().damages
        store.unpin("held:A")
        store.sweep(lambda _: (), now=NOW)
        assert not store.check().damages
    assert not list((tmp_path / "store" / "packs").iterdir())


@pytest.mark.parametrize("content", [b"", b"haulage-pin 1\n", b"\xff"])
def test_i11_an_unreadable_pin_stops_the_sweep_and_is_named(tmp_path: Path, content: bytes) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with store.session("test") as session:
            ids = put_all(session, [some(1)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
        (path,) = (tmp_path / "store" / "pins").iterdir()
        path.write_bytes(content)
        with pytest.raises(IntegrityError, match=path.name):
            store.sweep(lambda _: (), now=NOW)
        assert not store.missing(ids)
        assert [damage.where for damage in store.check().damages] == [str(path)]
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
        assert [pin.owner for pin in store.pins()] == ["held:A"]


def test_a_pin_under_another_name_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
        (path,) = (tmp_path / "store" / "pins").iterdir()
        path.rename(path.with_name("other.pin"))
        with pytest.raises(IntegrityError, match=r"other\.pin"):
            store.pins()


def header_of(payload: bytes, raw_size: int) -> BlockHeader:
    return BlockHeader(
        method=METHOD_ZSTD,
        raw_size=raw_size,
        stored_size=len(payload),
        payload_digest=digest(payload),
        chunks=((chunk_id(b""), raw_size),),
    )


def test_b42_a_bomb_stops_at_the_declared_size() -> None:
    declared = zstd.compress(bytes(1 << 28))
    streamed = zstd.ZstdCompressor()
    undeclared = b"".join(streamed.compress(bytes(1 << 20)) for _ in range(256)) + streamed.flush()
    tracemalloc.start()
    for payload in (declared, undeclared):
        with pytest.raises(IntegrityError):
            decode_payload(header_of(payload, 1 << 20), payload)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def frame(declared: int, produced: int, window_log: int = 20) -> bytes:
    """A frame of zeros made by hand: its header may lie."""
    head = bytes.fromhex("28b52ffd") + bytes([2 << 6, (window_log - 10) << 3]) + declared.to_bytes(4, "little")
    blocks = b""
    while produced:
        size = min(produced, 128 << 10)
        produced -= size
        blocks += (size << 3 | 1 << 1 | (not produced)).to_bytes(3, "little") + b"\0"
    return head + blocks


def test_b42_a_frame_that_lies_about_its_size_is_refused() -> None:
    assert decode_payload(header_of(frame(70_000, 70_000), 70_000), frame(70_000, 70_000)) == bytes(70_000)
    for produced in (69_999, 70_001, 50_000_000):
        payload = frame(70_000, produced)
        with pytest.raises(IntegrityError):
            decode_payload(header_of(payload, 70_000), payload)


def test_b43_a_large_window_is_refused() -> None:
    assert decode_payload(header_of(frame(4096, 4096, 24), 4096), frame(4096, 4096, 24)) == bytes(4096)
    for window_log in (25, 27, 31):
        payload = frame(4096, 4096, window_log)
        with pytest.raises(IntegrityError, match="window"):
            decode_payload(header_of(payload, 4096), payload)


@pytest.mark.parametrize(
    "extra", [b"x", zstd.compress(b""), zstd.compress(b"more"), bytes.fromhex("502a4d18") + (4).to_bytes(4, "little") + b"skip"]
)
def test_b44_anything_behind_the_frame_is_refused(extra: bytes) -> None:
    data = some(1)
    for payload in (zstd.compress(data) + extra, extra + zstd.compress(data)):
        with pytest.raises(IntegrityError):
            decode_payload(header_of(payload, len(data)), payload)


def test_b45_a_frame_cut_anywhere_is_refused() -> None:
    data = some(1)
    payload = zstd.compress(data)
    for cut in range(len(payload)):
        with pytest.raises(IntegrityError):
            decode_payload(header_of(payload[:cut], len(data)), payload[:cut])


def test_a_hostile_block_in_a_pack_is_bounded_and_named(tmp_path: Path) -> None:
    """The digests are right, the frame is a bomb."""
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store, store.session("test") as session:
        put_all(session, [some(1)])
    path = only(tmp_path / "store", "*.pack")
    only(tmp_path / "store", "*.index").unlink()
    good = encode_block(bytes(70_000), [(chunk_id(bytes(70_000)), 70_000)])
    bomb = frame(70_000, 60_000_000)
    body = good.header[:16] + len(bomb).to_bytes(4, "little") + bytes(4) + digest(bomb) + good.header[56:-32]
    path.write_bytes(path.read_bytes()[:32] + body + digest(body) + bomb)
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        with pytest.raises(IntegrityError, match=path.name):
            store.read(chunk_id(bytes(70_000)))
        with pytest.raises(NotFoundError):
            store.read(chunk_id(b"other"))
