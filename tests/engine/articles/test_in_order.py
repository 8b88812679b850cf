"""Files come in the order of their numbers, each once, and none is lost when the source breaks."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import FormatError
from haulage.engine.articles.archive import Found
from haulage.engine.articles.in_order import in_order

NUMBERS = st.lists(st.integers(1, 40), max_size=40)


def file(number: int, at: int = 0) -> Found:
    return Found(name=f"txt/Q{number}.TXT", data=b"%d %d" % (number, at))


@given(NUMBERS)
def test_each_comes_once_and_what_waited_is_in_order(numbers: list[int]) -> None:
    given = [file(number, at) for at, number in enumerate(numbers)]
    back = list(in_order(iter(given)))
    assert sorted(back, key=lambda one: one.data) == sorted(given, key=lambda one: one.data)
    numbered = [int(one.data.split()[0]) for one in back]
    falls = sum(before > after for before, after in itertools.pairwise(numbered))
    assert falls <= 1, "those that waited follow those that did not"
    for number in set(numbers):
        same = [int(one.data.split()[1]) for one in back if one.data.startswith(b"%d " % number)]
        assert same == sorted(same), "of one number the later one is last"


def test_what_has_no_number_or_was_refused_keeps_its_place() -> None:
    refused = Found(name="Q1.TXT", refused=FormatError("link", "Q1.TXT is a link."))
    given = [file(5), Found(name="printer-jam.md", data=b"x"), refused, file(3), file(9)]
    assert [one.name for one in in_order(iter(given))] == ["txt/Q5.TXT", "printer-jam.md", "Q1.TXT", "txt/Q9.TXT", "txt/Q3.TXT"]


def test_what_came_before_the_source_broke_is_passed_on(tmp_path: Path) -> None:
    def source() -> Iterator[Found]:
        yield from (file(7), file(2), file(1))
        raise FormatError("bad-archive", "It broke.")

    back: list[bytes] = []
    with pytest.raises(FormatError, match="It broke"):
        back.extend(one.data for one in in_order(source(), str(tmp_path)))
    assert back == [b"7 0", b"1 0", b"2 0"]
    assert not list(tmp_path.iterdir())
