"""A point whose update ended early goes on with what was finished, and never shows, nor keeps, what is not right."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from haulage.base.files import watching_steps
from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.domain.points.folder import FolderPoint
from haulage.domain.transit.shipment import Shipment
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import TreeWriter
from haulage.engine.trees.oscalls import OsCalls
from tests.domain.points.suite import PACKAGE, V1, V2, Stopped
from tests.domain.worlds import ONE, Lab, lab

POINT = "HQ1/shop"
FILES = {b"d/file": 250, b"same": 1500}
"""The files of the lab's source, and their sizes."""


class Site:
    """One site with one point in a real folder, on a disk that can be made to fail."""

    def __init__(self, here: Lab, root: pathlib.Path) -> None:
        self.here = here
        self.root = root
        self.failing_after: int | None = None
        self.written: list[int] = []
        self.free: int | None = None
        self.folder = FolderPoint(str(root), Place(POINT), open_reader=LocalReader, open_writer=self._writer)
        self.folder.establish()
        free_bytes = self.folder.free_bytes
        self.folder.free_bytes = lambda: free_bytes() if self.free is None else self.free  # type: ignore[method-assign]
        here.point(POINT)
        here.world.points[f"folder:/{POINT}"] = self.folder  # type: ignore[assignment]
        self.package = here.package(POINT)
        here.publish(self.package)

    def _writer(self, root: str, /, *, earlier: Sequence[str], older: str | None, keep: bool) -> TreeWriter:
        return LocalWriter(root, earlier=earlier, older=older, keep=keep, calls=replace(OsCalls(), pwrite=self._pwrite))

    def _pwrite(self, fd: int, data: Any, offset: int) -> int:
        in_sidecar = ".haulage-tree" in os.readlink(f"/proc/self/fd/{fd}")
        if not in_sidecar:
            if self.failing_after is not None and len(self.written) >= self.failing_after:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self.written.append(len(data))
        return os.pwrite(fd, data, offset)

    def row(self) -> Shipment:
        return self.here.row(self.package, POINT)

    def fail_once(self) -> None:
        """Until the first try ended with one of the two files finished."""
        self.failing_after = 1
        self.until_tries(1)
        self.failing_after = None
        assert len(self.written) == 1
        self.written.clear()

    def until_tries(self, tries: int) -> None:
        while self._tries() < tries:
            assert self.here.world.step() or self.here.world.pass_time()

    def _tries(self) -> int:
        with contextlib.suppress(AssertionError):
            return self.row().tries
        return 0

    def finished(self) -> bytes:
        """The file that the first try finished."""
        (found,) = [path for path in FILES if self._staged(path).stat().st_mtime_ns == 1]
        return found

    def _staged(self, path: bytes) -> pathlib.Path:
        return self.root / self.package / ".staging.1" / os.fsdecode(path)

    def tamper(self, path: bytes) -> None:
        """Other bytes, the same size and time."""
        self._staged(path).write_bytes(bytes(FILES[path]))
        os.utime(self._staged(path), ns=(1, 1))

    def settle(self) -> None:
        self.here.settle()
        assert self.row().present == 1, self.row().error_message
        assert sorted(os.listdir(self.root / self.package)) == [".haulage", "1"]
        source = self.here.world.sources.trees["memory:demo"]
        assert list(compare_trees(MemoryReader(source), self.folder.reader(self.package, V1))) == []


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    with lab(ONE) as here:
        yield Site(here, tmp_path / "point")


def test_the_next_try_writes_only_what_was_not_finished(site: Site) -> None:
    site.fail_once()
    finished = site.finished()
    site.settle()
    assert sum(site.written) == sum(FILES.values()) - FILES[finished]


def test_a_wrongly_taken_file_is_found_and_the_try_after_starts_from_nothing(site: Site) -> None:
    site.fail_once()
    site.tamper(site.finished())
    site.until_tries(2)
    assert site.row().error_code == "point-does-not-keep"
    assert not [name for name in os.listdir(site.root / site.package) if name.startswith((".staging", ".partial", "1"))]
    site.written.clear()
    site.settle()
    assert sum(site.written) == sum(FILES.values())


def test_a_discard_that_is_killed_is_made_good_by_the_next_try(site: Site) -> None:
    site.fail_once()
    site.tamper(site.finished())
    discard, site.folder.discard = site.folder.discard, lambda *_: None  # type: ignore[method-assign]
    site.until_tries(2)
    site.folder.discard = discard  # type: ignore[method-assign]
    assert site.folder.left_bytes(site.package, V1) > 0
    site.until_tries(3)
    assert site.row().error_code == "point-does-not-keep"
    site.settle()


def test_i13_what_an_earlier_try_holds_counts_as_space_for_the_next(site: Site) -> None:
    site.fail_once()
    site.free = sum(FILES.values()) - 1
    assert site.folder.left_bytes(site.package, V1) >= 1
    site.settle()


