"""Each durable step of capturing, receiving and publishing is refused in turn with each of the errors a disk knows: it fails
closed, says which path and why, nothing half is visible, and it goes on once the disk works."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from haulage.base.errors import HaulageError, TransferError
from haulage.base.files import clear_unfinished, is_unfinished
from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.domain.points.folder import FolderPoint
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.model import ManifestId, Pin
from haulage.engine.content.restore import restore
from haulage.engine.content.store import LocalStore
from haulage.engine.content.store_state import StoreSettings
from haulage.engine.content.verify import verify_tree
from haulage.engine.delta.level import Level
from haulage.engine.parcels.build import build
from haulage.engine.parcels.file import ParcelFile
from haulage.engine.parcels.receive import receive
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.oscalls import SYSTEM_CALLS
from haulage.testing.clock import HandClock
from haulage.testing.faulty_disk import BROKEN, FULL, QUOTA, READ_ONLY, FaultyDisk, refused_steps
from tests.engine.content.store.promises import NOW
from tests.engine.content.trees import rich_tree

ERRORS = pytest.mark.parametrize("number", [FULL, QUOTA, BROKEN, READ_ONLY], ids=["ENOSPC", "EDQUOT", "EIO", "EROFS"])
FEW = StoreSettings(block_bytes=256 << 10, pack_bytes=512 << 10)
"""Few steps, of every kind."""
EVERY = {FULL: 1, BROKEN: 1, QUOTA: 5, READ_ONLY: 5} if os.environ.get("HAULAGE_LONG") != "1" else {}
"""Which steps are tried; all of them where there is time."""
PACKAGE, POINT = PackageId("HQ100001"), Place("HQ1/SHOP")
PIN = "held:HQ100001:1"


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """In memory where there is such a place: what is tried here does not depend on the disk below."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        yield Path(folder)


def proven(error: HaulageError, number: int, folder: Path) -> None:
    """It is a passing trouble of the place, it names a path there and the system's own cause, and space is told apart."""
    assert isinstance(error, TransferError), error
    assert (error.code in ("disk-full", "no-space-at-point")) == (number in (FULL, QUOTA)), error
    assert os.strerror(number) in error.message
    assert str(folder) in error.message or error.code in ("place-unwritable", "not-durable", "disk-full"), error


def take(store: LocalStore, hints: Path) -> ManifestId:
    def pinned(manifest: ManifestId) -> None:
        store.pin(Pin(owner=PIN, manifest=manifest))

    options = CaptureOptions(threads=0, hints=str(hints))
    return capture(MemoryReader(rich_tree()), store, HandClock(), options=options, on_manifest=pinned).manifest.id


def whole(store: LocalStore, manifest: ManifestId) -> bool:
    return not store.check().damages and not store.missing(live_chunks(manifest, store))


@ERRORS
def test_f1_f47_b8_capture(tmp_path: Path, number: int) -> None:
    with contextlib.closing(LocalStore(tmp_path / "count", settings=FEW)) as store:
        counting = FaultyDisk(number)
        with counting.failing():
            wanted = take(store, tmp_path / "hints")
    steps = len(counting.seen)
    assert steps > 8
    for index, disk in enumerate(refused_steps(number, steps, every=EVERY.get(number, 1))):
        folder = tmp_path / f"store{index}"
        with contextlib.closing(LocalStore(folder, settings=FEW)) as store:
            with disk.failing(), contextlib.suppress(OSError):
                try:
                    take(store, folder / "hints")
                except HaulageError as error:
                    proven(error, number, folder)
            assert [pin.manifest for pin in store.pins()] in ([], [wanted]), "a pin only of what is whole"
            if store.pins():
                assert whole(store, wanted)
            assert take(store, folder / "hints") == wanted, "it goes on with the same store, once the disk works"
            assert whole(store, wanted)
        with contextlib.closing(LocalStore(folder, settings=FEW)) as store:
            assert whole(store, wanted)
            store.sweep(lambda manifest: live_chunks(manifest, store), now=NOW)
            assert whole(store, wanted)
            assert not [name for name in os.listdir(folder / "packs") if name.endswith(".tmp")]


@ERRORS
def test_f15_f47_receive(tmp_path: Path, number: int) -> None:
    with contextlib.closing(LocalStore(tmp_path / "parent", settings=FEW)) as parent:
        wanted = take(parent, tmp_path / "hints")
        build(wanted, [], parent, str(tmp_path / "parcel"), level=Level.FAST, folder=str(tmp_path), threads=0)
    file = ParcelFile.open(str(tmp_path / "parcel"))

    def bring(store: LocalStore) -> None:
        with store.session("receive") as session:
            receive(
                file.head,
                file.read,
                store,
                session,
                folder=str(tmp_path),
                owner="receiving:PKG",
                on_manifest=lambda manifest: store.pin(Pin(owner="receive", manifest=manifest)),
            )
            session.checkpoint()
            store.pin(Pin(owner=PIN, manifest=wanted))

    with contextlib.closing(LocalStore(tmp_path / "count", settings=FEW)) as store:
        counting = FaultyDisk(number)
        with counting.failing():
            bring(store)
    for index, disk in enumerate(refused_steps(number, len(counting.seen), every=EVERY.get(number, 1))):
        folder = tmp_path / f"store{index}"
        with contextlib.closing(LocalStore(folder, settings=FEW)) as store:
            with disk.failing():
                try:
                    bring(store)
                except HaulageError as error:
                    proven(error, number, folder)
            if any(pin.owner == PIN for pin in store.pins()):
                assert whole(store, wanted), "held means whole"
            bring(store)
            assert whole(store, wanted)
        with contextlib.closing(LocalStore(folder, settings=FEW)) as store:
            assert whole(store, wanted)
    file.close()


