"""Bounded questions over the tables of other rooms for the overview: what stands alike, what moves, which captures failed. Has no
table of its own and writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import CaptureState
from haulage.domain.estate import records as estate
from haulage.domain.reporting.moving.records import is_late
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import CANCELLED
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.domain.transit.tallies.records import totals as tallied
from haulage.engine.database.transaction import Transaction

LOOKED_AT = 2_000
"""So many of those that changed last are looked at of one kind; of more it is said that there are more."""
EXAMPLES = 3

_S = transit.shipments.c
_SETTLED = (ShipmentState.PRESENT, ShipmentState.REMOVED)
_CLOSED: list[sa.ColumnElement[str]] = [sa.literal_column(f"'{state.value}'") for state in _SETTLED]
"""Written out, not given as parameters, so that the index of what is open serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Shipments of one kind that stand where they stand for the same cause."""

    error_code: str
    count: int
    message: str
    hint: str
    tries: int
    """Of the one that was tried most."""
    since: dt.datetime
    """When the first of them was changed last."""
    examples: tuple[tuple[PackageId, Place], ...]


def alike(tx: Transaction, state: ShipmentState, reason: Reason) -> Sequence[Alike]:
    """Those of one state and reason, by cause, the most frequent first. What somebody cancelled is as they wanted it, and left
    out."""
    near = (
        sa.select(_S.package, _S.place, _S.error_code, _S.error_message, _S.error_hint, _S.tries, _S.updated)
        .where(_S.state == state.value, _S.reason == reason.value, _S.error_code != CANCELLED)
        .order_by(_S.updated.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    code = near.c.error_code
    ranked = sa.select(
        near,
        sa.func.row_number().over(order_by=(near.c.updated.desc(), near.c.package, near.c.place), partition_by=code).label("rank"),
        sa.func.count().over(partition_by=code).label("of_code"),
        sa.func.max(near.c.tries).over(partition_by=code).label("most_tries"),
        sa.func.min(near.c.updated).over(partition_by=code).label("first"),
    ).subquery()
    query = sa.select(ranked).where(ranked.c.rank <= EXAMPLES)
    rows = tx.execute(query.order_by(ranked.c.of_code.desc(), ranked.c.error_code, ranked.c.rank)).all()
    found: dict[str, list[sa.Row[tuple[object, ...]]]] = {}
    for row in rows:
        found.setdefault(row.error_code, []).append(row)
    return [
        Alike(
            error_code=code,
            count=int(some[0].of_code),
            message=some[0].error_message,
            hint=some[0].error_hint,
            tries=int(some[0].most_tries),
            since=some[0].first,
            examples=tuple([(row.package, row.place) for row in some]),
        )
        for code, some in found.items()
    ]


def count_late(tx: Transaction, now: dt.datetime) -> int:
    """How many are late, up to ``LOOKED_AT``."""
    near = sa.select(_S.package).where(_S.state.not_in(_CLOSED), is_late(now)).limit(LOOKED_AT).subquery()
    return int(tx.execute(sa.select(sa.func.count()).select_from(near)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A shipment that is on its way."""

    package: PackageId
    name: str
    place: Place
    state: str
    version: int
    bytes_planned: int
    bytes_done: int
    rate: int
    expected: dt.datetime | None
    updated: dt.datetime


def movers(tx: Transaction, limit: int) -> Sequence[Mover]:
    """What moves or is verified, what was heard of last first."""
    p = catalog.packages.c
    busy = (ShipmentState.MOVING.value, ShipmentState.VERIFYING.value)
    looks = [
        sa.select(_S.package, _S.place, _S.state, _S.wanted, _S.bytes_planned, _S.bytes_done, _S.rate, _S.expected, _S.updated)
        .where(_S.state == state, _S.reason == Reason.NONE.value)
        .order_by(_S.updated.desc())
        .limit(limit)
        .subquery()
        for state in busy
    ]
    near = sa.union_all(*[sa.select(look) for look in looks]).subquery()
    joined = near.outerjoin(catalog.packages, p.id == near.c.package)
    query = sa.select(near, p.name).select_from(joined).order_by(near.c.state, near.c.updated.desc(), near.c.package, near.c.place)
    return [
        Mover(
            package=row.package,
            name=row.name or "",
            place=row.place,
            state=row.state,
            version=row.wanted,
            bytes_planned=row.bytes_planned,
            bytes_done=row.bytes_done,
            rate=row.rate,
            expected=row.expected,
            updated=row.updated,
        )
        for row in tx.execute(query.limit(limit))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A capture that runs, waits for its turn, or failed."""

    package: PackageId
    name: str
    state: str
    started: dt.datetime | None
    finished: dt.datetime | None
    error_code: str
    message: str
    hint: str


def captures(tx: Transaction, states: Sequence[CaptureState], limit: int) -> Sequence[Captured]:
    """Captures that stand so, the newest first."""
    s, p = catalog.sources.c, catalog.packages.c
    joined = catalog.sources.join(catalog.packages, p.id == s.package)
    query = (
        sa.select(s.package, p.name, s.state, s.started, s.finished, s.error_code, s.error_message, s.error_hint)
        .select_from(joined)
        .where(s.state.in_([state.value for state in states]))
        .order_by(s.finished.desc(), s.package)
        .limit(limit)
    )
    return [
        Captured(
            package=row.package,
            name=row.name,
            state=row.state,
            started=row.started,
            finished=row.finished,
            error_code=row.error_code,
            message=row.error_message,
            hint=row.error_hint,
        )
        for row in tx.execute(query)
    ]


def counts(tx: Transaction) -> tuple[int, int, int]:
    """How many packages, sites and points are known."""
    tables = (catalog.packages, estate.sites, estate.points)
    packages, sites, points = (int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()) for table in tables)
    return packages, sites, points


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A shipment that only a person gets on."""

    package: PackageId
    place: Place
    error_code: str
    message: str
    hint: str


def stuck(tx: Transaction, limit: int) -> tuple[Sequence[Stuck], int]:
    """Some of those that failed or wait for a person, by package and place, and how many there are."""
    kinds = ((ShipmentState.FAILED, Reason.NONE), (ShipmentState.WAITING, Reason.PERSON))
    looks = [
        sa.select(_S.package, _S.place, _S.error_code, _S.error_message, _S.error_hint)
        .where(_S.state == state.value, _S.reason == reason.value)
        .limit(limit)
        .subquery()
        for state, reason in kinds
    ]
    near = sa.union_all(*[sa.select(look) for look in looks]).subquery()
    rows = tx.execute(sa.select(near).order_by(near.c.package, near.c.place).limit(limit))
    wanted = {(state.value, reason.value) for state, reason in kinds}
    total = sum(one.count for one in tallied(tx) if (one.state, one.reason) in wanted)
    found = [
        Stuck(package=row.package, place=row.place, error_code=row.error_code, message=row.error_message, hint=row.error_hint)
        for row in rows
    ]
    return found, total
