"""Covers and the container written from them: whatever the bytes, what they make is the new bytes; and little is lost against
sorting all suffixes."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.delta.container import write_container
from haulage.engine.delta.covers import Covers
from haulage.engine.delta.hdiff import apply_hdiff, covers_of
from haulage.engine.delta.matching import every_cover, most_covers


def moved(old: bytes, seed: int) -> bytes:
    """Old bytes in other places, with some changed and some new."""
    numbers = random.Random(seed)
    parts = []
    for _ in range(numbers.randrange(1, 12)):
        start = numbers.randrange(max(1, len(old)))
        part = bytearray(old[start : start + numbers.randrange(1, 6000)])
        for _ in range(numbers.randrange(8)):
            if part:
                part[numbers.randrange(len(part))] = numbers.randrange(256)
        parts.append(bytes(part) + numbers.randbytes(numbers.randrange(40)))
    return b"".join(parts)


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=300), st.integers(0, 1 << 30), st.sampled_from([1, 7, 256]))
def test_what_covers_make_is_the_new_bytes(head: bytes, tail: bytes, seed: int, symbols: int) -> None:
    old = head + bytes(value % symbols for value in random.Random(seed).randbytes(20_000)) + tail
    new = moved(old, seed) + tail
    covers = most_covers(old, new)
    ends = covers.new + covers.lengths
    assert not len(ends) or (int(covers.lengths.min()) > 0 and bool(np.all(covers.new[1:] >= ends[:-1])) and ends[-1] <= len(new))
    assert not len(ends) or (int(covers.old.min()) >= 0 and int((covers.old + covers.lengths).max()) <= len(old))
    container = write_container(old, new, covers)
    assert apply_hdiff(container, old, len(new)) == new
    assert covers_of(container) == list(
        zip(covers.old.tolist(), covers.new.tolist(), covers.lengths.tolist(), strict=True),
    )


def test_long_runs_are_found_without_sorting(monkeypatch: pytest.MonkeyPatch) -> None:
    old = random.Random(1).randbytes(300_000)
    new = bytearray(old[200_000:] + old[:200_000])
    for at in range(0, len(new), 500):
        new[at] ^= 1
    sizes: list[int] = []

    def sorted_suffixes(rest_old: bytes, rest_new: bytes) -> bytes:
        sizes.append(len(rest_old) + len(rest_new))
        return write_container(rest_old, rest_new, Covers.of([]))

    monkeypatch.setattr("haulage.engine.delta.matching.make_hdiff", sorted_suffixes)
    covers = most_covers(old, bytes(new))
    assert sizes[0] < 20_000
    assert int(covers.lengths.sum()) > 290_000


@pytest.mark.parametrize("old", [b"", b"a" * 16, bytes(100_000), b"ab" * 50_000, bytes([7]) * 100_000])
def test_uniform_bytes(old: bytes) -> None:
    new = old[: len(old) // 2] + b"x" * 500 + old
    for covers in (most_covers(old, new), every_cover(old, new)):
        assert apply_hdiff(write_container(old, new, covers), old, len(new)) == new
