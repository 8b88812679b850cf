"""Sentences on fixes that bring a problem about: the problem of the article that says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haulage.engine.articles.article import SectionKind
from haulage.engine.articles.sentences import Sentence
from haulage.engine.articles.statement import Statement, StatementKind
from haulage.engine.articles.wording import FIX, ID, Reader, Turn, ends

_INTRODUCED = Turn(r"\bintroduced (?:with|by|in)\b", rf"\b{FIX}\b")
_AFTER_APPLYING = (
    Turn(r"\b(?:if|after|when|once) (?:you (?:have )?)?(?:install|appl|implement)\w*\b", rf"\b{FIX}\b", ID),
    Turn(r"\boccurs? if\b", rf"\b{FIX}\b", ID, r"\binstalled\b"),
    Turn(r"\bcan occur if\b", rf"\busing the {FIX}\b", ID),
    Turn(r"\b(?:if|after|when|once) (?:you (?:have )?)?(?:install|appl|implement)\w*\b", ID, rf"\b{FIX}\b"),
)
_APPLYING_LISTED = (
    Turn(r"\b(?:if|after|when|once) (?:you (?:have )?)?(?:install|appl|implement)\w*\b", rf"\b{FIX}\b", r"\bfollowing\b"),
    Turn(r"\bhotfix(?:ed)?\b", r"\bfollowing\b", r"\bwas applied\b"),
)
"""The fix itself stands in the list below the sentence."""
_CHANGED = Turn(rf"^(?:the|each of the) {FIX}\b", r"\b(?:changed?|caused?|causes|introduced)\b")
_LISTED_LATER = Turn(rf"\b{FIX}\b", r"\b(?:is|are) listed later\b")
_SURVIVES = re.compile(r"\b(?:even|still)\b", re.IGNORECASE)
_PLACES = (SectionKind.SYMPTOMS, SectionKind.CAUSE)


def breakage(reader: Reader, sentence: Sentence) -> Iterator[Statement]:
    """What the sentence says about BREAKS: in symptoms and causes; that a problem "was introduced with" a fix, anywhere."""
    if reader.breaking and sentence.listed and "hotfix" in sentence.heading.lower():
        evidence = sentence.text or sentence.heading
        yield from reader.says(StatementKind.BREAKS, ends(sentence.listed), [reader.us], sentence, evidence)
        return
    text = sentence.text
    if sentence.section in _PLACES and _LISTED_LATER(text):
        reader.breaking = True
    elif _INTRODUCED(text) or (sentence.section in _PLACES and _CHANGED(text)):
        yield from reader.says(StatementKind.BREAKS, reader.others(sentence), [reader.us], sentence)
    elif sentence.section in _PLACES and not _SURVIVES.search(text):
        clause = _clause(text).upper()
        listed = not sentence.named and any(turn(text) for turn in _APPLYING_LISTED)
        broken_by = [one for one in reader.others(sentence) if listed or one.article in clause]
        yield from reader.says(StatementKind.BREAKS, broken_by, [reader.us], sentence)


def _clause(text: str) -> str:
    """The part of a sentence that tells after which fix the problem shows; "" without one."""
    found = [turn.find(text) for turn in _AFTER_APPLYING]
    starts = [matches[0].start() for matches in found if matches]
    return text[min(starts) :] if starts else ""
