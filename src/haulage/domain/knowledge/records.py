"""The tables of shelves, of the articles on them, of what is derived from articles, and of imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TypeVar

import sqlalchemy as sa

from haulage.domain.knowledge.model import DERIVATION, Import, ImportState, Relating, Relation, Shelf, Shelved
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 500

T = TypeVar("T")

shelves = sa.Table(
    "shelves",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.String(3), nullable=False, index=True),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("packed", sa.LargeBinary, nullable=False),
)

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("shelf", sa.Text, nullable=False, index=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("form", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("change", sa.BigInteger, nullable=False, index=True),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("derived", sa.Integer, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("modified", sa.String(10), nullable=False),
)
"""One row for each owner of an article: a site may have its own word on what another one has an article about."""

relations = sa.Table(
    "article_relations",
    metadata,
    sa.Column("article", sa.String(16), primary_key=True),
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("relation", sa.String(16), primary_key=True),
    sa.Column("other", sa.String(16), primary_key=True, index=True),
    sa.Column("evidence", sa.Text, nullable=False),
)

imports = sa.Table(
    "article_imports",
    metadata,
    sa.Column("number", _BIG, primary_key=True, autoincrement=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("spool", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("asked", UtcTime, nullable=False),
    sa.Column("finished", UtcTime),
    sa.Column("report", Json, nullable=False),
    sa.Column("error_code", sa.String(64), nullable=False),
    sa.Column("error_message", sa.Text, nullable=False),
    sa.Column("error_hint", sa.Text, nullable=False),
)


_PUT_DERIVED = (
    articles.update()
    .where(articles.c.id == sa.bindparam("b_id"), articles.c.owner == sa.bindparam("b_owner"))
    .values(derived=DERIVATION, title=sa.bindparam("title"), type=sa.bindparam("type"), modified=sa.bindparam("modified"))
)
"""Made once and run for many: making a statement takes longer than running it."""


def put_shelf(tx: Transaction, shelf: Shelf, standing: Sequence[Shelved], change: int) -> None:
    """A shelf as it is now. Articles that are what they were keep their row; those that are not on it any more are gone."""
    remove = shelves.delete().where(shelves.c.id == shelf.id)
    tx.execute(remove)
    tx.execute(shelves.insert().values(dataclasses.asdict(shelf)))
    before = {row.id: row for row in list_on_shelf(tx, shelf.id)}
    _mark_gone(tx, [before[name] for name in before.keys() - {one.id for one in standing}], change)
    fresh = [
        one for one in standing if one.id not in before or (before[one.id].sha256, before[one.id].form) != (one.sha256, one.form)
    ]
    moved = [one for one in standing if one.id in before and one.place != before[one.id].place]
    for one in moved:
        tx.execute(articles.update().where(_is(one)).values(place=one.place))
    for chunk in _chunks(fresh):
        tx.execute(articles.delete().where(articles.c.owner == shelf.owner, articles.c.id.in_([one.id for one in chunk])))
        tx.execute(articles.insert(), [dataclasses.asdict(dataclasses.replace(one, change=change)) for one in chunk])


def remove_shelf(tx: Transaction, shelf: str, change: int) -> None:
    """Its articles are gone."""
    _mark_gone(tx, list_on_shelf(tx, shelf), change)
    tx.execute(shelves.delete().where(shelves.c.id == shelf))


def _mark_gone(tx: Transaction, rows: Sequence[Shelved], change: int) -> None:
    for row in rows:
        tx.execute(articles.update().where(_is(row)).values(gone=True, change=change, place=0, derived=DERIVATION))
        tx.execute(relations.delete().where(relations.c.article == row.id, relations.c.owner == row.owner))


def forget_gone(tx: Transaction, through: int) -> None:
    """Whoever keeps up has heard that these are gone."""
    tx.execute(articles.delete().where(articles.c.gone, articles.c.change <= through))


def find_shelf(tx: Transaction, shelf: str) -> Shelf | None:
    """One shelf with what is packed on it."""
    row = tx.execute(sa.select(shelves).where(shelves.c.id == shelf)).one_or_none()
    return None if row is None else Shelf(**row._mapping)


def list_on_shelf(tx: Transaction, shelf: str) -> Sequence[Shelved]:
    """The articles of a shelf in their order."""
    rows = tx.execute(sa.select(articles).where(articles.c.shelf == shelf, ~articles.c.gone).order_by(articles.c.place))
    return [Shelved(**row._mapping) for row in rows]


def shelves_of(tx: Transaction, owner: str) -> Sequence[str]:
    """The shelves of an owner."""
    return list(tx.execute(sa.select(shelves.c.id).where(shelves.c.owner == owner).order_by(shelves.c.id)).scalars())


def find_article(tx: Transaction, article: str, owner: str) -> Shelved | None:
    """One owner's article of that id."""
    rows = [row for row in articles_of(tx, [article]) if row.owner == owner]
    return rows[0] if rows else None


def articles_of(tx: Transaction, ids: Iterable[str]) -> list[Shelved]:
    """Every owner's articles of these ids that are there."""
    found: list[Shelved] = []
    for chunk in _chunks(sorted(set(ids))):
        query = sa.select(articles).where(articles.c.id.in_(chunk), ~articles.c.gone).order_by(articles.c.id, articles.c.owner)
        found += [Shelved(**row._mapping) for row in tx.execute(query)]
    return found


def list_articles(tx: Transaction, *, after: str = "", limit: int, owner: str | None = None) -> Sequence[Shelved]:
    """Articles behind ``after``, by id and owner; all of one id together, so there may be a few more than ``limit``."""
    ids = sa.select(articles.c.id).distinct().where(articles.c.id > after, ~articles.c.gone).order_by(articles.c.id).limit(limit)
    if owner is not None:
        ids = ids.where(articles.c.owner == owner)
    return articles_of(tx, tx.execute(ids).scalars())


