"""Full disks, foreign folders, second owners, and sweeps beside readers and writers."""

from __future__ import annotations

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError, FormatError, HaulageError, NotFoundError, TransferError, UsageError
from haulage.base.files import watching_steps
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin
from haulage.engine.content.store import LocalStore
from haulage.testing.store_faults import FaultyStore, Fuse
from tests.engine.content.store.promises import NOW, manifest, put_all, some
from tests.engine.content.store.test_local_store import SMALL


class FullDisk:
    """Every step that needs room fails while ``full``."""

    def __init__(self) -> None:
        self.full = True

    def __call__(self, name: str) -> None:
        if self.full and name in {"pack-create", "pack-write", "write"}:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    store = LocalStore(tmp_path / "store", settings=SMALL)
    yield store
    store.close()


def test_f10_a_full_disk_fails_the_session_and_names_the_file(store: LocalStore) -> None:
    disk = FullDisk()
    with watching_steps(disk), pytest.raises(TransferError, match=r"\.pack") as caught, store.session("test") as session:
        put_all(session, [some(seed) for seed in range(90)])
    assert caught.value.code == "disk-full"
    disk.full = False
    with store.session("again") as session:
        ids = put_all(session, [some(seed) for seed in range(90)])
    assert dict(store.read_many(ids)).keys() == set(ids)
    assert not store.check().damages


def test_f10_what_was_checkpointed_before_the_disk_filled_stays_and_is_sealed_later(store: LocalStore, tmp_path: Path) -> None:
    disk = FullDisk()
    disk.full = False

    def fill() -> None:
        with store.session("test") as session:
            ids.extend(put_all(session, [some(seed) for seed in range(5)]))
            session.checkpoint()
            disk.full = True
            put_all(session, [some(seed) for seed in range(5, 60)])

    ids: list[ChunkId] = []
    with watching_steps(disk):
        with pytest.raises(TransferError):
            fill()
        assert not store.missing(ids)
        assert not list((tmp_path / "store" / "packs").glob("*.index"))
        disk.full = False
        with store.session("later"):
            pass
    assert len(list((tmp_path / "store" / "packs").glob("*.index"))) == 1
    assert dict(store.read_many(ids)).keys() == set(ids)
    assert store.stats().chunks == 5
    assert not store.check().damages


def test_a_failed_session_does_not_pretend_to_commit(store: LocalStore) -> None:
    disk = FullDisk()

    def swallow() -> None:
        with store.session("test") as session:
            with contextlib.suppress(TransferError):
                put_all(session, [some(seed) for seed in range(90)])
                session.checkpoint()
            disk.full = False

    with watching_steps(disk), pytest.raises(TransferError):
        swallow()


def test_f10_sweep_frees_room_on_a_full_disk(store: LocalStore) -> None:
    with store.session("test") as session:
        put_all(session, [some(seed) for seed in range(60)])
    with watching_steps(FullDisk()):
        report = store.sweep(lambda _: (), now=NOW)
    assert report.chunks_removed == 60
    assert store.stats().packs == 0


@pytest.mark.parametrize("failing", range(12))
def test_q244405_a_removal_that_fails_is_not_called_a_success(store: LocalStore, failing: int) -> None:
    with store.session("test") as session:
        kept = put_all(session, [some(seed) for seed in range(20)])
        put_all(session, [some(seed) for seed in range(20, 200)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    left = [failing]

    def watch(name: str) -> None:
        if name == "unlink":
            left[0] -= 1
            if left[0] == -1:
                raise OSError(errno.EPERM, "Operation not permitted")

    def sweep() -> None:
        store.sweep(lambda _: kept, now=NOW)

    with watching_steps(watch):
        with pytest.raises(TransferError, match="packs/"):
            sweep()
        assert not store.missing(kept)
        sweep()
    assert store.stats().chunks == len(kept)
    packs = Path(store.folder, "packs")
    assert {path.stem for path in packs.glob("*.pack")} == {path.stem for path in packs.glob("*.index")}
    assert not store.check().damages


def test_one_process_owns_a_store(store: LocalStore) -> None:
    for read_only in (False, True):
        with pytest.raises(ConflictError) as caught:
            LocalStore(store.folder, read_only=read_only)
        assert caught.value.code == "store-in-use"


def test_reading_an_unowned_store_changes_nothing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store", settings=SMALL)
    session = store.session("killed").__enter__()
    ids = put_all(session, [some(seed) for seed in range(5)])
    session.checkpoint()
    store.close()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")}

    def forbid(name: str) -> None:
        raise AssertionError(name)

    with watching_steps(forbid), contextlib.closing(LocalStore(tmp_path / "store", read_only=True)) as reading:
        assert dict(reading.read_many(ids)).keys() == set(ids)
        assert reading.check().chunks_checked == 5
        assert reading.sweep(lambda _: (), now=NOW, dry_run=True).chunks_removed == 5
        for write in (
            lambda: reading.session("x"),
            lambda: reading.unpin("x"),
            lambda: reading.sweep(lambda _: (), now=NOW),
        ):
            with pytest.raises(ConflictError) as caught:
                write()
            assert caught.value.code == "store-read-only"
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "store").rglob("*")} == before
    with pytest.raises(NotFoundError):
        LocalStore(tmp_path / "absent", read_only=True)


