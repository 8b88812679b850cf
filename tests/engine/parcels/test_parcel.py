"""Parcels: held bases become exactly the target; whatever is cut, flipped or forged is refused; nothing is sent twice."""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile
from collections.abc import Iterator

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotFoundError, TransferError
from haulage.base.files import watching_steps
from haulage.engine.archives.fingerprint import abilities
from haulage.engine.content.digest import chunk_id, digest
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ManifestId
from haulage.engine.content.restore import restore
from haulage.engine.delta.encoding import Method
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.parcels.file import ParcelFile
from haulage.engine.parcels.head import MAGIC, ParcelHead, Section, SectionKind, SectionRow, encode_head, head_bytes, parse_head
from haulage.engine.parcels.receive import ReceiveReport, bases_lacking, fetch_head, receive
from haulage.engine.parcels.section import open_section
from haulage.engine.trees.memory import MemoryTree, MemoryWriter
from tests.engine.content.trees import noise, rich_tree, same, take, text, trees


class Line:
    """A line that serves a parcel and can be cut after so many bytes."""

    def __init__(self, data: bytes, cut_after: int | None = None) -> None:
        self.data = data
        self.left = cut_after
        self.sent = 0

    def __call__(self, offset: int, size: int) -> Iterator[bytes]:
        for at in range(offset, min(offset + size, len(self.data)), 1000):
            piece = self.data[at : min(at + 1000, offset + size)]
            if self.left is not None:
                if self.left < len(piece):
                    raise TransferError("link-down", "The line is down.")
                self.left -= len(piece)
            self.sent += len(piece)
            yield piece


def make(
    path: pathlib.Path, target: ManifestId, bases: list[ManifestId], store: MemoryStore, level: Level = Level.BALANCED
) -> tuple[ParcelHead, bytes]:
    out = os.fspath(path / "parcel")
    head = build(target, bases, store, out, level=level, folder=os.fspath(path), abilities=abilities(), threads=0)
    return head, pathlib.Path(out).read_bytes()


def accept(head: ParcelHead, line: Line, store: MemoryStore) -> ReceiveReport:
    with store.session("receive") as session:
        return receive(head, line, store, session, folder=tempfile.gettempdir(), owner="receiving:HQ100001")


def held(tree: MemoryTree) -> tuple[MemoryStore, ManifestId]:
    store = MemoryStore()
    return store, take(tree, store).manifest.id


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(old=trees(), new=trees(), level=st.sampled_from(Level))
def test_a_parcel_turns_held_bases_into_the_target(
    tmp_path_factory: pytest.TempPathFactory, old: MemoryTree, new: MemoryTree, level: Level
) -> None:
    sender = MemoryStore()
    base, target = take(old, sender).manifest.id, take(new, sender).manifest.id
    receiver, there = held(old)
    assert there == base
    before = set(receiver.chunks)
    head, data = make(tmp_path_factory.mktemp("p"), target, [base], sender, level)
    assert head.bytes_wire == len(data)
    assert head.bytes_total == head.bytes_new + head.bytes_reused
    accept(head, Line(data), receiver)
    writer = MemoryWriter()
    restore(Manifest.open(target, receiver.read), receiver, writer, threads=0)
    assert same(writer.tree, new)
    assert sum(len(receiver.chunks[c]) for c in set(live_chunks(target, sender)) - before) >= head.bytes_new


def big_tree(change: int = 0) -> MemoryTree:
    tree = MemoryTree()
    for number in range(5):
        tree.file(b"noise%d" % number, noise(number, 7_000_000))
    for number in range(200):
        tree.file(b"t/%03d.txt" % number, text(number + change * (number == 7), 3000))
    return tree


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> tuple[ParcelHead, bytes]:
    store, target = held(big_tree())
    return make(tmp_path_factory.mktemp("big"), target, [], store)


def test_only_what_changed_is_carried(tmp_path: pathlib.Path) -> None:
    store, base = held(big_tree())
    target = take(big_tree(change=1000), store).manifest.id
    head, data = make(tmp_path, target, [base], store)
    assert head.bytes_new == 3000
    assert head.bytes_reused == 35_000_000 + 199 * 3000
    assert len(data) < 2_000


