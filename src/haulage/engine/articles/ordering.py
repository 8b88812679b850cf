"""Sentences on what must be there before a fix, and which of two comes first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haulage.engine.articles.levels import Level, levels_in
from haulage.engine.articles.sentences import Sentence
from haulage.engine.articles.statement import End, Statement, StatementKind
from haulage.engine.articles.wording import FIX, ID, Reader, Turn

_PACK = r"(?:SP ?[0-9]|Service Pack [0-9](?: \(SP[0-9]\))?|HRP|Hotfix Rollup Package(?: \(HRP\))?)"
_MUST_BEFORE = Turn(
    r"\bmust (?:first )?(?:install|apply|have|be running)\b",
    r"\bbefore (?:you )?(?:install|apply|upgrad)\w*\b",
)
_BEFORE_MUST = Turn(r"\bbefore you (?:install|apply|upgrade to)\b", r"\byou must\b")
_REQUIRES = re.compile(
    rf"(?:\bthis (?:[\w-]+ )?(?:{FIX}|package|bundle)|\b{_PACK})(?: and all future [\w ]{{0,40}}service packs)? requires? ",
    re.IGNORECASE,
)
_OURS = re.compile(rf"\b(?:this|the) (?:[\w-]+ ){{0,3}}?(?:{FIX}|package|bundle)\b", re.IGNORECASE)
_LEVEL_AFTER_US = Turn(rf"\bmust apply the {FIX}\b", r"\bin this article\b", r"\bbefore\b", r"\bupgraded to\b")
_OTHER_AFTER_US = Turn(ID, r"\b(?:applied|installed)\b", r"\bafter\b", rf"\bthis {FIX}\b")
_US_AFTER_OTHER = Turn(rf"\bthis {FIX}\b", r"\b(?:applied|installed)\b", r"\bafter\b", ID)
_NOT_NEEDED = re.compile(r"\b(?:does|do) not require\b|\bmay require\b", re.IGNORECASE)


def ordering(reader: Reader, sentence: Sentence) -> Iterator[Statement]:
    """What the sentence says about REQUIRES and FOLLOWS."""
    text = sentence.text
    if found := _LEVEL_AFTER_US.find(text):
        later = map(reader.at, _packs(text[found[-1].end() :])[:1])
        yield from reader.says(StatementKind.FOLLOWS, later, [reader.us], sentence)
    elif found := _OTHER_AFTER_US.find(text):
        yield from reader.says(StatementKind.FOLLOWS, [End(found[0][0].upper())], [reader.us], sentence)
    elif found := _US_AFTER_OTHER.find(text):
        yield from reader.says(StatementKind.FOLLOWS, [reader.us], [End(found[-1][0].upper())], sentence)
    elif not _NOT_NEEDED.search(text):
        yield from _needs(reader, sentence, *_what_and_need(text))


def _what_and_need(text: str) -> tuple[str, str]:
    """What needs something, and what it needs, in the words of the sentence; "" where it says nothing of the kind."""
    if found := _MUST_BEFORE.find(text):
        return text[found[1].end() :], text[found[0].end() : found[1].start()]
    if found := _BEFORE_MUST.find(text):
        return text[found[0].end() : found[1].start()], text[found[1].end() :]
    if needs := _REQUIRES.search(text):
        return text[: needs.end()], text[needs.end() :]
    return "", ""


def _needs(reader: Reader, sentence: Sentence, what: str, need: str) -> Iterator[Statement]:
    """``what`` is this article's own fix, or a level; ``need`` names the levels of which any will do."""
    levels = _packs(need)
    subject = _subject(reader, what)
    if subject is None or not levels:
        return
    needed = [one for one in map(reader.at, levels) if one.level != subject.level]
    yield from reader.says(StatementKind.REQUIRES, [subject], needed, sentence)


def _subject(reader: Reader, what: str) -> End | None:
    levels = _packs(what)
    if _OURS.search(what) and not any(level.rollup for level in levels):
        return reader.us
    if not levels or levels[0].product:
        return None
    return reader.at(levels[0])


def _packs(text: str) -> list[Level]:
    """Levels that are more than a version."""
    return [level for level in levels_in(text) if level.pack or level.rollup]
