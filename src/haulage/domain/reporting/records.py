"""Bounded questions about many places at once, over the tables of other rooms: how many shipments stand how, who is where, who was
said to be away. Writes nothing and has no table of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.reporting.standing import Tally
from haulage.domain.transit import records as transit
from haulage.domain.transit.states import ShipmentState
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_sites
from haulage.engine.status import records as status

_S = transit.shipments.c
_WORDS_READ = 500
"""So many of the newest messages about who is away are looked at."""

_TALLY = sa.select(
    _S.place,
    _S.state,
    _S.reason,
    sa.func.count(),
    sa.func.sum(sa.case((_S.expected < sa.bindparam("now"), 1), else_=0)),
).group_by(_S.place, _S.state, _S.reason)
_OPEN = _TALLY.where(transit.OPEN)
_OF_SITE = _TALLY.where(_S.owner == sa.bindparam("owner"))


def open_tallies(tx: Transaction, now: dt.datetime) -> dict[Place, Tally]:
    """For every place at which anything is not settled: how many stand how. Settled ones are not counted, and not looked at."""
    return _tallied(tx.execute(_OPEN, {"now": now}))


def tallies_of_site(tx: Transaction, owner: SiteCode, now: dt.datetime) -> dict[Place, Tally]:
    """Everything at a site and its points, settled or not."""
    return _tallied(tx.execute(_OF_SITE, {"now": now, "owner": owner}))


def tallies_at(tx: Transaction, places: Sequence[Place], now: dt.datetime) -> dict[Place, Tally]:
    """Everything at some places, settled or not."""
    return _tallied(tx.execute(_TALLY.where(_S.place.in_(places)), {"now": now})) if places else {}


def _tallied(rows: Iterable[Any]) -> dict[Place, Tally]:
    found: dict[Place, Tally] = {}
    for place, state, reason, count, overdue in rows:
        found.setdefault(place, Tally()).add(state, reason, int(count), int(overdue or 0))
    return found


def site_outlines(tx: Transaction) -> Sequence[tuple[SiteCode, str, SiteCode | None, str]]:
    """Code, name, parent and status of every site, without keys and certificates."""
    t = estate.sites.c
    return [(row[0], row[1], row[2], row[3]) for row in tx.execute(sa.select(t.code, t.name, t.parent, t.status))]


def points_of_sites(tx: Transaction) -> dict[SiteCode, int]:
    """How many points each site has; none are left out."""
    site = estate.points.c.site
    return {SiteCode(code): int(count) for code, count in tx.execute(sa.select(site, sa.func.count()).group_by(site))}


def said_away(tx: Transaction) -> Iterator[tuple[SiteCode, SiteCode, bool, str]]:
    """What sites said of those below them, newest first: who said it, of whom, whether it is away, since when. Only the newest
    messages are looked at."""
    t = status.status.c
    numbers = (on_sites.SITE_AWAY.number, on_sites.SITE_BACK.number)
    query = sa.select(t.site, t.number, t.fields).where(t.number.in_(numbers)).order_by(t.id.desc()).limit(_WORDS_READ)
    for site, number, fields in tx.execute(query):
        yield SiteCode(site), SiteCode(str(fields.get("child", ""))), number == numbers[0], str(fields.get("since", ""))


def ages_at(tx: Transaction, place: Place) -> tuple[dt.datetime | None, dt.datetime | None, dt.datetime | None]:
    """Of everything that lies at a place: when the one verified longest ago was, and the last one; and the last change of any."""
    present = sa.case((_S.state == ShipmentState.PRESENT.value, _S.verified))
    row = tx.execute(sa.select(sa.func.min(present), sa.func.max(present), sa.func.max(_S.updated)).where(_S.place == place)).one()
    return row[0], row[1], row[2]


def bytes_at(tx: Transaction, place: Place) -> tuple[int, int]:
    """Sum of the sizes of the versions that should lie at a place, and of those that do, as far as those versions are known here.
    Content that several share counts for each."""
    wanted = _sum_of(_S.wanted, place)
    present = _sum_of(_S.present, place)
    return int(tx.execute(wanted).scalar_one()), int(tx.execute(present).scalar_one())


def _sum_of(number: sa.ColumnElement[int], place: Place) -> sa.Select[tuple[Any]]:
    v = catalog.versions.c
    held = transit.shipments.join(catalog.versions, sa.and_(v.package == _S.package, v.number == number))
    return sa.select(sa.func.coalesce(sa.func.sum(v.bytes), 0)).select_from(held).where(_S.place == place)


def package_names(tx: Transaction, packages: Collection[PackageId]) -> dict[PackageId, str]:
    """Names of packages that are known here."""
    t = catalog.packages.c
    return {row[0]: row[1] for row in tx.execute(sa.select(t.id, t.name).where(t.id.in_(list(packages))))} if packages else {}
