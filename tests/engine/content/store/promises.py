"""The promises of every chunk store: a suite that each implementation runs."""

from __future__ import annotations

import abc
import datetime as dt
import random
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError, IntegrityError, NotFoundError, UsageError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin, WriteSession

NOW = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def some(seed: int, size: int = 900) -> bytes:
    """Bytes of which about half compress away."""
    source = random.Random(seed)
    return source.randbytes(size // 2) + bytes([seed % 256]) * (size - size // 2)


def put_all(session: WriteSession, pieces: Iterable[bytes]) -> list[ChunkId]:
    ids = []
    for piece in pieces:
        session.put(chunk_id(piece), piece)
        ids.append(chunk_id(piece))
    return ids


def manifest(number: int) -> ManifestId:
    return ManifestId(number.to_bytes(32, "big"))


class StorePromises(abc.ABC):
    """Run by MemoryStore and LocalStore alike."""

    @pytest.fixture
    @abc.abstractmethod
    def store(self, tmp_path: Path) -> Iterator[ChunkStore] | ChunkStore: ...

    @abc.abstractmethod
    def crash(self, store: ChunkStore) -> ChunkStore:
        """The process dies; the store is opened again."""

    @abc.abstractmethod
    def damage(self, store: ChunkStore, chunk: ChunkId) -> None:
        """Change the stored bytes of a chunk."""

    def test_what_was_put_is_read_back(self, store: ChunkStore) -> None:
        pieces = [some(seed, 1 + 137 * seed) for seed in range(60)] + [b"", b"x"]
        with store.session("test") as session:
            ids = put_all(session, pieces)
        assert [store.read(one) for one in ids] == pieces
        assert {one: bytes(view) for one, view in store.read_many(ids + ids)} == dict(zip(ids, pieces, strict=True))
        assert store.missing([*ids, chunk_id(b"absent")]) == {chunk_id(b"absent")}

    def test_putting_twice_stores_once(self, store: ChunkStore) -> None:
        piece = some(1)
        with store.session("first") as session:
            assert session.put(chunk_id(piece), piece)
            assert not session.put(chunk_id(piece), piece)
            session.checkpoint()
            assert not session.put(chunk_id(piece), piece)
        with store.session("second") as session:
            assert session.has(chunk_id(piece))
            assert not session.put(chunk_id(piece), piece)
        assert store.stats().chunks == 1
        assert store.stats().bytes_raw == len(piece)

    def test_any_buffer_may_be_reused_after_put(self, store: ChunkStore) -> None:
        buffer = bytearray(some(3))
        before = bytes(buffer)
        with store.session("test") as session:
            session.put(chunk_id(buffer), memoryview(buffer))
            buffer[:] = bytes(len(buffer))
        assert store.read(chunk_id(before)) == before

    def test_chunks_are_visible_from_the_checkpoint_on(self, store: ChunkStore) -> None:
        first, second = some(1), some(2)
        session = store.session("test")
        with session as writing:
            writing.put(chunk_id(first), first)
            assert store.missing([chunk_id(first)])
            assert writing.has(chunk_id(first))
            writing.checkpoint()
            assert store.read(chunk_id(first)) == first
            writing.put(chunk_id(second), second)
            writing.abort()
        assert not store.missing([chunk_id(first)])
        assert store.missing([chunk_id(second)])

    def test_f1_a_kill_loses_nothing_that_was_checkpointed(self, store: ChunkStore) -> None:
        session = store.session("capture").__enter__()
        kept = put_all(session, [some(seed) for seed in range(20)])
        session.checkpoint()
        lost = put_all(session, [some(seed) for seed in range(20, 22)])
        store = self.crash(store)
        assert not store.missing(kept)
        assert store.missing(lost) == set(lost)
        with store.session("capture again") as again:
            assert all(again.has(one) for one in kept)
        assert not store.check().damages

    def test_leaving_by_an_exception_keeps_only_checkpoints(self, store: ChunkStore) -> None:
        def fail() -> None:
            with store.session("test") as session:
                put_all(session, [some(1)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert store.missing([chunk_id(some(1))])
        assert store.stats().chunks == 0

    def test_an_ended_session_refuses(self, store: ChunkStore) -> None:
        with store.session("mine") as session:
            pass
        with pytest.raises(ConflictError, match="mine"):
            session.put(chunk_id(b"a"), b"a")
        session.abort()

    def test_a_chunk_beyond_the_limit_is_refused(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            largest = bytes(16 << 20)
            session.put(chunk_id(largest), largest)
            with pytest.raises(UsageError, match="16777217"):
                session.put(chunk_id(b"any"), largest + b"1")
        assert store.read(chunk_id(largest)) == largest

    def test_a_missing_chunk_is_named(self, store: ChunkStore) -> None:
        absent = chunk_id(b"absent")
        with pytest.raises(NotFoundError, match=absent.hex()) as caught:
            store.read(absent)
        assert caught.value.code == "chunk-missing"
        with pytest.raises(NotFoundError, match=absent.hex()):
            list(store.read_many([absent]))

    def test_i3_altered_bytes_are_never_given_out(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            ids = put_all(session, [some(seed) for seed in range(3)])
        self.damage(store, ids[1])
        assert any(ids[1] in damage.chunks for damage in store.check().damages)
        for attempt in (lambda: store.read(ids[1]), lambda: dict(store.read_many(ids))):
            with pytest.raises(IntegrityError) as caught:
                attempt()
            assert caught.value.code == "chunk-damaged"

    def test_i3_bytes_put_under_a_false_name_are_never_given_out(self, store: ChunkStore) -> None:
        false = chunk_id(b"what it says it is")
        with store.session("test") as session:
            session.put(false, some(1))
            (good,) = put_all(session, [some(2)])
        with pytest.raises(IntegrityError, match=false.hex()):
            store.read(false)
        with pytest.raises(IntegrityError, match=false.hex()):
            dict(store.read_many([false, good]))
        assert [damage.chunks for damage in store.check().damages] == [(false,)]
        assert store.read(good) == some(2)

    def test_pins_are_kept_and_replaced(self, store: ChunkStore) -> None:
        store.pin(Pin(owner="held:B", manifest=manifest(1)))
        store.pin(Pin(owner="held:A", manifest=manifest(2), expires=NOW))
        store.pin(Pin(owner="held:B", manifest=manifest(3)))
        store = self.crash(store)
        assert store.pins() == [
            Pin(owner="held:A", manifest=manifest(2), expires=NOW),
            Pin(owner="held:B", manifest=manifest(3)),
        ]
        store.unpin("held:A")
        store.unpin("held:A")
        assert [pin.owner for pin in store.pins()] == ["held:B"]

    def test_q244405_what_nobody_needs_is_gone_after_a_sweep(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            kept = put_all(session, [some(seed) for seed in range(10)])
            dead = put_all(session, [some(seed) for seed in range(10, 30)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
        plan = store.sweep(lambda _: kept, now=NOW, dry_run=True)
        assert not store.missing(dead)
        report = store.sweep(lambda _: kept, now=NOW)
        assert (plan.chunks_removed, plan.chunks_kept) == (report.chunks_removed, report.chunks_kept) == (20, 10)
        assert plan.dry_run
        assert report.bytes_removed > 0
        assert store.missing(dead) == set(dead)
        assert dict(store.read_many(kept)).keys() == set(kept)
        store.unpin("held:A")
        store.sweep(lambda _: kept, now=NOW)
        assert store.stats().chunks == store.stats().bytes_stored == 0

    def test_q256880_content_that_is_needed_survives_however_often_it_is_swept(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            kept = put_all(session, [some(seed) for seed in range(10)])
            put_all(session, [some(seed) for seed in range(10, 30)])
            store.pin(Pin(owner="serve:CHI", manifest=manifest(1)))
            store.pin(Pin(owner="held:A", manifest=manifest(1), expires=NOW - DAY))
        for _ in range(3):
            store.sweep(lambda _: kept, now=NOW)
            store = self.crash(store)
            assert not store.missing(kept)
        assert [pin.owner for pin in store.pins()] == ["serve:CHI"]

    def test_i11_a_list_that_fails_removes_nothing(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            ids = put_all(session, [some(seed) for seed in range(5)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))
            store.pin(Pin(owner="held:B", manifest=manifest(2)))

        def live(which: ManifestId) -> Iterator[ChunkId]:
            yield ids[0]
            if which == manifest(2):
                raise NotFoundError("chunk-missing", "A page is gone.")

        with pytest.raises(NotFoundError):
            store.sweep(live, now=NOW)
        assert not store.missing(ids)

    def test_f40_sweep_spares_what_a_session_wrote_or_found(self, store: ChunkStore) -> None:
        with store.session("before") as session:
            found = put_all(session, [some(1), some(2)])
        with store.session("capture") as session:
            assert not session.put(found[0], some(1))
            written = put_all(session, [some(3)])
            session.checkpoint()
            pending = put_all(session, [some(4)])
            store.sweep(lambda _: (), now=NOW)
            assert session.has(found[0])
        assert not store.missing([found[0], *written, *pending])
        store.sweep(lambda _: (), now=NOW)
        assert store.stats().chunks == 0

    def test_f40_a_pin_set_while_a_sweep_marks_is_honoured(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            ids = put_all(session, [some(seed) for seed in range(5)])
            store.pin(Pin(owner="held:A", manifest=manifest(1)))

        def live(which: ManifestId) -> Iterator[ChunkId]:
            if which == manifest(1):
                store.pin(Pin(owner="serve:B", manifest=manifest(2)))
                yield ids[0]
            else:
                yield from ids

        store.sweep(live, now=NOW)
        assert not store.missing(ids)

    def test_several_threads_read_at_once(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            ids = put_all(session, [some(seed) for seed in range(120)])
        results: list[int] = []

        def read() -> None:
            results.append(sum(chunk_id(view) == one for one, view in store.read_many(ids)))

        threads = [threading.Thread(target=read) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [120, 120, 120]

    def test_check_reads_everything(self, store: ChunkStore) -> None:
        with store.session("test") as session:
            put_all(session, [some(seed) for seed in range(40)])
        told: list[int] = []
        report = store.check(on_progress=told.append)
        assert (report.chunks_checked, report.bytes_checked) == (40, 40 * 900)
        assert not report.damages
        assert told == sorted(told)
        assert told

    def test_a_closed_store_refuses(self, store: ChunkStore) -> None:
        session = store.session("open").__enter__()
        put_all(session, [some(1)])
        store.close()
        store.close()
        with pytest.raises(ConflictError, match="closed"):
            session.checkpoint()
        session.abort()
        with pytest.raises(ConflictError, match="closed"):
            store.read(chunk_id(b""))
