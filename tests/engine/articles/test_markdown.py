"""One's own articles: strict front matter, headings as sections, and nothing in them that could act."""

from __future__ import annotations

import datetime as dt

import pytest

from haulage.base.errors import FormatError
from haulage.engine.articles.article import Form, Product, SectionKind
from haulage.engine.articles.markdown import MOST_BYTES, parser
from haulage.engine.articles.reading import read

HEAD = """+++
id = "own7"
title = "The press stops"
products = ["Press"]
versions = ["2.0"]
messages = [2302, 2328]
errors = ["disk-full"]
components = ["catalog"]
keywords = ["press"]
resolved_by = ["q500002"]
created = 2026-11-22
+++
"""
BODY = """Before everything.

# Symptoms

It stops. See [the other](Q500002.md), Q500003 and OWN8.

```
# not a heading
```

# Resolution

Run it again.

## By hand

> # nor this

# My own heading

Words.
"""


def test_front_matter_and_sections() -> None:
    article = read((HEAD + BODY).encode(), "own7.md").article
    assert (article.id, article.title, article.created) == ("OWN7", "The press stops", dt.date(2026, 11, 22))
    assert article.products == (Product(name="Press", versions=("2.0",)),)
    assert (article.messages, article.errors, article.components) == ((2302, 2328), ("disk-full",), ("catalog",))
    assert article.source.form is Form.MARKDOWN
    assert [(one.kind, one.heading) for one in article.sections] == [
        (SectionKind.OPENING, ""),
        (SectionKind.SYMPTOMS, "Symptoms"),
        (SectionKind.RESOLUTION, "Resolution"),
        (SectionKind.OTHER, "My own heading"),
    ]
    assert "# not a heading" in article.sections[1].text
    assert article.sections[2].subsections[0].heading == "By hand"
    assert [(one.target, one.title) for one in article.references] == [("Q500002", "the other"), ("Q500003", ""), ("OWN8", "")]
    assert article.resolved_by == ("Q500002",)


@pytest.mark.parametrize(
    ("head", "code", "line"),
    [
        ('id = "A1"\ntitle = "x"\ncolour = "red"', "unknown-key", "line 4"),
        ('id = "A1"\ntitel = "x"', "unknown-key", "line 3"),
        ('id = "A1"\ntitle = "x"\nmessages = ["2302"]', "bad-value", "line 4"),
        ('id = "A1"', "bad-value", "title"),
        ('id = "A1"\ntitle = ""', "bad-value", "line 3"),
        ('id = "no id"\ntitle = "x"', "bad-value", "line 2"),
        ('id = "A1"\ntitle = "x"\nreferences = ["?"]', "bad-value", "line 4"),
        ('id = "A1"\ntitle = "x', "bad-front-matter", "end of document"),
        ('id = "A1"\nid = "A2"\ntitle = "x"', "bad-front-matter", "line 3"),
    ],
)
def test_b103_front_matter_is_strict_and_names_the_line(head: str, code: str, line: str) -> None:
    with pytest.raises(FormatError) as refused:
        read(f"+++\n{head}\n+++\n".encode(), "a.md")
    assert refused.value.code == code
    assert line in refused.value.message


def test_front_matter_must_end_and_the_text_be_utf_8_and_not_too_long() -> None:
    for data, code in (
        (b'+++\nid = "A1"\n', "front-matter-open"),
        (b'+++\nid = "A1"\ntitle = "x"\n+++\n\xff', "not-utf-8"),
        (b"+++\n" + b"x" * MOST_BYTES, "article-too-big"),
    ):
        with pytest.raises(FormatError) as refused:
            read(data, "a.md")
        assert refused.value.code == code


@pytest.mark.parametrize("title", ['"a\\nb"', '"a\\u202eb"', '"a\\u0000b"', '"' + "x" * 1001 + '"', '"\\u001b[2J"'])
def test_b101_titles_with_line_breaks_or_reversals_are_refused(title: str) -> None:
    with pytest.raises(FormatError, match="visible characters"):
        read(f'+++\nid = "A1"\ntitle = {title}\n+++\n'.encode(), "a.md")


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "<a href='vbscript:x'>y</a>",
    ],
)
def test_b97_markup_in_markdown_is_text(attack: str) -> None:
    made = parser().render(attack)
    assert not any(tag in made for tag in ("<script", "<img", "<svg", "<a "))
    article = read((HEAD + "# Symptoms\n\n" + attack).encode(), "a.md").article
    assert article.section(SectionKind.SYMPTOMS) == attack + "\n"


def test_deep_nesting_is_bounded() -> None:
    assert read((HEAD + "> " * 5000 + "x\n\n" + "[" * 5000 + "\n\n" + "- " * 2000).encode(), "a.md").article.sections


def test_b104_crlf_and_a_mark_are_taken_and_nul_is_shown() -> None:
    data = b"\xef\xbb\xbf" + (HEAD + "# Symptoms\n\na\0b\n").replace("\n", "\r\n").encode()
    assert read(data, "a.md").article.section(SectionKind.SYMPTOMS) == "a\\0b\n"
