"""Capture: whole or not at all, every cause named, unchanged files not read again."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import struct

import msgspec
import pytest

from haulage.base.errors import FormatError, TransferError, UsageError
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.testing.clock import HandClock
from tests.engine.content.trees import INLINE, noise, rich_tree, take


class Touchy(MemoryReader):
    """Calls ``before`` ahead of every read."""

    def __init__(self, tree: MemoryTree) -> None:
        super().__init__(tree)
        self.tree = tree
        self.reads: list[bytes] = []

    def before(self, path: bytes) -> None:
        """For subclasses."""

    def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
        self.reads.append(entry.path)
        self.before(entry.path)
        return super().read_whole(entry, stream)


def tree_of(count: int) -> MemoryTree:
    tree = MemoryTree()
    for number in range(count):
        tree.file(b"f%04d.txt" % number, b"content %d" % number)
    return tree


def test_q281754_unchanged_again_is_the_same_id_and_no_new_byte() -> None:
    store = MemoryStore()
    first, chunks = take(rich_tree(), store), len(store.chunks)
    again = take(rich_tree(), store)
    assert again.manifest == first.manifest
    assert again.bytes_new == 0
    assert len(store.chunks) == chunks


def test_q326045_the_sizes_told_are_those_of_the_content() -> None:
    tree, store = MemoryTree(), MemoryStore()
    tree.file(b"one", noise(1, 100_000))
    tree.file(b"two", noise(1, 100_000), streams={b"s": b"12345"})
    report = take(tree, store)
    assert (report.bytes_total, report.bytes_new, report.bytes_read, report.streams) == (200_005, 100_005, 200_005, 1)


@pytest.mark.parametrize("threads", [0, 2])
def test_b6_a_file_that_keeps_changing_fails_by_name_after_three_tries(threads: int) -> None:
    class Growing(Touchy):
        def before(self, path: bytes) -> None:
            if path == b"f0003.txt":
                self.tree.file(path, b"more and more")

    reader, store = Growing(tree_of(9)), MemoryStore()
    with pytest.raises(TransferError, match=r"3 tries.*f0003\.txt") as caught:
        capture(reader, store, HandClock(), options=CaptureOptions(threads=threads))
    assert caught.value.code == "source-not-stable"
    assert store.sessions == set()


def test_q207416_a_file_that_comes_to_rest_is_captured_as_of_one_moment() -> None:
    class Twice(Touchy):
        changes = 2

        def before(self, path: bytes) -> None:
            if path == b"f0003.txt" and self.changes:
                self.changes -= 1
                self.tree.file(path, b"written %d" % self.changes)

    reader, clock = Twice(tree_of(9)), HandClock()
    report = capture(reader, MemoryStore(), clock, options=INLINE)
    assert report.tries == 3
    assert report.manifest == take(reader.tree).manifest


def test_b7_a_file_that_vanishes_fails_the_version() -> None:
    class Flapping(Touchy):
        def before(self, path: bytes) -> None:
            if path == b"f0007.txt":
                self.tree.remove(path)

        def entries(self):  # type: ignore[no-untyped-def]
            self.tree.file(b"f0007.txt", b"back")
            yield from super().entries()

    with pytest.raises(TransferError, match=r"f0007\.txt"):
        capture(Flapping(tree_of(9)), MemoryStore(), HandClock(), options=INLINE)


def test_b8_q168510_an_unreadable_file_among_many_is_named_with_its_cause() -> None:
    class Unreadable(Touchy):
        def before(self, path: bytes) -> None:
            if path == b"f0500.txt":
                raise TransferError("source-unreadable", "f0500.txt cannot be read: Permission denied.")

    reader, store = Unreadable(tree_of(1000)), MemoryStore()
    with pytest.raises(TransferError, match=r"f0500\.txt.*Permission denied"):
        capture(reader, store, HandClock(), options=INLINE)
    assert reader.reads.count(b"f0500.txt") == 3


def test_q207416_a_file_busy_for_a_moment_is_read_at_the_second_try() -> None:
    class Busy(Touchy):
        busy = 1

        def before(self, path: bytes) -> None:
            if path == b"f0003.txt" and self.busy:
                self.busy -= 1
                raise TransferError("source-unreadable", "f0003.txt is in use.")

    clock = HandClock()
    report = capture(Busy(tree_of(9)), MemoryStore(), clock, options=INLINE)
    assert report.tries == 1
    assert clock.monotonic() > 0


def test_f1_what_a_failed_capture_put_is_found_by_the_next() -> None:
    class FailsLate(Touchy):
        def before(self, path: bytes) -> None:
            if path == b"z":
                raise TransferError("source-unreadable", "z cannot be read.")

    tree, store = MemoryTree(), MemoryStore()
    for number in range(4):
        tree.file(b"big%d" % number, noise(number, 9 << 20))
    tree.file(b"z", noise(99, 9 << 20))
    with pytest.raises(TransferError):
        capture(FailsLate(tree), store, HandClock(), options=INLINE)
    assert take(tree, store).bytes_new <= 18 << 20


def test_b14_an_empty_folder_is_refused_and_an_empty_file_is_kept() -> None:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    tree.put(Entry(path=b"sub", type=EntryType.FOLDER))
    with pytest.raises(FormatError) as caught:
        take(tree)
    assert caught.value.code == "empty-source"
    tree.file(b"sub/empty", b"")
    assert take(tree).manifest.totals.files == 1


def test_b15_a_source_over_the_limit_is_refused_before_it_is_read() -> None:
    reader = Touchy(tree_of(3))
    reader.tree.entries[b"f0001.txt"] = msgspec.structs.replace(reader.tree.entries[b"f0001.txt"], size=1 << 40)
    with pytest.raises(UsageError, match=r"f0001\.txt"):
        capture(reader, MemoryStore(), HandClock(), options=CaptureOptions(threads=0, max_bytes=1 << 30))
    assert reader.reads == []


def test_b1_b17_b19_names_that_deserve_a_look_are_listed() -> None:
    tree = tree_of(1)
    tree.file("invoice\u202efdp.exe".encode(), b"1")
    tree.file(b"conf/id_rsa", b"2")
    tree.file(b"conf/server-key.pem", b"3")
    tree.put(Entry(path=b"conf/out", type=EntryType.SYMLINK, target=b"../../etc/passwd"))
    tree.put(Entry(path=b"conf/abs", type=EntryType.SYMLINK, target=b"/etc/passwd"))
    tree.put(Entry(path=b"conf/in", type=EntryType.SYMLINK, target=b"../f0000.txt"))
    found = {(warning.kind, warning.path) for warning in take(tree).warnings}
    assert found == {
        (WarningKind.MISLEADING_NAME, "invoice\u202efdp.exe".encode()),
        (WarningKind.POSSIBLE_SECRET, b"conf/id_rsa"),
        (WarningKind.POSSIBLE_SECRET, b"conf/server-key.pem"),
        (WarningKind.LINK_LEAVES_TREE, b"conf/out"),
        (WarningKind.LINK_LEAVES_TREE, b"conf/abs"),
    }


class Hinted:
    """Captures one source again and again with hints."""

    def __init__(self, folder: pathlib.Path, tree: MemoryTree, *, ctime_ns: int | None = None) -> None:
        self.path = os.fspath(folder / "hints")
        self.reader = Touchy(tree)
        self.store = MemoryStore()
        self.clock = HandClock()
        if ctime_ns is not None:
            self.reader.change_token = lambda entry: struct.pack("<qqqQ", entry.size, 0, ctime_ns, 1)  # type: ignore[method-assign]

    def run(self, *, full: bool = False) -> tuple[CaptureReport, int]:
        self.reader.reads.clear()
        options = CaptureOptions(threads=0, hints=self.path, full=full)
        return capture(self.reader, self.store, self.clock, options=options), len(self.reader.reads)


def test_unchanged_files_are_not_read_again_unless_asked(tmp_path: pathlib.Path) -> None:
    source = Hinted(tmp_path, rich_tree())
    first, reads = source.run()
    assert reads > 5
    again, reads = source.run()
    assert (again.manifest, reads, again.files_skipped) == (first.manifest, 0, 4)
    source.reader.tree.file(b"a-b", b"changed", streams={b"new": b"1"})
    third, reads = source.run()
    assert reads == 2
    assert third.manifest == take(source.reader.tree).manifest
    assert source.run(full=True)[1] > 5


@pytest.mark.parametrize(("age_seconds", "read_again"), [(1.9, True), (2.0, False)])
def test_a_file_changed_just_before_a_capture_is_read_again(tmp_path: pathlib.Path, age_seconds: float, read_again: bool) -> None:
    started = int(HandClock().now().timestamp() * 1e9)
    source = Hinted(tmp_path, tree_of(5), ctime_ns=started - int(age_seconds * 1e9))
    source.run()
    assert (source.run()[1] > 0) is read_again


@pytest.mark.parametrize("damage", ["absent", "short", "flipped", "foreign"])
def test_bad_hints_only_cost_time(tmp_path: pathlib.Path, damage: str) -> None:
    source = Hinted(tmp_path, rich_tree())
    first, reads = source.run()
    path = pathlib.Path(source.path)
    data = bytearray(path.read_bytes())
    if damage == "absent":
        path.unlink()
    elif damage == "short":
        path.write_bytes(data[:-40])
    elif damage == "flipped":
        data[60] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(b"PK\3\4")
    again, read_again = source.run()
    assert (again.manifest, read_again) == (first.manifest, reads)


def test_hints_do_not_hide_chunks_that_were_swept(tmp_path: pathlib.Path) -> None:
    source = Hinted(tmp_path, tree_of(50))
    first, _reads = source.run()
    pages = {bytes(first.manifest.id)}
    lost = [chunk for chunk, data in source.store.chunks.items() if data == b"content 7"]
    assert bytes(lost[0]) not in pages
    del source.store.chunks[lost[0]]
    again, reads = source.run()
    assert (again.manifest, reads) == (first.manifest, 1)
    assert lost[0] in source.store.chunks


def test_q319427_the_id_does_not_depend_on_the_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    first = take(rich_tree()).manifest
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    assert take(rich_tree()).manifest == first
    assert dt.datetime.now(dt.UTC).tzinfo is dt.UTC


def test_i23_workers_and_windows_do_not_change_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tree_of(300)
    alone = take(tree).manifest
    monkeypatch.setattr("haulage.engine.content.capture.WINDOW_ENTRIES", 7)
    assert capture(MemoryReader(tree), MemoryStore(), HandClock()).manifest == alone
