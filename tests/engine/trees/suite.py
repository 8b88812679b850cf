"""What every place that holds trees must show, whatever it is made of: one abstract class, run by each implementation."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

import pytest

from haulage.base.errors import FormatError
from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import (
    Attribute,
    Dos,
    Entry,
    EntryType,
    ReadPolicy,
    StreamAction,
    StreamInfo,
    TreeReader,
    TreeWriter,
)
from haulage.testing.folders import STREAM_SIZES, describe, hostile_tree, noise, stream_name


def root(**facts: object) -> Entry:
    return Entry(path=b"", type=EntryType.FOLDER, **facts)  # type: ignore[arg-type]


class PlaceSuite(ABC):
    """A writer, and the reader that reads back what it wrote."""

    @abstractmethod
    def writer(self) -> TreeWriter:
        """A new writer into a new place."""

    @abstractmethod
    def reader(self, policy: ReadPolicy | None = None) -> TreeReader:
        """A reader of the place written last."""

    def put(self, tree: MemoryTree) -> TreeReader:
        copy_tree(MemoryReader(tree, ReadPolicy(keep_special_bits=True)), self.writer())
        return self.reader()

    def test_q316316_a_hostile_tree_comes_back_identical(self) -> None:
        tree = hostile_tree()
        back = self.put(tree)
        assert list(compare_trees(MemoryReader(tree), back)) == []
        back.close()
        back.close()

    def test_q316316_every_size_of_stream_has_its_bytes(self) -> None:
        back = self.put(hostile_tree(depth=2))
        _, content, streams = describe(back)[b"setup.exe"]
        assert content == noise(100_000)
        assert streams == {stream_name(size): noise(size, 1) for size in STREAM_SIZES}

    def test_a_tree_without_modes_or_owners_comes_back_without(self) -> None:
        tree = MemoryTree()
        tree.file(b"a/b", b"from windows", mtime_ns=1_600_000_000_000_000_100)
        tree.put(Entry(path=b"c", type=EntryType.FILE, dos=Dos(attributes=1)))
        assert list(compare_trees(MemoryReader(tree), self.put(tree))) == []

    def test_what_no_linux_place_holds_comes_back(self) -> None:
        tree = MemoryTree()
        tree.put(root())
        tree.put(Entry(path=b"fine", type=EntryType.FILE, dos=Dos(attributes=0x80000, created_ns=1), mtime_ns=-(1 << 63)))
        tree.put(Entry(path=b"long", type=EntryType.SYMLINK, target=b"x" * 9000, mtime_ns=(1 << 63) - 1))
        tree.put(Entry(path=b"raw", type=EntryType.FILE, attributes=(Attribute(name=b"user.DosStream.q:$DATA", value=b"no NUL"),)))
        tree.put(Entry(path=b"sym", type=EntryType.SYMLINK, target=b"t", dos=Dos(attributes=2)), streams={b"s": b"of a link"})
        tree.put(Entry(path=b"y" * 400, type=EntryType.FOLDER))
        tree.put(Entry(path=b"y" * 400 + b"/z", type=EntryType.FILE), b"below a long name", {b"s": b"t"})
        tree.put(Entry(path=b"z", type=EntryType.FILE, same_as=b"y" * 400 + b"/z"))
        assert list(compare_trees(MemoryReader(tree), self.put(tree))) == []

    def test_an_empty_tree_comes_back(self) -> None:
        tree = MemoryTree()
        tree.put(root(mode=0o700))
        assert [entry.path for entry in self.put(tree).entries()] == [b""]

    def test_entries_come_in_byte_order_of_whole_paths(self) -> None:
        paths = [entry.path for entry in self.put(hostile_tree(depth=3)).entries()]
        assert paths == sorted(paths)
        assert paths.index(b"order-") < paths.index(b"order/x") < paths.index(b"order0")

    def test_parts_written_in_any_order_from_threads(self) -> None:
        data, stream = noise(400_000), noise(90_000, 3)
        writer = self.writer()
        writer.add(root())
        writer.add(Entry(path=b"f", type=EntryType.FILE, size=len(data), streams=(StreamInfo(name=b"s", size=len(stream)),)))
        parts = [(None, data, at) for at in range(0, len(data), 50_000)] + [(b"s", stream, at) for at in range(0, 90_000, 30_000)]

        def write(mine: list[tuple[bytes | None, bytes, int]]) -> None:
            for name, whole, at in mine:
                step = 50_000 if name is None else 30_000
                writer.write(b"f", name, at, memoryview(whole)[at : at + step])

        threads = [threading.Thread(target=write, args=(parts[::-1][i::3],)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        writer.finish()
        assert describe(self.reader())[b"f"][1:] == (data, {b"s": stream})

    def test_what_was_never_written_is_zeros(self) -> None:
        writer = self.writer()
        writer.add(root())
        streams = (StreamInfo(name=b"big", size=70_000), StreamInfo(name=b"small", size=10))
        writer.add(Entry(path=b"f", type=EntryType.FILE, size=5_000_000, streams=streams))
        writer.write(b"f", None, 4_999_999, b"!")
        writer.write(b"f", b"small", 3, b"x")
        writer.finish()
        found = describe(self.reader())[b"f"]
        assert found[1] == bytes(4_999_999) + b"!"
        assert found[2] == {b"big": bytes(70_000), b"small": b"\0\0\0x" + bytes(6)}

    def test_contents_written_after_all_entries(self) -> None:
        writer = self.writer()
        writer.add(root())
        names = [b"%04d" % number for number in range(300)]
        for name in names:
            writer.add(Entry(path=name, type=EntryType.FILE, size=4, streams=(StreamInfo(name=b"s", size=2),)))
        for name in reversed(names):
            writer.write(name, b"s", 0, b"st")
            writer.write(name, None, 0, name)
        writer.finish()
        found = describe(self.reader())
        assert all(found[name][1:] == (name, {b"s": b"st"}) for name in names)

    @pytest.mark.parametrize("path", [b"/abs", b"../out", b"a/../b", b"a//b", b"a/", b".", b"a\0b", b"./a", b".haulage-tree/x"])
    def test_b31_names_that_would_leave_the_tree_are_refused(self, path: bytes) -> None:
        writer = self.writer()
        writer.add(root())
        with pytest.raises(FormatError):
            writer.add(Entry(path=path, type=EntryType.FILE))
        writer.abandon()

    @pytest.mark.parametrize(
        "entries",
        [
            [Entry(path=b"a", type=EntryType.FILE)],
            [root(), root()],
            [root(), Entry(path=b"b", type=EntryType.FILE), Entry(path=b"a", type=EntryType.FILE)],
            [root(), Entry(path=b"a/b", type=EntryType.FILE)],
            [root(), Entry(path=b"a", type=EntryType.SYMLINK, target=b"/etc"), Entry(path=b"a/b", type=EntryType.FILE)],
            [root(), Entry(path=b"a", type=EntryType.FILE, same_as=b"../x")],
            [root(), Entry(path=b"a", type=EntryType.FILE, same_as=b"b")],
            [root(), Entry(path=b"a", type=EntryType.FILE, streams=(StreamInfo(name=b"x:y", size=0),))],
        ],
    )
    def test_entries_that_are_no_tree_are_refused(self, entries: list[Entry]) -> None:
        writer = self.writer()
        for entry in entries[:-1]:
            writer.add(entry)
        with pytest.raises(FormatError):
            writer.add(entries[-1])
        writer.abandon()

    def test_writing_outside_of_a_content_is_refused(self) -> None:
        writer = self.writer()
        writer.add(root())
        writer.add(Entry(path=b"f", type=EntryType.FILE, size=4, streams=(StreamInfo(name=b"s", size=4),)))
        for stream in (None, b"s"):
            with pytest.raises(ValueError, match="f"):
                writer.write(b"f", b"nothing", 0, b"x")
            with pytest.raises(ValueError, match=r"bytes|smaller"):
                writer.write(b"f", stream, 2, b"xxxx")
        writer.abandon()

    def test_streams_are_dropped_by_pattern_and_named(self) -> None:
        self.put(hostile_tree(depth=2))
        reader = self.reader(ReadPolicy(streams=StreamAction.DROP, drop_patterns=("zone.identifier*", "s[0-9]*")))
        found = {entry.path: [stream.name for stream in entry.streams] for entry in reader.entries()}
        assert found[b"with stream"] == found[b"setup.exe"] == []
        assert found[b"nul"] == [b"ends in NUL", b"zeros"]
        dropped = [omission for omission in reader.dropped() if omission.what == "stream"]
        assert len(dropped) == 1 + len(STREAM_SIZES)
        assert {omission.path for omission in dropped} == {b"with stream", b"setup.exe"}

    def test_streams_are_refused_by_policy(self) -> None:
        self.put(hostile_tree(depth=2))
        with pytest.raises(FormatError, match=r"nul:ends in NUL|setup\.exe:s0|twin:shared"):
            list(self.reader(ReadPolicy(streams=StreamAction.REFUSE)).entries())

    def test_special_bits_are_dropped_and_named_unless_kept(self) -> None:
        tree = MemoryTree()
        tree.put(root(mode=0o1777))
        tree.put(Entry(path=b"su", type=EntryType.FILE, mode=0o4755))
        self.put(tree)
        reader = self.reader()
        assert [entry.mode for entry in reader.entries()] == [0o777, 0o755]
        assert [(omission.path, omission.what) for omission in reader.dropped()] == [(b"", "mode-bits"), (b"su", "mode-bits")]
        kept = self.reader(ReadPolicy(keep_special_bits=True))
        assert [entry.mode for entry in kept.entries()] == [0o1777, 0o4755]
        assert kept.dropped() == ()

    def test_unchanged_entries_are_still_the_same_to_a_new_reader(self) -> None:
        self.put(hostile_tree(depth=2))
        first, second = self.reader(), self.reader()
        before = {entry.path: first.change_token(entry) for entry in first.entries()}
        for entry in second.entries():
            assert second.change_token(entry) == before[entry.path] != b""
            assert second.still(entry)

    def test_reads_from_several_threads(self) -> None:
        reader = self.put(hostile_tree(depth=30))
        entries = [e for e in reader.entries() if e.type is EntryType.FILE and e.same_as is None]
        expected = {e.path: describe_one(reader, e) for e in entries}
        wrong: list[bytes] = []

        def read(mine: list[Entry]) -> None:
            wrong.extend(e.path for e in mine if describe_one(reader, e) != expected[e.path])

        threads = [threading.Thread(target=read, args=(entries[::step],)) for step in (1, -1, 1, -1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def describe_one(reader: TreeReader, entry: Entry) -> bytes:
    content = reader.open(entry)
    try:
        return content.read_at(0, content.size)
    finally:
        content.close()
