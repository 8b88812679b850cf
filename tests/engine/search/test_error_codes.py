"""One error in all its spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.search.error_codes import NUMBERS, plain, twins, value_of, written


@pytest.mark.parametrize(
    "word", ["998", "0x3e6", "0x3E6", "0x800703E6", "800703e6", "-2147023898", "2147023898", "2147943398", "ERROR_NOACCESS"]
)
def test_all_spellings_are_one_error(word: str) -> None:
    assert value_of(word) == 998


@pytest.mark.parametrize(("word", "number"), [("0xc0000005", 0xC0000005), ("E_FAIL", 0x80004005), ("-2147467259", 0x80004005)])
def test_results_that_are_no_win32_errors_stay(word: str, number: int) -> None:
    assert value_of(word) == number


@pytest.mark.parametrize("word", ["", "-", "0x", "x998", "099", "99999999999", "0x123456789", "٩٩٨", "NO_SUCH_NAME"])
def test_other_words_are_no_error(word: str) -> None:
    assert value_of(word) is None


@given(st.one_of(st.integers(1, 0xFFFF), st.integers(0x80000000, 0x8FFFFFFF), st.integers(0xC0000000, 0xCFFFFFFF)).filter(plain))
def test_what_is_written_is_read_again(number: int) -> None:
    """But for eight digits without a letter, which are a decimal as far as one can see."""
    number = plain(number)
    spellings = [word for word in written(number) if not (word.isdigit() and len(word) == 8)]
    assert {value_of(word) for word in spellings if not word.isdigit() or int(word) >= 2**30 or int(word) < 0x10000} == {number}


def test_every_name_has_its_number() -> None:
    assert all(value_of(name) == plain(number) for name, number in NUMBERS.items())


def test_a_small_number_has_no_twins() -> None:
    assert list(twins("5")) == []
    assert "5" not in twins("0x80070005")
    assert "0x80070005" in twins("-2147024891")
