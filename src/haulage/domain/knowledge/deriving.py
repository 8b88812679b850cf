"""What is derived from an article that was read: its row's title, its relations. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from haulage.domain.knowledge.model import DERIVATION, Relating, Relation, Shelved
from haulage.engine.articles.article import Article
from haulage.engine.articles.reading import Reading
from haulage.engine.articles.statement import StatementKind

TITLE_CHARACTERS = 1000
EVIDENCE_CHARACTERS = 500
_BY = {
    StatementKind.CONTAINS: Relation.CONTAINED_IN,
    StatementKind.FIRST_CORRECTED: Relation.CONTAINED_IN,
    StatementKind.REPLACES: Relation.REPLACED_BY,
}
"""Said of the article by naming another one that does it."""
_OF = {
    StatementKind.CONTAINS: Relation.CONTAINS,
    StatementKind.REPLACES: Relation.REPLACES,
    StatementKind.REQUIRES: Relation.REQUIRES,
    StatementKind.FOLLOWS: Relation.FOLLOWS,
    StatementKind.BREAKS: Relation.BREAKS,
}


def derived_row(row: Shelved, article: Article) -> Shelved:
    """The row of an article once it was read."""
    return dataclasses.replace(
        row,
        derived=DERIVATION,
        title=article.title[:TITLE_CHARACTERS],
        type=article.type,
        modified=article.modified.isoformat() if article.modified else "",
    )


def unreadable_row(row: Shelved) -> Shelved:
    """The row of one that cannot be read: it keeps its place and is not searched."""
    return dataclasses.replace(row, derived=DERIVATION, title="", type="", modified="")


def relations_in(row: Shelved, reading: Reading) -> list[Relating]:
    """What an article says of others, each once. What it says of two others is told as the word of the one it is about."""
    found: dict[tuple[Relation, str], Relating] = {}
    for one in _relations(row, reading):
        if one.other != row.id:
            found.setdefault((one.relation, one.other), one)
    return list(found.values())


def _relations(row: Shelved, reading: Reading) -> Iterator[Relating]:
    for said in reading.statements:
        subject, thing = said.subject.article, said.object.article
        if not subject or not thing:
            continue
        if thing == row.id and said.kind in _BY:
            yield _relating(row, _BY[said.kind], subject, said.sentence)
        elif subject == row.id and said.kind in _OF:
            yield _relating(row, _OF[said.kind], thing, said.sentence)
    for other in reading.article.resolved_by:
        yield _relating(row, Relation.RESOLVED_BY, other)
    for reference in reading.article.references:
        yield _relating(row, Relation.REFERENCE, reference.target)


def _relating(row: Shelved, relation: Relation, other: str, evidence: str = "") -> Relating:
    sentence = " ".join(evidence.replace("\0", "").split())[:EVIDENCE_CHARACTERS]
    return Relating(article=row.id, owner=row.owner, relation=relation, other=other[:16], evidence=sentence)
