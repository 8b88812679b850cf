"""Comparing trees finds every kind of difference; random trees survive every kind of place."""

from __future__ import annotations

import tempfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.copying import copy_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import Acl, Attribute, Dos, Entry, EntryType, Owner, ReadPolicy
from haulage.engine.trees.written_ranges import WrittenRanges
from haulage.testing.folders import hostile_tree, posix_acl


def differences(expected: MemoryTree, found: MemoryTree, **options: Any) -> list[tuple[bytes, str]]:
    return [(d.path, d.what) for d in compare_trees(MemoryReader(expected), MemoryReader(found), **options)]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"mode": 0o600}, "mode"),
        ({"mtime_ns": 1}, "mtime_ns"),
        ({"owner": Owner(uid=9, gid=9)}, "owner"),
        ({"attributes": (Attribute(name=b"user.x", value=b""),)}, "attributes"),
        ({"acls": (Acl(dialect="nt-sd", value=b""),)}, "acls"),
        ({"dos": Dos(attributes=1)}, "dos"),
        ({"type": EntryType.SYMLINK, "target": b"x"}, "target"),
    ],
)
def test_every_fact_counts(change: dict[str, Any], what: str) -> None:
    one, two = hostile_tree(depth=2), hostile_tree(depth=2)
    two.put(replace(two.entries[b"zero"], **change))
    assert (b"zero", what) in differences(one, two)
    if what == "owner":
        assert differences(one, two, ignore_owner=True) == []


def test_bytes_streams_and_names_count() -> None:
    one, two = hostile_tree(depth=2), hostile_tree(depth=2)
    two.contents[b"setup.exe", None] = two.contents[b"setup.exe", None][:-1] + b"?"
    two.contents[b"nul", b"zeros"] = bytes(69_999) + b"1"
    assert differences(one, two) == [(b"nul", "bytes of stream 'zeros'"), (b"setup.exe", "bytes")]
    assert differences(one, two, contents=False) == []
    two.remove(b"zero")
    two.file(b"zero2", b"")
    assert differences(one, two, contents=False) == [(b"zero", "missing"), (b"zero2", "added")]


def test_hard_links_and_stream_lists_count() -> None:
    one, two = hostile_tree(depth=2), hostile_tree(depth=2)
    two.put(replace(two.entries[b"twin"], path=b"twin 2"), b"one content")
    two.put(two.entries[b"nul"], b"x", {b"zeros": bytes(70_000)})
    found = differences(one, two)
    assert (b"twin 2", "same_as") in found
    assert (b"nul", "streams") in found


NAMES = st.binary(min_size=1, max_size=12).filter(lambda n: n not in (b".", b"..", b".haulage-tree") and not set(n) & {0, 47})
STREAM_NAMES = st.text(min_size=1, max_size=8).map(str.encode).filter(lambda n: not set(n) & {0, 47, 58})
MOMENTS = st.integers(-(1 << 40), 1 << 61)


@st.composite
def trees(draw: st.DrawFn) -> MemoryTree:
    tree = MemoryTree()
    uniform = draw(st.booleans())
    folders = [b""]
    files: list[bytes] = []

    def facts() -> dict[str, Any]:
        owner = Owner(uid=draw(st.sampled_from([0, 12345])), gid=0, user=draw(st.sampled_from(["", "root"])), group="root")
        return {
            "mode": 0o755 if uniform else draw(st.none() | st.integers(0, 0o7777)),
            "owner": None if uniform else draw(st.none() | st.just(owner)),
            "mtime_ns": draw(MOMENTS),
            "dos": draw(st.none() | st.builds(Dos, attributes=st.integers(0, 0x40), created_ns=st.none() | MOMENTS)),
            "attributes": tuple(
                Attribute(name=b"user." + name, value=value)
                for name, value in sorted(draw(st.dictionaries(NAMES, st.binary(max_size=300), max_size=2)).items())
            ),
        }

    tree.put(Entry(path=b"", type=EntryType.FOLDER, **facts()))
    for name in sorted(draw(st.sets(NAMES, max_size=8))):
        parent = draw(st.sampled_from(folders))
        path = parent + b"/" + name if parent else name
        if path in tree.entries:
            continue
        kind = draw(st.sampled_from(["file", "file", "folder", "symlink", "link"]))
        streams = draw(st.dictionaries(STREAM_NAMES, st.binary(max_size=40) | st.just(bytes(5000)), max_size=3))
        if kind == "folder":
            folders.append(path)
            tree.put(Entry(path=path, type=EntryType.FOLDER, **facts()), streams=streams)
        elif kind == "symlink":
            made = {**facts(), "mode": None, "dos": None, "attributes": ()}
            tree.put(Entry(path=path, type=EntryType.SYMLINK, target=draw(st.binary(min_size=1, max_size=20)), **made))
        elif kind == "link" and files and files[0] < path:
            tree.put(Entry(path=path, type=EntryType.FILE, same_as=files[0]))
        else:
            acls = draw(st.sampled_from([(), (posix_acl((1234, 4)),)]))
            tree.put(Entry(path=path, type=EntryType.FILE, acls=acls, **facts()), draw(st.binary(max_size=50)), streams)
            files = sorted([*files, path])[:1]
    links = [entry for entry in tree.entries.values() if entry.same_as is not None]
    for entry in links:  # the first of a set is the smallest, whatever came later
        tree.put(Entry(path=entry.path, type=EntryType.FILE, same_as=entry.same_as))
    return tree


@settings(deadline=None, max_examples=60)
@given(trees(), st.booleans(), st.sets(st.integers(0, 255), max_size=40))
def test_q316316_random_trees_survive_every_place(tree: MemoryTree, sidecar_only: bool, forbidden: set[int]) -> None:
    keep = ReadPolicy(keep_special_bits=True)
    with tempfile.TemporaryDirectory() as base:
        writer = LocalWriter(base + "/t", sidecar_only=sidecar_only, forbidden_names=lambda name: bool(set(name) & forbidden))
        copy_tree(MemoryReader(tree, keep), writer)
        reader = LocalReader(base + "/t", keep)
        assert list(compare_trees(MemoryReader(tree, keep), reader)) == []
        reader.close()


@given(st.integers(1, 60), st.lists(st.tuples(st.integers(0, 59), st.integers(0, 30)), max_size=20))
def test_written_ranges_know_when_every_byte_was_written(size: int, writes: list[tuple[int, int]]) -> None:
    ranges, covered = WrittenRanges(size), set[int]()
    for start, length in writes:
        end = start + length
        if end > size:
            with pytest.raises(ValueError, match="bytes"):
                ranges.add(start, end)
            continue
        ranges.add(start, end)
        covered |= set(range(start, end))
        assert ranges.complete() == (len(covered) == size)
