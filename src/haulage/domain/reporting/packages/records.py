"""Reading packages with how they stand: bounded lists over the tables of catalog, transit and replication. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog.records import assignments, packages, sources, versions
from haulage.domain.fixes.records import fixes
from haulage.domain.transit.records import shipments
from haulage.engine.database.transaction import Transaction

SORTS = ("id", "name", "size", "captured")
SHOWS = ("failed", "retrying", "waiting", "moving", "report", "present", "unpublished", "unassigned", "capture-failed")
REMOVED = "removed"
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNDER_WAY = ("planned", "moving", "verifying")
_NOT_THERE = ("failed", "retrying", "waiting", "removing", *_UNDER_WAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which packages, in which order; ``after`` is the sort key and id of the last one seen."""

    words: str = ""
    owner: str = ""
    show: str = ""
    sort: str = "id"
    down: bool = False
    after: tuple[str | int, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow:
    """One package in a list."""

    id: PackageId
    name: str
    revision: int
    version: VersionNumber
    keep: int
    bytes: int
    captured: dt.datetime | None
    capture: str
    """The state of its source; "" if the source is not this site's."""
    places: int
    """How many it is assigned to."""
    key: str | int
    """By what it stands where it stands in the list."""


@dataclass(frozen=True, slots=True)
class Stand:
    """One shipment, as far as counting needs it."""

    package: PackageId
    place: Place
    state: str
    reason: str
    wanted: int
    present: int
    verified: dt.datetime | None
    updated: dt.datetime
    heard: bool
    """Whether its site ever said a word of it."""


def list_packages(tx: Transaction, wanted: Wanted) -> list[PackageRow]:
    """One page of them."""
    p, key = packages.c, _key(wanted.sort)
    places = sa.select(sa.func.count()).select_from(assignments).where(assignments.c.package == p.id).scalar_subquery()
    query = (
        sa.select(
            p.id,
            p.name,
            p.revision,
            p.version,
            p.keep,
            sa.func.coalesce(versions.c.bytes, 0).label("bytes"),
            versions.c.captured,
            sa.func.coalesce(sources.c.state, "").label("capture"),
            places.label("places"),
            key.label("key"),
        )
        .select_from(_joined())
        .where(*_filter(wanted))
    )
    if wanted.after is not None:
        value, name = wanted.after
        mark = sa.bindparam("after", _typed(wanted.sort, value), type_=key.type)
        beyond = key < mark if wanted.down else key > mark
        query = query.where(sa.or_(beyond, sa.and_(key == mark, p.id > name)))
    query = query.order_by(key.desc() if wanted.down else key, p.id).limit(wanted.limit)
    return [PackageRow(**_plain(row._mapping)) for row in tx.execute(query)]


def count_packages(tx: Transaction, wanted: Wanted) -> int:
    """How many the filter leaves."""
    query = sa.select(sa.func.count()).select_from(packages.outerjoin(sources, sources.c.package == packages.c.id))
    return int(tx.execute(query.where(*_filter(wanted))).scalar_one())


def owners(tx: Transaction) -> list[SiteCode]:
    """The sites that have packages."""
    code = sa.func.substr(packages.c.id, 1, 3)
    return [SiteCode(one) for one in tx.execute(sa.select(code).distinct().order_by(code)).scalars()]


def stands(tx: Transaction, names: Sequence[PackageId]) -> list[Stand]:
    """Every place that is to hold one of these packages, or still has it, by package and place."""
    s = shipments.c
    wanted = sa.case((s.announced > 0, s.announced), else_=s.wanted)
    query = (
        sa.select(s.package, s.place, s.state, s.reason, wanted, s.present, s.verified, s.updated, s.own_state != "")
        .where(s.package.in_(list(names)), s.state != REMOVED)
        .order_by(s.package, s.place)
    )
    return [Stand(*row) for row in tx.execute(query)]


def tallies(tx: Transaction, names: Sequence[PackageId]) -> dict[PackageId, dict[tuple[str, str], int]]:
    """How many places of each of these packages stand so, by state and reason; where it is gone is not counted."""
    s = shipments.c
    found: dict[PackageId, dict[tuple[str, str], int]] = {name: {} for name in names}
    query = sa.select(s.package, s.state, s.reason, sa.func.count()).where(s.package.in_(list(names)), s.state != REMOVED)
    for package, state, reason, count in tx.execute(query.group_by(s.package, s.state, s.reason)):
        found[package][state, reason] = count
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What carrying a package took over the lines between sites. Bytes."""

    sites: int
    """That took a version from the site above."""
    planned: int
    """Of what is not there yet."""
    done: int
    """Of what was planned, so much is there."""
    sent: int
    """Bytes on the lines, of what each site holds now."""
    whole: int
    """What whole copies of the same versions would have been."""


def carried(tx: Transaction, package: PackageId, owner: SiteCode) -> Carried:
    """Of all sites but the one that makes it; points take theirs from their site's store."""
    s = shipments.c
    sites = sa.and_(s.package == package, sa.func.length(s.place) == len(owner), s.place != owner, s.wanted > 0)
    open_ones = sa.case((s.state != "present", s.bytes_planned), else_=0)
    done = sa.case((s.state != "present", s.bytes_done), else_=0)
    took = sa.case((s.bytes_total > 0, 1), else_=0)
    query = sa.select(
        sa.func.sum(took), sa.func.sum(open_ones), sa.func.sum(done), sa.func.sum(s.bytes_wire), sa.func.sum(s.bytes_total)
    )
    count, planned, part, sent, whole = [int(one or 0) for one in tx.execute(query.where(sites)).one()]
    return Carried(sites=count, planned=planned, done=part, sent=sent, whole=whole)


def fixes_about(tx: Transaction, package: PackageId) -> list[tuple[str, str]]:
    """(fix, title) of the fixes whose bundle a package brings."""
    query = sa.select(fixes.c.fix, fixes.c.title).where(fixes.c.package == package).order_by(fixes.c.fix).limit(20)
    return [(fix, title) for fix, title in tx.execute(query)]


def _joined() -> sa.FromClause:
    p = packages.c
    newest = sa.and_(versions.c.package == p.id, versions.c.number == p.version)
    return packages.outerjoin(versions, newest).outerjoin(sources, sources.c.package == p.id)


def _key(sort: str) -> sa.ColumnElement[Any]:
    if sort == "name":
        return sa.func.lower(packages.c.name)
    if sort == "size":
        return sa.func.coalesce(versions.c.bytes, 0)
    return sa.func.coalesce(versions.c.captured, NEVER, type_=versions.c.captured.type) if sort == "captured" else packages.c.id


def _typed(sort: str, value: str | int) -> object:
    if sort == "captured":
        return dt.datetime.fromisoformat(str(value))
    return int(value) if sort == "size" else value


def _plain(row: Any) -> dict[str, Any]:
    values = dict(row)
    key = values["key"]
    return values | {"key": key.isoformat() if isinstance(key, dt.datetime) else ("" if key is None else key)}


def _filter(wanted: Wanted) -> Iterable[sa.ColumnElement[bool]]:
    p = packages.c
    for word in wanted.words.split()[:5]:
        yield sa.or_(p.id.startswith(word.upper(), autoescape=True), p.name.icontains(word, autoescape=True))
    if wanted.owner:
        yield p.id.startswith(wanted.owner, autoescape=True)
    if wanted.show:
        yield _shown(wanted.show)


def _shown(show: str) -> sa.ColumnElement[bool]:
    p, s = packages.c, shipments.c
    if show == "unpublished":
        return p.version == 0
    if show == "unassigned":
        return ~sa.exists().where(assignments.c.package == p.id)
    if show == "capture-failed":
        return sources.c.state == "failed"
    here = s.package == p.id
    if show == "report":
        return sa.exists().where(here, s.state == "waiting", s.reason == "report")
    if show == "present":
        return sa.and_(sa.exists().where(here, s.state == "present"), ~sa.exists().where(here, s.state.in_(_NOT_THERE)))
    return sa.exists().where(here, s.state.in_(_UNDER_WAY if show == "moving" else (show,)))
