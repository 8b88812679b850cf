"""Articles that are lists: the fixes of a service pack, a rollup or a bundle. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haulage.engine.articles.article import Article
from haulage.engine.articles.levels import Level, level_in
from haulage.engine.articles.sentences import Sentence
from haulage.engine.articles.statement import End, Statement, StatementKind
from haulage.engine.articles.wording import Reader, Turn, ends

_IS_LIST = Turn(
    r"\b(?:lists?|table)\b", r"\b(?:articles?|titles?|problems?|bugs?)\b", r"\b(?:fixed|corrected|corrections?|included)\b"
)
_TITLE = re.compile(r"\b(?:fix ?list(?:\.txt)?|bugs fixed|fixed bugs|(?:hotfix )?bundle|dependency package)\b", re.IGNORECASE)
_FIXED_IN = Turn(r"\b(?:problems?|bugs?|issues?)\b", r"\b(?:fixed|corrected) in\b")
_OTHER_MATTER = re.compile(
    r"\bhow to\b|\bobtain\b|\bhow you\b|\bonline services\b|\binformation about (?:the )?(?:SMS |SP[0-9]|Service Pack|Systems)"
    r"|\bwhat is fixed in\b|\bdownload|\bregistry\b"
    r"|\bnot (?:included|fixed)|\bknown (?:issues|problems)\b|\bprerequisite|\bbefore you\b|\binstructions\b",
    re.IGNORECASE,
)
FEWEST = 2
"""Fewer references than that are no list."""


def fix_list(article: Article, said: list[Sentence]) -> Iterator[Statement]:
    """CONTAINS for everything an article lists as fixed, if it is such a list at all. Its own end carries the level, so that others
    who only name the level can be matched with it."""
    opening = next((one for one in said if _IS_LIST(one.text)), None)
    if opening is None and _TITLE.search(article.title):
        opening = next((one for one in said if one.text), None)
    if opening is None or not (_TITLE.search(article.title) or sum(len(one.listed) for one in said) >= FEWEST):
        return
    level = level_in(article.title) or level_in(opening.text)
    bundle = re.search(r"\bbundle\b|\bpackage\b(?! \(HRP)", opening.text, re.IGNORECASE) is not None and not (
        level and level.rollup
    )
    reader = Reader(own=article.id)
    lead = opening
    for one in said:
        if one.text:
            lead = one
        if not one.listed or _is_other_matter(lead, one):
            continue
        subject = End(article.id, None if bundle else _level_of(one, lead, level))
        evidence = lead.text if _FIXED_IN(lead.text) else opening.text
        yield from reader.says(StatementKind.CONTAINS, [subject], ends(one.listed), one, evidence)


def _level_of(sentence: Sentence, lead: Sentence, level: Level | None) -> Level | None:
    """The level a part of a list is of: as its own heading says, its lead, or the whole article."""
    for text in (sentence.heading, lead.text):
        own = level_in(text)
        if own is not None and own.pack:
            return Level(version=own.version or (level.version if level else ""), pack=own.pack, rollup=own.rollup)
    return level


def _is_other_matter(lead: Sentence, listed: Sentence) -> bool:
    """Whether a list is introduced as something else than fixes."""
    text = lead.text if lead.heading == listed.heading else listed.heading
    return _OTHER_MATTER.search(text) is not None and not _FIXED_IN(text)
