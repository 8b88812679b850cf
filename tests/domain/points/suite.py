"""What every kind of distribution point must do. Each implementation runs these promises."""

from __future__ import annotations

import abc

import pytest

from haulage.base.errors import TransferError
from haulage.base.files import watching_steps
from haulage.base.ids import NO_VERSION, PackageId, VersionNumber
from haulage.domain.points.backend import PointBackend
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Entry, EntryType, TreeReader

PACKAGE, OTHER = PackageId("HQ100001"), PackageId("HQ100002")
V1, V2 = VersionNumber(1), VersionNumber(2)
DOCUMENTS = {"version.json": b"{}"}


class Stopped(BaseException):
    """The process died here."""


def tree_of(text: bytes) -> MemoryTree:
    """A small tree with a stream."""
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER, mode=0o755, mtime_ns=10**18))
    tree.put(Entry(path=b"d", type=EntryType.FOLDER, mode=0o755, mtime_ns=10**18))
    tree.put(Entry(path=b"d/file", type=EntryType.FILE, mode=0o644, mtime_ns=10**18), text, {b"stream": text[:3]})
    return tree


def contents(reader: TreeReader) -> dict[bytes, bytes]:
    """What a reader gives: bytes of each file and of each stream."""
    found = {}
    for entry in reader.entries():
        if entry.type is EntryType.FILE:
            found[entry.path] = reader.open(entry).read_at(0, entry.size)
            for stream in entry.streams:
                found[entry.path + b":" + stream.name] = reader.open(entry, stream.name).read_at(0, stream.size)
    reader.close()
    return found


