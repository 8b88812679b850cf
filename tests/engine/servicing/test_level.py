"""Versions and ranges: one order, whatever is compared."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.servicing import level
from haulage.engine.servicing.errors import DocumentError

RISING = [
    "1.0~x",
    "1.0dev",
    "1.0a1",
    "1.0b2",
    "1.0rc1",
    "1.0",
    "1.0.2",
    "1.0.2a",
    "1.0.2.1",
    "1.0.10",
    "2.0.1493.999",
    "2.0.1493.2038",
    "1:0.9",
]
TEXTS = st.from_regex(r"[0-9][0-9a-c.~+_-]{0,8}", fullmatch=True)


def test_versions_in_their_order() -> None:
    found = [level.parsed(each) for each in RISING]
    assert sorted(found, key=lambda each: each.key) == found
    assert all(one < other for one, other in itertools.pairwise(found))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("one", "other"), [("2.0", "2.0.0.0"), ("1.2.3-4", "1.2.3.4"), ("0:1", "1"), ("1.0rc1", "1rc1")])
def test_spellings_of_one_version(one: str, other: str) -> None:
    assert level.parsed(one) == level.parsed(other)


@given(one=TEXTS, two=TEXTS, three=TEXTS)
def test_it_is_one_order(one: str, two: str, three: str) -> None:
    a, b, c = map(level.parsed, (one, two, three))
    assert (a < b) + (a == b) + (a > b) == 1
    assert not (a <= b <= c) or a <= c


@pytest.mark.parametrize("text", ["", "x", "1 2", "a:1", "1" * 200, "1/2", "..."])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(DocumentError):
        level.parsed(text)
    assert level.parsed_or_none(text) is None or text == "a:1"


def test_ranges() -> None:
    wanted = level.parsed_range(">=2.0.1380,<2.1,!=2.0.1400")
    inside = [each for each in ("2.0.1239", "2.0.1380", "2.0.1400", "2.0.1493", "2.1") if level.parsed(each) in wanted]
    assert inside == ["2.0.1380", "2.0.1493"]
    assert level.parsed("7") in level.parsed_range("any")
    with pytest.raises(DocumentError):
        level.parsed_range(">=x")


def test_q311457_service_levels_are_ordered_or_unknown() -> None:
    order = ["RTM", "SP1", "SP2", "SP3", "SP4"]
    assert [level.at_least(order, each, "SP2") for each in order] == [False, False, True, True, True]
    assert level.at_least(order, None, "SP2") is None
    assert level.at_least(order, "SP9", "SP2") is None
