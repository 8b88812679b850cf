"""Where an article answers a question: the piece of it to show, and which words stand in which part. Pure over texts."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from haulage.engine.search.asked import WORD
from haulage.engine.search.model import Entry, Part, Piece, Why
from haulage.engine.search.wanted import Wanted

SNIPPET_CHARACTERS = 240
_MOST_PLACES = 6
"""Of one word in one part; where it stands a seventh time tells nothing more."""
_BEFORE = 40
"""Characters shown before the first word that is marked."""
_MOST_WHY = 12
_REST_OF_WORD = re.compile(r"[^\W_]*")
_SPACE = re.compile(r"\s+")
_SHORTEST_ROOT = 2
_OPEN_RARITY = 3.0

Stem = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A word of the text that answers the question's word of this number."""

    start: int
    end: int
    concept: int


def answered(entry: Entry, wanted: Wanted, stem: Stem) -> tuple[tuple[Piece, ...], tuple[Why, ...], float]:
    """The snippet of an article, what of the question it has where, and how much that is of all."""
    parts = ((Part.TITLE, entry.title), (Part.PROBLEM, entry.problem), (Part.WORDS, entry.words), (Part.REST, entry.rest))
    found = {part: list(_marks(text, wanted, stem)) for part, text in parts}
    texts = dict(parts)
    body = max((Part.PROBLEM, Part.REST), key=lambda part: _worth(found[part], wanted))
    every = sum(concept.rarity for concept in wanted.concepts) + (_OPEN_RARITY if wanted.open else 0.0) + wanted.unknown
    share = _worth([mark for marks in found.values() for mark in marks], wanted) / every if every else 0.0
    return tuple(_snippet(texts[body] or entry.rest, found[body], wanted)), tuple(_why(entry, texts, found, wanted)), share


def _marks(text: str, wanted: Wanted, stem: Stem) -> Iterator[Mark]:
    """Every place of every word, up to :data:`_MOST_PLACES` each."""
    low = text.lower()
    if len(low) != len(text):  # a letter whose small form is longer: places would not agree
        low = text
    for number, concept in enumerate(wanted.concepts):
        for stems in dict.fromkeys(one for variant in concept.variants for one in variant.stems if len(variant.stems) == 1):
            yield from itertools.islice(_places(low, stems, number, stem), _MOST_PLACES)
        for run in (variant.stems for variant in concept.variants if len(variant.stems) > 1):
            yield from itertools.islice(_runs(low, run, number, stem), _MOST_PLACES)
    for beginning in wanted.open:
        yield from itertools.islice(_places(low, beginning, len(wanted.concepts), _beginning(beginning)), _MOST_PLACES)


def _beginning(wanted_beginning: str) -> Stem:
    return lambda word: wanted_beginning if word.startswith(wanted_beginning) else ""


def _places(low: str, wanted_stem: str, number: int, stem: Stem) -> Iterator[Mark]:
    root = wanted_stem.rstrip("ie") if len(wanted_stem) > _SHORTEST_ROOT + 2 else wanted_stem
    at = low.find(root)
    while at >= 0:
        if at == 0 or not low[at - 1].isalnum():
            rest = _REST_OF_WORD.match(low, at)
            end = rest.end() if rest else at
            if stem(low[at:end]) == wanted_stem:
                yield Mark(at, end, number)
        at = low.find(root, at + len(root))


def _runs(low: str, stems: tuple[str, ...], number: int, stem: Stem) -> Iterator[Mark]:
    """Where words stand side by side, as the name of an error does."""
    for first in _places(low, stems[0], number, stem):
        words = list(itertools.islice(WORD.finditer(low, first.start), len(stems)))
        if tuple(stem(word[0]) for word in words) == stems:
            yield Mark(first.start, words[-1].end(), number)


def _worth(marks: list[Mark], wanted: Wanted) -> float:
    rarities = [*(concept.rarity for concept in wanted.concepts), _OPEN_RARITY]
    return sum(rarities[number] for number in {mark.concept for mark in marks})


def _snippet(text: str, marks: list[Mark], wanted: Wanted) -> Iterator[Piece]:
    """The stretch that has most of what was asked, with its words marked."""
    ordered = sorted(marks, key=lambda mark: (mark.start, -mark.end))
    start = _best_start(ordered, wanted)
    start = text.find(" ", start - _BEFORE, start) + 1 if start > _BEFORE else 0
    end = min(len(text), start + SNIPPET_CHARACTERS)
    if end < len(text):
        end = max(text.rfind(" ", start, end), start + SNIPPET_CHARACTERS // 2)
    at = start
    for mark in ordered:
        if mark.start >= at and mark.end <= end:
            yield from _piece(text[at : mark.start], False)
            yield from _piece(text[mark.start : mark.end], True)
            at = mark.end
    yield from _piece(text[at:end], False)


def _piece(text: str, marked: bool) -> Iterator[Piece]:
    plain = _SPACE.sub(" ", text)
    if plain:
        yield Piece(text=plain, marked=marked)


def _best_start(ordered: list[Mark], wanted: Wanted) -> int:
    """Where the window begins that has the most telling words."""
    starts = [mark.start for mark in ordered]
    best, best_worth = 0, -1.0
    for at, start in enumerate(starts):
        worth = _worth(ordered[at : bisect.bisect_left(starts, start + SNIPPET_CHARACTERS - _BEFORE)], wanted)
        if worth > best_worth:
            best, best_worth = start, worth
    return best


def _why(entry: Entry, texts: dict[Part, str], found: dict[Part, list[Mark]], wanted: Wanted) -> Iterator[Why]:
    """Numbers first, then the rarest words, each where it says most."""
    if entry.id in wanted.numbers:
        yield Why(text=entry.id, part=Part.NUMBER)
    first: dict[int, tuple[Part, Mark]] = {}
    for part, marks in found.items():
        for mark in marks:
            first.setdefault(mark.concept, (part, mark))
    rarities = [*(concept.rarity for concept in wanted.concepts), _OPEN_RARITY]
    for number in sorted(first, key=lambda number: -rarities[number])[:_MOST_WHY]:
        part, mark = first[number]
        yield Why(text=texts[part][mark.start : mark.end], part=part)
