"""The tables of what crossed the lines by the hour and of orders on their way, which ``transit/records.py`` has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.transit.records import asked_orders, shipments, traffic
from haulage.engine.database.transaction import Transaction

_T, _A = traffic.c, asked_orders.c
_FORGET = asked_orders.delete().where(_A.package == sa.bindparam("of_package"), _A.place == sa.bindparam("of_place"))


def add_traffic(tx: Transaction, hour: dt.datetime, site: SiteCode, sender: SiteCode, *, wire: int, reused: int) -> None:
    """So many bytes more within an hour."""
    key = sa.and_(_T.hour == hour, _T.site == site, _T.sender == sender)
    more = {"bytes_wire": _T.bytes_wire + wire, "bytes_reused": _T.bytes_reused + reused}
    if tx.execute(traffic.update().where(key).values(more)).rowcount == 0:
        tx.execute(traffic.insert().values(hour=hour, site=site, sender=sender, bytes_wire=wire, bytes_reused=reused))


def sums_by_hour(tx: Transaction, first: dt.datetime, site: SiteCode | None) -> Mapping[dt.datetime, tuple[int, int, int]]:
    """(on the wire, of those away from ``site``, reused) of each hour with any, from ``first`` on."""
    out = sa.case((_T.site != site, _T.bytes_wire), else_=0) if site is not None else sa.literal(0)
    sums = (sa.func.sum(_T.bytes_wire), sa.func.sum(out), sa.func.sum(_T.bytes_reused))
    rows = tx.execute(sa.select(_T.hour, *sums).where(_on_lines(first, site)).group_by(_T.hour))
    return {hour: (int(wire or 0), int(sent or 0), int(reused or 0)) for hour, wire, sent, reused in rows}


def sums_by_site(tx: Transaction, first: dt.datetime, site: SiteCode | None, *, limit: int) -> Sequence[tuple[SiteCode, int, int]]:
    """(site, on the wire, reused) of those that received most."""
    wire = sa.func.sum(_T.bytes_wire)
    query = sa.select(_T.site, wire, sa.func.sum(_T.bytes_reused)).where(_on_lines(first, site)).group_by(_T.site)
    rows = tx.execute(query.order_by(wire.desc(), _T.site).limit(limit))
    return [(SiteCode(code), int(came or 0), int(reused or 0)) for code, came, reused in rows]


def delete_traffic(tx: Transaction, before: dt.datetime) -> int:
    """Drop older hours; returns how many rows."""
    return tx.execute(traffic.delete().where(_T.hour < before)).rowcount


def put_orders(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """The last orders about transfers; those before them go."""
    tx.execute(_FORGET, [{"of_package": row["package"], "of_place": row["place"]} for row in rows])
    tx.execute(asked_orders.insert(), [dict(row) for row in rows])


def find_order(tx: Transaction, package: PackageId, where: Place) -> Mapping[str, Any] | None:
    """The order about a transfer; None if there is none."""
    row = tx.execute(sa.select(asked_orders).where(_A.package == package, _A.place == where)).one_or_none()
    return None if row is None else dict(row._mapping)


def orders_about(tx: Transaction, packages: Iterable[PackageId]) -> Sequence[Mapping[str, Any]]:
    """All orders about some packages."""
    return [dict(row._mapping) for row in tx.execute(sa.select(asked_orders).where(_A.package.in_(set(packages))))]


def generations(tx: Transaction, site: SiteCode) -> Mapping[tuple[PackageId, Place], int]:
    """How often each transfer to a site or its points was armed, as known here."""
    s = shipments.c
    rows = tx.execute(sa.select(s.package, s.place, s.generation).where(s.owner == site))
    return {(PackageId(package), Place(place)): int(generation) for package, place, generation in rows}


def delete_order(tx: Transaction, package: PackageId, where: Place) -> None:
    """It was answered."""
    tx.execute(asked_orders.delete().where(_A.package == package, _A.place == where))


def delete_orders(tx: Transaction, before: dt.datetime) -> None:
    """Nobody will answer those any more."""
    tx.execute(asked_orders.delete().where(_A.issued < before))


def _on_lines(first: dt.datetime, site: SiteCode | None) -> sa.ColumnElement[bool]:
    since = _T.hour >= first
    return since if site is None else sa.and_(since, sa.or_(_T.site == site, _T.sender == site))
