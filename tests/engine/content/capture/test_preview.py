"""What a capture would find, before it: the same figures as the capture itself, or the same refusal; and an end in time."""

from __future__ import annotations

from haulage.engine.content.capture import capture
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.preview import EXAMPLES, preview
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Attribute, Entry, EntryType, ReadPolicy, StreamAction
from haulage.engine.trees.windows_names import NameTrouble
from haulage.testing.clock import HandClock


def a_tree() -> MemoryTree:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    tree.put(Entry(path=b"tools", type=EntryType.FOLDER, attributes=(Attribute(name=b"user.note", value=b"x"),)))
    tree.file(b"tools/a.bin", b"a" * 5000, streams={b"Zone.Identifier": b"[ZoneTransfer]", b"note": b"n" * 100})
    tree.file(b"tools/aux.txt", b"b" * 10)
    tree.file(b"tools/id_rsa", b"c")
    tree.put(Entry(path=b"out", type=EntryType.SYMLINK, target=b"/etc/passwd"))
    tree.put(Entry(path=b"tools/b.bin", type=EntryType.FILE, same_as=b"tools/a.bin"))
    return tree


def test_it_tells_what_the_capture_will_hold() -> None:
    tree, clock = a_tree(), HandClock()
    found = preview(MemoryReader(tree), clock)
    totals = capture(MemoryReader(tree), MemoryStore(), clock).manifest.totals
    assert found.whole
    assert found.stopped is None
    assert (found.files, found.symlinks, found.streams) == (3, 1, 2)
    assert (totals.symlinks, totals.streams, totals.bytes_content + totals.bytes_streams) == (1, 2, found.bytes_total)
    assert (found.folders, found.hard_links, found.with_attributes) == (1, 1, 1)
    assert found.stream_bytes == 114
    assert found.largest[0] == (b"tools/a.bin", 5000)
    assert found.stream_examples[0] == (b"tools/a.bin", b"Zone.Identifier", 14)


def test_f8_names_windows_could_not_hold_and_names_that_deserve_a_look_are_told() -> None:
    found = preview(MemoryReader(a_tree()), HandClock())
    assert found.names == {NameTrouble.DEVICE: 1}
    assert found.name_examples == ((NameTrouble.DEVICE, b"tools/aux.txt"),)
    assert found.warnings == {WarningKind.POSSIBLE_SECRET: 1, WarningKind.LINK_LEAVES_TREE: 1}


def test_what_the_policy_drops_is_told() -> None:
    policy = ReadPolicy(streams=StreamAction.DROP, drop_patterns=("Zone.*",))
    found = preview(MemoryReader(a_tree(), policy), HandClock())
    assert (found.streams, found.dropped) == (1, {"stream": 1})
    assert found.dropped_examples[0].detail == "Zone.Identifier"


def test_what_a_capture_would_fail_of_is_told_and_not_raised() -> None:
    refusing = preview(MemoryReader(a_tree(), ReadPolicy(streams=StreamAction.REFUSE)), HandClock())
    assert refusing.stopped is not None
    assert refusing.stopped.code == "stream-refused"
    ruled = preview(MemoryReader(a_tree()), HandClock(), refuse=frozenset({WarningKind.POSSIBLE_SECRET}))
    assert ruled.stopped is not None
    assert ruled.stopped.code == "source-refused"
    large = preview(MemoryReader(a_tree()), HandClock(), max_bytes=5000)
    assert large.stopped is not None
    assert large.stopped.code == "source-too-large"


def test_b14_a_tree_of_folders_alone_is_told_to_be_empty() -> None:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    tree.put(Entry(path=b"nothing", type=EntryType.FOLDER))
    found = preview(MemoryReader(tree), HandClock())
    assert found.stopped is not None
    assert found.stopped.code == "empty-source"
    assert found.folders == 1


def test_b16_it_ends_in_time_and_says_that_it_did_not_see_everything() -> None:
    tree, clock = MemoryTree(), HandClock()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    for number in range(2000):
        tree.file(b"%05d" % number, b"x")

    class Slow(MemoryReader):
        def entries(self):  # type: ignore[no-untyped-def]
            for entry in super().entries():
                clock.sleep(0.01)
                yield entry

    found = preview(Slow(tree), clock, seconds=3.0)
    assert not found.whole
    assert 256 <= found.entries <= 600
    assert found.stopped is None
    bounded = preview(MemoryReader(tree), clock, most_entries=100)
    assert (bounded.entries, bounded.whole) == (100, False)


def test_examples_are_few_however_many_there_are() -> None:
    tree = MemoryTree()
    tree.put(Entry(path=b"", type=EntryType.FOLDER))
    for number in range(100):
        tree.file(b"%03d?" % number, b"x" * number, streams={b"s": b"1"})
    found = preview(MemoryReader(tree), HandClock())
    assert found.names == {NameTrouble.FORBIDDEN: 100}
    assert (len(found.name_examples), len(found.stream_examples), len(found.largest)) == (EXAMPLES, EXAMPLES, 3)
    assert [size for _path, size in found.largest] == [99, 98, 97]
