"""Structure sections: what is told of a target against held bases gives back its pages and lists byte for byte, or is refused."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from haulage.base.errors import FormatError, IntegrityError
from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ManifestEntry, one_chunk
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels import structure as structure_room
from haulage.engine.parcels import structure_held
from haulage.engine.parcels.model import At
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure import Structure, encode_structure, proves, structure_sections
from haulage.engine.parcels.structure_columns import VERBATIM, Column, bad, cut_sections, join_sections, put
from haulage.engine.parcels.structure_held import Held
from haulage.engine.trees.model import EntryType
from haulage.testing.folders import noise
from tests.engine.content.trees import take, trees
from tests.engine.parcels.structures import Maker, write, write_foreign


def held(bases: Sequence[Manifest], store: MemoryStore) -> tuple[MemoryStore, list[Manifest]]:
    """A receiver's store: the pages and lists of the bases, nothing else."""
    own = MemoryStore()
    for base in bases:
        own.chunks[ChunkId(base.id)] = store.read(ChunkId(base.id))
        for index, page in enumerate(base.pages()):
            own.chunks[page.id] = store.read(page.id)
            for entry in base.page(index):
                for content in entry.contents():
                    for _size, _count, chunk in list_rows(content):
                        own.chunks[chunk] = store.read(chunk)
    return own, [Manifest.open(base.id, own.read) for base in bases]


def travel(target: Manifest, bases: Sequence[Manifest], store: MemoryStore, *, verbatim: bool = False) -> list[bytes]:
    """There and back: everything the target names must be at the receiver afterwards, and every content must be told right."""
    new = NewChunks(target, bases)
    give_ids = not bases
    sections = list(encode_structure(target, bases, new, give_ids=give_ids, verbatim=verbatim))
    own, theirs = held(bases, store)
    structure = Structure.decode(sections, target.id, theirs)
    assert structure.new_lengths == new.lengths
    ids = b"".join(new.ordinals)
    assert structure.new_ids == (ids if give_ids or verbatim else None) or not ids
    root = b""
    for root in structure.pages(ids):
        own.chunks[chunk_id(root)] = root
    assert chunk_id(root) == ChunkId(target.id)
    got = Manifest.open(target.id, own.read)
    for page in range(len(target.pages())):
        assert got.page(page) == target.page(page)
        for number, entry in enumerate(target.page(page)):
            for part, content in enumerate(entry.contents()):
                told = list(structure.rows(At(page, number, part)))
                wanted = list(read_chunks(content, own.read))
                assert [length for length, _chunk, _ordinal in told] == [length for length, _chunk in wanted]
                assert [chunk or ids[32 * n : 32 * n + 32] for _length, chunk, n in told] == [chunk for _length, chunk in wanted]
    assert proves(sections, target.id, theirs, new)
    return sections


@settings(deadline=None, max_examples=20)
@given(one=trees(), two=trees(), three=trees())
def test_any_tree_against_any_others(one, two, three) -> None:  # type: ignore[no-untyped-def]
    store = MemoryStore()
    a, b, c = (Manifest.open(take(tree, store).manifest.id, store.read) for tree in (one, two, three))
    travel(a, [], store)
    travel(b, [a], store)
    travel(c, [a, b], store)
    travel(c, [a, b], store, verbatim=True)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), count=st.sampled_from([3, 40, 400]), foreign=st.booleans())
def test_versions_of_rich_trees(seed: int, count: int, foreign: bool) -> None:
    store = MemoryStore()
    maker = Maker(seed, store)
    one = maker.entries(count)
    two = maker.changed(one)
    three = maker.changed(maker.changed(two))
    if foreign:
        sizes = [maker.random.randint(1, 50) for _ in range(5)]
        versions = [write_foreign(tree, store, sizes, later={"x": 1}) for tree in (one, two, three)]
    else:
        versions = [write(tree, store) for tree in (one, two, three)]
    travel(versions[0], [], store)
    travel(versions[1], [versions[0]], store)
    travel(versions[2], [versions[0], versions[1]], store)
    travel(versions[0], versions[::-1], store)


