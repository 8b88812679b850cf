"""Chunks read ahead: each once from the store, in any order from there, and given back."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from haulage.base.errors import NotFoundError
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.content_view import ContentView, chunks_of
from haulage.engine.parcels.staging import Staging
from tests.engine.content.trees import noise
from tests.engine.parcels.test_content_view import Counting, content_of


def test_what_is_staged_is_read_once_however_little_is_remembered(tmp_path: Path) -> None:
    store = Counting()
    contents = [content_of(store, noise(seed, 5000), 3) for seed in range(20)]
    with contextlib.closing(Staging(store, 6000, str(tmp_path))) as staging:
        views = [ContentView(content, store, staging) for content in contents]
        staging.stage(chunks_of([(view, 0, 5000) for view in views]))
        assert store.asked == [60]
        for _ in range(2):
            assert [view.read(7, 4000) for view in reversed(views)] == [noise(19 - at, 5000)[7:4007] for at in range(20)]
        assert store.asked == [60]
    assert not list(tmp_path.iterdir())


def test_what_was_staged_before_the_last_time_is_read_again(tmp_path: Path) -> None:
    store = Counting()
    first, second, third = [content_of(store, noise(seed, 5000), 3) for seed in range(3)]
    with contextlib.closing(Staging(store, 100, str(tmp_path))) as staging:
        views = [ContentView(content, store, staging) for content in (first, second, third)]
        for view in views:
            staging.stage(chunks_of([(view, 0, 5000)]))
        assert [sum(store.asked), views[2].read(0, 5000), views[1].read(0, 5000), sum(store.asked)] == [
            9,
            noise(2, 5000),
            noise(1, 5000),
            9,
        ]
        assert views[0].read(0, 5000) == noise(0, 5000)
        assert sum(store.asked) == 12


def test_a_chunk_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = Counting()
    lacking: ChunkId = chunk_id(b"never stored")
    with contextlib.closing(Staging(store, 100, str(tmp_path))) as staging, pytest.raises(NotFoundError):
        staging.stage([lacking])
