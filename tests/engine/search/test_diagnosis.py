"""From a text to the articles that are about it: why is told, and nothing is told where nothing fits."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable

import pytest

from haulage.engine.search.diagnosis import Certainty, Clue, Likely, Reason, diagnose
from haulage.engine.search.tantivy_index import TantivyIndex
from tests.engine.search.samples import SAMPLES

LOG = """Starting to compress $$<PRESS_DISTRIBUTION><Tue Jan 15 23:05:40.300 2002 GMT><thread=2020 (0x7E4)>
Cannot compress the source file, Win32 Error = 998 $$<PRESS_DISTRIBUTION><Tue Jan 15 23:06:02.110 2002 GMT><thread=2020 (0x7E4)>"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> TantivyIndex:
    folder: pathlib.Path = tmp_path_factory.mktemp("index")
    made = TantivyIndex(str(folder))
    made.put(SAMPLES)
    return made


def told(index: TantivyIndex, text: str, messages: Iterable[int] = ()) -> list[Likely]:
    return diagnose(text, search=index.search, entries=index.entries, messages=messages, about=lambda number: f"HA-{number}")


def test_a_log_points_at_its_article_and_says_why(index: TantivyIndex) -> None:
    first = told(index, LOG)[0]
    assert (first.hit.id, first.certainty) == ("Q500001", Certainty.LIKELY)
    assert Reason(Clue.ERROR, "998 (ERROR_NOACCESS)") in first.reasons
    assert first.reasons[-1].clue is Clue.WORDS


@pytest.mark.parametrize("text", ["HRESULT 0x80070005 from the loom's service", "the loom service ended with -2147024891"])
def test_an_error_points_in_any_spelling(index: TantivyIndex, text: str) -> None:
    first = told(index, text)[0]
    assert first.hit.id == "Q500004"
    assert Reason(Clue.ERROR, "5 (ERROR_ACCESS_DENIED)") in first.reasons


def test_a_file_points(index: TantivyIndex) -> None:
    first = told(index, "compress stops in C:\\PRESS\\BIN\\PRESSUTIL.DLL")[0]
    assert Reason(Clue.FILE, "pressutil.dll") in first.reasons


def test_the_article_of_a_message_is_told_whatever_the_words_say(index: TantivyIndex) -> None:
    first = told(index, "xyzzy", messages=[2302])[0]
    assert (first.hit.id, first.certainty, first.reasons[0]) == ("HA-2302", Certainty.LIKELY, Reason(Clue.MESSAGE, "2302"))
    assert told(index, "status message 2302")[0].hit.id == "HA-2302"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "the train to Basel is late",
        "nginx: bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "kernel: Out of memory",
    ],
)
def test_nothing_is_told_where_nothing_fits(index: TantivyIndex, text: str) -> None:
    assert told(index, text) == []


@pytest.mark.parametrize("text", ["slider", "<b>slider(1)</b>", "overflows", "licence moved"])
def test_few_words_alone_are_never_likely(index: TantivyIndex, text: str) -> None:
    first = told(index, text)[0]
    assert first.certainty is Certainty.PERHAPS
    assert {reason.clue for reason in first.reasons} == {Clue.WORDS}


def test_many_words_that_all_fit_are_likely(index: TantivyIndex) -> None:
    first = told(index, "service does not start and access is denied after licence server moved")[0]
    assert (first.hit.id, first.certainty) == ("Q500004", Certainty.LIKELY)
    assert {reason.clue for reason in first.reasons} == {Clue.WORDS}


def test_an_article_named_in_small_letters_is_named(index: TantivyIndex) -> None:
    first = told(index, "q500003")[0]
    assert (first.hit.id, first.certainty, first.reasons[0]) == ("Q500003", Certainty.LIKELY, Reason(Clue.ARTICLE, "Q500003"))


def test_a_number_in_other_surroundings_is_no_error(index: TantivyIndex) -> None:
    assert all(reason.clue is not Clue.ERROR for one in told(index, "we sold 998 carpets") for reason in one.reasons)


def test_b102_any_text_is_diagnosed(index: TantivyIndex) -> None:
    for text in ('"', "\ud800", "a\0b", "*" * 70_000, "Q999999 KB000001", "9" * 5000):
        told(index, text)
