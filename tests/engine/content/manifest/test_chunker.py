"""Where content is cut: bounds, independence of segments, and fixed points that must never move."""

from __future__ import annotations

import hashlib

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.engine.content.chunker import MAX_BYTES, MIN_BYTES, SEGMENT_BYTES, WHOLE_BYTES, cut, segments
from tests.engine.content.trees import noise, text


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), size=st.integers(0, 2_000_000), plain=st.booleans())
def test_chunks_cover_the_content_within_bounds(seed: int, size: int, plain: bool) -> None:
    data = (text if plain else noise)(seed, size)
    offset = 0
    chunks = cut(memoryview(data))
    for length, chunk in chunks:
        assert blake3(data[offset : offset + length]).digest() == chunk
        offset += length
    assert offset == size
    if size > WHOLE_BYTES:
        assert all(MIN_BYTES <= length <= MAX_BYTES for length, _ in chunks[:-1])


def test_small_contents_are_one_chunk_and_empty_ones_none() -> None:
    assert cut(b"") == []
    assert len(cut(noise(1, WHOLE_BYTES))) == 1
    assert len(cut(noise(1, 40 * WHOLE_BYTES))) > 1


def test_an_insertion_renews_few_chunks() -> None:
    data = noise(5, 4_000_000)
    before = {chunk for _, chunk in cut(data)}
    after = {chunk for _, chunk in cut(data[:1_000_000] + b"inserted" + data[1_000_000:])}
    assert len(after - before) <= 3


def test_segments_are_cut_at_multiples() -> None:
    assert list(segments(0)) == []
    assert list(segments(SEGMENT_BYTES)) == [(0, SEGMENT_BYTES)]
    assert list(segments(2 * SEGMENT_BYTES + 5))[-1] == (2 * SEGMENT_BYTES, 5)
    with pytest.raises(ValueError, match="segment"):
        cut(bytes(SEGMENT_BYTES + 1))


def test_i23_cut_points_never_move() -> None:
    """The vector of the format document: SHA-256 of the decimal numbers 0, 1, 2 … one after the other, 1,000,000 bytes."""
    data = b"".join(hashlib.sha256(b"%d" % number).digest() for number in range(31_250))
    lengths = [length for length, _ in cut(data)]
    assert lengths == VECTOR


VECTOR = [
    48031, 33101, 37805, 36917, 33887, 39842, 43329, 43537, 46977, 37854, 34071, 42808, 37084, 35957,
    36839, 61711, 15439, 39119, 16853, 33872, 50161, 40092, 50320, 36036, 21268, 35665, 11425,
]  # fmt: skip
