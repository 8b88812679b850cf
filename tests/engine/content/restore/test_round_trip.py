"""Captured and restored is the same tree: random ones, and one of everything."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from haulage.base.errors import IntegrityError
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.content.restore import restore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.memory import MemoryReader, MemoryTree, MemoryWriter
from haulage.testing.clock import HandClock
from tests.engine.content.trees import noise, rich_tree, same, take, trees


def back(store: MemoryStore, manifest: Manifest, *, threads: int = 0) -> MemoryTree:
    writer = MemoryWriter()
    restore(manifest, store, writer, threads=threads)
    return writer.tree


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tree=trees())
def test_i23_capture_and_restore_give_the_same_tree(tree: MemoryTree) -> None:
    store = MemoryStore()
    first = take(tree, store)
    manifest = Manifest.open(first.manifest.id, store.read)
    restored = back(store, manifest)
    assert same(restored, tree)
    assert list(verify_tree(manifest, MemoryReader(restored), threads=0)) == []
    assert take(restored).manifest == first.manifest
    held = len(store.chunks)
    again = take(tree, store)
    assert (again.manifest.id, again.bytes_new, len(store.chunks)) == (first.manifest.id, 0, held)
    assert set(live_chunks(first.manifest.id, store)) == set(store.chunks)


@pytest.mark.parametrize("threads", [0, 2])
def test_one_of_everything(threads: int) -> None:
    tree, store = rich_tree(), MemoryStore()
    report = capture(MemoryReader(tree), store, HandClock(), options=CaptureOptions(threads=threads))
    manifest = Manifest.open(report.manifest.id, store.read)
    assert same(back(store, manifest, threads=threads), tree)
    totals = manifest.totals
    assert (totals.files, totals.folders, totals.symlinks, totals.hard_links, totals.streams) == (5, 2, 1, 1, 3)
    assert totals.bytes_streams == 200_014
    assert totals.bytes_values == 8000


def test_contents_beyond_one_segment_and_one_chunk_list_come_back() -> None:
    tree, store = MemoryTree(), MemoryStore()
    tree.file(b"big.bin", noise(9, 40 << 20), streams={b"big": noise(10, 17 << 20)})
    report = capture(MemoryReader(tree), store, HandClock())
    manifest = Manifest.open(report.manifest.id, store.read)
    entry = manifest.lookup(b"big.bin")
    assert entry is not None
    assert entry.content.lists
    assert same(back(store, manifest, threads=2), tree)


def test_zero_chunks_are_not_written() -> None:
    class Recorder(MemoryWriter):
        written = 0

        def write(self, path: bytes, stream: bytes | None, offset: int, data: memoryview | bytes) -> None:
            self.written += len(data)
            super().write(path, stream, offset, data)

    tree, store = MemoryTree(), MemoryStore()
    tree.file(b"sparse", bytes(3_000_000) + b"end")
    manifest = Manifest.open(take(tree, store).manifest.id, store.read)
    writer = Recorder()
    restore(manifest, store, writer, threads=0)
    assert same(writer.tree, tree)
    assert writer.written < 200_000


def test_i3_a_damaged_chunk_stops_the_restore_and_leaves_nothing() -> None:
    tree, store = rich_tree(), MemoryStore()
    manifest = Manifest.open(take(tree, store).manifest.id, store.read)
    entry = manifest.lookup(b"setup.exe")
    assert entry is not None
    victim = ChunkId(entry.content.chunks[4:36])
    store.chunks[victim] = b"x" * len(store.chunks[victim])
    writer = MemoryWriter()
    with pytest.raises(IntegrityError):
        restore(manifest, store, writer, threads=2)
    assert writer.tree.entries == {}