@pytest.mark.parametrize("name", ["setup.exe", "packs/photo.jpg", "pins/x", "packs/" + "0" * 32 + ".pack"])
def test_q263376_a_foreign_folder_is_not_adopted(tmp_path: Path, name: str) -> None:
    path = tmp_path / "source" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"precious")
    with pytest.raises(ConflictError) as caught:
        LocalStore(tmp_path / "source")
    assert caught.value.code == "not-a-store"
    assert path.read_bytes() == b"precious"
    assert not (tmp_path / "source" / "format").exists()


@pytest.mark.parametrize(
    ("marker", "code", "names"),
    [
        (b"haulage-store 2\n", "store-version-unknown", "haulage-store 2"),
        (b"haulage-store 1\ncritical encryption\n", "store-feature-unknown", "encryption"),
        (b"", "store-version-unknown", "''"),
        (b"haulage-store 1", "store-marker-damaged", "format"),
        (b"haulage-store 1\nodd line\n", "store-marker-damaged", "format"),
    ],
)
def test_an_unknown_format_is_refused_by_name(tmp_path: Path, marker: bytes, code: str, names: str) -> None:
    LocalStore(tmp_path / "store").close()
    (tmp_path / "store" / "format").write_bytes(marker)
    with pytest.raises(FormatError, match=names) as caught:
        LocalStore(tmp_path / "store")
    assert caught.value.code == code
    (tmp_path / "store" / "format").write_bytes(b"haulage-store 1\noptional colour\n")
    LocalStore(tmp_path / "store").close()
    assert (tmp_path / "store" / "format").read_bytes() == b"haulage-store 1\noptional colour\n"


@pytest.mark.parametrize("owner", ["", "a\nb", "x" * 513, "tab\t"])
def test_a_pin_owner_that_cannot_be_written_is_refused(store: LocalStore, owner: str) -> None:
    with pytest.raises(UsageError):
        store.pin(Pin(owner=owner, manifest=manifest(1)))


