"""A store that was damaged: found in every byte, put right from good bytes, damaged packs set aside and never deleted before."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import pytest

from haulage.base.errors import HaulageError, NotFoundError, TransferError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId, Damage, ManifestId, Pin
from haulage.engine.content.store import LocalStore
from tests.engine.content.store.promises import NOW, manifest, put_all, some
from tests.engine.content.store.test_damage import flip, only
from tests.engine.content.store.test_local_store import SMALL, flip_chunk

PIECES = [some(seed, 60) for seed in range(6)]


def filled(folder: Path) -> tuple[LocalStore, list[ChunkId]]:
    store = LocalStore(folder / "store", settings=SMALL)
    with store.session("test") as session:
        ids = put_all(session, PIECES)
        store.pin(Pin(owner="held:A", manifest=manifest(1)))
    return store, ids


def put_back(store: LocalStore) -> None:
    with store.session("heal") as session:
        put_all(session, PIECES)


def test_i15_a_damaged_pack_is_set_aside_once_everything_needed_is_good_elsewhere(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        pack = only(tmp_path / "store", "*.pack")
        flip_chunk(store, ids[0])
        assert store.check().damages
        assert store.damaged()
        assert store.unsound() == [pack.stem]
        left = store.mend(lambda _: ids, now=NOW)
        assert (left.packs_set_aside, left.packs_left) == (0, 1)
        assert pack.exists(), "it may hold what cannot be had elsewhere"
        put_back(store)
        done = store.mend(lambda _: ids, now=NOW)
        assert (done.packs_set_aside, done.packs_left) == (1, 0)
        assert not pack.exists()
        assert (tmp_path / "store" / "quarantine" / pack.name).exists()
        assert (store.damaged(), store.unsound()) == ([], [])
        assert [store.read(one) for one in ids] == PIECES
        assert not store.check().damages
        assert store.clear_aside()
        assert list((tmp_path / "store" / "quarantine").iterdir()) == []
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert [store.read(one) for one in ids] == PIECES


def test_every_byte_of_every_file_is_found_and_mended(tmp_path: Path) -> None:
    """Each byte of packs and indexes is flipped in turn; what good bytes are put back, nothing is left damaged."""
    (tmp_path / "first").mkdir()
    store, ids = filled(tmp_path / "first")
    store.close()
    whole = {path.name: path.read_bytes() for path in (tmp_path / "first" / "store" / "packs").iterdir()}
    store = LocalStore(tmp_path / "first" / "store", settings=SMALL)
    for name, data in sorted(whole.items()):
        for offset in range(0, len(data), 7 if name.endswith(".pack") else 13):
            with contextlib.closing(store):
                path = tmp_path / "first" / "store" / "packs" / name
                flip(path, offset)
                found = store.check()
                assert found.damages, f"{name} at {offset}"
                assert any(name in damage.where for damage in found.damages), f"{name} at {offset}"
                put_back(store)
                report = store.mend(lambda _: ids, now=NOW)
                assert report.packs_left == 0
                assert report.indexes_written + report.packs_set_aside == 1
                assert not store.check().damages, f"{name} at {offset}"
                assert [store.read(one) for one in ids] == PIECES
            for left in (tmp_path / "first" / "store").glob("*/*.*"):
                if left.parent.name in ("packs", "quarantine"):
                    left.unlink()
            for one, content in whole.items():
                (tmp_path / "first" / "store" / "packs" / one).write_bytes(content)
            store = LocalStore(tmp_path / "first" / "store", settings=SMALL)
    store.close()


def test_a_damaged_marker_is_written_again_as_it_was(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        marker = tmp_path / "store" / "format"
        before = marker.read_bytes()
        for offset in range(len(before)):
            flip(marker, offset)
            assert [damage.where for damage in store.check().damages] == [str(marker)]
            store.mend(lambda _: ids, now=NOW)
            assert marker.read_bytes() == before
        marker.write_bytes(b"haulage-store 1\noptional new\n")
        assert store.check().damages, "it is not what was opened"


def test_a_lost_pack_is_forgotten_once_its_chunks_are_back(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    store.close()
    only(tmp_path / "store", "*.pack").unlink()
    with contextlib.closing(LocalStore(tmp_path / "store", settings=SMALL)) as store:
        assert set(store.damaged()) == set(ids)
        assert store.mend(lambda _: ids, now=NOW).packs_left == 1
        put_back(store)
        assert store.mend(lambda _: ids, now=NOW).packs_left == 0
        assert (store.damaged(), store.unsound()) == ([], [])
        assert not store.check().damages


def test_a_pack_file_that_vanished_is_found_and_replaced(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        only(tmp_path / "store", "*.pack").unlink()
        assert {chunk for damage in store.check().damages for chunk in damage.chunks} == set(ids)
        put_back(store)
        assert store.mend(lambda _: ids, now=NOW).packs_left == 0
        assert not store.check().damages


def test_what_is_readable_leaves_a_damaged_pack_by_itself(tmp_path: Path) -> None:
    """Nothing but the pack's own head is wrong: no other place is needed."""
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        flip(only(tmp_path / "store", "*.pack"), 3)
        assert store.check().damages
        assert store.damaged() == []
        report = store.mend(lambda _: ids, now=NOW)
        assert (report.chunks_moved, report.packs_set_aside) == (len(ids), 1)
        assert [store.read(one) for one in ids] == PIECES
        assert not store.check().damages


def test_a_pack_that_a_session_relies_on_waits(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        flip(only(tmp_path / "store", "*.pack"), 3)
        store.check()
        with store.session("working") as session:
            assert session.has(ids[0])
            assert store.mend(lambda _: ids, now=NOW).packs_left == 1
        assert store.mend(lambda _: ids, now=NOW).packs_set_aside == 1


def test_a_mend_whose_versions_cannot_be_listed_moves_nothing(tmp_path: Path) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        pack = only(tmp_path / "store", "*.pack")
        flip_chunk(store, ids[0])
        store.check()

        def unlistable(_manifest: ManifestId) -> list[ChunkId]:
            raise NotFoundError("chunk-missing", "A page is gone.", "")

        with pytest.raises(NotFoundError):
            store.mend(unlistable, now=NOW)
        assert pack.exists()


def test_f62_no_descriptor_left_says_nothing_about_a_chunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was counted as damage before, and the chunk was gone until the next start."""
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        told: list[Damage] = []
        store.watch(told.append)

        def refuse(*_arguments: object, **_named: object) -> int:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refuse)
            with pytest.raises(TransferError, match="Too many open files"):
                store.read(ids[0])
            with pytest.raises(TransferError, match="Too many open files"):
                store.check()
        assert not store.missing(ids)
        assert (store.damaged(), store.unsound()) == ([], [])
        assert told == []
        assert store.read(ids[0]) == PIECES[0]


def test_a_read_error_is_damage_and_heals_by_itself_when_it_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, ids = filled(tmp_path)
    with contextlib.closing(store):
        told: list[Damage] = []
        store.watch(told.append)
        real = os.pread

        def fail(fd: int, size: int, offset: int) -> bytes:
            if offset:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(fd, size, offset)

        with monkeypatch.context() as patched:
            patched.setattr(os, "pread", fail)
            with pytest.raises(HaulageError, match="Input/output error"):
                store.read(ids[0])
            assert store.check().damages
        assert [damage.pack for damage in told[:1]] == [only(tmp_path / "store", "*.pack").stem]
        assert store.damaged()
        assert not store.check().damages, "it can be read again"
        assert (store.damaged(), store.unsound()) == ([], [])
        assert store.read(chunk_id(PIECES[0])) == PIECES[0]
