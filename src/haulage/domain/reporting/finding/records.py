"""A few best matches by name among packages, sites, points and groups. Has no table of its own and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from haulage.base.ids import SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.groups import records as groups
from haulage.engine.database.transaction import Transaction


def packages_like(tx: Transaction, words: Sequence[str], limit: int) -> Sequence[tuple[str, str]]:
    """Id and name of packages whose id and name together hold every word; those whose name begins with the first come first."""
    t = catalog.packages.c
    query = sa.select(t.id, t.name).where(*[sa.or_(_holds(t.id, word), _holds(t.name, word)) for word in words])
    rows = tx.execute(query.order_by(_begins(t.name, words[0]), t.name, t.id).limit(limit))
    return [(row.id, row.name) for row in rows]


def sites_like(tx: Transaction, words: Sequence[str], limit: int) -> Sequence[tuple[str, str]]:
    """Code and name of sites, in the same way."""
    t = estate.sites.c
    query = sa.select(t.code, t.name).where(*[sa.or_(_holds(t.code, word), _holds(t.name, word)) for word in words])
    rows = tx.execute(query.order_by(_begins(t.code, words[0]), _begins(t.name, words[0]), t.code).limit(limit))
    return [(row.code, row.name) for row in rows]


def points_like(tx: Transaction, words: Sequence[str], limit: int) -> Sequence[str]:
    """Places of points whose name holds every word. Not their folders: those are not everybody's to know."""
    t = estate.points.c
    query = sa.select(t.place).where(*[_holds(t.place, word) for word in words])
    return list(tx.execute(query.order_by(_begins(t.place, words[0]), t.place).limit(limit)).scalars())


def groups_like(tx: Transaction, owner: SiteCode, words: Sequence[str], limit: int) -> Sequence[str]:
    """Names of groups of a site."""
    t = groups.groups.c
    query = sa.select(t.name).where(t.owner == owner, *[_holds(t.name, word) for word in words])
    return list(tx.execute(query.order_by(_begins(t.name, words[0]), t.name).limit(limit)).scalars())


def _holds(column: sa.Column[str], word: str) -> sa.ColumnElement[bool]:
    return column.icontains(word, autoescape=True)


def _begins(column: sa.Column[str], word: str) -> sa.ColumnElement[int]:
    return sa.case((column.istartswith(word, autoescape=True), 0), else_=1)