def test_i13_q184169_space_that_nothing_gives_back_is_still_missed(site: Site) -> None:
    site.free = 1
    site.until_tries(1)
    assert site.row().error_code == "no-space-at-point"
    assert not (site.root / site.package).exists()


def folder(root: pathlib.Path) -> FolderPoint:
    point = FolderPoint(str(root), Place(POINT), open_reader=LocalReader, open_writer=LocalWriter)
    point.establish()
    return point


def source() -> MemoryTree:
    tree = MemoryTree()
    for number in range(5):
        tree.file(b"d/%d" % number, b"%d" % number * 5000, mtime_ns=number + 1)
    return tree


def stage(point: FolderPoint, version: VersionNumber, *, files: int) -> list[bytes]:
    """A try that writes some of the files and then ends; what it took over."""
    writer, tree = point.stage(PACKAGE, version), source()
    taken = [path for path, entry in sorted(tree.entries.items()) if writer.add(entry)]
    missing = [path for path, _ in sorted(tree.contents) if path not in taken]
    for path in missing[:files]:
        writer.write(path, None, 0, tree.contents[path, None])
    if len(missing) <= files:
        writer.finish()
    else:
        writer.abandon()
    return taken


def test_every_try_adds_to_what_the_ones_before_it_finished(tmp_path: pathlib.Path) -> None:
    point = folder(tmp_path / "point")
    taken = [len(stage(point, V1, files=1)) for _ in range(5)]
    assert taken == [0, 1, 2, 3, 4]
    assert stage(point, V1, files=0) == [b"d/%d" % number for number in range(5)], "the last try was whole, but not published"
    point.publish(PACKAGE, V1, {"a": b"1"})
    assert sorted(os.listdir(tmp_path / "point" / PACKAGE)) == [".haulage", "1"]


def test_a_try_that_ends_before_it_took_all_loses_nothing(tmp_path: pathlib.Path) -> None:
    point = folder(tmp_path / "point")
    stage(point, V1, files=4)
    for _ in range(20):
        writer, entries = point.stage(PACKAGE, V1), sorted(source().entries.items())
        assert [writer.add(entry) for _, entry in entries[:3]] == [False, False, True]
        writer.abandon()
    assert len(os.listdir(tmp_path / "point" / PACKAGE)) < 12, "what tries leave is bounded"
    assert stage(point, V1, files=0) == [b"d/0", b"d/1", b"d/2", b"d/3"]


def test_stopped_at_any_step_of_a_resumed_try_the_next_is_right(tmp_path: pathlib.Path) -> None:
    steps = 0
    while True:
        point, left = folder(tmp_path / f"point{steps}"), steps
        stage(point, V1, files=3)

        def watch(name: str) -> None:
            nonlocal left
            if not left:
                raise Stopped(name)
            left -= 1

        done = False
        with watching_steps(watch), contextlib.suppress(Stopped):
            stage(point, V1, files=9)
            point.publish(PACKAGE, V1, {"a": b"1"})
            done = True
        if done:
            break
        steps += 1
        stage(point, V1, files=9)
        point.publish(PACKAGE, V1, {"a": b"1"})
        assert list(compare_trees(MemoryReader(source()), point.reader(PACKAGE, V1))) == []
        assert sorted(os.listdir(tmp_path / f"point{steps - 1}" / PACKAGE)) == [".haulage", "1"]
    assert steps > 10


def test_another_version_takes_nothing_over_and_clears_up(tmp_path: pathlib.Path) -> None:
    point = folder(tmp_path / "point")
    for _ in range(2):
        stage(point, V1, files=2)
    (tmp_path / "point" / PACKAGE / ".old.1").mkdir()
    (tmp_path / "point" / PACKAGE / "mine").mkdir()
    assert stage(point, V2, files=2) == []
    assert sorted(os.listdir(tmp_path / "point" / PACKAGE)) == [".staging.2", "mine"]
    assert point.left_bytes(PACKAGE, V1) == 0
    assert PackageId(PACKAGE) in point.packages()


def test_b3_a_link_in_place_of_what_was_left_is_not_followed(tmp_path: pathlib.Path) -> None:
    point = folder(tmp_path / "point")
    stage(point, V1, files=3)
    stage(point, V1, files=1)
    (partial,) = (tmp_path / "point" / PACKAGE).glob(".partial.*")
    shutil.rmtree(partial)
    shutil.copytree(tmp_path / "point" / PACKAGE / ".staging.1", tmp_path / "outside")
    shutil.rmtree(tmp_path / "point" / PACKAGE / ".staging.1")
    partial.symlink_to(tmp_path / "outside")
    assert stage(point, V1, files=1) == []
    assert len(list((tmp_path / "outside" / "d").iterdir())) == 5
