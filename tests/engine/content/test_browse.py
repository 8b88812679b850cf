"""Looking into a manifest a folder at a time and by name: the same as reading all of it, and only the pages that are needed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.content import browse
from haulage.engine.content.browse import children, folders_above, named
from haulage.engine.content.manifest import Manifest, write_manifest
from haulage.engine.content.manifest_model import ManifestEntry, one_chunk
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.trees.model import EntryType

NAMES = st.binary(min_size=1, max_size=4).filter(lambda name: b"/" not in name and b"\0" not in name and name not in (b".", b".."))
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map(b"/".join), max_size=30)


class Tree:
    """A manifest of files with these paths, and their folders; remembers which of its chunks were read."""

    def __init__(self, files: set[bytes]) -> None:
        folders = {b""} | {folder for path in files for folder in folders_above(path)}
        files = files - folders
        self.kinds = dict.fromkeys(folders, EntryType.FOLDER) | dict.fromkeys(files, EntryType.FILE)
        store = MemoryStore()
        chunk = ChunkId(b"\1" * 32)
        with store.session("test") as session:
            entries = [
                ManifestEntry(
                    path=path,
                    type=kind,
                    content=one_chunk(5, chunk) if kind is EntryType.FILE else ManifestEntry(path=b"", type=kind).content,
                )
                for path, kind in sorted(self.kinds.items())
            ]
            ref = write_manifest(entries, session)
            session.checkpoint()
        self.read: list[ChunkId] = []

        def read(wanted: ChunkId) -> bytes:
            self.read.append(wanted)
            return store.read(wanted)

        self.manifest = Manifest.open(ref.id, read)

    def inside(self, folder: bytes) -> list[bytes]:
        return sorted(path for path in self.kinds if path and path.rpartition(b"/")[0] == folder)


@given(PATHS, st.integers(1, 5))
def test_a_folder_holds_what_lies_directly_in_it_however_it_is_cut(paths: list[bytes], limit: int) -> None:
    tree = Tree(set(paths))
    for folder in [path for path, kind in tree.kinds.items() if kind is EntryType.FOLDER]:
        found: list[bytes] = []
        after: bytes | None = b""
        while after is not None:
            listed = children(tree.manifest, folder, after=after, limit=limit)
            found += [entry.path for entry in listed.entries]
            after = listed.after
        assert found == tree.inside(folder)


@settings(max_examples=60)
@given(PATHS, st.text(alphabet="ab\xe9", min_size=1, max_size=2))
def test_a_name_is_found_wherever_it_is(paths: list[bytes], words: str) -> None:
    tree = Tree({*paths, b"a/b\xc3\xa9", b"Ab", b"c/BA"})
    wanted = [path for path in sorted(tree.kinds) if path and words in path.rpartition(b"/")[2].decode("utf-8", "replace").lower()]
    found: list[bytes] = []
    after: bytes | None = b""
    while after is not None:
        listed = named(tree.manifest, words, after=after, limit=2)
        found += [entry.path for entry in listed.entries]
        after = listed.after
    assert found == wanted


def test_a_folder_of_a_large_tree_costs_what_it_holds() -> None:
    tree = Tree({b"%03d/%05d" % (folder, number) for folder in range(24) for number in range(1000)})
    assert len(tree.manifest.pages()) > 16
    tree.read.clear()
    assert len(children(tree.manifest, b"020", limit=2000).entries) == 1000
    assert len(tree.read) <= 4
    tree.read.clear()
    assert [entry.path for entry in children(tree.manifest, b"", limit=3).entries] == [b"000", b"001", b"002"]
    assert len(tree.read) <= 5


def test_i24_a_search_looks_at_some_pages_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse, "LOOKED_PAGES", 4)
    tree = Tree({b"%03d/%05d" % (folder, number) for folder in range(12) for number in range(1000)} | {b"011/last"})
    assert len(tree.manifest.pages()) > 8
    tree.read.clear()
    listed, looks = named(tree.manifest, "last"), 1
    assert len(tree.read) <= 5
    while not listed.entries and listed.after is not None:
        listed, looks = named(tree.manifest, "last", after=listed.after), looks + 1
    assert [entry.path for entry in listed.entries] == [b"011/last"]
    assert looks > 1
