"""The text of a section as sentences, each with the references that are listed under it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from haulage.engine.articles.article import Article, SectionKind
from haulage.engine.articles.blocks import BlockKind, blocks
from haulage.engine.articles.references import named_in

_END = re.compile(r"(?<=[.!?:])\s+(?=[A-Z\"(0-9])")
_ABBREVIATED = re.compile(r"(?:\b(?:[A-Z]\.)+|\b(?:vs|e\.g|i\.e|etc|No|Vol|Inc)\.|\"[A-Z]{2,}[A-Z0-9]*:)$")
"""Not the end of a sentence; nor is the ``"SMS:`` that titles start with."""
MOST_CHARACTERS = 1500
"""No sentence is longer; what goes on without an end is cut there."""


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence in its place."""

    text: str
    section: SectionKind
    heading: str
    """Of the subsection, or the section."""
    listed: tuple[str, ...] = ()
    """Articles listed below its paragraph before further words: for the last sentence of the paragraph only."""

    @property
    def named(self) -> tuple[str, ...]:
        """Articles named within the sentence itself."""
        return tuple(named_in(self.text))


def sentences(article: Article) -> Iterator[Sentence]:
    """All sentences of an article in order."""
    for section in article.sections:
        yield from _of_text(section.text, section.kind, section.heading)
        for below in section.subsections:
            yield from _of_text(below.text, section.kind, below.heading)


def _of_text(text: str, kind: SectionKind, heading: str) -> Iterator[Sentence]:
    """Sentences of one text; a list of references without words before it comes as a sentence without text."""
    last: str | None = None
    listed: list[str] = []
    for block in blocks(text):
        if block.kind is BlockKind.REFERENCE:
            listed.append(block.target)
            continue
        if block.kind is BlockKind.FIXED:
            continue
        if last is not None or listed:
            yield Sentence(text=last or "", section=kind, heading=heading, listed=tuple(listed))
            listed = []
        *before, last = split(block.text)
        for one in before:
            yield Sentence(text=one, section=kind, heading=heading)
    if last is not None or listed:
        yield Sentence(text=last or "", section=kind, heading=heading, listed=tuple(listed))


def split(text: str) -> list[str]:
    """A paragraph as sentences; ``U.S. Service Pack`` is not an end. At least one, perhaps empty."""
    found = [""]
    for part in _END.split(text):
        if found[-1] and not _ABBREVIATED.search(found[-1]):
            found.append(part)
        else:
            found[-1] = f"{found[-1]} {part}".strip()
    return [one[at : at + MOST_CHARACTERS] for one in found for at in range(0, max(len(one), 1), MOST_CHARACTERS)]
