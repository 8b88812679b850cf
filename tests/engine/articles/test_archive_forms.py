"""Both forms of the archive give the same article; no line of a source is lost, whatever is odd about it."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from haulage.base.errors import FormatError
from haulage.engine.articles.article import MOST_SOURCE_BYTES, MOST_TITLE_CHARACTERS, Article, Form, Platform, Product, SectionKind
from haulage.engine.articles.oddity import OddityKind
from haulage.engine.articles.reading import read
from haulage.testing.archive_article import ArchiveArticle

FULL = ArchiveArticle(
    sections={
        "": "IMPORTANT: Save your work before the press is opened.",
        "SYMPTOMS": "The press stops and logs the following:\n\n   Cannot write, Win32 Error = 998",
        "CAUSE": "Streams.",
        "RESOLUTION": "Apply the fix of the following article:\n\n   Q500002 Press: Many Jobs Are Made",
        "MORE INFORMATION": "Some words.",
        "- Installation": "1. Stop the press.\n\n2. Replace Pressutil.dll.",
        "REFERENCES": "See Q500003 too.",
    },
    fields={"Hardware": "x86"},
)


def odd(data: bytes, name: str = "txt/500/Q500001.TXT") -> dict[OddityKind, str]:
    return {one.kind: one.detail for one in read(data, name).oddities}


def test_every_field_of_the_text_form_has_its_place() -> None:
    article = read(FULL.as_text(), "Q500001.TXT").article
    assert (article.id, article.title, article.modified) == (FULL.id, FULL.title, dt.date(2002, 8, 6))
    assert article.products == (Product(name="Haulage Demonstration Press", versions=("2.0 SP3", "2.0 SP4")),)
    assert article.platforms == (Platform(name="", versions=("2.0 SP3", "2.0 SP4")),)
    assert article.keywords == ("kbPress", "kbpressSP4fix")
    assert (article.technology, article.query_words, article.tags) == (("kbPressSearch", "kbPress200SP3"), ("prodpress",), ("sms",))
    assert (article.type, article.solution, article.headers) == ("kbbug", "kbfix", (("Hardware", "x86"),))
    assert article.notice.startswith("THE INFORMATION PROVIDED")
    assert article.notice.endswith("2002.\n")
    assert article.source.form is Form.ARCHIVE_TEXT
    assert article.source.size_bytes == len(FULL.as_text())


def test_sections_are_in_order_with_their_subsections() -> None:
    article = read(FULL.as_text(), "Q500001.TXT").article
    kinds = [one.kind for one in article.sections]
    assert kinds == [
        SectionKind.OPENING, SectionKind.SYMPTOMS, SectionKind.CAUSE, SectionKind.RESOLUTION, SectionKind.MORE_INFORMATION,
        SectionKind.REFERENCES,
    ]  # fmt: skip
    more = article.sections[4]
    assert (more.text, more.subsections[0].heading) == ("Some words.\n", "Installation")
    assert "Replace Pressutil.dll." in more.whole()
    assert article.section(SectionKind.CAUSE) == "Streams.\n"
    assert [one.target for one in article.references] == ["Q500002", "Q500003"]
    assert article.references[0].title == "Press: Many Jobs Are Made"


def test_the_web_form_gives_the_same_article() -> None:
    text, web = read(FULL.as_text(), "a").article, read(FULL.as_web(), "a").article
    assert web.source.form is Form.ARCHIVE_WEB
    same = [name for name in Article.__struct_fields__ if name not in ("source", "tags", "sections")]
    assert {name: getattr(web, name) for name in same} == {name: getattr(text, name) for name in same}
    flat = [[re.sub(r"\s+", " ", one.whole()) for one in article.sections] for article in (text, web)]
    assert flat[0] == flat[1]


@pytest.mark.parametrize("form", [ArchiveArticle.as_text, ArchiveArticle.as_web])
def test_no_line_of_a_source_is_lost(form: object) -> None:
    strange = ArchiveArticle(
        sections={"SYMPTOMS": "First line.", "A HEADING OF ITS OWN": "Words.", "STATUS": "Known."},
        fields={"Colour": "green"},
        products=("Press version 1.0", "Loom"),
    )
    data = form(strange)  # type: ignore[operator]
    article = read(data, "Q500001.TXT").article
    kept = " ".join(
        [article.id, article.title, article.body(), article.notice, *article.keywords, *article.technology, *article.query_words]
        + [f"{name} {value}" for name, value in article.headers]
        + [f"{one.name} {' '.join(one.versions)}" for one in article.products]
    )
    for word in ("First", "HEADING", "Words.", "Known.", "Colour", "green", "Loom", "1.0", "prodpress", "MADE"):
        assert word in kept


@pytest.mark.parametrize(
    ("article", "kind"),
    [
        (ArchiveArticle(title=""), OddityKind.NO_TITLE),
        (ArchiveArticle(title="T" * 63), OddityKind.TITLE_CUT_THERE),
        (ArchiveArticle(title="T" * (MOST_TITLE_CHARACTERS + 1)), OddityKind.TITLE_TOO_LONG),
        (ArchiveArticle(date="31-FEB-2002"), OddityKind.NO_DATE),
        (ArchiveArticle(date=""), OddityKind.NO_DATE),
        (ArchiveArticle(phrase=""), OddityKind.NO_PHRASE),
        (ArchiveArticle(products=(), product=""), OddityKind.NO_PRODUCT),
        (ArchiveArticle(products=("Press",), versions=""), OddityKind.NO_VERSIONS),
        (ArchiveArticle(sections={"": "Only words."}), OddityKind.NO_SECTIONS),
        (ArchiveArticle(sections={}), OddityKind.EMPTY),
        (ArchiveArticle(notice=""), OddityKind.NO_NOTICE),
        (ArchiveArticle(fields={"Hardware": "x86"}), OddityKind.UNKNOWN_FIELD),
        (ArchiveArticle(header_keywords="kbPress kbOther"), OddityKind.KEYWORDS_DIFFER),
        (ArchiveArticle(header_keywords="kbPresskbpressSP4fix"), OddityKind.KEYWORDS_GLUED),
        (ArchiveArticle(sections={"STATUS": "na\u00efve"}), OddityKind.NOT_ASCII),
        (ArchiveArticle(sections={"STATUS": "   a\tb"}), OddityKind.TABS),
        (ArchiveArticle(sections={"STATUS": "a\x07b"}), OddityKind.CONTROL_CHARACTERS),
        (
            ArchiveArticle(sections={"STATUS": "See:\n\n   Q500002 A Title That Goes\n   On"}),
            OddityKind.WRAPPED_REFERENCE,
        ),
    ],
)  # fmt: skip
def test_each_oddity_is_told_and_the_article_taken(article: ArchiveArticle, kind: OddityKind) -> None:
    assert kind in odd(article.as_text())
    assert odd(ArchiveArticle().as_text()) == {}


def test_oddities_of_bytes() -> None:
    plain = ArchiveArticle().as_text()
    assert OddityKind.LINE_ENDS in odd(plain.replace(b"\r\n", b"\n"))
    assert odd(plain.replace(b"\r\n", b"\n", 1))[OddityKind.LINE_ENDS] == "mixed"
    assert OddityKind.NOT_CP1252 in odd(plain.replace(b"stops", b"st\x81ps"))
    assert "st\\x81ps" in read(plain.replace(b"stops", b"st\x81ps"), "Q500001.TXT").article.body()
    assert OddityKind.OTHER_NAME in odd(plain, "txt/500/Q599999.TXT")


def test_a_missing_phrase_still_gives_products() -> None:
    article = read(ArchiveArticle(phrase="").as_text(), "a").article
    assert article.products[0].versions == ("2.0 SP3", "2.0 SP4")
    assert [one.heading for one in article.sections] == ["SYMPTOMS"]


def test_without_rules_the_phrase_starts_the_products() -> None:
    lines = [line for line in ArchiveArticle().as_text().split(b"\r\n") if line != b"-" * 79]
    article = read(b"\r\n".join(lines), "a").article
    assert article.products[0].name == "Haulage Demonstration Press"
    assert article.section(SectionKind.SYMPTOMS) == "The press stops.\n"


def test_a_header_that_goes_on_in_the_next_line_is_put_together() -> None:
    data = ArchiveArticle().as_text().replace(b"kbpressSP4fix\r\n\r\n=", b"kbpressSP4fix\r\n kbMore\r\n\r\n=", 1)
    reading = read(data, "a")
    assert "kbMore" in reading.article.keywords
    assert OddityKind.CONTINUED_FIELD in {one.kind for one in reading.oddities}


def test_a_heading_without_its_rule_and_one_with_a_longer_rule_are_headings() -> None:
    data = ArchiveArticle(sections={"SYMPTOMS": "One.", "STATUS": "Two."}).as_text()
    bare = read(data.replace(b"STATUS\r\n======\r\n", b"STATUS\r\n"), "a")
    assert bare.article.section(SectionKind.STATUS) == "Two.\n"
    assert OddityKind.NO_UNDERLINE in {one.kind for one in bare.oddities}
    long = read(data.replace(b"STATUS\r\n======\r\n", b"STATUS\r\n=========\r\n"), "a")
    assert long.article.section(SectionKind.STATUS) == "Two.\n"
    assert OddityKind.UNEVEN_RULE in {one.kind for one in long.oddities}


def test_the_head_of_a_table_is_no_heading() -> None:
    table = "Before.\n\n   Name        Size\n   ----------------\n   a.dll        12\n\nFile           Meaning\n" + "=" * 60
    article = read(ArchiveArticle(sections={"STATUS": table}).as_text(), "a").article
    assert [one.heading for one in article.sections] == ["STATUS"]
    assert article.sections[0].subsections == ()


def test_a_section_that_comes_twice_stays_two() -> None:
    data = ArchiveArticle(sections={"STATUS": "One.", "CAUSE": "Why."}).as_text()
    data = data.replace(b"CAUSE\r\n=====", b"STATUS\r\n======")
    assert read(data, "a").article.section(SectionKind.STATUS) == "One.\n\n\nWhy.\n"


def test_lines_above_the_header_are_kept_as_text() -> None:
    reading = read(b"Downloaded by hand\r\n" + ArchiveArticle().as_text(), "a")
    assert reading.article.leftover == "Downloaded by hand\n"
    assert "Downloaded by hand" in reading.article.body()
    assert OddityKind.LEFTOVER in {one.kind for one in reading.oddities}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-an-article"),
        (b"\x00" * 100, "not-an-article"),
        (b"just words\r\n" * 20, "not-an-article"),
        (b"DOCUMENT:Q500001  06-AUG-2002  [x]\r\n" + b"a" * MOST_SOURCE_BYTES, "article-too-big"),
    ],
)
def test_what_is_no_article_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(data, "a")
    assert refused.value.code == code


def test_b101_q188060_q316132_titles_stay_one_bounded_visible_line() -> None:
    wild = "A\u202etitle\x1b[2J with\x85breaks " + "x" * (1 << 20)
    title = read(ArchiveArticle(title=wild).as_text(), "a").article.title
    assert len(title) <= 6 * MOST_TITLE_CHARACTERS
    assert title.isprintable()
    forty = "A title of more than forty characters stays as it was written"
    assert read(ArchiveArticle(title=forty).as_text(), "a").article.title == forty
