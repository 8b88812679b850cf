"""What API and console show of articles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from haulage.base.clock import iso
from haulage.base.ids import SiteCode
from haulage.domain.knowledge import records
from haulage.domain.knowledge.diagnosis import remedy_view
from haulage.domain.knowledge.model import Import, Relating, Shelved
from haulage.domain.knowledge.remedies import Edge, Remedy, remedy
from haulage.domain.knowledge.taking import foremost, precedence, reading_of, sources
from haulage.engine.articles.article import Article, SectionKind
from haulage.engine.articles.fix_graph import Edge as DrawnEdge
from haulage.engine.articles.fix_graph import FixGraph
from haulage.engine.articles.graph_layout import picture
from haulage.engine.articles.graph_svg import graph_svg
from haulage.engine.articles.graph_text import graph_text
from haulage.engine.articles.statement import StatementKind
from haulage.engine.database.transaction import Transaction

View = dict[str, object]
MOST_BACK = 200
_DRAWN = {"contained-in": StatementKind.CONTAINS, "replaced-by": StatementKind.REPLACES}


def article_row(row: Shelved) -> View:
    """One article in a list."""
    return {
        "id": row.id,
        "title": row.title,
        "type": row.type,
        "modified": row.modified,
        "owner": row.owner,
        "form": row.form,
        "bytes": row.size_bytes,
        "sha256": row.sha256,
    }


def show_article(tx: Transaction, code: SiteCode, row: Shelved) -> View:
    """One article whole: what it says, whom it names, who names it, and the fix that helps."""
    found = sources(tx, [row])
    article = reading_of(found[0][1]).article
    said = records.relations_from(tx, row.id, row.owner)
    back = records.relations_to(tx, row.id, MOST_BACK)
    titles = titles_of(tx, code, [one.other for one in said] + [one.article for one in back])
    return (
        article_row(row)
        | article_view(article)
        | {
            "relations": [_relation_view(one, one.other, titles) for one in said],
            "named_by": [_relation_view(one, one.article, titles) for one in back],
            "fix": remedy_view(remedy(tx, code, row.id)),
        }
    )


def article_view(article: Article) -> View:
    """What an article says. Every text is plain, to be escaped by whoever shows it."""
    return {
        "title": article.title,
        "products": [{"name": product.name, "versions": list(product.versions)} for product in article.products],
        "keywords": list(article.keywords),
        "created": article.created.isoformat() if article.created else "",
        "messages": list(article.messages),
        "errors": list(article.errors),
        "sections": [
            {"kind": section.kind.value, "heading": section.heading, "text": section.whole()} for section in article.sections
        ],
        "workaround": article.section(SectionKind.WORKAROUND),
        "leftover": article.leftover,
        "notice": article.notice,
        "source": article.source.name,
    }


def titles_of(tx: Transaction, code: SiteCode, ids: Iterable[str]) -> dict[str, str]:
    """The titles of articles that are here."""
    chosen = foremost(records.articles_of(tx, ids), precedence(tx, code))
    return {name: row.title for name, row in chosen.items()}


def graph_view(tx: Transaction, code: SiteCode, article: str, edges: Sequence[Edge], helps: Remedy) -> View:
    """Which fix contains or replaces which around one, as data, drawn in text, and as an SVG picture."""
    titles = titles_of(tx, code, [article, *(edge.under for edge in edges), *(edge.over for edge in edges)])
    drawn = FixGraph(
        edges=tuple(map(drawn_edge, edges)),
        titles=titles,
    )
    return {
        "id": article,
        "nodes": [{"id": name, "title": titles.get(name, "")} for name in sorted({article, *drawn.nodes()})],
        "edges": [dataclasses.asdict(edge) for edge in edges],
        "fix": remedy_view(helps),
        "drawing": graph_text(drawn, article),
        "picture": graph_svg(picture(drawn, article)),
    }


def drawn_edge(edge: Edge) -> DrawnEdge:
    """As it is drawn, with the sentence that says so."""
    return DrawnEdge(subject=edge.over, kind=_DRAWN[edge.kind], object=edge.under, evidence=((edge.source, edge.evidence),))


def import_view(one: Import) -> View:
    """One import with its report."""
    error = {"code": one.error_code, "message": one.error_message, "hint": one.error_hint}
    return {
        "id": str(one.number),
        "number": one.number,
        "source": one.source,
        "actor": one.actor,
        "state": one.state.value,
        "asked": iso(one.asked),
        "finished": None if one.finished is None else iso(one.finished),
        "report": one.report,
        "error": error if one.error_code else None,
    }


def _relation_view(one: Relating, other: str, titles: dict[str, str]) -> View:
    return {
        "relation": one.relation.value,
        "id": other,
        "title": titles.get(other, ""),
        "here": other in titles,
        "evidence": one.evidence,
    }
