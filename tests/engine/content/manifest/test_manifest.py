"""Manifests: identity, pages that move little, and refusal of whatever breaks the rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import msgspec
import pytest

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content import codec
from haulage.engine.content.chunker import cut
from haulage.engine.content.content_list import ContentWriter, check_content, read_chunks
from haulage.engine.content.diff import ChangeKind, diff
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest, live_chunks, write_manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry, NamedRef, one_chunk, pack_chunks
from haulage.engine.content.manifest_wire import decode_page, encode_entry, encode_page
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.trees.model import EntryType
from tests.engine.content.trees import noise, rich_tree, take

ROOT = ManifestEntry(path=b"", type=EntryType.FOLDER)


def file(path: bytes, content: bytes = b"x") -> ManifestEntry:
    return ManifestEntry(path=path, type=EntryType.FILE, content=one_chunk(len(content), chunk_id(content)))


def folder(path: bytes) -> ManifestEntry:
    return ManifestEntry(path=path, type=EntryType.FOLDER)


def write(store: MemoryStore, entries: Iterable[ManifestEntry]) -> Manifest:
    with store.session("test") as session:
        ref = write_manifest(entries, session)
    return Manifest.open(ref.id, store.read)


def many(count: int) -> list[ManifestEntry]:
    return [ROOT, *[file(b"f%06d" % number, b"%d" % number) for number in range(count)]]


def test_i23_the_root_page_names_the_tree_in_both_hashes() -> None:
    store = MemoryStore()
    with store.session("test") as session:
        ref = write_manifest(many(5000), session)
    root = store.read(ChunkId(ref.id))
    assert chunk_id(root) == ChunkId(ref.id)
    assert hashlib.sha256(root).digest() == ref.sha256
    manifest = Manifest.open(ref.id, store.read)
    assert manifest.ref == ref
    assert list(manifest.entries()) == many(5000)


def test_i23_golden_identity() -> None:
    """Changes of this id are changes of the format: every version ever published would get a new name."""
    assert take(rich_tree()).manifest.id.hex() == GOLDEN


GOLDEN = "d73bd610e71800ff35cc47d9d378273fed65de17bce48f191ab640c837535d86"


def test_q235157_one_changed_file_among_20000_renews_one_page() -> None:
    store = MemoryStore()
    before = write(store, many(20_000))
    held = set(store.chunks)
    entries = many(20_000)
    entries[7777] = file(entries[7777].path, b"changed")
    after = write(store, entries)
    assert 10 < len(before.pages()) < 40
    assert len(set(store.chunks) - held) == 2
    reads: list[ChunkId] = []

    def counting(chunk: ChunkId) -> bytes:
        reads.append(chunk)
        return store.read(chunk)

    (change,) = diff(Manifest.open(before.id, counting), Manifest.open(after.id, counting))
    assert (change.kind, change.path, change.what) == (ChangeKind.CHANGED, entries[7777].path, ("content",))
    assert len(reads) == 4


@pytest.mark.parametrize("at", [0, 1, 9999, 20_000])
def test_added_and_removed_files_renew_few_pages(at: int) -> None:
    store, entries = MemoryStore(), many(20_000)
    before = write(store, entries)
    held = set(store.chunks)
    added = write(store, [*entries[: at + 1], file(entries[at].path + b"!" if at else b"!"), *entries[at + 1 :]])
    assert len(set(store.chunks) - held) <= 4
    (change,) = diff(before, added)
    assert change.kind is ChangeKind.ADDED
    (change,) = diff(added, before)
    assert change.kind is ChangeKind.REMOVED


def test_diff_of_unlike_trees_names_every_path_once() -> None:
    store = MemoryStore()
    one = write(store, [entry for number, entry in enumerate(many(3000)) if number % 3 or not entry.path])
    two = write(store, [entry for number, entry in enumerate(many(3000)) if number % 2 or not entry.path])
    old, new = {e.path for e in one.entries()}, {e.path for e in two.entries()}
    changes = list(diff(one, two))
    assert {c.path for c in changes if c.kind is ChangeKind.ADDED} == new - old
    assert {c.path for c in changes if c.kind is ChangeKind.REMOVED} == old - new
    assert len(changes) == len(new ^ old)
    assert list(diff(one, one)) == []


def test_diff_tells_what_changed() -> None:
    store = MemoryStore()
    entry = msgspec.structs.replace(file(b"a"), streams=(NamedRef(b"s", one_chunk(1, chunk_id(b"1"))),))
    other = msgspec.structs.replace(entry, mtime_ns=5, streams=(NamedRef(b"t", one_chunk(1, chunk_id(b"1"))),))
    (change,) = diff(write(store, [ROOT, entry]), write(store, [ROOT, other]))
    assert change.what == ("streams", "times")
    assert change.streams == (b"s", b"t")


def test_lookup_reads_one_page() -> None:
    store = MemoryStore()
    manifest = write(store, many(20_000))
    for number in (0, 1, 12_345, 19_999):
        found = manifest.lookup(b"f%06d" % number)
        assert found is not None
        assert found.content == file(b"", b"%d" % number).content
    assert manifest.lookup(b"f000000x") is None
    assert manifest.lookup(b"") == ROOT


GOOD = file(b"a")
CHUNK = chunk_id(b"x")


@pytest.mark.parametrize(
    ("code", "entry"),
    [
        ("bad-path", file(b"/etc/passwd")),
        ("bad-path", file(b"..")),
        ("bad-path", file(b"a/../b")),
        ("bad-path", file(b"a/.")),
        ("bad-path", file(b"a//b")),
        ("bad-path", file(b"a/")),
        ("bad-path", file(b"a\0b")),
        ("bad-path", file(b"x" * 65_536)),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(2, GOOD.content.chunks))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(1, b""))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(1, GOOD.content.chunks[:-1]))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(0, pack_chunks([(0, CHUNK)])))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(200_000, pack_chunks([(200_000, CHUNK)])))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(2**63, b""))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(257, pack_chunks([(1, CHUNK)] * 257)))),
        ("bad-content", msgspec.structs.replace(GOOD, content=ContentRef(1, GOOD.content.chunks, b"x" * 44))),
        ("bad-entry", msgspec.structs.replace(GOOD, type=EntryType.FOLDER)),
        ("bad-entry", msgspec.structs.replace(GOOD, target=b"x")),
        ("bad-entry", ManifestEntry(path=b"l", type=EntryType.SYMLINK)),
        ("bad-entry", msgspec.structs.replace(GOOD, same_as=b"0")),
        ("bad-entry", ManifestEntry(path=b"a", type=EntryType.FILE, same_as=b"b")),
        ("bad-entry", ManifestEntry(path=b"b", type=EntryType.FILE, same_as=b"a", mtime_ns=1)),
        ("bad-entry", ManifestEntry(path=b"b", type=EntryType.FILE, same_as=b"a", mode=0o644)),
        ("bad-entry", msgspec.structs.replace(GOOD, mode=0o10000)),
        ("bad-entry", msgspec.structs.replace(GOOD, mode=-1)),
        ("bad-entry", msgspec.structs.replace(GOOD, mtime_ns=2**63)),
        ("bad-entry", msgspec.structs.replace(GOOD, attributes=((b"b", b""), (b"a", b"")))),
        ("bad-entry", msgspec.structs.replace(GOOD, attributes=((b"a", b""), (b"a", b"")))),
        ("bad-entry", msgspec.structs.replace(GOOD, attributes=((b"a", b"x" * 1025),))),
        ("bad-entry", msgspec.structs.replace(GOOD, attributes=((b"a", GOOD.content),))),
        ("bad-entry", msgspec.structs.replace(GOOD, streams=(NamedRef(b"a:b", GOOD.content),))),
        ("bad-entry", msgspec.structs.replace(GOOD, streams=(NamedRef(b"", GOOD.content),))),
    ],
)
def test_b31_b34_entries_that_contradict_themselves_are_neither_written_nor_read(
    code: str, entry: ManifestEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(FormatError) as caught:
        encode_entry(entry)
    assert caught.value.code == code
    with monkeypatch.context() as patch:
        patch.setattr("haulage.engine.content.manifest_wire.check_entry", lambda entry: None)
        try:
            page = encode_page([encode_entry(entry)])
        except OverflowError:
            return
    with pytest.raises(FormatError):
        decode_page(page)


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [file(b"a")],
        [file(b"")],
        [ROOT, ROOT],
        [ROOT, file(b"b"), file(b"a")],
        [ROOT, file(b"a"), file(b"a")],
        [ROOT, file(b"a"), file(b"a/b")],
        [ROOT, file(b"a/b")],
        [ROOT, folder(b"a"), file(b"a/b/c")],
        [ROOT, folder(b"a"), file(b"ab/c")],
        [ROOT, folder(b"a"), file(b"b"), folder(b"c"), file(b"c/d/e")],
    ],
)
def test_b31_b33_wrong_order_is_neither_written_nor_read(entries: list[ManifestEntry], monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    with pytest.raises(FormatError):
        write(store, entries)
    with monkeypatch.context() as patch:
        patch.setattr("haulage.engine.content.pages.OrderCheck.next", lambda self, entry: None)
        patch.setattr("haulage.engine.content.pages.OrderCheck.end", lambda self: None)
        patch.setattr("haulage.engine.content.manifest.parse_root", lambda data: None)
        manifest_id = write(store, entries).id
    with pytest.raises(FormatError):
        list(Manifest.open(manifest_id, store.read).entries())


def test_folders_keep_their_place_between_names_that_sort_into_them() -> None:
    names = [b"a", b"a-b", b"a-b/x", b"a-c", b"a/x", b"a/y", b"a/y/z", b"b"]
    entries = [ROOT, *[folder(name) if name in (b"a", b"a-b", b"a/y") else file(name) for name in names]]
    assert list(write(MemoryStore(), entries).entries()) == entries


def forged(change: Callable[[dict[str, codec.Value]], object]) -> tuple[MemoryStore, ManifestId]:
    """A manifest whose root page was changed and named anew, as a hostile sender would."""
    store = MemoryStore()
    manifest = write(store, many(3000))
    fields = codec.decode(store.read(ChunkId(manifest.id)), max_bytes=1 << 20, what="manifest")
    assert isinstance(fields, dict)
    change(fields)
    root = codec.encode(fields)
    store.chunks[chunk_id(root)] = root
    return store, ManifestId(chunk_id(root))


def _totals(fields: dict[str, codec.Value], **changes: codec.Value) -> None:
    totals = fields["totals"]
    assert isinstance(totals, dict)
    totals.update(changes)


def _pages(fields: dict[str, codec.Value]) -> list[list[codec.Value]]:
    pages = fields["pages"]
    assert isinstance(pages, list)
    return pages  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("b34 bytes", lambda f: _totals(f, bytes_content=5)),
        ("b34 negative", lambda f: _totals(f, bytes_content=-1)),
        ("b34 2^63", lambda f: _totals(f, bytes_content=2**63)),
        ("b34 files", lambda f: _totals(f, files=2999)),
        ("b28 float", lambda f: _totals(f, files=True)),
        ("pages swapped", lambda f: _pages(f).reverse()),
        ("page left out", lambda f: _pages(f).pop()),
        ("page twice", lambda f: _pages(f).append(_pages(f)[0])),
        ("wrong first", lambda f: _pages(f)[1].__setitem__(1, b"f")),
        ("wrong count", lambda f: _pages(f)[1].__setitem__(2, 1)),
        ("b35 short digest", lambda f: _pages(f)[1].__setitem__(0, bytes(31))),
        ("b35 text digest", lambda f: _pages(f)[1].__setitem__(0, "ab" * 32)),
        ("b37 format", lambda f: f.update(format=2)),
        ("b37 critical", lambda f: f.update(crit=["x"])),
        ("kind", lambda f: f.update(kind="haulage-parcel")),
    ],
)
def test_b34_to_b37_forged_roots_are_refused(why: str, change: Callable[[dict[str, codec.Value]], object]) -> None:
    store, manifest_id = forged(change)
    with pytest.raises(FormatError):
        list(Manifest.open(manifest_id, store.read).entries())


def test_b37_unknown_optional_fields_are_read_and_kept() -> None:
    store, manifest_id = forged(lambda fields: fields.update(later=[1]))
    assert len(list(Manifest.open(manifest_id, store.read).entries())) == 3001
    plain = codec.decode(encode_entry(GOOD), max_bytes=1000, what="entry")
    assert isinstance(plain, dict)
    page = encode_page([codec.encode({**plain, "zz": {"later": 1}})])
    (entry,) = decode_page(page)
    assert entry.extra == (("zz", codec.encode({"later": 1})),)
    assert encode_page([encode_entry(entry)]) == page


@pytest.mark.parametrize(
    "fields",
    [
        {"p": b"a", "m": None},
        {"p": b"a", "t": 0},
        {"p": b"a", "t": 3},
        {"p": "a"},
        {"p": b"a", "c": [1]},
        {"p": b"a", "n": 1.5},
        [],
        5,
    ],
)
def test_second_forms_and_wrong_types_of_an_entry_are_refused(fields: object) -> None:
    with pytest.raises(FormatError):
        decode_page(msgspec.msgpack.encode([fields], order="deterministic"))


def test_i3_a_page_that_is_not_its_id_is_refused() -> None:
    store = MemoryStore()
    manifest = write(store, many(10))
    data = store.read(ChunkId(manifest.id))
    with pytest.raises(IntegrityError):
        Manifest.open(manifest.id, lambda chunk: data[:-1] + b"\1")


def test_long_contents_use_chunk_lists_that_an_insertion_hardly_renews() -> None:
    ids = [(20_000, chunk_id(b"%d" % number)) for number in range(30_000)]

    def listed(rows: list[tuple[int, ChunkId]]) -> tuple[ContentRef, MemoryStore]:
        store = MemoryStore()
        with store.session("test") as session:
            writer = ContentWriter(session)
            for length, chunk in rows:
                writer.add(length, chunk)
            return writer.finish(), store

    content, store = listed(ids)
    check_content(content)
    assert content.chunks == b""
    assert list(read_chunks(content, store.read)) == ids
    _other, store_2 = listed([*ids[:100], (5000, CHUNK), *ids[100:]])
    assert len(set(store_2.chunks) - set(store.chunks)) <= 2
    inline, _ = listed(ids[:256])
    assert inline.lists == b""
    assert listed(ids[:257])[0].lists


def test_live_chunks_are_all_that_is_needed_and_nothing_else() -> None:
    store = MemoryStore()
    report = take(rich_tree(), store)
    take_other = noise(77, 100)
    store.chunks[chunk_id(take_other)] = take_other
    assert set(live_chunks(report.manifest.id, store)) == set(store.chunks) - {chunk_id(take_other)}
    assert cut(b"sorts between a and a/x")[0][1] in set(live_chunks(report.manifest.id, store))


def test_pages_that_are_kept_are_read_once_and_few() -> None:
    store = MemoryStore()
    report = take(rich_tree(), store)
    reads: list[ChunkId] = []

    def read(chunk: ChunkId) -> bytes:
        reads.append(chunk)
        return store.read(chunk)

    for keep, times in ((0, 3), (5, 3), (1000, 1)):
        manifest = Manifest.open(report.manifest.id, read, keep_entries=keep)
        pages = [manifest.page(0) for _ in range(3)]
        assert pages[0] == pages[1] == pages[2] == list(Manifest.open(report.manifest.id, store.read).entries())
        assert reads.count(manifest.pages()[0].id) == times
        reads.clear()
