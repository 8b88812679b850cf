"""Plans: every new chunk is made exactly once, from what is held and what is fresh; within limits, and the same every time."""

from __future__ import annotations

import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ManifestId
from haulage.engine.delta.level import Level
from haulage.engine.parcels import batching, planning
from haulage.engine.parcels.model import Copy, FilePlan, PlannedBatch, Why
from haulage.engine.trees.memory import MemoryTree
from tests.engine.content.trees import noise, take, text, trees
from tests.engine.parcels.plans import carried_out, planned


def captured(store: MemoryStore, files: dict[bytes, bytes]) -> ManifestId:
    tree = MemoryTree()
    for path, data in files.items():
        tree.file(path, data)
    return take(tree, store).manifest.id


def fresh(batches: list[PlannedBatch]) -> int:
    return sum(batch.fresh_bytes for batch in batches)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(old=trees(), new=trees(), level=st.sampled_from(Level))
def test_any_tree_from_any_other(tmp_path_factory: pytest.TempPathFactory, old: MemoryTree, new: MemoryTree, level: Level) -> None:
    store = MemoryStore()
    base, target = take(old, store).manifest.id, take(new, store).manifest.id
    folder = tmp_path_factory.mktemp("plan")
    carried_out(target, [base], store, folder, level)
    carried_out(target, [], store, folder, level)


edits = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 70_000), st.integers(0, 70_000), st.integers(0, 1 << 30)), min_size=1, max_size=6
)


