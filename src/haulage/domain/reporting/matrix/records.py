"""What the matrix reads: a few packages, and how their shipments stand at a few sites. Writes nothing, has no table of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog.records import packages
from haulage.domain.reporting.moving.records import is_late
from haulage.domain.transit.records import OPEN, shipments
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

_S = shipments.c
_STUCK = (Reason.SPACE.value, Reason.PERSON.value)
SHOWS = ("problems", "failed", "stuck", "late", "held", "report", "busy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which packages: with these words in id or name; with something that stands so, at one of these sites (None: any)."""

    words: str
    show: str
    """One of SHOWS, or empty."""
    sites: Collection[SiteCode] | None
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Named:
    """A package as a line begins with it."""

    id: PackageId
    name: str
    version: VersionNumber


@dataclass(frozen=True, slots=True)
class Stand:
    """One shipment, as far as a cell needs it."""

    package: PackageId
    place: Place
    state: str
    reason: str
    overdue: bool


def packages_from(tx: Transaction, wanted: Wanted, first: str, limit: int) -> list[Named]:
    """So many, by id, beginning with this one or what comes after it."""
    p = packages.c
    query = sa.select(p.id, p.name, p.version).where(*_packages(wanted), p.id >= first).order_by(p.id).limit(limit)
    return [Named(*row) for row in tx.execute(query)]


def package_before(tx: Transaction, wanted: Wanted, first: str, count: int) -> PackageId | None:
    """The one so many before this one; the first of all if there are fewer, None if there is none."""
    p = packages.c
    query = sa.select(p.id).where(*_packages(wanted), p.id < first).order_by(p.id.desc()).limit(count)
    found = list(tx.execute(query).scalars())
    return found[-1] if found else None


def count_packages(tx: Transaction, wanted: Wanted) -> int:
    """How many the filter leaves."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(packages).where(*_packages(wanted))).scalar_one())


def sites_with(tx: Transaction, wanted: Wanted) -> set[SiteCode]:
    """Sites at which something stands as wanted."""
    query = sa.select(_S.owner).where(_stands(wanted), *_among(wanted)).distinct()
    if wanted.words.strip():
        query = query.where(_S.package.in_(sa.select(packages.c.id).where(*_named(wanted))))
    return set(tx.execute(query).scalars())


def stands(tx: Transaction, names: Sequence[PackageId], sites: Collection[SiteCode], now: dt.datetime) -> list[Stand]:
    """Every shipment of these packages at these sites and their points; none of what is gone."""
    overdue = sa.func.coalesce(sa.and_(OPEN, is_late(now)), sa.false())
    query = sa.select(_S.package, _S.place, _S.state, _S.reason, overdue).where(
        _S.package.in_(list(names)), _S.owner.in_(list(sites)), _S.state != ShipmentState.REMOVED.value
    )
    return [Stand(package, place, state, reason, bool(late)) for package, place, state, reason, late in tx.execute(query)]


def _packages(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = _named(wanted)
    if wanted.show:
        found.append(packages.c.id.in_(sa.select(_S.package).where(_stands(wanted), *_among(wanted))))
    return found


def _named(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    p = packages.c
    return [
        sa.or_(p.id.startswith(word.upper(), autoescape=True), p.name.icontains(word, autoescape=True))
        for word in wanted.words.split()[:5]
    ]


def _among(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    return [] if wanted.sites is None else [_S.owner.in_(list(wanted.sites))]


def _stands(wanted: Wanted) -> sa.ColumnElement[bool]:
    """Each condition names states, so that the index by state serves."""
    waiting = _S.state == ShipmentState.WAITING.value
    one = {
        "failed": _S.state == ShipmentState.FAILED.value,
        "stuck": sa.and_(waiting, _S.reason.in_(_STUCK)),
        "late": sa.or_(_S.state == ShipmentState.RETRYING.value, sa.and_(OPEN, is_late(wanted.now))),
        "held": sa.and_(waiting, _S.reason == Reason.HELD.value),
        "report": sa.and_(waiting, _S.reason == Reason.REPORT.value),
        "busy": OPEN,
    }
    return one.get(wanted.show, sa.or_(one["failed"], one["stuck"], one["late"]))
