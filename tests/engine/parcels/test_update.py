"""Updates: encoded against what is held, made exactly, refused batch by batch, gone on with after any kill."""

from __future__ import annotations

import functools
import io
import os
import pathlib
import tempfile
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.base.errors import FormatError, HaulageError, IntegrityError, TransferError
from haulage.engine.archives.fingerprint import abilities
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.content.restore import restore
from haulage.engine.delta.encoding import Method
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import _Building, build
from haulage.engine.parcels.head import ParcelHead, Section, SectionKind
from haulage.engine.parcels.receive import Fetch, ReceiveReport, fetch_head, receive
from haulage.engine.trees.memory import MemoryTree, MemoryWriter
from tests.engine.content.trees import noise, same, take, text
from tests.engine.parcels.test_parcel import Line

OWNER = "receiving:HQ100001"


def zipped(*members: tuple[str, bytes], level: int = 6) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, level)
    return out.getvalue()


def words(seed: int, size: int, edits: int = 0) -> bytes:
    """Text of which some lines were edited."""
    lines = text(seed, size).split(b"word4")
    for number in range(edits):
        lines[(number * 7919) % len(lines)] = b"edited %d" % number
    return b"word4".join(lines)


def program(seed: int, size: int, edits: int = 0) -> bytes:
    """Bytes that do not compress, of which a few are different, with an insertion."""
    data = bytearray(noise(seed, size))
    for number in range(edits):
        data[(number * 104_729) % size] ^= 0x55
    return bytes(data[: size // 2]) + b"inserted" * (edits > 0) + bytes(data[size // 2 :])


def version(number: int) -> MemoryTree:
    """A package with a bit of everything; each version is a small change of the one before."""
    tree = MemoryTree()
    tree.file(b"app/program.exe", program(1, 3_000_000, edits=40 * number))
    tree.file(b"app/notes-%d.txt" % number, words(2, 200_000, edits=3 * number))
    tree.file(b"app/lib.zip", zipped(("a.txt", words(3, 400_000, edits=number)), ("b.bin", noise(4, 90_000)), ("c", bytes(9))))
    for each in range(60):
        tree.file(b"doc/%02d.html" % each, words(100 + each, 4_000, edits=number))
    tree.file(b"moved-%d/large" % (number % 2), noise(5, 600_000))
    return tree


@pytest.fixture(scope="module")
def sender() -> tuple[MemoryStore, list[ManifestId]]:
    store = MemoryStore()
    return store, [take(version(number), store).manifest.id for number in range(3)]


def parcel_of(
    store: MemoryStore, target: ManifestId, bases: list[ManifestId], level: Level = Level.BALANCED
) -> tuple[ParcelHead, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "parcel")
        head = build(target, bases, store, out, level=level, folder=folder, abilities=abilities(), threads=0)
        return head, pathlib.Path(out).read_bytes()


@pytest.fixture(scope="module")
def update(sender: tuple[MemoryStore, list[ManifestId]]) -> tuple[ParcelHead, bytes]:
    store, made = sender
    return parcel_of(store, made[1], [made[0]])


@functools.cache
def captured(numbers: tuple[int, ...]) -> MemoryStore:
    store = MemoryStore()
    for number in numbers:
        take(version(number), store)
    return store


def holding(*numbers: int) -> MemoryStore:
    store = MemoryStore()
    store.chunks.update(captured(numbers).chunks)
    return store


def accept(head: ParcelHead, line: Fetch, store: MemoryStore) -> ReceiveReport:
    with store.session("receive") as session:
        return receive(head, line, store, session, folder=tempfile.gettempdir(), owner=OWNER)


def restored(target: ManifestId, store: MemoryStore) -> MemoryTree:
    writer = MemoryWriter()
    restore(Manifest.open(target, store.read), store, writer, threads=0)
    return writer.tree


@pytest.mark.parametrize("level", Level)
def test_an_update_costs_a_fraction_and_makes_exactly_the_version(
    sender: tuple[MemoryStore, list[ManifestId]], level: Level
) -> None:
    store, made = sender
    head, data = parcel_of(store, made[1], [made[0]], level)
    receiver = holding(0)
    accept(head, Line(data), receiver)
    assert same(restored(made[1], receiver), version(1))
    assert head.bytes_new + head.bytes_reused == head.bytes_total
    assert len(data) < head.bytes_new / (10 if level is Level.FAST else 100)


def test_any_held_version_can_be_the_base_and_several(sender: tuple[MemoryStore, list[ManifestId]]) -> None:
    store, made = sender
    for target, held in ((2, [0]), (0, [2]), (2, [0, 1]), (1, [0, 2])):
        head, data = parcel_of(store, made[target], [made[number] for number in held])
        receiver = holding(*held)
        accept(head, Line(data), receiver)
        assert same(restored(made[target], receiver), version(target))


def test_a_base_of_another_package_is_as_good(sender: tuple[MemoryStore, list[ManifestId]]) -> None:
    store, made = sender
    other = MemoryTree()
    other.file(b"quite/another/path", program(1, 3_000_000))
    base = take(other, store).manifest.id
    head, data = parcel_of(store, made[1], [base])
    receiver = MemoryStore()
    take(other, receiver)
    accept(head, Line(data), receiver)
    assert same(restored(made[1], receiver), version(1))
    assert len(data) < len(parcel_of(store, made[1], [])[1]) - 2_800_000


def test_new_chunks_are_not_named_where_they_can_be_reckoned(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    store = holding(0, 1)
    new = set(live_chunks(head.target, store)) - set(live_chunks(head.bases[0], store)) - {ChunkId(head.target)}
    assert len(new) > 60
    assert not [chunk for chunk in new if bytes(chunk) in data]


def damaged(data: bytes, section: Section, at: int) -> bytes:
    wrong = bytearray(data)
    wrong[section.offset + at % section.stored_bytes] ^= 0x10
    return bytes(wrong)


def test_b44_a_flipped_byte_costs_its_section_and_nothing_else(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    for number, section in enumerate(head.sections):
        store = holding(0)
        with pytest.raises(IntegrityError) as refused:
            accept(head, Line(damaged(data, section, 977 * number)), store)
        assert refused.value.code == "parcel-damaged"
        store.crash()
        again = Line(data)
        report = accept(head, again, store)
        assert not store.missing(live_chunks(head.target, store))
        before = [each for each in range(len(head.sections)) if order(head, each) < order(head, number)]
        assert report.sections_skipped == len(before)


def order(head: ParcelHead, number: int) -> tuple[int, int]:
    """Sections are taken by kind."""
    return int(head.sections[number].kind), number


def test_b45_cut_anywhere_it_goes_on_there(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    largest = max(section.stored_bytes for section in head.sections)
    for cut in range(0, len(data), len(data) // 9):
        store, first, second = holding(0), Line(data, cut_after=cut), Line(data)
        try:
            accept(head, first, store)
        except TransferError:
            store.crash()
            accept(head, second, store)
        assert not store.missing(live_chunks(head.target, store))
        assert first.sent + second.sent <= len(data) + largest
        assert store.pins() == []


def test_b46_sections_in_another_order_are_refused(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    batches = [section for section in head.sections if section.kind is SectionKind.BATCH]
    assert len(batches) > 1
    one, two = batches[0], batches[1]
    mixed = data[: one.offset] + data[two.offset : two.end] + data[one.offset : one.end] + data[two.end :]
    with pytest.raises(IntegrityError):
        accept(head, Line(mixed), holding(0))


def test_f15_killed_after_every_batch_nothing_crosses_twice(update: tuple[ParcelHead, bytes]) -> None:
    """What arrived is pinned: a sweep between two tries takes nothing of it."""
    head, data = update
    store, sent = holding(0), 0
    for _ in range(len(head.sections) + 1):
        line = Line(data)

        def die(number: int, _wire: int) -> None:
            if head.sections[number].kind is SectionKind.BATCH:
                raise KeyboardInterrupt

        try:
            with store.session("receive") as session:
                receive(head, line, store, session, folder=tempfile.gettempdir(), owner=OWNER, on_batch=die)
            break
        except KeyboardInterrupt:
            store.crash()
            sweep_all_but(store, head.bases[0])
        finally:
            sent += line.sent
    assert not store.missing(live_chunks(head.target, store))
    # A line gives pieces of 1,000 bytes: at most one of them beyond each section.
    assert sent <= len(data) + 1_000 * 2 * len(head.sections) + structure_bytes(head) * len(head.sections)


def structure_bytes(head: ParcelHead) -> int:
    """What describes is not pinned, and is asked for again after a sweep."""
    return sum(section.stored_bytes for section in head.sections if section.kind is not SectionKind.BATCH)


def cut_in_the_last_batch(head: ParcelHead, data: bytes) -> Fetch:
    """A line that ends after the first byte of it."""
    end = head.of(SectionKind.BATCH)[-1][1].offset + 1

    def fetch(offset: int, size: int) -> Iterator[bytes]:
        within = offset + size <= end or offset > end
        yield data[offset : offset + size if within else end]
        if not within:
            raise TransferError("link-down", "The line is down.")

    return fetch


def sweep_all_but(store: MemoryStore, base: ManifestId) -> None:
    live = set(live_chunks(base, store))
    for pin in store.pins():
        live |= set(live_chunks(pin.manifest, store))
    for chunk in set(store.chunks) - live:
        del store.chunks[chunk]


def test_b48_an_old_byte_that_cannot_be_read_names_the_base(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    store = holding(0)
    entry = Manifest.open(head.bases[0], store.read).lookup(b"app/program.exe")
    assert entry is not None
    for at in range(0, len(entry.content.chunks), 36):
        store.chunks.pop(ChunkId(entry.content.chunks[at + 4 : at + 36]), None)
    with pytest.raises(IntegrityError) as refused:
        accept(head, Line(data), store)
    assert refused.value.code == "parcel-base-missing"


def test_b49_a_batch_that_makes_other_bytes_than_its_sender_had_is_refused(
    sender: tuple[MemoryStore, list[ManifestId]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest is right, and yet what comes out is not what was meant: found at the batch, not at the end."""
    store, made = sender
    monkeypatch.setattr(_Building, "_check", lambda _self, _batch: bytes(16))
    head, data = parcel_of(store, made[1], [made[0]], Level.FAST)
    receiver = holding(0)
    with pytest.raises(IntegrityError) as refused:
        accept(head, Line(data), receiver)
    assert refused.value.code == "parcel-damaged"
    assert receiver.pins() == []


def test_another_parcels_progress_is_forgotten(
    sender: tuple[MemoryStore, list[ManifestId]], update: tuple[ParcelHead, bytes]
) -> None:
    store, made = sender
    receiver = holding(0)
    with pytest.raises(TransferError):
        accept(update[0], cut_in_the_last_batch(*update), receiver)
    assert [pin.owner for pin in receiver.pins()] == [OWNER]
    head, data = parcel_of(store, made[2], [made[0]])
    accept(head, Line(data), receiver)
    assert same(restored(made[2], receiver), version(2))
    assert receiver.pins() == []


def test_progress_of_which_something_is_gone_is_fetched_again(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    store, before = holding(0), set(holding(0).chunks)
    with pytest.raises(TransferError):
        accept(head, cut_in_the_last_batch(head, data), store)
    for chunk in sorted(set(store.chunks) - before)[::3]:
        del store.chunks[chunk]
    accept(head, Line(data), store)
    assert not store.missing(live_chunks(head.target, store))


@st.composite
def edited(draw: st.DrawFn) -> tuple[MemoryTree, MemoryTree]:
    """Two trees of which the second is the first with contents edited, moved, renamed, put into archives and taken out."""
    old, new = MemoryTree(), MemoryTree()
    for number in range(draw(st.integers(1, 5))):
        seed, size = draw(st.integers(0, 3)), draw(st.sampled_from([0, 1, 700, 30_000, 90_000, 300_000]))
        data = draw(st.sampled_from([noise, text]))(seed, size)
        at, gone = draw(st.integers(0, size)), draw(st.integers(0, 5_000))
        put = draw(st.sampled_from([b"", b"x", b"new words " * 30, noise(9, 40_000), data[:20_000]]))
        changed = data[:at] + put + data[at + gone :]
        level = draw(st.sampled_from([0, 1, 6, 9]))
        if level:
            data, changed = zipped(("m", data), ("n", noise(8, 50)), level=level), zipped(("m", changed), ("o", b"o"), level=level)
        name = b"%d.%s" % (number, b"zip" if level else b"dat")
        old.file(name, data)
        if draw(st.booleans()):
            new.file(draw(st.sampled_from([name, b"renamed-" + name])), changed)
    return old, new


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(pair=edited(), level=st.sampled_from(Level), able=st.booleans())
def test_for_any_old_and_new_tree(pair: tuple[MemoryTree, MemoryTree], level: Level, able: bool) -> None:
    old, new = pair
    store = MemoryStore()
    new.file(b"last", b"so that it is not empty")
    base, target = take(old, store).manifest.id, take(new, store).manifest.id
    with tempfile.TemporaryDirectory() as folder:
        out, what = os.path.join(folder, "p"), abilities() if able else frozenset[str]()
        head = build(target, [base], store, out, level=level, folder=folder, abilities=what, threads=0)
        data = pathlib.Path(out).read_bytes()
    receiver = MemoryStore()
    take(old, receiver)
    line = Line(data)
    assert fetch_head(line, head.id, len(data)) == head
    accept(head, line, receiver)
    assert same(restored(target, receiver), new)


@pytest.mark.parametrize("missing", ["families-1", "deflate"])
def test_a_receiver_that_cannot_make_archives_again_gets_plain_bytes(
    sender: tuple[MemoryStore, list[ManifestId]], missing: str
) -> None:
    store, made = sender
    able = frozenset(each for each in abilities() if missing not in each and "deflate" not in each)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "parcel")
        head = build(made[1], [made[0]], store, out, level=Level.BALANCED, folder=folder, abilities=able, threads=0)
        data = pathlib.Path(out).read_bytes()
    receiver = holding(0)
    accept(head, Line(data), receiver)
    assert same(restored(made[1], receiver), version(1))


def stored(head: ParcelHead, data: bytes) -> Iterator[tuple[Section, bytes]]:
    for section in head.sections:
        yield section, data[section.offset : section.end]


def test_every_method_is_one_a_reader_knows(update: tuple[ParcelHead, bytes]) -> None:
    head, data = update
    assert {section.method for section, _ in stored(head, data)} <= set(Method)
    with pytest.raises((FormatError, HaulageError)):
        fetch_head(Line(data[:-1]), head.id, len(data) - 1)
