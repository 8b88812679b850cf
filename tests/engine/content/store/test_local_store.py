"""The store in a folder keeps the promises of every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.engine.content.model import ChunkId, ChunkStore
from haulage.engine.content.store import LocalStore
from haulage.engine.content.store_state import StoreSettings
from tests.engine.content.store.promises import StorePromises

SMALL = StoreSettings(block_bytes=4096, pack_bytes=16384, pack_chunks=64, small_packs_kept=2, cache_bytes=8192)


def reopened(store: ChunkStore) -> LocalStore:
    """The process is gone, another one opens the folder."""
    assert isinstance(store, LocalStore)
    store.close()
    return LocalStore(store.folder, settings=SMALL)


def flip_chunk(store: LocalStore, chunk: ChunkId) -> None:
    """Change the first byte of the block that holds the chunk."""
    for pack in store._state.indexes.all():
        if (place := pack.locate(chunk)) is not None:
            with open(place.path, "r+b") as file:
                file.seek(place.offset + place.size - 1)
                byte = file.read(1)
                file.seek(-1, 1)
                file.write(bytes([byte[0] ^ 1]))


class TestLocalStore(StorePromises):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[ChunkStore]:
        store = LocalStore(tmp_path / "store", settings=SMALL)
        yield store
        store.close()

    def crash(self, store: ChunkStore) -> ChunkStore:
        return reopened(store)

    def damage(self, store: ChunkStore, chunk: ChunkId) -> None:
        assert isinstance(store, LocalStore)
        flip_chunk(store, chunk)
