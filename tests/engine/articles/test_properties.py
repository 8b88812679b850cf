"""Whatever an article says: both forms give it back, nothing acts, nothing is lost, and reading twice gives the same."""

from __future__ import annotations

import re

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from haulage.base.errors import HaulageError
from haulage.engine.articles.fix_graph import around, fix_graph
from haulage.engine.articles.graph_layout import picture
from haulage.engine.articles.graph_svg import graph_svg
from haulage.engine.articles.graph_text import graph_text
from haulage.engine.articles.reading import Reading, read
from haulage.engine.articles.sections import KINDS
from haulage.testing.archive_article import ArchiveArticle

WORD = st.from_regex(r"[A-Za-z][a-z0-9]{0,8}", fullmatch=True)
LINE = st.lists(WORD, min_size=1, max_size=30).map(" ".join)
TEXT = st.lists(LINE, min_size=1, max_size=4).map("\n\n".join)
HEADINGS = st.sampled_from(sorted(KINDS))
ARTICLES = st.builds(
    ArchiveArticle,
    id=st.from_regex(r"Q[1-9][0-9]{4,5}", fullmatch=True),
    title=st.lists(WORD, min_size=1, max_size=8).map(" ".join),
    sections=st.dictionaries(HEADINGS, TEXT, min_size=1, max_size=5),
    query_words=st.lists(WORD, max_size=4).map(" ".join),
)
REFERENCE = st.builds("   Q{} {}".format, st.integers(10_000, 999_999), LINE)


def words(text: str) -> list[str]:
    return re.findall(r"\S+", text)


@given(article=ARTICLES)
@settings(max_examples=60, deadline=None)
def test_every_word_of_every_section_comes_back_in_order_from_both_forms(article: ArchiveArticle) -> None:
    for data in (article.as_text(), article.as_web()):
        made = read(data, f"{article.id}.TXT").article
        assert (made.id, made.title) == (article.id, article.title)
        assert [one.heading for one in made.sections] == list(article.sections)
        assert [words(one.whole()) for one in made.sections] == [words(text) for text in article.sections.values()]
        assert list(made.query_words) == list(dict.fromkeys(article.query_words.split()))


@given(listed=st.lists(REFERENCE, min_size=1, max_size=6, unique_by=lambda line: line.split()[0]))
@settings(max_examples=60, deadline=None)
def test_references_come_back_with_their_titles_however_they_wrap(listed: list[str]) -> None:
    lines = "\n\n".join(line[:70].rpartition(" ")[0] + "\n   " + line[len(line[:70].rpartition(" ")[0]) + 1 :] for line in listed)
    made = read(ArchiveArticle(id="Q5000", sections={"MORE INFORMATION": f"See:\n\n{lines}"}).as_text(), "a").article
    assert [(one.target, one.title) for one in made.references] == [
        (number, " ".join(rest)) for number, *rest in (line.split() for line in listed)
    ]


@given(data=st.binary(max_size=600), at=st.integers(0, 1500), form=st.booleans())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_read_or_refused_and_read_the_same_twice(data: bytes, at: int, form: bool) -> None:
    whole = ArchiveArticle().as_web() if form else ArchiveArticle().as_text()
    damaged = whole[:at] + data + whole[at + len(data) :]
    try:
        made = read(damaged, "a.TXT")
    except HaulageError:
        return
    assert made == read(damaged, "a.TXT")
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Reading) == made
    assert made.article.title.isprintable()
    assert "\x1b" not in made.article.body() + made.article.notice


@given(
    parts=st.lists(
        st.sampled_from(
            ["this hotfix", "the fix",
             "Q500002", "also contains", "is included in", "SP4", "HRP", "requires",
             "before you install",
             "you must", "introduced with", "was first corrected in", "superseded by",
             "article", ":", ".", "SMS 2.0", "U.S.", "after"]
        ),
        max_size=40,
    )
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_sentence_gives_statements_that_rest_on_it_and_can_be_drawn(parts: list[str]) -> None:
    text = " ".join(parts) + "\n\n   Q500003 A Title"
    made = read(ArchiveArticle(sections={"SYMPTOMS": text, "RESOLUTION": text}).as_text(), "a")
    body = words(made.article.body())
    for one in made.statements:
        assert one.subject != one.object
        assert not set(words(one.sentence)) - set(body)
    graph = around(fix_graph(made.statements, {}), "Q500001")
    assert graph_text(graph, "Q500001").startswith("Q500001")
    assert graph_svg(picture(graph, "Q500001")).endswith("</svg>\n")
