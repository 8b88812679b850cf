"""Archives by what is inside: made again byte for byte from their base's expanded form, small or larger than a batch."""

from __future__ import annotations

import gzip
import io
import pathlib
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.delta.level import Level
from haulage.engine.parcels import batching, planning
from haulage.engine.parcels.model import SCRATCH, Fresh, ObjectKind, PlannedBatch, Why
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.planning import plan_update
from haulage.engine.parcels.regions import Group
from tests.engine.content.trees import noise, text
from tests.engine.parcels.plans import ABILITIES, carried_out, planned
from tests.engine.parcels.test_planning import captured, fresh


def packed(members: dict[str, bytes], level: int = 6) -> bytes:
    """A zip as most tools write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED, level)
    return out.getvalue()


def kinds(batches: list[PlannedBatch]) -> list[ObjectKind]:
    return [made.kind for batch in batches for made in batch.objects]


OLD = {f"{n}.txt": text(n, 60_000) for n in range(6)}
NEW = {**OLD, "2.txt": OLD["2.txt"][:30_000] + b"something new" + OLD["2.txt"][30_000:], "7.txt": text(7, 2_000)}


def test_only_what_differs_inside_is_fresh(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base, target = captured(store, {b"app-1.jar": packed(OLD)}), captured(store, {b"app-2.jar": packed(NEW)})
    batches = carried_out(target, [base], store, tmp_path)
    assert kinds(batches) == [ObjectKind.ARCHIVE]
    assert fresh(batches) < 33_000
    plan, _ = planned(target, [base], store, tmp_path)
    (told,) = plan.files()
    assert (told.why, told.base, told.bytes_new) == (Why.INSIDE, b"app-1.jar", fresh(batches))


def test_what_a_receiver_cannot_make_again_travels_as_it_is(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base, target = captured(store, {b"app.jar": packed(OLD)}), captured(store, {b"app.jar": packed(NEW)})
    wanted, held = Manifest.open(target, store.read), [Manifest.open(base, store.read)]
    for abilities, level in ((frozenset[str](), Level.SMALLEST), (frozenset({"bzip2"}), Level.SMALLEST), (ABILITIES, Level.FAST)):
        plan = plan_update(wanted, held, store, NewChunks(wanted, held), level=level, folder=str(tmp_path), abilities=abilities)
        assert set(kinds(list(plan.batches()))) == {ObjectKind.RUN}


def test_an_archive_larger_than_a_batch_is_put_aside_in_parts(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    more = {f"more/{n}": text(100 + n, 150_000) for n in range(10)}
    base, target = captured(store, {b"a.zip": packed(OLD)}), captured(store, {b"a.zip": packed({**NEW, **more}), b"b": b"b"})
    for module in (batching, planning):
        monkeypatch.setattr(module, "FRESH_BYTES", dict.fromkeys(batching.FRESH_BYTES, 400_000))
    batches = carried_out(target, [base], store, tmp_path)
    found = kinds(batches)
    assert found.count(ObjectKind.SCRATCH) >= 4
    assert found.count(ObjectKind.ARCHIVE) == 1
    assert all(batch.fresh_bytes <= 400_000 for batch in batches)
    aside_before: set[int] = set()
    for batch in batches:
        for source in batch.sources:
            assert source.base != SCRATCH or source.at.page in aside_before
        aside_before |= {made.first for made in batch.objects if made.kind is ObjectKind.SCRATCH}
    whole = next(made for batch in batches for made in batch.objects if made.kind is ObjectKind.ARCHIVE)
    assert not any(isinstance(piece, Fresh) for piece in whole.pieces)


def test_an_archive_of_texts_is_text_within_the_limits_of_text(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {group: 150_000 if group is Group.TEXT else 1_000_000 for group in Group}
    for module in (batching, planning):
        monkeypatch.setattr(module, "FRESH_BYTES", limits)
    store = MemoryStore()
    base = captured(store, {b"a.zip": packed({"same": OLD["1.txt"], **{f"{n:03}": text(n, 3_000) for n in range(100)}})})
    target = captured(store, {b"a.zip": packed({"same": OLD["1.txt"], **{f"{n:03}": text(n + 500, 3_000) for n in range(100)}})})
    batches = carried_out(target, [base], store, tmp_path)
    assert ObjectKind.SCRATCH in kinds(batches)
    assert all(batch.text for batch in batches if batch.fresh_bytes)
    assert all(batch.fresh_bytes <= 150_000 for batch in batches)


def test_a_gzip_whose_stream_changed_early(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    before = text(1, 300_000)
    base = captured(store, {b"log.gz": gzip.compress(before, 6, mtime=0)})
    target = captured(store, {b"log.gz": gzip.compress(b"first" + before, 6, mtime=0)})
    batches = carried_out(target, [base], store, tmp_path)
    assert kinds(batches) == [ObjectKind.ARCHIVE]
    assert fresh(batches) < 200


def test_no_space_is_left_taken(tmp_path: pathlib.Path) -> None:
    store = MemoryStore()
    base, target = captured(store, {b"a.zip": packed(OLD)}), captured(store, {b"a.zip": packed(NEW)})
    plan, _ = planned(target, [base], store, tmp_path)
    stream = plan.batches()
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


members = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.tuples(st.integers(0, 5), st.integers(0, 40_000), st.booleans()), max_size=4
)


def made_of(members: dict[str, tuple[int, int, bool]], level: int) -> bytes:
    return packed({name: (noise if hard else text)(seed, size) for name, (seed, size, hard) in members.items()}, level)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(old=members, new=members, level=st.sampled_from([1, 6, 9]), tail=st.binary(max_size=50))
def test_any_archive_from_any_other(
    tmp_path_factory: pytest.TempPathFactory,
    old: dict[str, tuple[int, int, bool]],
    new: dict[str, tuple[int, int, bool]],
    level: int,
    tail: bytes,
) -> None:
    store = MemoryStore()
    base = captured(store, {b"x.zip": made_of(old, 6)})
    target = captured(store, {b"x.zip": made_of(new, level) + tail})
    folder = tmp_path_factory.mktemp("plan")
    batches = carried_out(target, [base], store, folder)
    assert fresh(batches) <= 4 * 40_000 + 2_000
