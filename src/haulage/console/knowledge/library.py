"""The knowledge base of one site as its pages read it: an article from its shelf, its relations both ways, the fix that helps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from haulage.base.errors import NotFoundError
from haulage.console.knowledge.article_view import Around, Helps, Step
from haulage.domain.fixes import records as fixes
from haulage.domain.knowledge import diagnosis, records
from haulage.domain.knowledge.model import Relating, Relation
from haulage.domain.knowledge.remedies import Remedy, remedy
from haulage.domain.knowledge.taking import reading_of, require_article, sources
from haulage.domain.knowledge.views import drawn_edge, titles_of
from haulage.engine.articles.article import Article
from haulage.engine.articles.fix_graph import UPWARDS, Edge
from haulage.engine.articles.statement import StatementKind
from haulage.engine.database.transaction import Transaction
from haulage.engine.search.diagnosis import Likely
from haulage.engine.search.model import Answer, Question
from haulage.server.core import SiteCore

MOST_NAMED = 500
"""Articles that name one article; more are not listed."""
MOST_BELOW = 8
"""Of the fixes a rollup contains, so many are drawn; the list beside the picture has them all."""
_UNDER = {Relation.CONTAINED_IN: StatementKind.CONTAINS, Relation.REPLACED_BY: StatementKind.REPLACES}
"""Said by the article under of the one over it; all others are said by the subject."""
_BY_SUBJECT = {
    Relation.CONTAINS: StatementKind.CONTAINS,
    Relation.REPLACES: StatementKind.REPLACES,
    Relation.REQUIRES: StatementKind.REQUIRES,
    Relation.FOLLOWS: StatementKind.FOLLOWS,
}


class SiteLibrary:
    """Implements :class:`~haulage.console.knowledge.reading.Library`."""

    def __init__(self, core: SiteCore) -> None:
        self._core = core

    def search(self, question: Question) -> Answer:
        """Articles that answer a question. Raises TransferError ``search-not-ready``."""
        return self._core.librarian.search(question)

    def article(self, name: str) -> tuple[Article, Around, str]:
        """An article, how it stands to others, and the site it came from. Raises NotFoundError ``no-such-article``."""
        with self._core.database.reading() as tx:
            row = require_article(tx, self._core.code, name)
            found = sources(tx, [row])
            if not found:
                raise NotFoundError("no-such-article", f"The article {name} is not on its shelf.", "haulage doctor")
            around = self._around(tx, name, records.relations_from(tx, name, row.owner))
        return reading_of(found[0][1]).article, around, row.owner

    def diagnose(self, text: str, limit: int) -> list[tuple[Likely, Helps | None]]:
        """Likely articles, best first, each with the fix that helps. Raises TransferError ``search-not-ready``."""
        found = diagnosis.diagnose(self._core.librarian, text, limit=limit)
        with self._core.database.reading() as tx:
            return [(one, _helps(tx, remedy(tx, self._core.code, one.hit.id))) for one in found]

    def _around(self, tx: Transaction, name: str, said: Sequence[Relating]) -> Around:
        helps = remedy(tx, self._core.code, name)
        edges = [drawn_edge(one) for one in helps.chain]
        edges += _edges_at(records.relations_of_kinds(tx, (*_UNDER, *_BY_SUBJECT), [name]))
        edges += [
            Edge(
                subject=one.fix,
                kind=StatementKind.CONTAINS if under in one.contains else StatementKind.REPLACES,
                object=under,
            )
            for one in fixes.find_fixes(tx, name)
            for under in (*one.contains, *one.supersedes)
        ]
        named_by = records.relations_to(tx, name, MOST_NAMED)
        referenced_by = [one.article for one in named_by if one.relation is Relation.REFERENCE]
        below = [edge.object for edge in edges if edge.subject == name and edge.kind in UPWARDS]
        resolves = dict.fromkeys([*(one.article for one in named_by if one.relation is Relation.RESOLVED_BY), *below])
        ends = {end for edge in edges for end in (edge.subject, edge.object)}
        ids = {*referenced_by, *resolves, *(one.other for one in said), *ends} - {name}
        titles = titles_of(tx, self._core.code, ids)
        drawn = set(sorted(set(below))[:MOST_BELOW])
        return Around(
            titles={one: title or one for one, title in titles.items()},
            references=[(one.other, "") for one in said if one.relation is Relation.REFERENCE],
            referenced_by=list(dict.fromkeys(referenced_by)),
            resolves=sorted(resolves),
            recommended=[one.other for one in said if one.relation is Relation.RESOLVED_BY],
            edges=[one for one in dict.fromkeys(edges) if one.subject != name or one.object in drawn or one.kind not in UPWARDS],
            below_left_out=len(set(below) - drawn),
            helps=_helps(tx, helps),
        )


def _helps(tx: Transaction, found: Remedy) -> Helps | None:
    if not found.fix:
        return None
    known = found.known
    steps = (Step(under=one.under, over=one.over, how=one.kind, said_by=one.source, evidence=one.evidence) for one in found.chain)
    return Helps(
        fix=found.fix,
        title=known.title if known is not None else "",
        own=found.own,
        known=known is not None,
        here=found.where.here,
        run=found.where.folder or "",
        package=str(known.package or "") if known is not None else "",
        states=tuple(_states(tx, found.fix)),
        chain=tuple(steps),
        held=tuple(row.id for row in records.articles_of(tx, {end for one in found.chain for end in (one.under, one.over)})),
    )


def _states(tx: Transaction, fix: str) -> Iterator[str]:
    """What the fix was found to be at each product folder that was looked at."""
    for one in fixes.list_assessments(tx):
        yield from (f"{result['state']} at {one.root}" for result in one.results if result.get("fix") == fix)


def _edges_at(rows: Iterable[Relating]) -> Iterator[Edge]:
    """What articles say of one fix and another beside it."""
    for one in rows:
        said = ((one.article, one.evidence),)
        if one.relation in _UNDER:
            yield Edge(subject=one.other, kind=_UNDER[one.relation], object=one.article, evidence=said)
        else:
            yield Edge(subject=one.article, kind=_BY_SUBJECT[one.relation], object=one.other, evidence=said)
