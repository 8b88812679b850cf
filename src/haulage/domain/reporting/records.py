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
from haulage.domain.estate.model import Point
from haulage.domain.reporting.standing import STUCK, Tally
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
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
_SITE = sa.func.substr(_S.place, 1, transit.SITE_CODE_CHARACTERS).label("site")
_OPEN_OF_SITES = (
    sa.select(_SITE, *list(_TALLY.selected_columns)[1:]).where(transit.OPEN).group_by(sa.literal_column("1"), _S.state, _S.reason)
)
_OF_SITE = _TALLY.where(_S.owner == sa.bindparam("owner"))


def open_tallies(tx: Transaction, now: dt.datetime) -> dict[Place, Tally]:
    """For every place at which anything is not settled: how many stand how. Settled ones are not counted, and not looked at."""
    return _tallied(tx.execute(_OPEN, {"now": now}))


def open_tallies_of_sites(tx: Transaction, now: dt.datetime) -> dict[SiteCode, Tally]:
    """The same by site, its points among them."""
    found: dict[SiteCode, Tally] = {}
    for place, tally in _tallied(tx.execute(_OPEN_OF_SITES, {"now": now})).items():
        found[SiteCode(place)] = tally
    return found


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


def point_kinds(tx: Transaction) -> dict[Place, str]:
    """The kind of every point."""
    t = estate.points.c
    return {row[0]: row[1] for row in tx.execute(sa.select(t.place, t.kind))}


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


GROUPS: dict[str, sa.ColumnElement[bool]] = {
    "failed": _S.state == ShipmentState.FAILED.value,
    "stuck": sa.and_(_S.state == ShipmentState.WAITING.value, _S.reason.in_([one.value for one in STUCK])),
    "late": sa.or_(_S.state == ShipmentState.RETRYING.value, sa.and_(transit.OPEN, _S.expected < sa.bindparam("now"))),
    "held": sa.and_(_S.state == ShipmentState.WAITING.value, _S.reason == Reason.HELD.value),
    "busy": sa.and_(
        transit.OPEN,
        _S.state.not_in([one.value for one in (ShipmentState.FAILED, ShipmentState.RETRYING, ShipmentState.REMOVING)]),
        sa.not_(sa.and_(_S.state == ShipmentState.WAITING.value, _S.reason.in_([one.value for one in (*STUCK, Reason.HELD)]))),
    ),
    "leaving": _S.state == ShipmentState.REMOVING.value,
    "present": _S.state == ShipmentState.PRESENT.value,
    "gone": _S.state == ShipmentState.REMOVED.value,
}
"""What a group of ``standing.group_of`` is, in terms of the table; late ones that are on their way are counted there alone."""


def shipments_at(
    tx: Transaction, place: Place, now: dt.datetime, *, group: str = "", words: str = "", after: str = "", limit: int
) -> Sequence[tuple[Shipment, str, int]]:
    """Shipments at a place by package id behind ``after``, each with the package's name and the size of the version that is
    wanted there ("" and 0 where that is not known). An unknown group is none."""
    v, p = catalog.versions.c, catalog.packages.c
    joined = transit.shipments.outerjoin(catalog.packages, p.id == _S.package).outerjoin(
        catalog.versions, sa.and_(v.package == _S.package, v.number == _S.wanted)
    )
    query = sa.select(transit.shipments, p.name.label("package_name"), v.bytes.label("version_bytes")).select_from(joined)
    query = query.where(_S.place == place, _S.package > after).order_by(_S.package).limit(limit)
    if group in GROUPS:
        query = query.where(GROUPS[group])
    elif not group:
        query = query.where(_S.state != ShipmentState.REMOVED.value)
    for word in words.split():
        query = query.where(sa.or_(_S.package.icontains(word, autoescape=True), p.name.icontains(word, autoescape=True)))
    rows = tx.execute(query, {"now": now} if group == "late" else {})
    return [(transit.shown_shipment(row), row.package_name or "", int(row.version_bytes or 0)) for row in rows]


def assigned_at(tx: Transaction, place: Place) -> Sequence[tuple[PackageId, bool]]:
    """The packages assigned to a place, and whether each is by the place's own name."""
    a = catalog.assignments.c
    query = sa.select(a.package, a.named).where(a.place == place).order_by(a.package)
    return [(row[0], bool(row[1])) for row in tx.execute(query)]


def points_page(
    tx: Transaction, *, site: str = "", words: str = "", kind: str = "", after: str = "", limit: int | None = None
) -> Sequence[Point]:
    """Points by place behind ``after``."""
    t = estate.points.c
    query = sa.select(estate.points).where(t.place > after).order_by(t.place)
    if site:
        query = query.where(t.site == site)
    if kind:
        query = query.where(t.kind == kind)
    for word in words.split():
        query = query.where(sa.or_(t.place.icontains(word, autoescape=True), t.url.icontains(word, autoescape=True)))
    rows = tx.execute(query if limit is None else query.limit(limit))
    return [Point(place=row.place, kind=row.kind, url=row.url, owner=row.owner, options=row.options) for row in rows]


def packages_of(tx: Transaction, owner: SiteCode) -> int:
    """How many packages a site made."""
    ids = catalog.packages.c.id
    return int(tx.execute(sa.select(sa.func.count()).where(ids >= owner, ids < f"{owner}G")).scalar_one())


def pairs_at(tx: Transaction, place: Place, groups: Collection[str], now: dt.datetime) -> Sequence[tuple[PackageId, Place]]:
    """Packages wanted at a place that are in any of some groups; with a site code those at all its points as well. Found for an
    order about many at once."""
    of_place = _S.owner == place if len(place) == transit.SITE_CODE_CHARACTERS else _S.place == place
    chosen = sa.or_(*(GROUPS[group] for group in groups))
    query = sa.select(_S.package, _S.place).where(of_place, chosen, _S.wanted != 0).order_by(_S.place, _S.package)
    return [(row[0], row[1]) for row in tx.execute(query, {"now": now} if "late" in groups else {})]


def held_sum(tx: Transaction) -> tuple[int, int]:
    """How many versions this site holds, and the sum of their sizes as plain files."""
    v, h = catalog.versions.c, transit.holdings.c
    both = transit.holdings.outerjoin(catalog.versions, sa.and_(v.package == h.package, v.number == h.version))
    count, size = tx.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(v.bytes), 0)).select_from(both)).one()
    return int(count), int(size)


def parcel_sum(tx: Transaction) -> tuple[int, int]:
    """How many parcels are kept, and their size."""
    size = transit.parcels.c.size
    count, total = tx.execute(sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(size), 0))).one()
    return int(count), int(total)


def traffic_sum(tx: Transaction, code: SiteCode) -> tuple[int, int, int, int]:
    """Bytes that came to this site and were here already instead, and the same of what it sent to its children, for as long as
    traffic is kept."""
    t = transit.traffic.c
    sums = sa.select(sa.func.coalesce(sa.func.sum(t.bytes_wire), 0), sa.func.coalesce(sa.func.sum(t.bytes_reused), 0))
    came, sent = (tx.execute(sums.where(side == code)).one() for side in (t.site, t.sender))
    return int(came[0]), int(came[1]), int(sent[0]), int(sent[1])
