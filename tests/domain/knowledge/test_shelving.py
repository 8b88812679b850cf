"""Which articles travel together, how they are packed, and that nothing else than what was packed comes out."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError, UsageError
from haulage.domain.knowledge.model import Stocked
from haulage.domain.knowledge.shelving import ARTICLE_BYTES, SHELF_BYTES, arrange, pack, shelf_name, stocked, unpack
from haulage.engine.protocol.definitions import PACKED_MAX_BYTES, ShelfState
from haulage.testing.folders import noise

SOURCES = st.dictionaries(
    st.integers(min_value=316_300, max_value=316_399).map(lambda number: f"Q{number}"),
    st.binary(max_size=200),
    min_size=1,
    max_size=12,
)


def of(sources: dict[str, bytes]) -> dict[str, Stocked]:
    return {name: stocked(name, "archive-text", f"{name}.TXT", data) for name, data in sources.items()}


def packed(articles: dict[str, Stocked]) -> ShelfState:
    state = pack(articles)
    assert state is not None
    return state


@given(SOURCES)
def test_what_is_packed_comes_out_byte_for_byte_in_order(sources: dict[str, bytes]) -> None:
    state = packed(of(sources))
    found = unpack(state.articles, state.packed)
    assert [one.id for one in found] == sorted(sources)
    assert {one.id: one.data for one in found} == sources


@given(SOURCES, SOURCES)
def test_what_comes_replaces_what_was_there_and_leaves_the_rest(there: dict[str, bytes], coming: dict[str, bytes]) -> None:
    arranged = arrange("Q.3163", of(there), of(coming).values())
    assert list(arranged) == ["Q.3163"]
    found = {one.id: one.data for one in unpack(arranged["Q.3163"].articles, arranged["Q.3163"].packed)}
    assert found == there | coming


def test_i3_a_shelf_with_another_byte_is_refused_whole() -> None:
    state = packed(of({"Q316316": b"one" * 100, "Q316319": b"two" * 100}))
    other = packed(of({"Q316316": b"one" * 100, "Q316319": b"twO" * 100}))
    with pytest.raises(FormatError, match="Q316319 is not what its digest says"):
        unpack(state.articles, other.packed)
    with pytest.raises(FormatError, match="bad-shelf"):
        unpack(state.articles, state.packed[:-3])


def test_i24_a_shelf_that_would_unfold_to_too_much_is_refused_before_it_does() -> None:
    state = packed(of({"Q1": b"a"}))
    entry = msgspec.structs.replace(state.articles[0], bytes=SHELF_BYTES + 1)
    with pytest.raises(FormatError, match="would unfold"):
        unpack([entry], state.packed)


def test_one_that_does_not_fit_any_more_stands_alone_and_the_others_stay() -> None:
    there = of({f"Q10000{number}": noise(300_000, number) for number in range(4)})
    coming = of({"Q100009": noise(400_000, 9)})
    arranged = arrange("Q.1000", there, coming.values())
    assert sorted(arranged) == ["Q.1000", "Q100009"]
    assert [entry.id for entry in arranged["Q.1000"].articles] == sorted(there)
    assert all(len(state.packed) <= PACKED_MAX_BYTES for state in arranged.values())


def test_the_largest_article_fits_on_a_shelf_even_if_it_cannot_be_compressed() -> None:
    assert pack(of({"Q1": noise(ARTICLE_BYTES, 1)})) is not None
    with pytest.raises(UsageError, match="article-too-large"):
        stocked("Q1", "archive-text", "Q1.TXT", b"a" * (ARTICLE_BYTES + 1))


@pytest.mark.parametrize(("article", "shelf"), [("Q316316", "Q.3163"), ("Q99", "Q.0"), ("HLG-503", "HLG-.5")])
def test_near_numbers_share_a_shelf(article: str, shelf: str) -> None:
    assert shelf_name(article) == shelf


@pytest.mark.parametrize("article", ["", "316316", "Q", "Q12345678", "Q1/../2", "q1", "Q1\n"])
def test_what_is_no_id_has_no_shelf(article: str) -> None:
    with pytest.raises(UsageError, match="bad-article-id"):
        shelf_name(article)


def test_names_are_cut_not_refused() -> None:
    assert len(dataclasses.replace(stocked("Q1", "markdown", "n" * 999, b""), id="Q2").name) == 256
