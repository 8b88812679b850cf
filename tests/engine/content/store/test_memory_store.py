"""The store in memory keeps the promises of every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId, ChunkStore
from tests.engine.content.store.promises import StorePromises


class TestMemoryStore(StorePromises):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ChunkStore:
        return MemoryStore()

    def crash(self, store: ChunkStore) -> ChunkStore:
        assert isinstance(store, MemoryStore)
        store.crash()
        return store

    def damage(self, store: ChunkStore, chunk: ChunkId) -> None:
        assert isinstance(store, MemoryStore)
        store.chunks[chunk] = b"other"
