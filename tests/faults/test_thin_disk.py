"""A real kernel whose disk takes every write and loses it later: a file system in a sparse image on a place that runs full. Writes
succeed, the fsync fails; what the pages show then is not what the disk holds."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.domain.points.folder import FolderPoint
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.model import ManifestId, Pin
from haulage.engine.content.restore import restore
from haulage.engine.content.store import LocalStore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.testing.clock import HandClock
from tests.peers import need, program

MIB = 1 << 20
PACKAGE, VERSION, PLACE = PackageId("HQ100001"), VersionNumber(1), Place("HQ1/SHOP")


class ThinDisk:
    """Says it has 256 MiB, and has 24 until it is given more."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "disk"
        self._below = folder / "below"
        self._below.mkdir()
        self.root.mkdir()
        _run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", os.fspath(self._below))
        image = self._below / "image"
        with image.open("wb") as file:
            file.truncate(256 * MIB)
        _run("mkfs.ext4", "-q", "-F", "-O", "^has_journal", os.fspath(image))
        _run("mount", "-o", "loop,errors=continue", os.fspath(image), os.fspath(self.root))

    def give_more(self) -> None:
        """Now it has what it said."""
        _run("mount", "-o", "remount,size=300m", os.fspath(self._below))

    def forget_pages(self) -> None:
        """What is read from now on comes from the disk."""
        os.sync()
        Path("/proc/sys/vm/drop_caches").write_text("1")

    def close(self) -> None:
        """Give both back."""
        for folder in (self.root, self._below):
            subprocess.run(["umount", os.fspath(folder)], check=False, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[ThinDisk]:
    need("loop")
    thin = ThinDisk(tmp_path)
    yield thin
    thin.close()


def _run(name: str, *arguments: str) -> None:
    subprocess.run([program(name) or name, *arguments], check=True, capture_output=True)


def _tree() -> MemoryTree:
    """48 MiB that no compression makes smaller."""
    tree, chance = MemoryTree(), random.Random(316316)
    for number in range(12):
        tree.file(b"d/%02d" % number, chance.randbytes(4 * MIB), mtime_ns=number)
    return tree


def _whole(store: LocalStore, manifest: ManifestId) -> bool:
    return not store.check().damages and not store.missing(live_chunks(manifest, store))


def test_f10_q168460_a_store_believes_nothing_the_disk_did_not_confirm(disk: ThinDisk) -> None:
    tree, pins = _tree(), []

    def pinned(manifest: ManifestId) -> None:
        pins.append(manifest)
        store.pin(Pin(owner="held:HQ100001:1", manifest=manifest))

    store = LocalStore(disk.root / "store")
    with pytest.raises(HaulageError) as failed:
        capture(MemoryReader(tree), store, HandClock(), options=CaptureOptions(threads=1), on_manifest=pinned)
    assert failed.value.code in ("disk-full", "store-io")
    assert str(disk.root) in failed.value.message
    assert pins == []
    disk.give_more()
    report = capture(MemoryReader(tree), store, HandClock(), options=CaptureOptions(threads=1), on_manifest=pinned)
    store.close()
    disk.forget_pages()
    with contextlib.closing(LocalStore(disk.root / "store")) as again:
        assert _whole(again, report.manifest.id)


def test_f36_f47_a_point_shows_nothing_the_disk_did_not_confirm(disk: ThinDisk, tmp_path: Path) -> None:
    with contextlib.closing(LocalStore(tmp_path / "store")) as store:
        wanted = capture(MemoryReader(_tree()), store, HandClock()).manifest.id
        manifest = Manifest.open(wanted, store.read)
        point = FolderPoint(os.fspath(disk.root), PLACE, open_reader=LocalReader, open_writer=LocalWriter)
        point.establish()
        with pytest.raises(HaulageError) as failed:
            restore(manifest, store, point.stage(PACKAGE, VERSION))
        assert failed.value.code in ("disk-full", "not-durable", "place-unwritable", "no-space-at-point"), failed.value
        assert point.current(PACKAGE) == 0
        disk.give_more()
        # As the duty does, until it works: what the kernel lost before may be told once more.
        for _try in range(5):
            try:
                point.discard(PACKAGE, VERSION)
                restore(manifest, store, point.stage(PACKAGE, VERSION))
                break
            except HaulageError:
                assert point.current(PACKAGE) == 0
        point.publish(PACKAGE, VERSION, {"version.json": b"{}"})
        disk.forget_pages()
        with contextlib.closing(point.reader(PACKAGE, VERSION)) as reader:
            assert list(verify_tree(manifest, reader)) == []