def test_i23_the_same_parcel_again_is_the_same_bytes(tmp_path: pathlib.Path, big: tuple[ParcelHead, bytes]) -> None:
    store, target = held(big_tree())
    out = os.fspath(tmp_path / "again")
    head = build(target, [], store, out, level=Level.BALANCED, folder=os.fspath(tmp_path), abilities=abilities(), threads=2)
    assert head == big[0]
    assert pathlib.Path(out).read_bytes() == big[1]
    held_already = accept(head, Line(big[1]), store)
    assert (held_already.bytes_wire, held_already.sections_fetched) == (
        sum(section.stored_bytes for section in head.sections if section.kind is not SectionKind.BATCH),
        2,
    )


def test_f16_cut_at_every_hundredth_resends_at_most_one_batch(big: tuple[ParcelHead, bytes]) -> None:
    head, data = big
    largest = max(section.stored_bytes for section in head.sections)
    for percent in range(1, 100, 7):
        store, first = MemoryStore(), Line(data, cut_after=len(data) * percent // 100)
        with pytest.raises(TransferError):
            accept(head, first, store)
        store.crash()
        second = Line(data)
        accept(head, second, store)
        assert first.sent + second.sent <= len(data) + largest
        assert not store.missing(live_chunks(head.target, store))


@pytest.mark.long
def test_f16_cut_at_each_hundredth(big: tuple[ParcelHead, bytes]) -> None:
    head, data = big
    for percent in range(1, 100):
        store, first, second = MemoryStore(), Line(data, cut_after=len(data) * percent // 100), Line(data)
        with pytest.raises(TransferError):
            accept(head, first, store)
        accept(head, second, store)
        assert first.sent + second.sent <= len(data) + max(section.stored_bytes for section in head.sections)


def test_f15_i12_killed_again_and_again_it_still_ends_whole(big: tuple[ParcelHead, bytes]) -> None:
    head, data = big
    store, sent, tries = MemoryStore(), 0, 0
    while True:
        line = Line(data, cut_after=9_000_000)
        tries += 1
        try:
            accept(head, line, store)
            break
        except TransferError:
            store.crash()
        finally:
            sent += line.sent
        assert tries < 20
    assert tries > 2
    assert not store.missing(live_chunks(head.target, store))


def test_i7_a_batch_is_told_only_once_it_is_durable(big: tuple[ParcelHead, bytes]) -> None:
    head, data = big
    store, told = MemoryStore(), list[int]()

    def on_batch(number: int, wire: int) -> None:
        told.append(number)
        assert wire == head.sections[number].stored_bytes
        assert store.chunks
        if len(told) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), store.session("receive") as session:
        receive(head, Line(data), store, session, folder=tempfile.gettempdir(), owner="x", on_batch=on_batch)
    store.crash()
    again = accept(head, Line(data), store)
    assert again.sections_skipped == 4
    assert again.sections_fetched == len(head.sections) - 4
    assert store.pins() == []


def test_b16_a_batch_of_tiny_files_keeps_its_index_small(tmp_path: pathlib.Path) -> None:
    tree = MemoryTree()
    for number in range(17_000):
        tree.file(b"%05d" % number, b"%d" % number)
    store, target = held(tree)
    head, data = make(tmp_path, target, [], store)
    assert [section.kind for section in head.sections] == [
        SectionKind.STRUCTURE,
        SectionKind.BATCH,
        SectionKind.BATCH,
        SectionKind.LAYOUT,
    ]
    receiver = MemoryStore()
    accept(head, Line(data), receiver)
    assert not receiver.missing(live_chunks(target, receiver))


def small_parcel(tmp_path: pathlib.Path) -> tuple[ParcelHead, bytes]:
    tree = MemoryTree()
    tree.file(b"a", text(1, 300))
    tree.file(b"b", noise(2, 40))
    store, target = held(tree)
    return make(tmp_path, target, [], store)


def test_b45_cut_at_every_byte_it_is_refused(tmp_path: pathlib.Path) -> None:
    head, data = small_parcel(tmp_path)
    assert len(data) < 1500
    path = tmp_path / "cut"
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(FormatError):
            ParcelFile.open(os.fspath(path))
        store = MemoryStore()
        with pytest.raises(HaulageError):
            accept(fetch_head(Line(data[:length]), head.id, len(data)), Line(data[:length]), store)
        assert store.missing([chunk_id(noise(2, 40))])


def test_i3_every_flipped_byte_is_refused(tmp_path: pathlib.Path) -> None:
    head, data = small_parcel(tmp_path)
    truth = MemoryStore()
    accept(head, Line(data), truth)
    # What stands before everything says to people what this is; a receiver never asks for it.
    for at in range(len(MAGIC), len(data)):
        wrong = bytearray(data)
        wrong[at] ^= 1 << (at % 8)
        store = MemoryStore()
        line = Line(bytes(wrong))
        with pytest.raises((IntegrityError, FormatError, TransferError)):
            accept(fetch_head(line, head.id, len(wrong)), line, store)
        assert all(truth.chunks.get(chunk) == content for chunk, content in store.chunks.items())


def test_b51_more_bytes_than_asked_for_are_refused(tmp_path: pathlib.Path) -> None:
    head, data = small_parcel(tmp_path)

    def generous(offset: int, size: int) -> Iterator[bytes]:
        yield data[offset : offset + size]
        while True:
            yield b"more"

    with pytest.raises(IntegrityError):
        receive(head, generous, (store := MemoryStore()), store.session("receive"), folder=os.fspath(tmp_path), owner="x")


def section_of(stored: bytes, raw_bytes: int) -> Section:
    return Section(
        kind=SectionKind.BATCH,
        method=Method.ZSTD,
        offset=0,
        stored_bytes=len(stored),
        raw_bytes=raw_bytes,
        digest=digest(stored),
    )


def window(log: int, data: bytes) -> bytes:
    options: dict[int, int] = {zstd.CompressionParameter.window_log: log, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("why", "stored", "raw_bytes"),
    [
        ("b42 bomb", zstd.compress(bytes(64 << 20)), 1000),
        ("b43 window of 128 MiB", window(27, bytes(1000)), 1000),
        ("b44 trailing", zstd.compress(bytes(1000)) + b"x", 1000),
        ("b44 second frame", zstd.compress(bytes(1000)) + zstd.compress(b"x"), 1000),
        ("b44 skippable frame first", b"\x50\x2a\x4d\x18\x01\0\0\0x" + zstd.compress(bytes(1000)), 1000),
        ("b44 skippable frame last", zstd.compress(bytes(1000)) + b"\x50\x2a\x4d\x18\x01\0\0\0x", 1000),
        ("b47 one byte more", zstd.compress(bytes(1001)), 1000),
        ("b47 one byte less", zstd.compress(bytes(999)), 1000),
        ("cut", zstd.compress(noise(1, 1000))[:-1], 1000),
        ("no frame", b"nonsense", 1000),
    ],
)
def test_b42_b43_b44_b45_b47_decoders_stop_at_what_was_declared(why: str, stored: bytes, raw_bytes: int) -> None:
    with pytest.raises(FormatError):
        open_section(section_of(stored, raw_bytes), stored)


def test_b48_a_missing_base_is_told_before_a_byte_is_fetched(tmp_path: pathlib.Path) -> None:
    store, base = held(big_tree())
    target = take(big_tree(change=1000), store).manifest.id
    head, data = make(tmp_path, target, [base], store)
    line, empty = Line(data), MemoryStore()
    assert bases_lacking(head, empty) == (base,)
    with pytest.raises(NotFoundError):
        accept(head, line, empty)
    assert line.sent == 0


def test_b48_a_base_that_is_not_whole_is_found_at_the_end(tmp_path: pathlib.Path) -> None:
    store, base = held(big_tree())
    target = take(big_tree(change=1000), store).manifest.id
    head, data = make(tmp_path, target, [base], store)
    receiver, _ = held(big_tree())
    del receiver.chunks[chunk_id(text(9, 3000))]
    with pytest.raises(IntegrityError, match="1 chunks"):
        accept(head, Line(data), receiver)


def test_several_bases_are_used_at_once(tmp_path: pathlib.Path) -> None:
    one, two, both = MemoryTree(), MemoryTree(), MemoryTree()
    one.file(b"x", noise(1, 90_000))
    two.file(b"y", noise(2, 90_000))
    both.file(b"moved/x", noise(1, 90_000))
    both.file(b"moved/y", noise(2, 90_000))
    store = MemoryStore()
    bases = [take(one, store).manifest.id, take(two, store).manifest.id]
    target = take(both, store).manifest.id
    head, data = make(tmp_path, target, bases, store)
    assert (head.bytes_new, head.bytes_reused) == (0, 180_000)
    receiver = MemoryStore()
    take(one, receiver)
    take(two, receiver)
    accept(head, Line(data), receiver)
    assert not receiver.missing(live_chunks(target, receiver))
    with pytest.raises(FormatError):
        build(
            target,
            [ManifestId(bytes([n]) * 32) for n in range(5)],
            store,
            os.fspath(tmp_path / "five"),
            level=Level.FAST,
            folder=os.fspath(tmp_path),
        )


def test_q279498_what_the_sender_lacks_fails_before_a_parcel_exists(tmp_path: pathlib.Path) -> None:
    store, target = held(rich_tree())
    del store.chunks[chunk_id(b"hostile name")]
    with pytest.raises(NotFoundError):
        make(tmp_path, target, [], store)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stop_at", ["write", "fsync", "rename"])
def test_f5_a_failure_at_any_durable_step_leaves_no_parcel(tmp_path: pathlib.Path, stop_at: str) -> None:
    store, target = held(rich_tree())

    def fail(name: str) -> None:
        if name == stop_at:
            raise OSError(28, "No space left on device")

    with pytest.raises(TransferError, match="No space") as full, watching_steps(fail):
        make(tmp_path, target, [], store)
    assert full.value.code == "disk-full"
    assert list(tmp_path.iterdir()) == []


def test_ranges_of_a_parcel_file_are_its_bytes(tmp_path: pathlib.Path) -> None:
    head, data = small_parcel(tmp_path)
    parcel = ParcelFile.open(os.fspath(tmp_path / "parcel"))
    assert parcel.head == head
    assert parcel.size == len(data)
    assert b"".join(parcel.read(10, 500)) == data[10:510]
    assert b"".join(parcel.read(len(data) - 3, 500)) == data[-3:]
    assert list(parcel.read(len(data), 5)) == []
    parcel.close()
    parcel.close()


ROW = (3, 0, 10, 10, bytes(32))


@pytest.mark.parametrize(
    ("code", "rows", "figures"),
    [
        ("format-too-new", [(3, 9, 10, 10, bytes(32))], (10, 10)),
        ("format-too-new", [(7, 0, 10, 10, bytes(32))], (10, 10)),
        ("bad-parcel", [(3, 0, 10, 11, bytes(32))], (11, 11)),
        ("bad-parcel", [(1, 1, 0, 10, bytes(32)), ROW], (10, 10)),
        ("bad-parcel", [(3, 1, 11, 10, bytes(32))], (10, 10)),
        ("bad-parcel", [(3, 1, 10, 2**40, bytes(32))], (2**40, 2**40)),
        ("bad-parcel", [(3, 1, 2**63, 10, bytes(32))], (10, 10)),
        ("bad-parcel", [(1, 1, 10, 9 << 20, bytes(32)), ROW], (10, 10)),
        ("bad-field", [ROW], (5, 10)),
    ],
)
def test_b34_b49_forged_heads_are_refused(code: str, rows: list[SectionRow], figures: tuple[int, int]) -> None:
    data = encode_head(ManifestId(bytes(32)), (), bytes_total=figures[0], bytes_new=figures[1], sections=rows)
    with pytest.raises(FormatError) as caught:
        parse_head(data, len(MAGIC) + sum(row[2] for row in rows) + len(data))
    assert caught.value.code == code


@pytest.mark.parametrize("difference", [-9, -1, 1, 10])
def test_b45_a_head_that_does_not_fill_its_parcel_is_refused(difference: int) -> None:
    data = encode_head(ManifestId(bytes(32)), (), bytes_total=10, bytes_new=10, sections=[ROW])
    with pytest.raises(FormatError) as caught:
        parse_head(data, len(MAGIC) + 10 + len(data) + difference)
    assert caught.value.code == "bad-parcel"


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4" + bytes(100), b"\xff\xff\xff\xffHLPARCEL", b"\0\0\0\0HLPARCEL", b"\1\0\0\0HLPARCEL"]
)
def test_b57_other_containers_are_not_parcels(data: bytes) -> None:
    with pytest.raises(FormatError) as caught:
        head_bytes(data, len(data))
    assert caught.value.code == "not-a-parcel"


def test_golden_parcel_head_stays_readable(tmp_path: pathlib.Path) -> None:
    """The head of an empty parcel, byte for byte; changes of it are changes of the format."""
    data = encode_head(ManifestId(b"t" * 32), (ManifestId(b"b" * 32),), bytes_total=10, bytes_new=10, sections=[ROW])
    assert hashlib.sha256(data).hexdigest() == GOLDEN_HEAD
    head = parse_head(data, len(MAGIC) + 10 + len(data))
    assert (head.target, head.bases, head.sections[0].offset) == (b"t" * 32, (b"b" * 32,), len(MAGIC))


GOLDEN_HEAD = "f242cbd427fe25f82c40872f80b00be9120db10fe80a5870847fc77cac0f81f4"
