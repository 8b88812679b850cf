"""A restore that was killed goes on where it was: what was finished is not written again, and the tree is the same."""

from __future__ import annotations

import itertools
import os
import pathlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.files import watching_steps
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.restore import RestoreReport, restore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.oscalls import OsCalls
from haulage.testing.folders import hostile_tree
from tests.engine.content.trees import noise, take

CHANGING = ("open", "pwrite", "rename", "chmod", "utime", "setxattr", "mkdir", "link", "symlink", "ftruncate")
_TRIES = itertools.count()


class Killed(BaseException):
    """The process died here."""


class Disk:
    """Counts the calls that change something and the bytes written; dies before one of them."""

    def __init__(self, dies_at: int | None = None) -> None:
        self.calls = 0
        self.bytes_written = 0
        self._dies_at = dies_at

    def system_calls(self) -> OsCalls:
        return replace(OsCalls(), **{name: self._counted(name, getattr(os, name)) for name in CHANGING})

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            if self.calls == self._dies_at:
                raise Killed
            self.calls += 1
            if name == "pwrite":
                self.bytes_written += len(arguments[1])
            return call(*arguments, **options)

        return counted


class Place:
    """A folder with one try after the other to restore the same tree."""

    def __init__(self, tree: MemoryTree, folder: pathlib.Path) -> None:
        self.store = MemoryStore()
        self.manifest = Manifest.open(take(tree, self.store).manifest.id, self.store.read)
        self._folder = folder / f"place{next(_TRIES)}"
        self._folder.mkdir()
        self.tries: list[pathlib.Path] = []

    def attempt(self, disk: Disk) -> RestoreReport:
        """The next try; what those before it left is there for it."""
        earlier = [str(path) for path in reversed(self.tries)]
        self.tries.append(self._folder / str(len(self.tries)))
        writer = LocalWriter(str(self.tries[-1]), earlier=earlier, keep=True, calls=disk.system_calls())
        return restore(self.manifest, self.store, writer, threads=0)

    def kill(self, at: int) -> bool:
        """A try that dies; False if it came to its end before."""
        try:
            self.attempt(Disk(at))
        except Killed:
            return True
        return False

    def finished(self) -> set[bytes]:
        """By its own look: the files of any try that are whole, bytes and time."""
        done = set()
        for root, entry in itertools.product(self.tries, self.manifest.entries()):
            path = root / os.fsdecode(entry.path)
            if path.is_file() and (path.stat().st_size, path.stat().st_mtime_ns) == (entry.content.size, entry.mtime_ns):
                done.add(entry.path)
        return done

    def sidecar(self) -> dict[str, bytes]:
        folder = self.tries[-1] / ".haulage-tree"
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def is_right(self) -> bool:
        return list(verify_tree(self.manifest, LocalReader(str(self.tries[-1])), threads=0)) == []


def plain_tree() -> MemoryTree:
    tree = MemoryTree()
    for number in range(12):
        tree.file(b"d%d/%03d" % (number % 3, number), noise(number, 2000 + number), mtime_ns=10**18 + number)
    tree.file(b"big", noise(99, 500_000), mtime_ns=10**18)
    return tree


def test_what_was_finished_is_not_written_again_wherever_it_died(tmp_path: pathlib.Path) -> None:
    whole = Disk()
    Place(plain_tree(), tmp_path).attempt(whole)
    resumed = 0
    for at in range(0, whole.calls, 3):
        place = Place(plain_tree(), tmp_path)
        assert place.kill(at)
        finished = place.finished()
        left = sum(entry.content.size for entry in place.manifest.entries() if entry.path not in finished)
        disk = Disk()
        report = place.attempt(disk)
        assert disk.bytes_written == left + sum(map(len, place.sidecar().values())), f"killed at call {at}"
        assert report.bytes_adopted == place.manifest.totals.bytes_total - left
        assert report.bytes_total == place.manifest.totals.bytes_total
        assert place.is_right()
        resumed += 0 < left < report.bytes_total
    assert resumed > 10


def test_a_restore_killed_again_and_again_comes_to_its_end(tmp_path: pathlib.Path) -> None:
    place, at, written = Place(plain_tree(), tmp_path), 60, 0
    finished: set[bytes] = set()
    while True:
        disk = Disk(at)
        try:
            place.attempt(disk)
        except Killed:
            written += disk.bytes_written
            assert finished <= place.finished(), "what was finished once stays finished"
            finished = place.finished()
            at += 5
            continue
        break
    written += disk.bytes_written
    assert len(place.tries) > 5
    assert place.is_right()
    assert written <= place.manifest.totals.bytes_total + (len(place.tries) - 1) * 500_000, "a kill wastes one file at most"


@settings(max_examples=25, deadline=None)
@given(kills=st.lists(st.integers(0, 232), min_size=1, max_size=3))
def test_resumed_or_not_the_tree_and_its_sidecar_are_the_same(tmp_path_factory: pytest.TempPathFactory, kills: list[int]) -> None:
    folder = tmp_path_factory.mktemp("resumed")
    straight, resumed = (Place(hostile_tree(depth=3), folder) for _ in range(2))
    expected = straight.attempt(Disk())
    for at in kills:
        if not resumed.kill(at):
            break
    else:
        assert resumed.attempt(Disk()).omissions == expected.omissions
    assert resumed.is_right()
    assert resumed.sidecar() == straight.sidecar()


@pytest.mark.parametrize("name", ["adopt", "syncfs"])
def test_a_try_that_resumes_may_be_killed_too(tmp_path: pathlib.Path, name: str) -> None:
    whole = Disk()
    Place(plain_tree(), tmp_path).attempt(whole)
    place = Place(plain_tree(), tmp_path)
    assert place.kill(whole.calls - 20)

    def watch(step: str) -> None:
        if step == name:
            raise Killed

    with watching_steps(watch), pytest.raises(Killed):
        place.attempt(Disk())
    finished = place.finished()
    assert finished
    report = place.attempt(Disk())
    assert report.bytes_adopted == sum(entry.content.size for entry in place.manifest.entries() if entry.path in finished)
    assert place.is_right()


def test_a_large_file_counts_whole_in_the_progress(tmp_path: pathlib.Path) -> None:
    place = Place(plain_tree(), tmp_path)
    place.attempt(Disk())
    (place.tries[0] / "d0" / "000").unlink()
    told: list[int] = []
    writer = LocalWriter(str(tmp_path / "again"), earlier=[str(place.tries[0])])
    restore(place.manifest, place.store, writer, threads=0, on_progress=lambda _, done: told.append(done))
    assert told == [place.manifest.totals.bytes_total]
