"""What ties a new content to an old one: common chunks, with the same around them, and the longest run that keeps its order."""

from __future__ import annotations

import itertools
from array import array

from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.content.digest import chunk_id
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.anchors import Gap, Places, Stretch, align, find_gaps, in_order_most


def rows(letters: str) -> list[tuple[int, ChunkId]]:
    """A chunk of 10 bytes for each letter."""
    return [(10, chunk_id(letter.encode())) for letter in letters]


def numbered(letters: str) -> dict[ChunkId, int]:
    return {chunk_id(letter.encode()): number for number, letter in enumerate(letters)}


def test_a_gap_lies_between_its_neighbours() -> None:
    gaps = list(find_gaps(rows("abXYcdeZ"), numbered("XYZ"), 0, 3, Places(rows("abcdef")), 60))
    assert gaps == [Gap(20, 0, array("I", [10, 10]), 20, 20), Gap(70, 2, array("I", [10]), 50, 60)]


def test_what_the_old_content_has_twice_says_nothing_of_where() -> None:
    (after_a,) = find_gaps(rows("a0X0b"), numbered("X"), 0, 1, Places(rows("0a00b0")), 60)
    assert (after_a.low, after_a.high) == (30, 30)
    (nowhere,) = find_gaps(rows("b00X00"), numbered("X"), 0, 1, Places(rows("a0b00a00")), 80)
    assert (nowhere.low, nowhere.high) == (50, 80)


def test_chunks_that_are_made_elsewhere_are_not_the_contents_own() -> None:
    gaps = list(find_gaps(rows("XaYXZ"), numbered("XYZ"), 1, 2, None, 0))
    assert [(gap.offset, gap.first, gap.size) for gap in gaps] == [(20, 1, 10), (40, 2, 10)]


@given(old=st.text("abcdefgh01", max_size=30), new=st.text("abcdefgh01XYZ", max_size=30))
def test_aligned_is_all_of_the_new_content(old: str, new: str) -> None:
    at = 0
    old_bytes, new_bytes = ("".join(letter * 10 for letter in text) for text in (old, new))
    for item in align(rows(new), Places(rows(old), exact=True)):
        assert item.offset == at
        if isinstance(item, Stretch):
            assert old_bytes[item.old : item.old + item.length] == new_bytes[at : at + item.length]
            at += item.length
        else:
            assert 0 <= item.low <= len(old_bytes)
            assert 0 <= item.high <= len(old_bytes)
            at += item.size
    assert at == len(new_bytes)


@given(st.lists(st.integers(0, 9), max_size=9))
def test_the_longest_run_in_order(places: list[int]) -> None:
    chosen = sorted(in_order_most(places))
    assert all(places[a] < places[b] for a, b in itertools.pairwise(chosen))
    longest = max(
        (len(some) for size in range(len(places) + 1) for some in itertools.combinations(places, size) if _ascends(some)),
        default=0,
    )
    assert len(chosen) == longest


def _ascends(some: tuple[int, ...]) -> bool:
    return all(a < b for a, b in itertools.pairwise(some))