class PointPromises(abc.ABC):
    """The promises of :class:`~haulage.domain.points.backend.PointBackend`."""

    @abc.abstractmethod
    def open(self) -> PointBackend:
        """The point, opened anew; the same place every time."""

    @abc.abstractmethod
    def break_it(self) -> None:
        """Make the place unusable."""

    def put(self, package: PackageId, version: VersionNumber, text: bytes) -> None:
        """Stage and publish a tree."""
        point, tree = self.open(), tree_of(text)
        writer = point.stage(package, version)
        adopted = {path for path in sorted(tree.entries) if writer.add(tree.entries[path])}
        for (path, stream), data in tree.contents.items():
            if path not in adopted:
                writer.write(path, stream, 0, data)
        writer.finish()
        assert contents(point.staged(package, version)) == contents(MemoryReader(tree))
        point.publish(package, version, DOCUMENTS)

    def shown(self, package: PackageId) -> bytes | None:
        """What clients read."""
        point = self.open()
        version = point.current(package)
        return None if version == NO_VERSION else contents(point.reader(package, version))[b"d/file"]

    def test_nothing_is_there_at_first(self) -> None:
        point = self.open()
        point.probe()
        assert list(point.packages()) == []
        assert list(point.versions(PACKAGE)) == []
        assert point.current(PACKAGE) == NO_VERSION

    def test_a_staged_tree_is_seen_by_nobody(self) -> None:
        self.put(PACKAGE, V1, b"one")
        writer = self.open().stage(PACKAGE, V2)
        writer.add(Entry(path=b"", type=EntryType.FOLDER))
        assert self.shown(PACKAGE) == b"one"
        assert list(self.open().versions(PACKAGE)) == [V1]

    def test_the_newest_published_is_shown_and_the_one_before_stays(self) -> None:
        self.put(PACKAGE, V1, b"one")
        self.put(PACKAGE, V2, b"two")
        self.put(OTHER, V1, b"other")
        assert self.shown(PACKAGE) == b"two"
        assert list(self.open().versions(PACKAGE)) == [V1, V2]
        assert contents(self.open().reader(PACKAGE, V1)) == contents(MemoryReader(tree_of(b"one")))
        assert list(self.open().packages()) == [PACKAGE, OTHER]

    def test_publishing_again_replaces_a_damaged_tree(self) -> None:
        self.put(PACKAGE, V1, b"one")
        self.put(PACKAGE, V1, b"ONE")
        assert self.shown(PACKAGE) == b"ONE"
        assert list(self.open().versions(PACKAGE)) == [V1]

    def test_what_an_earlier_try_left_staged_is_gone(self) -> None:
        writer = self.open().stage(PACKAGE, V1)
        writer.add(Entry(path=b"", type=EntryType.FOLDER))
        self.put(PACKAGE, V1, b"one")
        assert self.shown(PACKAGE) == b"one"

    def test_after_a_discard_nothing_of_what_was_staged_is_used(self) -> None:
        writer = self.open().stage(PACKAGE, V1)
        for _, entry in sorted(tree_of(b"one").entries.items()):
            writer.add(entry)
        writer.write(b"d/file", None, 0, b"0ne")
        writer.write(b"d/file", b"stream", 0, b"0ne")
        writer.finish()
        self.open().discard(PACKAGE, V1)
        assert self.open().left_bytes(PACKAGE, V1) == 0
        again = self.open().stage(PACKAGE, V1)
        assert [path for path, entry in sorted(tree_of(b"one").entries.items()) if again.add(entry)] == []
        self.open().discard(OTHER, V2)

    def test_what_was_staged_of_another_version_is_gone(self) -> None:
        self.open().stage(PACKAGE, V1).add(Entry(path=b"", type=EntryType.FOLDER))
        self.put(PACKAGE, V2, b"two")
        assert self.open().left_bytes(PACKAGE, V1) == 0
        assert list(self.open().versions(PACKAGE)) == [V2]

    def test_removing_an_old_version_leaves_the_current_one(self) -> None:
        self.put(PACKAGE, V1, b"one")
        self.put(PACKAGE, V2, b"two")
        self.open().remove_version(PACKAGE, V1)
        assert list(self.open().versions(PACKAGE)) == [V2]
        assert self.shown(PACKAGE) == b"two"

    def test_q244405_a_removed_package_leaves_nothing(self) -> None:
        self.put(PACKAGE, V1, b"one")
        self.put(OTHER, V1, b"other")
        self.open().stage(PACKAGE, V2)
        self.open().remove_package(PACKAGE)
        assert list(self.open().packages()) == [OTHER]
        assert list(self.open().versions(PACKAGE)) == []
        assert self.shown(PACKAGE) is None
        self.open().remove_package(PACKAGE)

    def test_a_broken_place_says_so(self) -> None:
        self.put(PACKAGE, V1, b"one")
        self.break_it()
        with pytest.raises(TransferError):
            self.open().probe()

    def test_i5_a_kill_at_any_step_leaves_the_old_or_the_new_whole(self) -> None:
        self.put(PACKAGE, V1, b"one")
        steps = 0
        while self._stopped_at(steps, lambda: self.put(PACKAGE, V2, b"two")):
            steps += 1
            assert self.shown(PACKAGE) in (b"one", b"two"), f"after {steps} steps"
            assert self.shown(PACKAGE) == b"one" or V2 in self.open().versions(PACKAGE)
        assert self.shown(PACKAGE) == b"two"
        assert steps >= 2

    def test_a_removal_killed_at_any_step_is_done_the_next_time(self) -> None:
        self.put(PACKAGE, V1, b"one")
        steps = 0
        while self._stopped_at(steps, lambda: self.open().remove_package(PACKAGE)):
            steps += 1
            assert self.shown(PACKAGE) in (b"one", None)
        assert list(self.open().packages()) == []

    @staticmethod
    def _stopped_at(step: int, act: object) -> bool:
        """Run an act that dies at its n-th durable step; False if it came to its end before."""
        assert callable(act)
        left = step

        def watch(name: str) -> None:
            nonlocal left
            if not left:
                raise Stopped(name)
            left -= 1

        try:
            with watching_steps(watch):
                act()
        except Stopped:
            return True
        return False
