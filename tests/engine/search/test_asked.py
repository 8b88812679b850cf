"""Taking a question apart: what is asked is kept, and no text takes long or fails."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.engine.search.asked import MOST_WORDS, sound, take_apart

ANY = st.text(st.characters(codec=None, categories=None), max_size=300)


def test_what_is_typed_is_kept() -> None:
    asked = take_apart('KB319207 "Data streams" distrib* Client.LKP SMS_INBOX_MANAGER')
    assert asked.words == ("kb319207", "data", "streams", "client", "lkp", "sms", "inbox", "manager")
    assert asked.phrases == (("data", "streams"),)
    assert asked.names == (("client", "lkp"), ("sms", "inbox", "manager"))
    assert asked.open == ("distrib",)
    assert asked.numbers == ("Q319207",)
    assert not asked.pasted


def test_quotes_in_a_log_are_no_wish() -> None:
    asked = take_apart('Received request: "ABC 1" on queue "Incoming"\nnext line*')
    assert (asked.phrases, asked.open, asked.pasted) == ((), (), True)


@pytest.mark.parametrize("text", ["x" * 100_000, "a." * 50_000, "a" + "." * 100_000, '"' * 100_000, "a*" * 50_000, "Q1-" * 40_000])
def test_b102_long_runs_come_apart(text: str) -> None:
    """One expression looked at each letter of the first from every letter: 80 seconds, now none."""
    asked = take_apart(text)
    assert sum(map(len, asked.words)) <= 40 * MOST_WORDS
    assert len(asked.names) <= 16


@given(ANY)
def test_b102_any_text_comes_apart_within_bounds(text: str) -> None:
    asked = take_apart(text)
    assert len(asked.words) <= MOST_WORDS
    assert all(word.isalnum() for word in asked.words)
    assert all(words for words in (*asked.phrases, *asked.names))
    sound(text).encode()


@given(st.lists(st.from_regex(r"[a-z]{1,12}", fullmatch=True), min_size=1, max_size=20))
def test_plain_words_are_found_again(words: list[str]) -> None:
    assert take_apart(" ".join(words)).words == tuple(dict.fromkeys(words))
