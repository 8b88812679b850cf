"""Verification names every difference, and only those."""

from __future__ import annotations

import msgspec
import pytest

from haulage.base.errors import TransferError
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Attribute, Entry, EntryType, TreeDifference
from tests.engine.content.trees import rich_tree, take


def differences(tree: MemoryTree) -> list[TreeDifference]:
    store = MemoryStore()
    manifest = Manifest.open(take(rich_tree(), store).manifest.id, store.read)
    return list(verify_tree(manifest, MemoryReader(tree)))


def test_the_same_tree_has_none() -> None:
    assert differences(rich_tree()) == []


def test_a_flipped_byte_is_named_with_its_chunk() -> None:
    tree = rich_tree()
    data = bytearray(tree.contents[b"setup.exe", None])
    data[250_000] ^= 1
    tree.contents[b"setup.exe", None] = bytes(data)
    (difference,) = differences(tree)
    assert (difference.path, difference.what) == (b"setup.exe", "content")
    assert "other bytes from" in difference.found


def test_q316316_a_lost_stream_a_changed_stream_and_a_new_one_are_named() -> None:
    tree = rich_tree()
    entry = tree.entries[b"setup.exe"]
    tree.put(entry, tree.contents[b"setup.exe", None], {b"empty": b"", b"large": b"short", b"new": b"1"})
    found = [(d.what, d.expected, d.found) for d in differences(tree)]
    assert found == [
        ("stream", "Zone.Identifier: 14 bytes", ""),
        ("stream", "large: 200000 bytes", "large: 5 bytes"),
        ("stream", "", "new: 1 bytes"),
    ]


@pytest.mark.parametrize(
    ("what", "changes"),
    [
        ("mode", {"mode": 0o600}),
        ("owner", {"owner": None}),
        ("times", {"mtime_ns": 1_234_567_890_123_456_788}),
        ("attribute", {"attributes": (Attribute(name=b"user.small", value=b"\0x"),)}),
        ("acl", {"acls": ()}),
        ("dos", {"dos": None}),
    ],
)
def test_q142604_every_fact_is_compared(what: str, changes: dict[str, object]) -> None:
    tree = rich_tree()
    tree.entries[b"setup.exe"] = msgspec.structs.replace(tree.entries[b"setup.exe"], **changes)
    assert {(d.path, d.what) for d in differences(tree)} == {(b"setup.exe", what)}


def test_missing_unexpected_and_mistyped_entries_are_named() -> None:
    tree = rich_tree()
    tree.remove(b"a-b")
    tree.put(Entry(path=b"b", type=EntryType.FILE), b"new")
    tree.put(Entry(path=b"a/link", type=EntryType.FILE), b"no link")
    assert [(d.path, d.what) for d in differences(tree)] == [(b"a-b", "missing"), (b"a/link", "type"), (b"b", "unexpected")]


def test_b89_an_unreadable_file_is_named_not_an_end() -> None:
    class Broken(MemoryReader):
        def read_whole(self, entry: Entry, stream: bytes | None = None) -> bytes:
            if entry.path == b"a-b":
                raise TransferError("source-unreadable", "a-b cannot be read: Input/output error.")
            return super().read_whole(entry, stream)

    store = MemoryStore()
    manifest = Manifest.open(take(rich_tree(), store).manifest.id, store.read)
    (difference,) = verify_tree(manifest, Broken(rich_tree()))
    assert (difference.path, difference.what) == (b"a-b", "unreadable")