def count_articles(tx: Transaction) -> int:
    """Different ids."""
    return int(tx.execute(sa.select(sa.func.count(articles.c.id.distinct())).where(~articles.c.gone)).scalar_one())


def digests(tx: Transaction) -> Sequence[tuple[str, str, str]]:
    """(id, owner, sha256) of every article that is there."""
    query = sa.select(articles.c.id, articles.c.owner, articles.c.sha256).where(~articles.c.gone)
    return [(row.id, row.owner, row.sha256) for row in tx.execute(query)]


def changed_after(tx: Transaction, change: int) -> Sequence[str]:
    """The ids of articles that changed or went after ``change``."""
    return list(tx.execute(sa.select(articles.c.id).distinct().where(articles.c.change > change).order_by(articles.c.id)).scalars())


def last_change(tx: Transaction) -> int:
    """The newest change; 0 if there is no article."""
    return int(tx.execute(sa.select(sa.func.max(articles.c.change))).scalar_one() or 0)


def count_behind(tx: Transaction, change: int) -> int:
    """Articles that changed after ``change``, or are not read yet."""
    query = sa.select(sa.func.count()).select_from(articles)
    return int(tx.execute(query.where((articles.c.change > change) | (articles.c.derived != DERIVATION))).scalar_one())


def unread(tx: Transaction, limit: int) -> Sequence[str]:
    """Shelves with articles that are not read yet by the present derivation."""
    query = sa.select(articles.c.shelf).distinct().where(articles.c.derived != DERIVATION, ~articles.c.gone).limit(limit)
    return list(tx.execute(query).scalars())


def put_derived(tx: Transaction, read: Sequence[Shelved], found: Sequence[Relating]) -> None:
    """What was read in articles: their titles and relations. An article that changed meanwhile is left for the next time."""
    there = {(row.id, row.owner): row.sha256 for row in articles_of(tx, [one.id for one in read])}
    same = [one for one in read if there.get((one.id, one.owner)) == one.sha256]
    kept = {(one.id, one.owner) for one in same}
    for owner in sorted({one.owner for one in same}):
        for chunk in _chunks([one.id for one in same if one.owner == owner]):
            tx.execute(relations.delete().where(relations.c.owner == owner, relations.c.article.in_(chunk)))
    told = [{"b_id": one.id, "b_owner": one.owner, "title": one.title, "type": one.type, "modified": one.modified} for one in same]
    for values in _chunks(told):
        tx.execute(_PUT_DERIVED, values)
    rows = [_relation_row(one) for one in found if (one.article, one.owner) in kept]
    for some in _chunks(rows):
        tx.execute(relations.insert(), some)


def _relation_row(one: Relating) -> dict[str, str]:
    return dataclasses.asdict(one) | {"relation": one.relation.value}


def relations_from(tx: Transaction, article: str, owner: str) -> Sequence[Relating]:
    """What one owner's article says of others."""
    query = sa.select(relations).where(relations.c.article == article, relations.c.owner == owner)
    return _relating(tx.execute(query.order_by(relations.c.relation, relations.c.other)))


def relations_to(tx: Transaction, article: str, limit: int) -> Sequence[Relating]:
    """What other articles say of one."""
    query = sa.select(relations).where(relations.c.other == article).order_by(relations.c.relation, relations.c.article)
    return _relating(tx.execute(query.limit(limit)))


def relations_of_kinds(tx: Transaction, kinds: Sequence[Relation], ids: Iterable[str]) -> Sequence[Relating]:
    """Relations of these kinds from or to these articles."""
    words = [kind.value for kind in kinds]
    found: dict[tuple[str, str, str, str], Relating] = {}
    for chunk in _chunks(sorted(set(ids))):
        either = relations.c.article.in_(chunk) | relations.c.other.in_(chunk)
        for one in _relating(tx.execute(sa.select(relations).where(relations.c.relation.in_(words), either))):
            found[(one.article, one.owner, one.relation, one.other)] = one
    return [found[key] for key in sorted(found)]


def _relating(rows: Iterable[sa.Row[tuple[object, ...]]]) -> list[Relating]:
    return [Relating(**(dict(row._mapping) | {"relation": Relation(row.relation)})) for row in rows]


def add_import(tx: Transaction, asked: Import) -> int:
    """A new import; returns its number."""
    values = dataclasses.asdict(asked) | {"state": asked.state.value}
    del values["number"]
    key = tx.execute(imports.insert().values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def put_import(tx: Transaction, changed: Import) -> None:
    """How an import stands now."""
    values = dataclasses.asdict(changed) | {"state": changed.state.value}
    tx.execute(imports.update().where(imports.c.number == changed.number).values(values))


def find_import(tx: Transaction, number: int) -> Import | None:
    """One import."""
    row = tx.execute(sa.select(imports).where(imports.c.number == number)).one_or_none()
    return None if row is None else _import(row)


def list_imports(tx: Transaction, *, unfinished: bool = False) -> Sequence[Import]:
    """Imports of this site, oldest first."""
    query = sa.select(imports).order_by(imports.c.number)
    if unfinished:
        query = query.where(imports.c.state.in_([ImportState.REQUESTED.value, ImportState.RUNNING.value]))
    return [_import(row) for row in tx.execute(query)]


def _import(row: sa.Row[tuple[object, ...]]) -> Import:
    values = dict(row._mapping)
    return Import(**(values | {"state": ImportState(str(values["state"]))}))


def _is(one: Shelved) -> sa.ColumnElement[bool]:
    return sa.and_(articles.c.id == one.id, articles.c.owner == one.owner)


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]