def test_f40_a_reader_under_way_survives_a_sweep_that_rewrites(store: LocalStore) -> None:
    with store.session("test") as session:
        ids = put_all(session, [some(seed) for seed in range(60)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    kept = ids[::2]
    reading = store.read_many(kept)
    seen = [next(reading)[0]]
    report = store.sweep(lambda _: kept, now=NOW)
    assert report.packs_rewritten > 0
    assert set(seen + [one for one, _ in reading]) == set(kept)


def test_f40_a_session_beginning_amid_a_sweep_keeps_what_it_finds(store: LocalStore) -> None:
    """It looks, pins and ends while the sweep has marked already."""
    with store.session("before") as session:
        ids = put_all(session, [some(seed) for seed in range(5)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))

    def live(which: ManifestId) -> Iterator[ChunkId]:
        if which == manifest(1):
            with store.session("amid") as amid:
                assert all(amid.has(one) for one in ids)
        yield from ()

    store.sweep(live, now=NOW)
    assert not store.missing(ids)


def test_f40_a_session_that_finds_a_chunk_while_its_pack_is_rewritten_keeps_it(store: LocalStore) -> None:
    with store.session("before") as session:
        kept = put_all(session, [some(1), some(2)])
        dead = put_all(session, [some(3)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    found: list[bool] = []
    late = store.session("late").__enter__()

    def watch(name: str) -> None:
        if name == "pack-create" and not found:
            found.append(late.has(dead[0]))

    with watching_steps(watch):
        store.sweep(lambda _: kept, now=NOW)
    assert found == [True]
    assert not store.missing(dead + kept)
    late.commit()
    store.sweep(lambda _: kept, now=NOW)
    assert store.stats().chunks == 2


def test_f40_a_pin_set_while_packs_are_rewritten_is_honoured(store: LocalStore) -> None:
    with store.session("before") as session:
        kept = put_all(session, [some(1), some(2)])
        dead = put_all(session, [some(3)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))

    def watch(name: str) -> None:
        if name == "pack-create":
            store.pin(Pin(owner="serve:B", manifest=manifest(2)))

    with watching_steps(watch):
        store.sweep(lambda which: kept if which == manifest(1) else dead, now=NOW)
    assert not store.missing(dead + kept)


def test_one_sweep_at_a_time(store: LocalStore) -> None:
    store.pin(Pin(owner="held:A", manifest=manifest(1)))

    def live(_: ManifestId) -> Iterator[ChunkId]:
        store.sweep(lambda _: (), now=NOW)
        yield from ()

    with pytest.raises(ConflictError, match="sweep"):
        store.sweep(live, now=NOW)
    store.unpin("held:A")
    store.sweep(live, now=NOW)


def test_a_session_left_open_touches_nothing_after_the_store_was_closed(store: LocalStore) -> None:
    session = store.session("late").__enter__()
    put_all(session, [some(seed) for seed in range(30)])
    session.checkpoint()
    put_all(session, [some(seed) for seed in range(30, 60)])
    store.close()
    files = {path: path.read_bytes() for path in Path(store.folder, "packs").iterdir()}
    session.abort()
    assert {path: path.read_bytes() for path in Path(store.folder, "packs").iterdir()} == files


def test_check_beside_a_sweep_reports_no_damage(store: LocalStore) -> None:
    with store.session("test") as session:
        kept = put_all(session, [some(seed) for seed in range(200)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))

    def sweep_once(_: int) -> None:
        store.sweep(lambda _: kept[::3], now=NOW)

    assert not store.check(on_progress=sweep_once).damages
    assert store.stats().chunks == len(kept[::3])


def test_many_small_packs_become_few(store: LocalStore) -> None:
    ids = []
    for seed in range(12):
        with store.session("test") as session:
            ids += put_all(session, [some(seed, 300)])
    store.pin(Pin(owner="held:A", manifest=manifest(1)))
    store.sweep(lambda _: ids, now=NOW)
    assert store.stats().packs == 1
    assert dict(store.read_many(ids)).keys() == set(ids)


def test_f40_sweeps_beside_writers_and_readers(store: LocalStore) -> None:
    with store.session("held") as session:
        held = put_all(session, [some(seed) for seed in range(0, 60, 2)])
        put_all(session, [some(seed) for seed in range(1, 60, 2)])
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    failures: list[BaseException] = []
    contents = {manifest(1): held}

    def write(base: int) -> None:
        try:
            for number in range(base, base + 6):
                with store.session(f"writer {number}") as session:
                    ids = put_all(session, [some(seed) for seed in (number, number + 1, 1000 + number)])
                    contents[manifest(number)] = ids
                    session.checkpoint()
                    store.pin(Pin(owner=f"held:{number}", manifest=manifest(number)))
                assert dict(store.read_many(ids)).keys() == set(ids)
        except BaseException as error:
            failures.append(error)

    def read() -> None:
        try:
            for _ in range(6):
                assert dict(store.read_many(held)).keys() == set(held)
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=write, args=(10,)),
        threading.Thread(target=write, args=(30,)),
        threading.Thread(target=read),
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.sweep(lambda which: contents[which], now=NOW)
    store.sweep(lambda which: contents[which], now=NOW)
    assert not failures
    assert not store.missing(one for ids in contents.values() for one in ids)
    assert not store.check().damages


def test_a_faulty_store_fails_at_the_operation_it_was_told() -> None:
    inner = MemoryStore()
    store: ChunkStore = FaultyStore(inner, Fuse(operations=2, names={"put"}))
    with pytest.raises(HaulageError, match="no space"), store.session("test") as session:
        put_all(session, [some(seed) for seed in range(5)])
    assert inner.stats().chunks == 0
    with store.session("again") as session:
        put_all(session, [some(seed) for seed in range(5)])
    assert store.read(chunk_id(some(4))) == some(4)
