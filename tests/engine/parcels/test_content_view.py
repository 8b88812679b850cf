"""Views of held contents: any range, whatever the chunks and lists it lies in; many at once from the store."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from haulage.base.errors import FormatError, NotFoundError
from haulage.engine.content import content_list
from haulage.engine.content.content_list import ContentWriter
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest_model import ContentRef, one_chunk
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.content_view import ChunkCache, ContentView, prefetch
from tests.engine.content.trees import noise


class Counting(MemoryStore):
    """Counts requests."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def read_many(self, chunks: Sequence[ChunkId]) -> Iterator[tuple[ChunkId, memoryview]]:
        self.asked.append(len(chunks))
        return super().read_many(chunks)


def content_of(store: MemoryStore, data: bytes, pieces: int) -> ContentRef:
    cuts = sorted({0, len(data), *random.Random(pieces).sample(range(1, len(data)), pieces - 1)})
    with store.session("test") as session:
        writer = ContentWriter(session)
        for start, end in itertools.pairwise(cuts):
            session.put(chunk_id(data[start:end]), data[start:end])
            writer.add(end - start, chunk_id(data[start:end]))
        return writer.finish()


@pytest.mark.parametrize("pieces", [1, 2, 200, 4000])
def test_any_range(pieces: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_list, "LIST_MAX_CHUNKS", 300)
    monkeypatch.setattr(content_list, "LIST_MIN_CHUNKS", 100)
    store = Counting()
    data = noise(1, 50_000)
    content = content_of(store, data, pieces)
    assert bool(content.lists) == (pieces > 256)
    view = ContentView(content, store, ChunkCache(store, 10_000))
    assert view.size == len(data)
    numbers = random.Random(7)
    ranges = [(0, len(data)), (0, 0), (len(data), 5), (len(data) - 1, 5), (len(data) + 3, 1)]
    ranges += [(numbers.randrange(50_000), numbers.randrange(3_000)) for _ in range(60)]
    for offset, size in ranges:
        assert view.read(offset, size) == data[offset : offset + size]


def test_what_was_fetched_together_is_not_asked_for_again() -> None:
    store = Counting()
    contents = [content_of(store, noise(seed, 5000), 3) for seed in range(20)]
    cache = ChunkCache(store)
    views = [ContentView(content, store, cache) for content in contents]
    prefetch(cache, [(view, 0, 5000) for view in views])
    assert store.asked == [60]
    assert [view.read(10, 4000) for view in views] == [noise(seed, 5000)[10:4010] for seed in range(20)]
    assert store.asked == [60]


def test_a_chunk_that_is_not_what_it_should_be_is_refused() -> None:
    store = MemoryStore()
    with store.session("test") as session:
        session.put(chunk_id(b"abc"), b"abc")
    with pytest.raises(FormatError):
        ContentView(one_chunk(4, chunk_id(b"abc")), store, store).read(0, 4)
    with pytest.raises(NotFoundError):
        ContentView(one_chunk(4, chunk_id(b"none")), store, store).read(0, 4)
