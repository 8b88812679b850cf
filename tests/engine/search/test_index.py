"""What every index of articles keeps: run by the product's own and by the peer of the benchmark."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator

import pytest
from benchmarks.knowledge.fts5 import Fts5Index

from haulage.base.errors import UsageError
from haulage.engine.search.model import MOST_HITS, Answer, Facet, Part, Question, SearchIndex
from haulage.engine.search.tantivy_index import TantivyIndex
from tests.engine.search.samples import LOOM, PRESS, SAMPLES, entry

KINDS = ("tantivy", "fts5")


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[SearchIndex]:
    made: SearchIndex = TantivyIndex(str(tmp_path)) if request.param == "tantivy" else Fts5Index(str(tmp_path / "index.db"))
    with contextlib.closing(made):
        yield made


@pytest.fixture
def index(empty: SearchIndex) -> SearchIndex:
    assert empty.put(SAMPLES) == len(SAMPLES)
    return empty


def ids(answer: Answer) -> list[str]:
    return [hit.id for hit in answer.hits]


def ask(index: SearchIndex, text: str) -> list[str]:
    return ids(index.search(Question(text=text)))


def test_nothing_is_found_in_nothing(empty: SearchIndex) -> None:
    answer = empty.search(Question(text="error 998"))
    assert (answer.hits, answer.total, answer.next) == ((), 0, "")
    assert empty.search(Question()).total == 0


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("distribution manager 998", "Q500001"),
        ("too many jobs when updating packages", "Q500002"),
        ("loom speed slider", "Q500003"),
        ("service account license", "Q500004"),
    ],
)
def test_words_in_any_form_find_their_article(index: SearchIndex, text: str, first: str) -> None:
    assert ask(index, text)[0] == first


@pytest.mark.parametrize("text", ["Q500002", "500002", "kb500002", "KB 500002", "see article q500002, please"])
def test_the_number_of_an_article_comes_first(index: SearchIndex, text: str) -> None:
    answer = index.search(Question(text=text))
    assert ids(answer)[0] == "Q500002"
    assert answer.hits[0].why[0].part is Part.NUMBER


def test_an_own_article_is_found_by_its_id_and_its_message(index: SearchIndex) -> None:
    assert ask(index, "ha-2302")[0] == "HA-2302"
    assert "HA-2302" in ask(index, "message 2302")


@pytest.mark.parametrize("text", ["0x3e6", "0x800703E6", "-2147023898", "2147943398", "ERROR_NOACCESS", "998"])
def test_an_error_is_found_however_it_is_written(index: SearchIndex, text: str) -> None:
    assert ask(index, text)[:1] == ["Q500001"]


@pytest.mark.parametrize("text", ["0x80070005", "-2147024891", "2147942405"])
def test_a_result_is_found_however_it_is_written(index: SearchIndex, text: str) -> None:
    assert ask(index, text)[0] == "Q500004"


@pytest.mark.parametrize("text", ["0x80070005", "error 0x80070005", "80070005"])
def test_a_number_that_stands_there_comes_before_what_it_means_and_both_say_why(tmp_path: pathlib.Path, text: str) -> None:
    named = entry("Q500008", "Access errors", rest="Error: access denied to the error file.\n" * 8)
    written = entry("Q500009", "The shuttle refuses", rest=f"{'Its log has many lines, one of them an error. ' * 40} 0x80070005")
    index = TantivyIndex(str(tmp_path))
    index.put([named, written, *(one for one in SAMPLES if one.id != "Q500004")])
    hits = index.search(Question(text=text)).hits
    assert [hit.id for hit in hits[:2]] == ["Q500009", "Q500008"]
    assert hits[0].why[0].text == "0x80070005"
    assert "Error: access denied" in [why.text for why in hits[1].why]
    assert any(piece.marked and piece.text == "Error: access denied" for piece in hits[1].snippet)


def test_a_phrase_must_stand_as_it_is_typed(index: SearchIndex) -> None:
    assert ask(index, '"data streams"') == ["Q500001"]
    assert set(ask(index, "data streams")) == {"Q500001", "Q500003"}
    assert ask(index, '"streams data"') == []


def test_a_word_left_open_finds_its_endings(index: SearchIndex) -> None:
    assert ask(index, "compre*") == ["Q500001"]
    assert ask(index, "xyzzy*") == []


def test_a_name_written_as_one_is_found(index: SearchIndex) -> None:
    assert ask(index, "pressutil.dll")[0] == "Q500001"


def test_a_misspelt_question_is_answered_and_put_right(index: SearchIndex) -> None:
    answer = index.search(Question(text="Distributoin manager 998"))
    assert ids(answer)[0] == "Q500001"
    assert answer.did_you_mean == "distribution manager 998"
    assert index.search(Question(text="distribution manager 998")).did_you_mean == ""


def test_facets_are_counted_over_all_that_is_found(index: SearchIndex) -> None:
    answer = index.search(Question(text="", limit=1))
    counts = {facet: {count.value: count.articles for count in answer.facets[facet]} for facet in Facet}
    assert answer.total == 5
    assert counts[Facet.PRODUCT] == {PRESS: 2, LOOM: 2}
    assert counts[Facet.VERSION] == {"2.0 SP4": 2, "1.0": 2, "2.0 SP3": 1, "1.1": 1}
    assert counts[Facet.YEAR] == {"2002": 2, "1999": 1, "2000": 1}
    assert counts[Facet.TYPE] == {"kbbug": 2, "kbhowto": 1, "kbprb": 1}
    assert counts[Facet.KEYWORD] == {"kbPress": 2, "kbBug": 1, "kbLoom": 1}


def test_facets_narrow(index: SearchIndex) -> None:
    assert set(ids(index.search(Question(only={Facet.PRODUCT: [LOOM]})))) == {"Q500003", "Q500004"}
    assert ids(index.search(Question(only={Facet.PRODUCT: [LOOM], Facet.YEAR: ["1999", "2002"]}))) == ["Q500003"]
    assert ids(index.search(Question(text="streams", only={Facet.TYPE: ["kbhowto"]}))) == ["Q500003"]
    assert ids(index.search(Question(text="streams", only={Facet.VERSION: ["9.9"]}))) == []


def test_no_text_lists_the_newest_first(index: SearchIndex) -> None:
    assert ask(index, " ") == ["Q500002", "Q500001", "Q500004", "Q500003", "HA-2302"]


def test_pages_follow_each_other_without_gap(empty: SearchIndex) -> None:
    empty.put(entry(f"Q6000{n:02}", f"Article {n} on spindles", "Spindle. " * n) for n in range(25))
    seen: list[str] = []
    question = Question(text="spindles", limit=10)
    for _ in range(3):
        answer = empty.search(question)
        seen += ids(answer)
        question = Question(text="spindles", limit=10, after=answer.next)
    assert len(seen) == len(set(seen)) == 25
    assert answer.next == ""


@pytest.mark.parametrize("after", ["1", "x", "5.000000000000", "-1.aa", "999999.aaaaaaaaaaaa", "1\n"])
def test_a_page_of_another_question_is_refused(index: SearchIndex, after: str) -> None:
    with pytest.raises(UsageError) as refused:
        index.search(Question(text="spindles", after=after))
    assert refused.value.code == "bad-cursor"


def test_a_page_has_its_limit(index: SearchIndex) -> None:
    assert len(index.search(Question(limit=10**9)).hits) == 5 <= MOST_HITS
    assert len(index.search(Question(limit=-3)).hits) == 1


def test_putting_again_replaces(index: SearchIndex) -> None:
    changed = entry("Q500003", "How to set the colour of a loom", "A brush is needed.")
    assert index.put([changed]) == 1
    assert ask(index, "slider") == []
    assert ask(index, "brush") == ["Q500003"]
    assert len(index.known()) == len(SAMPLES)
    assert index.entries(["Q500003"]) == [changed]


def test_the_last_of_two_with_one_id_stands(empty: SearchIndex) -> None:
    empty.put([entry("Q1", "carding"), entry("Q1", "combing")])
    assert ask(empty, "carding") == []
    assert ask(empty, "combing") == ["Q1"]


def test_what_is_removed_is_gone(index: SearchIndex) -> None:
    assert index.remove(["Q500001", "Q999999"]) == 1
    assert ask(index, "998") == []
    assert "Q500001" not in index.known()
    assert index.remove([]) == 0


def test_known_tells_ids_with_digests_and_entries_come_in_order(index: SearchIndex) -> None:
    assert index.known() == {one.id: one.digest for one in SAMPLES}
    assert index.entries(["Q500003", "nothing", "Q500001"]) == [SAMPLES[2], SAMPLES[0]]


def test_a_snippet_is_text_in_pieces(empty: SearchIndex) -> None:
    text = "before " * 60 + "the <script>alert(1)</script> shuttle\u202e broke & fell " + "after " * 60
    empty.put([entry("Q1", "Weft", text)])
    hit = empty.search(Question(text="shuttle")).hits[0]
    assert [piece.text for piece in hit.snippet if piece.marked] == ["shuttle"]
    assert "<script>alert(1)</script> " in "".join(piece.text for piece in hit.snippet)
    assert sum(len(piece.text) for piece in hit.snippet) < 300


def test_why_names_the_rarest_word_and_its_best_place(index: SearchIndex) -> None:
    why = index.search(Question(text="error 998 in the distribution manager")).hits[0].why
    assert ("998", Part.TITLE) in [(one.text, one.part) for one in why]
    assert ("manager", Part.PROBLEM) in [(one.text, one.part) for one in why]


HOSTILE = (
    'a AND b OR NOT c NEAR(d e) "', '"', '""', "*", "a*b*c*", "title:998", "-998", "+998", "(((", "[998 TO *]", "^2", "~", "998~2",
    "\\", "'; DROP TABLE article; --", "\0", "a\0b", "\ud800", "\u202e998\u202c", "٩٩٨", "998\u0000\u0000", "{}", "/.*/",
    "IN [a b]", "ﬁx", "é" * 50, "हिन्दी", "漢字", "\U0001f600", "x" * 100_000, "Q" * 500, "9" * 400,
    "0x" + "f" * 60, '"' + "a " * 500 + '"',
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_b102_any_text_is_a_question(index: SearchIndex, text: str) -> None:
    answer = index.search(Question(text=text, only={Facet.KEYWORD: []}))
    assert answer.total >= len(answer.hits) >= 0
    index.search(Question(text="998", only={Facet.KEYWORD: [text]}))
    index.entries([text])


def test_b102_operators_are_words(index: SearchIndex) -> None:
    assert ask(index, "998 NOT distribution")[0] == "Q500001"
    assert ask(index, "title:998")[0] == "Q500001"


def test_b102_a_megabyte_is_a_question(index: SearchIndex) -> None:
    log = "\n".join(f"{n:06} thread {n * 7919 % 65536} waits" for n in range(30_000))
    assert len(log) > 2**20 * 0.7
    assert ask(index, "Cannot write, Win32 Error = 998\n" + log)[0] == "Q500001"


@pytest.mark.parametrize("text", HOSTILE)
def test_b101_any_text_can_be_an_article(empty: SearchIndex, text: str) -> None:
    assert empty.put([entry("Q1", f"{text} spindle", text, words=text, keywords=(text,), products=(text,))]) == 1
    assert ask(empty, "spindle") == ["Q1"]