@ERRORS
def test_f47_b117_building_a_parcel(tmp_path: Path, number: int) -> None:
    with contextlib.closing(LocalStore(tmp_path / "parent", settings=FEW)) as parent:
        wanted = take(parent, tmp_path / "hints")
        folder = tmp_path / "parcels"
        folder.mkdir()
        counting = FaultyDisk(number)
        with counting.failing():
            build(wanted, [], parent, str(folder / "first"), level=Level.FAST, folder=str(tmp_path), threads=0)
        (folder / "first").unlink()
        for disk in refused_steps(number, len(counting.seen), every=EVERY.get(number, 1)):
            with disk.failing(), pytest.raises(TransferError) as failed:
                build(wanted, [], parent, str(folder / "parcel"), level=Level.FAST, folder=str(tmp_path), threads=0)
            proven(failed.value, number, folder)
            if disk.seen[disk.at or 0] != "fsync-folder":
                # On a disk that refuses everything even the unfinished file stays: nobody reads it, a start clears it.
                assert all(is_unfinished(name) for name in os.listdir(folder)), "nothing half is visible"
                clear_unfinished(folder)
                assert os.listdir(folder) == []
            build(wanted, [], parent, str(folder / "parcel"), level=Level.FAST, folder=str(tmp_path), threads=0)
            ParcelFile.open(str(folder / "parcel")).close()
            (folder / "parcel").unlink()


class Point:
    """A folder point with version 1 on it, and what is needed to put version 2 there."""

    def __init__(self, folder: Path, store: LocalStore, first: ManifestId, second: ManifestId) -> None:
        self.root = folder
        folder.mkdir(parents=True)
        self.store = store
        self.manifests = {1: Manifest.open(first, store.read), 2: Manifest.open(second, store.read)}
        self.backend = FolderPoint(str(folder), POINT, open_reader=LocalReader, open_writer=LocalWriter)
        self.backend.establish()
        self.put(1)

    def put(self, version: int) -> None:
        writer = self.backend.stage(PACKAGE, VersionNumber(version))
        restore(self.manifests[version], self.store, writer, threads=0)
        self.backend.publish(PACKAGE, VersionNumber(version), {"version.json": b"{}"})

    def shown(self) -> int:
        """What clients see, read whole."""
        current = self.backend.current(PACKAGE)
        with contextlib.closing(self.backend.reader(PACKAGE, current)) as reader:
            assert not list(verify_tree(self.manifests[int(current)], reader, threads=0))
        return int(current)


@pytest.fixture
def versions(tmp_path: Path) -> Iterator[tuple[LocalStore, ManifestId, ManifestId]]:
    with contextlib.closing(LocalStore(tmp_path / "store", settings=FEW)) as store:
        tree = _plain("one")
        first = capture(MemoryReader(tree), store, HandClock(), options=CaptureOptions(threads=0)).manifest.id
        second = capture(MemoryReader(_plain("two")), store, HandClock(), options=CaptureOptions(threads=0)).manifest.id
        yield store, first, second


def _plain(text: str) -> MemoryTree:
    tree = MemoryTree()
    tree.file(b"folder/file", text.encode() * 30_000, mtime_ns=1)
    tree.file(b"other", text.encode(), mtime_ns=2)
    return tree


@ERRORS
def test_f36_f47_point(tmp_path: Path, number: int, versions: tuple[LocalStore, ManifestId, ManifestId]) -> None:
    counting, first = FaultyDisk(number), Point(tmp_path / "count", *versions)
    with counting.failing():
        first.put(2)
    assert len(counting.seen) > 8
    for index, disk in enumerate(refused_steps(number, len(counting.seen), every=EVERY.get(number, 1))):
        point = Point(tmp_path / f"point{index}", *versions)
        with disk.failing():
            try:
                point.put(2)
            except HaulageError as error:
                proven(error, number, point.root)
        assert point.shown() in (1, 2), "the version before, or the new one, whole"
        point.put(2)
        assert point.shown() == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("name", ["open", "pwrite", "mkdir"])
def test_q215117_each_call_of_writing_a_tree(
    tmp_path: Path, name: str, number: int, versions: tuple[LocalStore, ManifestId, ManifestId]
) -> None:
    """What the system refuses below the steps: the path, the operation's own cause, and space told from rights."""
    point = Point(tmp_path / "point", *versions)
    real: Callable[..., object] = getattr(SYSTEM_CALLS, name)

    def refuse(*arguments: object, **named: object) -> object:
        if name == "open" and not (isinstance(arguments[1], int) and arguments[1] & os.O_CREAT):
            return real(*arguments, **named)
        raise OSError(number, os.strerror(number))

    calls = replace(SYSTEM_CALLS, **{name: refuse})  # type: ignore[arg-type]
    point.backend = FolderPoint(
        str(point.root),
        POINT,
        open_reader=LocalReader,
        open_writer=lambda root, *, earlier, older, keep: LocalWriter(root, earlier=earlier, older=older, keep=keep, calls=calls),
    )
    with pytest.raises(TransferError) as failed:
        point.put(2)
    proven(failed.value, number, point.root)
    point.backend = FolderPoint(str(point.root), POINT, open_reader=LocalReader, open_writer=LocalWriter)
    assert point.shown() in (1, 2)
    point.put(2)
    assert point.shown() == 2
