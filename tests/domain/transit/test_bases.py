"""Which held versions an update starts from."""

from __future__ import annotations

import random

import pytest

from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.transit import bases
from haulage.domain.transit.bases import BaseChoice, Candidate, by_nearness, choose_bases
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ManifestId
from haulage.engine.trees.memory import MemoryTree
from tests.engine.content.trees import take

WORD, OTHER = PackageId("HQ100001"), PackageId("HQ100002")


def noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def captured(store: MemoryStore, files: dict[bytes, bytes]) -> ManifestId:
    tree = MemoryTree()
    for path, data in files.items():
        tree.file(path, data, mtime_ns=1)
    return take(tree, store).manifest.id


def candidate(package: PackageId, number: int, manifest: ManifestId) -> Candidate:
    return Candidate(package=package, number=VersionNumber(number), manifest=manifest)


def chosen(target: ManifestId, candidates: list[Candidate], store: MemoryStore, number: int = 9) -> BaseChoice:
    return choose_bases(target, WORD, by_nearness(WORD, VersionNumber(number), candidates), store)


def test_the_nearest_version_comes_first_an_older_one_before_a_newer() -> None:
    held = [candidate(WORD, number, ManifestId(bytes([number]) * 32)) for number in (9, 8, 3, 6, 1)]
    other = candidate(OTHER, 7, ManifestId(b"o" * 32))
    again = candidate(OTHER, 8, held[1].manifest)
    ordered = by_nearness(WORD, VersionNumber(7), [other, again, *held])
    assert [(one.package, one.number) for one in ordered] == [(WORD, 6), (WORD, 8), (WORD, 9), (WORD, 3), (WORD, 1), (OTHER, 7)]


def test_a_version_of_which_no_chunk_is_left_is_a_base_all_the_same() -> None:
    """Every file is small and has changed: they share no chunk, and are alike but for some bytes."""
    store = MemoryStore()
    old = captured(store, {b"%d.cfg" % number: b"old %d " % number + noise(number, 9_000) for number in range(20)})
    new = captured(store, {b"%d.cfg" % number: b"new %d " % number + noise(number, 9_000) for number in range(20)})
    found = chosen(new, [candidate(WORD, 8, old)], store)
    assert found.bases == (old,)
    assert found.bytes_new == pytest.approx(20 * 9_007, rel=0.05)


def test_another_package_with_the_same_files_is_a_base_if_there_is_no_version_of_this_one() -> None:
    store = MemoryStore()
    alike = captured(store, {b"bin/%d.dll" % number: b"old" + noise(number, 50_000) for number in range(10)})
    strange = captured(store, {b"readme": noise(99, 50_000), b"bin/other": noise(98, 100_000)})
    new = captured(store, {b"bin/%d.dll" % number: b"new" + noise(number, 50_000) for number in range(10)})
    assert chosen(new, [candidate(OTHER, 1, strange), candidate(OTHER, 2, alike)], store).bases == (alike,)
    assert chosen(new, [candidate(OTHER, 1, strange)], store) == BaseChoice(bases=(), bytes_new=500_030)


def test_further_bases_are_those_that_save_most_and_no_more_than_four() -> None:
    store = MemoryStore()
    parts = [
        {b"%d/%d" % (part, number): noise(part * 100 + number, 30_000 + part * 3_000) for number in range(5)} for part in range(7)
    ]
    new = captured(store, {path: data for part in parts for path, data in part.items()})
    held = [candidate(OTHER, part, captured(store, files)) for part, files in enumerate(parts)]
    nearest = candidate(WORD, 8, captured(store, {b"of": b"little use"}))
    found = chosen(new, [*held, nearest], store)
    assert set(found.bases) == {nearest.manifest, *(held[part].manifest for part in (6, 5, 4))}
    left = sum(len(data) for part in parts[:4] for data in part.values())
    assert found.bytes_new == pytest.approx(left, rel=0.02)
    assert list(found.bases) == sorted(found.bases)


def test_a_base_that_brings_nothing_is_left_out_for_fewer_can_share_the_update() -> None:
    store = MemoryStore()
    files = {b"%d" % number: noise(number, 40_000) for number in range(10)}
    eighth = captured(store, files | {b"0": noise(77, 40_000)})
    seventh = captured(store, files | {b"0": noise(78, 40_000), b"1": noise(79, 40_000)})
    new = captured(store, files | {b"0": noise(80, 40_000)})
    assert chosen(new, [candidate(WORD, 7, seventh), candidate(WORD, 8, eighth)], store).bases == (eighth,)


def test_what_cannot_be_read_here_is_no_base() -> None:
    store = MemoryStore()
    old = captured(store, {b"a": noise(1, 50_000)})
    new = captured(store, {b"a": noise(1, 50_000), b"b": noise(2, 50_000)})
    lost = candidate(WORD, 8, ManifestId(b"\0" * 32))
    assert chosen(new, [lost, candidate(WORD, 7, old)], store).bases == (old,)
    assert chosen(new, [candidate(WORD, 9, new)], store).bases == ()


def test_a_sample_of_a_large_tree_tells_about_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    files = {b"%d" % number: noise(number, 2_000) for number in range(3_000)}
    old = captured(store, dict(list(files.items())[:2_400]))
    new = captured(store, files)
    monkeypatch.setattr(bases, "SAMPLE", 512)
    found = chosen(new, [candidate(OTHER, 1, old)], store)
    assert found.bases == (old,)
    assert found.bytes_new == pytest.approx(1_200_000, rel=0.3)


def test_an_empty_tree_needs_no_content_and_takes_its_names_from_the_version_before() -> None:
    store = MemoryStore()
    old, new = captured(store, {b"a": b""}), captured(store, {b"a": b"", b"b": b""})
    assert chosen(new, [candidate(WORD, 8, old)], store) == BaseChoice(bases=(old,), bytes_new=0)
    assert chosen(new, [], store) == BaseChoice()