def edited(data: bytes, changes: list[tuple[float, int, int, int]]) -> bytes:
    """With bytes taken out and others put in their place: new ones, or some from elsewhere."""
    whole = data
    for where, out, into, seed in changes:
        at = int(where * len(data))
        moved = seed % (len(whole) + 1)
        data = data[:at] + (noise(seed, into) if seed % 2 else whole[moved : moved + into]) + data[at + out :]
    return data


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    changes=edits,
    size=st.integers(0, 400_000),
    level=st.sampled_from(Level),
    fresh_limit=st.integers(140_000, 700_000),
    islands_from=st.sampled_from([0, 1 << 40]),
)
def test_any_edit_of_a_file(
    tmp_path_factory: pytest.TempPathFactory,
    changes: list[tuple[float, int, int, int]],
    size: int,
    level: Level,
    fresh_limit: int,
    islands_from: int,
) -> None:
    store = MemoryStore()
    data = noise(1, size)
    base = captured(store, {b"a.bin": data, b"z": b"z"})
    target = captured(store, {b"a.bin": edited(data, changes), b"z": b"z"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "_LEAST_FOR_ISLANDS", islands_from)
        for module in (batching, planning):
            patch.setattr(module, "FRESH_BYTES", dict.fromkeys(batching.FRESH_BYTES, fresh_limit))
        batches = carried_out(target, [base], store, tmp_path_factory.mktemp("plan"), level)
    assert all(batch.fresh_bytes <= fresh_limit for batch in batches)


def test_copies_grow_up_to_the_change(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    data = noise(1, 500_000)
    base = captured(store, {b"a": data})
    target = captured(store, {b"a": data[:250_000] + b"very much changed" + data[250_017:]})
    batches = carried_out(target, [base], store, tmp_path)
    assert fresh(batches) == 17
    assert 17 < batches[0].window_bytes < 20_000


def test_a_renamed_and_changed_file_is_found_by_its_name(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    data = noise(1, 50_000)
    base = captured(store, {b"lib-1.2/app-deadbeef.so": data, b"other": noise(2, 50_000)})
    target = captured(store, {b"lib-1.3/app-0badf00d.so": data[:100] + b"!" + data[100:], b"other": noise(2, 50_000)})
    plan, _ = planned(target, [base], store, tmp_path)
    (told,) = plan.files()
    assert (told.base, told.why, told.bytes_new) == (b"lib-1.2/app-deadbeef.so", Why.DELTA, 1)


def test_of_several_with_the_name_the_nearest_in_size_is_taken(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base = captured(store, {b"a/x.so": noise(1, 10_000), b"b/x.so": noise(2, 20_000), b"c/x.so": noise(3, 30_000)})
    target = captured(store, {b"d/x.so": noise(2, 20_000) + b"more"})
    plan, _ = planned(target, [base], store, tmp_path)
    (told,) = plan.files()
    assert told.base == b"b/x.so"
    assert told.bytes_new == 4


def test_every_changed_content_is_told(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base = captured(store, {b"same": b"same", b"text": text(1, 5000), b"old": noise(7, 300)})
    target = captured(
        store,
        {b"same": b"same", b"copy": noise(7, 300), b"text": text(1, 4000), b"new": noise(8, 100), b"packed": noise(9, 90_000)},
    )
    plan, new = planned(target, [base], store, tmp_path)
    told = {item.path: item for item in plan.files()}
    assert {path: item.why for path, item in told.items()} == {
        b"copy": Why.COPIED,
        b"text": Why.DELTA,
        b"new": Why.NOTHING_ALIKE,
        b"packed": Why.PACKED,
    }
    assert all(item.bytes_new + item.bytes_reused == item.size for item in told.values())
    assert sum(item.bytes_new for item in told.values()) == fresh(list(plan.batches()))
    assert new.bytes_new == 4000 + 100 + 90_000
    without, _ = planned(target, [], store, tmp_path)
    assert {item.why for item in without.files()} == {Why.NO_BASE, Why.PACKED}


def test_text_binary_and_packed_travel_apart_and_alike_with_alike(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    files = {b"%d.%s" % (n, kind): text(2 * n + (kind == b"h"), 900) for n in range(4) for kind in (b"c", b"h")}
    target = captured(store, {**files, b"m.so": bytes(1000) + text(1, 3000), b"n.png": noise(3, 200_000)})
    batches = carried_out(target, [], store, tmp_path)
    assert [batch.text for batch in batches] == [True, False, False]
    order = [made.first for made in batches[0].objects]
    assert [batch.fresh_bytes for batch in batches] == [8 * 900, 4000, 200_000]
    assert order == [0, 2, 4, 6, 1, 3, 5, 7]


def test_the_same_plan_every_time(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base = captured(store, {b"%d" % n: noise(n, 100_000) for n in range(10)})
    target = captured(store, {b"%d" % n: noise(n, 50_000) + text(n, 60_000) for n in range(10)})
    one, two = carried_out(target, [base], store, tmp_path), carried_out(target, [base], store, tmp_path)
    assert [(b.sources, b.windows, b.objects) for b in one] == [(b.sources, b.windows, b.objects) for b in two]


def test_windows_that_overlap_stand_in_a_batch_once(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    data = bytearray(noise(1, 2_000_000))
    base = captured(store, {b"a": bytes(data)})
    for at in range(0, len(data), 100_000):
        data[at] ^= 1
    batches = carried_out(captured(store, {b"a": bytes(data)}), [base], store, tmp_path)
    assert len(batches) == 1
    assert batches[0].window_bytes <= 2_000_000
    assert fresh(batches) == 20


def test_several_bases_and_other_packages(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    one = captured(store, {b"a": noise(1, 80_000)})
    two = captured(store, {b"b": noise(2, 80_000)})
    target = captured(store, {b"a": noise(1, 80_000) + b"1", b"b": noise(2, 80_000) + b"2"})
    batches = carried_out(target, [one, two], store, tmp_path)
    assert fresh(batches) <= 2 * 80_000
    assert {source.base for batch in batches for source in batch.sources} == {0, 1}


def test_what_moved_far_within_a_large_file_is_copied(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_LEAST_FOR_ISLANDS", 1_000_000)
    store = MemoryStore()
    data = noise(1, 3_000_000)
    # Shorter than a chunk, so that no chunk of what moved is the same.
    parts = [data[at : at + 16_000] for at in range(1_000_000, 1_320_000, 16_000)]
    base = captured(store, {b"disk.img": data})
    target = captured(store, {b"disk.img": data[:400_000] + b"".join(parts[::-1]) + data[400_000:]})
    batches = carried_out(target, [base], store, tmp_path)
    assert fresh(batches) < 320_000 / 4
    assert max(len(made.pieces) for batch in batches for made in batch.objects) > 15


def test_a_renamed_file_is_found_by_what_is_in_it(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    files = {b"%c.bin" % letter: noise(letter, 50_000) for letter in b"abcdefgh"}
    base = captured(store, {**files, b"large": noise(1, 500_000), b"z": b"z"})
    edited_one = files[b"e.bin"][:20_000] + b"\0changed" + files[b"e.bin"][20_000:]
    target = captured(store, {b"other.bin": edited_one, b"huge.dll": noise(1, 500_000) + b"more", b"z": b"z"})
    told = {item.path: item for item in planned(target, [base], store, tmp_path)[0].files()}
    assert told[b"other.bin"].base == b"e.bin"
    assert told[b"other.bin"].bytes_new <= 8
    assert (told[b"huge.dll"].base, told[b"huge.dll"].bytes_new) == (b"large", 4)
    quick = {item.path: item for item in planned(target, [base], store, tmp_path, Level.FAST)[0].files()}
    assert quick[b"huge.dll"].base == b"large"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"lib/x-1.2.so", b"lib/x-1.3.so"),
        (b"js/index-BDLE_LSh.js", b"js/index-DwyfHuVZ.js"),
        (b"js/2955.47d81759e4605daaff24.js", b"js/2955.d8fd055f03b878034fe4.js"),
        (b"linux-6.1.0-55/fs/ext4.ko", b"linux-6.1.0-56/fs/ext4.ko"),
    ],
)
def test_names_that_change_with_the_version(tmp_path: pathlib.Path, before: bytes, after: bytes) -> None:
    store = MemoryStore()
    base = captured(store, {before: noise(1, 500), b"js/2956.0000000000.js": noise(2, 500), b"js/main-Abcdefgh.js": noise(3, 500)})
    target = captured(store, {after: b"!" + noise(1, 500)})
    (told,) = planned(target, [base], store, tmp_path)[0].files()
    assert told.base == before


def test_nothing_new_is_no_batch(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base = captured(store, {b"a": noise(1, 80_000), b"b": b"b"})
    target = captured(store, {b"c": noise(1, 80_000), b"b": b"b"})
    plan, _ = planned(target, [base], store, tmp_path)
    assert list(plan.batches()) == []
    assert [(item.path, item.why, item.bytes_new) for item in plan.files() if isinstance(item, FilePlan)] == [(b"c", Why.COPIED, 0)]


def test_a_copy_never_reaches_beyond_its_source(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base = captured(store, {b"a": bytes(300_000)})
    target = captured(store, {b"a": bytes(900_001)})
    for batch in carried_out(target, [base], store, tmp_path):
        assert all(isinstance(p, Copy) and p.offset + p.length <= 300_000 for made in batch.objects for p in made.pieces)
