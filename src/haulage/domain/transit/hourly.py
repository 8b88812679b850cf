"""Bytes per hour and line, for 90 days: counted where arrivals are recorded, here and, by their reports, at the sites below. What
is counted never falls, so a report that is late, lost or repeated changes no sum."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.transit.records import traffic
from haulage.domain.transit.shipment import Shipment
from haulage.engine.database.transaction import Transaction

KEPT = dt.timedelta(days=90)
HOUR = dt.timedelta(hours=1)
HOURS_MAX = 90 * 24
SITES_SHOWN = 50
"""In a view: those that received most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What one site received from its parent within one hour. ``hour`` is its beginning."""

    hour: dt.datetime
    site: SiteCode
    sender: SiteCode
    bytes_wire: int
    bytes_reused: int


def hour_of(moment: dt.datetime) -> dt.datetime:
    """The beginning of the hour a moment lies in."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def count(tx: Transaction, before: Shipment | None, after: Shipment, moment: dt.datetime) -> None:
    """A shipment was written or reported: what arrived since it was last goes into the hour of ``moment``."""
    wire = after.wire_ever - (before.wire_ever if before is not None else 0)
    reused = after.reused_ever - (before.reused_ever if before is not None else 0)
    if wire <= 0 and reused <= 0:
        return
    site = estate.find_site(tx, after.owner)
    sender = site.parent if site is not None and site.parent is not None else after.owner
    hour = hour_of(moment)
    key = sa.and_(traffic.c.hour == hour, traffic.c.site == after.owner, traffic.c.sender == sender)
    more = {"bytes_wire": traffic.c.bytes_wire + max(wire, 0), "bytes_reused": traffic.c.bytes_reused + max(reused, 0)}
    if tx.execute(traffic.update().where(key).values(more)).rowcount == 0:
        first = {"bytes_wire": max(wire, 0), "bytes_reused": max(reused, 0)}
        tx.execute(traffic.insert().values(hour=hour, site=after.owner, sender=sender, **first))


def forget_traffic(tx: Transaction, now: dt.datetime) -> int:
    """Drop what is older than 90 days; returns how many rows."""
    return tx.execute(traffic.delete().where(traffic.c.hour < hour_of(now) - KEPT)).rowcount


def traffic_view(tx: Transaction, *, now: dt.datetime, site: SiteCode | None = None, hours: int = 24) -> dict[str, object]:
    """The last hours, oldest first and none left out, with the sums and the sites that received most; with ``site`` only the lines
    that site is on. ``bytes_in`` came to it, ``bytes_out`` went from it to its children; without a site all lines count as in.
    Raises UsageError ``bad-hours``."""
    if not 1 <= hours <= HOURS_MAX:
        raise UsageError("bad-hours", f"hours must be from 1 to {HOURS_MAX}.", "The last 24 hours are the default.")
    first = hour_of(now) - (hours - 1) * HOUR
    t = traffic.c
    came = sa.and_(t.hour >= first, sa.or_(t.site == site, t.sender == site)) if site is not None else t.hour >= first
    out = sa.case((t.site != site, t.bytes_wire), else_=0) if site is not None else sa.literal(0)
    sums = (sa.func.sum(t.bytes_wire), sa.func.sum(out), sa.func.sum(t.bytes_reused))
    found = {row[0]: row[1:] for row in tx.execute(sa.select(t.hour, *sums).where(came).group_by(t.hour))}
    rows = []
    for number in range(hours):
        wire, sent, reused = [int(figure or 0) for figure in found.get(first + number * HOUR, (0, 0, 0))]
        rows.append(
            {
                "hour": iso(first + number * HOUR),
                "bytes_in": wire - sent,
                "bytes_out": sent,
                "bytes_wire": wire,
                "bytes_reused": reused,
            }
        )
    per_site = sa.select(t.site, sums[0], sums[2]).where(came).group_by(t.site).order_by(sums[0].desc(), t.site).limit(SITES_SHOWN)
    sites = [{"site": code, "bytes_wire": int(wire), "bytes_reused": int(saved)} for code, wire, saved in tx.execute(per_site)]
    total = {name: sum(int(row[name]) for row in rows) for name in ("bytes_in", "bytes_out", "bytes_wire", "bytes_reused")}  # type: ignore[call-overload]
    return {"site": site, "hours": hours, "since": iso(first), "rows": rows, "sites": sites, **total}
