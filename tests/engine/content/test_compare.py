"""Two versions side by side: what moved is put together, what differs in streams, attributes or times alone is told apart, and the
sums of folders add up."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.content.compare import Comparison, What, compare
from haulage.engine.content.diff import diff
from haulage.engine.content.manifest import Manifest, write_manifest
from haulage.engine.content.manifest_model import ManifestEntry, NamedRef, one_chunk
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.trees.model import EntryType

FILE, FOLDER = EntryType.FILE, EntryType.FOLDER


def file(
    path: bytes,
    content: int = 1,
    *,
    size: int = 10,
    mtime: int = 0,
    mode: int | None = None,
    streams: dict[bytes, int] | None = None,
) -> ManifestEntry:
    """A file whose content and streams are told by numbers."""
    named = tuple(NamedRef(name, one_chunk(3, ChunkId(bytes([number]) * 32))) for name, number in sorted((streams or {}).items()))
    whole = one_chunk(size, ChunkId(bytes([content]) * 32))
    return ManifestEntry(path=path, type=FILE, content=whole, mtime_ns=mtime, mode=mode, streams=named)


def folder(path: bytes, mtime: int = 0) -> ManifestEntry:
    return ManifestEntry(path=path, type=FOLDER, mtime_ns=mtime)


def compared(old: list[ManifestEntry], new: list[ManifestEntry]) -> Comparison:
    store = MemoryStore()
    manifests = []
    for entries in (old, new):
        with store.session("test") as session:
            whole: list[ManifestEntry] = sorted([folder(b""), *entries], key=lambda entry: entry.path)
            ref = write_manifest(whole, session)
            session.checkpoint()
        manifests.append(Manifest.open(ref.id, store.read))
    return compare(diff(*manifests))


def kinds(found: Comparison) -> dict[bytes, What]:
    return {row.path: row.what for row in found.rows}


def test_every_kind_of_difference_has_its_word() -> None:
    old = [
        file(b"gone"),
        file(b"kept"),
        file(b"edited", 2),
        file(b"streamed", 3, streams={b"a": 9}),
        file(b"touched", 4),
        file(b"ruled", 5, mode=0o600),
    ]
    new = [
        file(b"kept"),
        file(b"edited", 12),
        file(b"streamed", 3, streams={b"a": 8}),
        file(b"touched", 4, mtime=7),
        file(b"ruled", 5, mode=0o644),
        file(b"new", 6),
    ]
    found = compared(old, new)
    assert kinds(found) == {
        b"gone": What.REMOVED,
        b"edited": What.CHANGED,
        b"streamed": What.STREAMS,
        b"touched": What.TIMES,
        b"ruled": What.ATTRIBUTES,
        b"new": What.ADDED,
    }
    assert found.row(b"streamed").streams == (b"a",)  # type: ignore[union-attr]


def test_a1_a_file_that_only_lost_a_stream_on_its_way_is_told_as_moved_and_with_it() -> None:
    found = compared([file(b"a", 1, streams={b"s": 2})], [file(b"b", 1)])
    assert [(row.what, row.was, row.path, row.facets, row.streams) for row in found.rows] == [
        (What.MOVED, b"a", b"b", ("streams",), (b"s",))
    ]


def test_a_folder_moves_with_everything_in_it() -> None:
    old = [folder(b"old"), folder(b"old/sub"), file(b"old/one", 1), file(b"old/sub/two", 2)]
    new = [folder(b"new"), folder(b"new/sub"), file(b"new/one", 1), file(b"new/sub/two", 2)]
    assert {row.was: row.path for row in compared(old, new).rows if row.what is What.MOVED} == {
        b"old": b"new",
        b"old/sub": b"new/sub",
        b"old/one": b"new/one",
        b"old/sub/two": b"new/sub/two",
    }
    scattered = [folder(b"new"), folder(b"other"), folder(b"new/sub"), file(b"new/one", 1), file(b"other/two", 2)]
    found = kinds(compared(old, scattered))
    assert (found[b"new"], found[b"new/sub"], found[b"other"]) == (What.ADDED, What.ADDED, What.MOVED)


def test_the_same_name_comes_first_where_several_files_are_alike() -> None:
    old = [folder(b"a"), file(b"a/x", 1), file(b"a/y", 1)]
    new = [folder(b"a"), folder(b"b"), file(b"b/y", 1), file(b"b/x", 1)]
    moves = {row.was: row.path for row in compared(old, new).rows if row.what is What.MOVED}
    assert moves == {b"a/x": b"b/x", b"a/y": b"b/y"}


def test_empty_files_are_not_taken_for_one_another() -> None:
    empty = ManifestEntry(path=b"a", type=FILE)
    assert kinds(compared([empty], [ManifestEntry(path=b"b", type=FILE)])) == {b"a": What.REMOVED, b"b": What.ADDED}


CONTENTS = st.dictionaries(st.sampled_from([b"a", b"d/a", b"d/b", b"d/e/a", b"f/a", b"f/b"]), st.integers(1, 4), max_size=6)


def tree(contents: dict[bytes, int]) -> list[ManifestEntry]:
    above = {path[:end] for path in contents for end in range(len(path)) if path[end : end + 1] == b"/"}
    return [*(folder(path) for path in sorted(above)), *(file(path, number, size=number) for path, number in contents.items())]


@given(CONTENTS, CONTENTS)
def test_nothing_is_lost_and_the_sums_add_up(old: dict[bytes, int], new: dict[bytes, int]) -> None:
    found = compared(tree(old), tree(new))
    was, now = {one.path for one in tree(old)}, {one.path for one in tree(new)}
    came = {row.path for row in found.rows if row.what is What.ADDED} | {row.path for row in found.rows if row.what is What.MOVED}
    left = {row.path for row in found.rows if row.what is What.REMOVED} | {row.was for row in found.rows if row.what is What.MOVED}
    assert (came, left) == (now - was, was - now)
    assert {row.path for row in found.rows if row.what is What.CHANGED} == {
        path for path in old if path in new and old[path] != new[path]
    }
    for path, total in found.sums.items():
        inside = [row for row in found.rows if not path or row.path.startswith(path + b"/")]
        assert total.counts == Counter(row.what for row in inside)
    listed: list[bytes] = []

    def walk(at: bytes) -> None:
        for one in found.folder(at):
            if isinstance(one, bytes):
                walk(one)
            else:
                listed.append(one.path)

    walk(b"")
    assert sorted(listed) == sorted(row.path for row in found.rows)
