"""What an index of articles takes and gives. Must not know how it is kept.

Texts are plain text everywhere: a snippet comes in pieces, marked or not, to be escaped by whoever shows it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from haulage.engine.search.asked import sound

MOST_HITS = 100
"""Hits of one page."""
MOST_RANKED = 1000
"""So many hits can be reached page by page; who needs more asks a narrower question."""


class Facet(enum.StrEnum):
    """What found articles are counted by, and can be narrowed to."""

    PRODUCT = "product"
    VERSION = "version"
    KEYWORD = "keyword"
    TYPE = "type"
    YEAR = "year"


class Part(enum.StrEnum):
    """Where in an article a word stood; the most telling first."""

    NUMBER = "number"
    TITLE = "title"
    PROBLEM = "problem"
    """Symptoms, cause, summary."""
    WORDS = "words"
    """Keywords, and words its author added for searching."""
    REST = "rest"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One article as it is indexed; made by :func:`haulage.engine.search.entry.entry_of`."""

    id: str
    """In its one spelling: ``Q316316``."""
    digest: str
    """Changes when the article does; a site compares it to see what must be indexed again."""
    title: str
    problem: str = ""
    rest: str = ""
    words: str = ""
    products: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    type: str = ""
    modified: str = ""
    """ISO date of its last change; "" where not told."""
    messages: tuple[int, ...] = ()
    """Numbers of the status messages it is about."""

    def facet(self, facet: Facet) -> tuple[str, ...]:
        """Its values of one facet, as they are counted."""
        if facet is Facet.YEAR:
            return (self.modified[:4],) if self.modified else ()
        if facet is Facet.TYPE:
            return (self.type,) if self.type else ()
        return {Facet.PRODUCT: self.products, Facet.VERSION: self.versions, Facet.KEYWORD: self.keywords}[facet]

    def sound(self) -> Entry:
        """The same in texts that can be stored."""
        if self.text().isascii() and all(value.isascii() for facet in Facet for value in self.facet(facet)):
            return self
        return msgspec.convert(_sound(msgspec.to_builtins(self)), Entry)

    def text(self) -> str:
        """Everything that is searched."""
        return "\n".join((self.title, self.problem, self.rest, self.words))


def _sound(value: object) -> object:
    if isinstance(value, str):
        return sound(value)
    if isinstance(value, Mapping):
        return {key: _sound(one) for key, one in value.items()}
    return [_sound(one) for one in value] if isinstance(value, list | tuple) else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks. Any text is one: nothing in it is an operator but ``"a phrase"`` and a word left ``open*``."""

    text: str = ""
    """Empty: all articles, the newest first."""
    only: Mapping[Facet, Sequence[str]] = field(default_factory=dict)
    limit: int = 20
    after: str = ""
    """The ``next`` of the answer before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a snippet; ``marked`` where it answers the question."""

    text: str
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """One word, phrase or number of the question, and where the article has it."""

    text: str
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A found article."""

    id: str
    title: str
    score: float
    """Comparable within one answer only."""
    share: float = 0.0
    """Of what the question's words weigh, how much the article has; 1.0: all of it."""
    type: str
    modified: str
    products: tuple[str, ...]
    versions: tuple[str, ...]
    snippet: tuple[Piece, ...]
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many of the found articles have a value."""

    value: str
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found."""

    hits: tuple[Hit, ...]
    total: int
    """Articles found in all, also those beyond :data:`MOST_RANKED`."""
    facets: Mapping[Facet, tuple[Count, ...]]
    """The most frequent values first; of all that was found, not only of this page."""
    loosely: bool = False
    """Hardly any article has most of the words; these have some."""
    did_you_mean: str = ""
    """The question with what nobody writes replaced; "" when there is nothing to say."""
    next: str = ""
    """For :attr:`Question.after`; "" on the last page."""


class SearchIndex(Protocol):
    """An index of articles in a folder of its own. One process writes; any thread searches."""

    def put(self, entries: Iterable[Entry]) -> int:
        """Add articles, or replace those of the same id, durably and at once; returns how many."""
        ...

    def remove(self, ids: Iterable[str]) -> int:
        """Take articles out; those not held do not matter. Returns how many went."""
        ...

    def known(self) -> dict[str, str]:
        """Id and digest of every article held."""
        ...

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        """The entries of these ids that are held, in the order asked for."""
        ...

    def search(self, question: Question) -> Answer:
        """What answers the question, best first. Never fails on account of its text; raises UsageError ``bad-cursor`` for an
        ``after`` that is not of this question."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...
