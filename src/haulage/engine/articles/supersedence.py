"""What an article's text says about fixes: contained in, replaced by, first corrected in, requires, follows, breaks. Pure.

Every statement rests on one sentence, which is kept as evidence. The rules read the archive's own turns of phrase, which are few;
what they read right and what they miss is measured in docs/knowledge.md."""

from __future__ import annotations

import functools
import itertools
import re

from haulage.engine.articles.article import Article
from haulage.engine.articles.breakage import breakage
from haulage.engine.articles.containment import containment
from haulage.engine.articles.fix_lists import fix_list
from haulage.engine.articles.levels import Level, level_in, levels_in
from haulage.engine.articles.ordering import ordering
from haulage.engine.articles.sentences import sentences
from haulage.engine.articles.statement import End, Statement, StatementKind
from haulage.engine.articles.wording import Reader

_NAMES = re.compile(
    r"[Qq][0-9]{5}|\b(?:corrected|fixed|resolved|included|contained) (?:in|with)\b|no longer available|listed later|that article"
)
_ORDERS = re.compile(
    r"\b(?:[Mm]ust|[Rr]equires?|contains)\b.*(?:SP ?[0-9]|Service Pack|HRP)|(?:SP ?[0-9]|Service Pack|HRP).*\b(?:must|require)"
)
_LISTS = re.compile(r"\b(?:lists?|table)\b")
_ROLLUP_TITLE = re.compile(r"\bHRP\b|\bHotfix Rollup\b", re.IGNORECASE)
MOST_SENTENCES = 20_000
"""So many that could say something are looked at; the longest article of the archive has some hundred."""


def statements(article: Article) -> tuple[Statement, ...]:
    """Everything ``article`` says about fixes, in order of its text, each once."""
    hopeful = (one for one in sentences(article) if one.listed or _may_say(one.text))
    said = list(itertools.islice(hopeful, MOST_SENTENCES))
    reader = Reader(own=article.id, version=_version(article), rollup=_rollup(article))
    found: dict[tuple[StatementKind, End, End], Statement] = {}

    def keep(statement: Statement) -> None:
        found.setdefault((statement.kind, statement.subject, statement.object), statement)

    for statement in fix_list(article, said):
        keep(statement)
    for one in said:
        if one.section is not reader.section:
            reader.section, reader.breaking, reader.last_listed = one.section, False, ()
        if one.text or reader.breaking:
            for rule in (containment, ordering, breakage):
                for statement in rule(reader, one):
                    keep(statement)
        if one.listed:
            reader.last_listed = one.listed
    return tuple(found.values())


@functools.lru_cache(maxsize=2048)
def _may_say(text: str) -> bool:
    """Whether a sentence is worth the rules' attention; most are the same in hundreds of articles."""
    return any(turn.search(text) for turn in (_NAMES, _ORDERS, _LISTS))


def resolved_by(article: Article, said: tuple[Statement, ...]) -> tuple[str, ...]:
    """Articles whose fix also solves this one's problem, as the article itself says: recommended ones first, rollups last."""
    order = {StatementKind.REPLACES: 0, StatementKind.CONTAINS: 1, StatementKind.FIRST_CORRECTED: 2}
    about_us = [one for one in said if one.kind in order and one.object.article == article.id and one.subject.article]
    about_us.sort(key=lambda one: order[one.kind])
    return tuple(dict.fromkeys(one.subject.article for one in about_us))


def _rollup(article: Article) -> End | None:
    """The rollup an article refers to, by the title of the article that lists its fixes; of that article, itself."""
    titles = [(article.id, article.title), *((one.target, one.title) for one in article.references)]
    for target, title in titles:
        if _ROLLUP_TITLE.search(title):
            level = level_in(title)
            return End(target, level if level is not None and level.rollup else Level(rollup=True))
    return None


def _version(article: Article) -> str:
    """The one version of the product that title and products of an article name, packs aside; "" for none or several."""
    named = " ".join([article.title, *(f"{one.name} {version}" for one in article.products for version in one.versions)])
    versions = {level.version for level in levels_in(named) if level.version}
    return versions.pop() if len(versions) == 1 else ""