@pytest.mark.parametrize("size", [256, 257, 5000, 30_000])
def test_contents_of_many_chunks(size: int) -> None:
    store = MemoryStore()
    maker = Maker(size, store)
    rows = [maker.chunk() for _ in range(size)]
    edited = [*rows[: size // 3], *[maker.chunk() for _ in range(700)], *rows[size // 3 + 5 :], *rows[:9]]
    tree = maker.entries(5)
    one = {**tree, b"image": maker.file(b"image", rows)}
    two = {**tree, b"copy": maker.file(b"copy", rows[::-1]), b"image": maker.file(b"image", edited)}
    a, b = write(one, store), write(two, store)
    travel(a, [], store)
    sections = travel(b, [a], store)
    travel(b, [a], store, verbatim=True)
    assert sum(map(len, sections)) < 6 * size + 6000  # "copy" is told chunk by chunk, "image" is not


def test_b16_what_did_not_change_costs_next_to_nothing() -> None:
    store = MemoryStore()
    maker = Maker(1, store)
    one = maker.entries(3_000)
    path = next(path for path, entry in one.items() if entry.content.size and len(entry.content.chunks) == 36)
    two = {**one, path: replace(one[path], content=one_chunk(17, ChunkId(noise(32))))}
    a, b = write(one, store), write(two, store)
    (section,) = travel(b, [a], store)
    assert len(section) < 80
    touched = {name: replace(entry, mtime_ns=0 if entry.same_as else 99) for name, entry in one.items()}
    assert sum(map(len, travel(write(touched, store), [a], store))) < 300
    moved = {b"": one[b""], b"v2": ManifestEntry(path=b"v2", type=EntryType.FOLDER)}
    for name, entry in one.items():
        if name:
            same_as = None if entry.same_as is None else b"v2/" + entry.same_as
            moved[b"v2/" + name] = replace(entry, path=b"v2/" + name, same_as=same_as)
    again = {
        name.replace(b"v2", b"v3", 1): replace(
            entry, path=entry.path.replace(b"v2", b"v3", 1), same_as=entry.same_as and entry.same_as.replace(b"v2", b"v3", 1)
        )
        for name, entry in moved.items()
    }
    assert sum(map(len, travel(write(again, store), [write(moved, store)], store))) < 300


def _sample() -> tuple[MemoryStore, Manifest, Manifest, NewChunks, list[bytes]]:
    store = MemoryStore()
    maker = Maker(3, store)
    one = maker.entries(120)
    a, b = write(one, store), write(maker.changed(one), store)
    new = NewChunks(b, [a])
    return store, a, b, new, list(encode_structure(b, [a], new, give_ids=False))


STORE, BASE, TARGET, NEW, SECTIONS = _sample()


def _take(sections: Sequence[bytes]) -> bool:
    """Whether damaged sections are taken for the target; anything but a refusal is a defect."""
    try:
        structure = Structure.decode(sections, TARGET.id, [BASE])
        for page in range(len(TARGET.pages())):
            for entry in range(5):
                list(structure.rows(At(page, entry, 0)))
        root = list(structure.pages(b"".join(NEW.ordinals)))[-1]
    except (FormatError, IntegrityError):
        return False
    return chunk_id(root) == ChunkId(TARGET.id)


def test_b45_a_cut_structure_is_refused() -> None:
    raw = SECTIONS[0]
    assert _take([raw])
    assert not any(_take([raw[:end]]) for end in range(len(raw)))
    assert not _take([raw + b"\0"])
    assert not _take([])


@settings(deadline=None, max_examples=300)
@given(seed=st.integers(0, 2**32))
def test_b34_damaged_columns_are_refused_or_proven_wrong(seed: int) -> None:
    pick = random.Random(seed)
    columns = join_sections(SECTIONS)
    for _ in range(pick.randint(1, 3)):
        column = pick.choice([column for column in columns if column])
        at = pick.randrange(len(column))
        column[at : at + pick.randint(0, 2)] = pick.randbytes(pick.randint(0, 2))
    _take(list(cut_sections(columns, whole=True)))


def test_b49_copies_stay_inside_the_bases() -> None:
    store = MemoryStore()
    maker = Maker(5, store)
    rows = [maker.chunk() for _ in range(9)]
    root = {b"": ManifestEntry(path=b"", type=EntryType.FOLDER)}
    a = write({**root, b"f": maker.file(b"f", rows)}, store)
    b = write({**root, b"f": maker.file(b"f", [*rows[:3], maker.chunk(), *rows[5:]])}, store)
    (section,) = encode_structure(b, [a], NewChunks(b, [a]), give_ids=False)
    for column, value in ((Column.MOVES, 40), (Column.MOVES, 41), (Column.COUNTS, 9), (Column.COUNTS, 2**70)):
        columns = join_sections([section])
        columns[column].clear()
        for _ in range(3):
            put(columns[column], value)
        with pytest.raises(FormatError, match=r"bases do not have|too many|too large|too early"):
            Structure.decode(list(cut_sections(columns, whole=True)), b.id, [a])


def test_b42_repeats_do_not_make_work_without_end() -> None:
    store = MemoryStore()
    maker = Maker(6, store)
    chunk = maker.chunk()
    tree = {b"": ManifestEntry(path=b"", type=EntryType.FOLDER), b"f": maker.file(b"f", [chunk] * 3)}
    target = write(tree, store)
    (section,) = encode_structure(target, [], NewChunks(target, []), give_ids=True)
    columns = join_sections([section])
    columns[Column.COUNTS].clear()
    put(columns[Column.COUNTS], 0)
    put(columns[Column.COUNTS], 2**40)
    with pytest.raises(FormatError) as refused:
        Structure.decode(list(cut_sections(columns, whole=True)), target.id, [])
    assert refused.value.code == "bad-parcel"


def test_a_base_other_than_announced_is_not_taken() -> None:
    other = write(Maker(4, STORE).entries(120), STORE)
    assert proves(SECTIONS, TARGET.id, [BASE], NEW)
    assert not proves(SECTIONS, TARGET.id, [other], NEW)


def test_b34_a_target_that_columns_do_not_give_back_travels_as_it_is() -> None:
    store = MemoryStore()
    chunk = ChunkId(noise(32))
    rows = {name: one_chunk(length, chunk) for name, length in ((b"f", 5), (b"g", 6))}  # one chunk cannot have two lengths
    tree = {b"": ManifestEntry(path=b"", type=EntryType.FOLDER)}
    tree |= {name: ManifestEntry(path=name, type=EntryType.FILE, content=content) for name, content in rows.items()}
    target = write(tree, store)
    new = NewChunks(target, [])
    assert not proves(list(encode_structure(target, [], new, give_ids=True)), target.id, [], new)
    assert proves(list(encode_structure(target, [], new, give_ids=True, verbatim=True)), target.id, [], new)


def test_b49_nobody_goes_back_and_forth_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure_held, "_SPARE_LOADS", 3)
    store = MemoryStore()
    held = Held(write(Maker(8, store).entries(3000), store), 1)
    held.limit_loads(1)
    pages = len(held.manifest.pages())
    for turn in range(pages + 3):
        held.entry(held.count - 1 if turn % 2 else 0)
    with pytest.raises(FormatError, match="back and forth"):
        held.entry(held.count // 2)


def test_what_cannot_be_told_in_columns_travels_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert structure_sections(TARGET, [BASE], NEW) == SECTIONS

    def scattered(*_: object, **__: object) -> list[bytes]:
        raise bad("it goes back and forth")

    monkeypatch.setattr(structure_room, "encode_columns", scattered)
    sections = structure_sections(TARGET, [BASE], NEW)
    assert sections[0][0] == VERBATIM
    assert proves(sections, TARGET.id, [BASE], NEW)
