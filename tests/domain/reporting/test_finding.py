"""From a few letters to the thing that is meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.domain.reporting.finding.view import MOST, Found, Kind, find
from haulage.engine.search.model import Answer
from haulage.testing.estate.opened import Estate


def found(estate: Estate, typed: str) -> Found:
    core = estate.service().core
    with core.database.reading() as tx:
        return find(tx, core.code, typed, lambda question: Answer(hits=(), total=0, facets={}, next=""))


@pytest.mark.parametrize(
    ("typed", "kind", "name", "more"),
    [
        ("HQ100001", Kind.PACKAGE, "HQ100001", ""),
        (" hq100001 ", Kind.PACKAGE, "HQ100001", ""),
        ("HQ100001:1", Kind.VERSION, "HQ100001", "1"),
        ("HQ100001:999", Kind.PACKAGE, "HQ100001", ""),
        ("HQ100001@CHI", Kind.PACKAGE_AT, "HQ100001", "CHI"),
        ("hq100001 at chi", Kind.PACKAGE_AT, "HQ100001", "CHI"),
        ("CHI", Kind.SITE, "CHI", ""),
        ("chi", Kind.SITE, "CHI", ""),
        ("L01/SHOP", Kind.POINT, "L01/SHOP", ""),
        ("l01/SHOP", Kind.POINT, "L01/SHOP", ""),
        ("2302", Kind.NUMBER, "2302", ""),
        ("hlg2328", Kind.ARTICLE, "HLG2328", ""),
    ],
)
def test_f1_what_is_named_exactly_is_gone_to(small_estate: Estate, typed: str, kind: Kind, name: str, more: str) -> None:
    exactly = found(small_estate, typed).exactly
    assert exactly is not None
    assert (exactly.kind, exactly.name, exactly.more) == (kind, name, more)


@pytest.mark.parametrize(
    "typed", ["HQ1FFFFF", "ZZZ", "L01/NOWHERE", "99999", "Q999999", "@nobody", "HQ100001@ZZZ", "", "  ", "%", "_", "'"]
)
def test_what_is_not_there_is_not_gone_to(small_estate: Estate, typed: str) -> None:
    assert found(small_estate, typed).exactly is None


def test_words_find_names_and_signs_of_the_database_are_only_letters(small_estate: Estate) -> None:
    till = found(small_estate, "till software")
    assert "HQ100001" in [one.id for one in till.packages]
    assert found(small_estate, "chicago").sites[0].id == "CHI"
    assert "L01/SHOP" in found(small_estate, "shop").points
    assert "2302" in [one.id for one in found(small_estate, "capture failed").numbers]
    for sign in ("%", "_", "till%software", "\\"):
        assert found(small_estate, sign).packages == []


@settings(max_examples=60, deadline=None)
@given(typed=st.text(max_size=300))
def test_whatever_is_typed_the_answer_is_bounded(small_estate: Estate, typed: str) -> None:
    seen = found(small_estate, typed)
    for rows in (seen.packages, seen.sites, seen.points, seen.groups, seen.numbers, seen.articles):
        assert len(rows) <= MOST
