"""One's own articles: front matter and Markdown, a first-level heading for each section. HTML in it is text, never markup."""

from __future__ import annotations

import itertools
import re

from markdown_it import MarkdownIt

from haulage.base.errors import FormatError
from haulage.engine.articles.article import (
    Article,
    Form,
    Product,
    Reference,
    Section,
    SectionKind,
    Source,
    Subsection,
)
from haulage.engine.articles.front_matter import FENCE, FrontMatter, front_matter, split
from haulage.engine.articles.lines import tidy
from haulage.engine.articles.sections import KINDS

_LINK = re.compile(r"\[([^\]\n]{1,300})\]\((?:\./)?([A-Za-z]{1,8}-?[0-9]{1,7})(?:\.md)?\)")
MOST_BYTES = 256 << 10
"""Far more than a person writes, and little enough that no nesting of marks takes long to lay out."""


def is_markdown(data: bytes) -> bool:
    """Whether the first line is the fence of front matter."""
    return data.removeprefix(b"\xef\xbb\xbf").startswith(FENCE.encode())


def parser() -> MarkdownIt:
    """The one dialect: CommonMark with tables; HTML is off, and nesting is bounded."""
    return MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable("table")


def markdown(data: bytes, name: str, sha256: str) -> Article:
    """Read one's own article.

    Raises :class:`FormatError`: ``article-too-big``, ``not-utf-8``, or one of :mod:`haulage.engine.articles.front_matter`."""
    if len(data) > MOST_BYTES:
        raise FormatError("article-too-big", f"{name} has {len(data)} bytes; the most is {MOST_BYTES}.", "Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("not-utf-8", f"{name} is not UTF-8 at byte {error.start}.", "Save it as UTF-8.") from None
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\\0").split("\n")]
    between, start = split(lines, name)
    head = front_matter(between, name)
    parts = _sections(lines[start:])
    return Article(
        id=head.id,
        title=head.title,
        products=tuple(Product(name=one, versions=head.versions) for one in head.products),
        sections=parts,
        keywords=head.keywords,
        query_words=head.query_words,
        type=head.type,
        solution=head.solution,
        created=head.created,
        modified=head.modified,
        references=_references(parts, head),
        resolved_by=head.resolved_by,
        messages=head.messages,
        errors=head.errors,
        components=head.components,
        source=Source(form=Form.MARKDOWN, name=name, sha256=sha256, size_bytes=len(data)),
    )


def _sections(lines: list[str]) -> tuple[Section, ...]:
    """Sections at first-level headings, subsections at second-level ones; deeper headings are text. Headings within code, quotes
    and lists are none."""
    headings = []
    tokens = parser().disable("inline").parse("\n".join(lines))  # blocks are enough, and what is within a line can be slow
    for token, words in itertools.pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map and token.tag in ("h1", "h2"):
            headings.append((token.map[0], token.map[1], int(token.tag[1]), words.content.strip()))
    ends = [*(first for first, _, _, _ in headings), len(lines)]
    found = [Section(kind=SectionKind.OPENING, heading="", text=tidy(lines[: ends[0]]))]
    for number, (_, after, level, heading) in enumerate(headings):
        text = tidy(lines[after : ends[number + 1]])
        if level == 1:
            found.append(Section(kind=KINDS.get(heading.upper(), SectionKind.OTHER), heading=heading, text=text))
        else:
            found[-1] = _with(found[-1], Subsection(heading=heading, text=text))
    if not found[0].text and not found[0].subsections:
        del found[0]
    return tuple(found)


def _with(section: Section, below: Subsection) -> Section:
    return Section(kind=section.kind, heading=section.heading, text=section.text, subsections=(*section.subsections, below))


def _references(sections: tuple[Section, ...], head: FrontMatter) -> tuple[Reference, ...]:
    """Articles linked to or named in the text, then those the front matter names. Ids count that start with Q or as one's own."""
    own = re.match(r"[A-Z]+-?", head.id)
    named = re.compile(
        rf"(?<![A-Za-z0-9_-])(Q[0-9]{{5,6}}|{re.escape(own[0] if own else 'Q')}[0-9]{{1,7}})(?![A-Za-z0-9_]|\.exe\b)"
    )
    found: dict[str, Reference] = {}
    for section in sections:
        whole = section.whole()
        for title, target in _LINK.findall(whole):
            found.setdefault(target.upper(), Reference(target=target.upper(), title=title, section=section.kind))
        for target in named.findall(whole):
            found.setdefault(target, Reference(target=target, title="", section=section.kind))
    for target in head.references:
        found.setdefault(target, Reference(target=target, title="", section=SectionKind.REFERENCES))
    found.pop(head.id, None)
    return tuple(found.values())
