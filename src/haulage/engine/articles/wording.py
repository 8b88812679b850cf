"""What the rules that read statements out of sentences share: turns of phrase, and the article they read in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from haulage.engine.articles.article import SectionKind
from haulage.engine.articles.levels import Level
from haulage.engine.articles.sentences import Sentence
from haulage.engine.articles.statement import End, Statement, StatementKind

FIX = r"(?:hot ?fix|fix|update|patch)(?:es)?"
ID = r"\b[Qq][0-9]{5,6}\b"
SELF = (
    r"\b(?:th(?:is|ese) (?:problem|issue|behaviou?r|error|bug|symptom|hot ?fix|fix|article)s?"
    r"|(?:described|documented|discussed) in this article)\b"
)


class Turn:
    """A turn of phrase: expressions that follow each other with anything between. Found in linear time, whatever the text: each is
    looked for behind the first match of the one before."""

    def __init__(self, *parts: str) -> None:
        self._parts = tuple(re.compile(part, re.IGNORECASE) for part in parts)

    def find(self, text: str) -> list[re.Match[str]] | None:
        """The matches in order, or None."""
        found: list[re.Match[str]] = []
        for part in self._parts:
            match = part.search(text, found[-1].end() if found else 0)
            if match is None:
                return None
            found.append(match)
        return found

    def __call__(self, text: str) -> bool:
        """Whether ``text`` has this turn."""
        return self.find(text) is not None


class Reader(msgspec.Struct, kw_only=True):
    """The article being read, and what was last listed in it."""

    own: str
    version: str = ""
    """Of the product, for levels that are named without one; "" where the article is about several."""
    section: SectionKind | None = None
    last_listed: tuple[str, ...] = ()
    rollup: End | None = None
    """The rollup this article speaks of, with the article that lists its fixes, once known."""
    breaking: bool = False
    """Whether the hotfixes listed further down in this section are those that break something."""

    def says(
        self, kind: StatementKind, subjects: Iterable[End], objects: Iterable[End], sentence: Sentence, evidence: str = ""
    ) -> Iterator[Statement]:
        """A statement for each pair; nothing says anything about itself."""
        objects = tuple(objects)
        for subject in subjects:
            for one in objects:
                if subject != one and not (subject.article and subject.article == one.article):
                    yield Statement(
                        kind=kind,
                        subject=subject,
                        object=one,
                        said_by=self.own,
                        section=sentence.section,
                        sentence=evidence or sentence.text,
                    )

    @property
    def us(self) -> End:
        """This article's fix."""
        return End(self.own)

    def at(self, level: Level) -> End:
        """A level as an end: with the version the article is about, and with its list where this article knows it."""
        if self.rollup is not None and level.rollup:
            return self.rollup
        if level.version or level.product or level.latest or not self.version:
            return End("", level)
        return End("", Level(version=self.version, pack=level.pack, rollup=level.rollup))

    def others(self, sentence: Sentence) -> tuple[End, ...]:
        """Articles the sentence is about besides this one: those named in it, otherwise those listed below it."""
        named = tuple(one for one in sentence.named if one != self.own)
        return ends(named or (sentence.listed if sentence.text.endswith(":") else ()))


def ends(articles: Iterable[str]) -> tuple[End, ...]:
    """Articles as ends of statements."""
    return tuple(End(one) for one in articles)
