"""Bytes per hour and line, for 90 days: counted where arrivals are recorded, here and, by their reports, at the sites below. What
is counted never falls, so a report that is late, lost or repeated changes no sum."""

from __future__ import annotations

import datetime as dt

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.transit.lines import records
from haulage.domain.transit.shipment import Shipment
from haulage.engine.database.transaction import Transaction

KEPT = dt.timedelta(days=90)
HOUR = dt.timedelta(hours=1)
HOURS_MAX = 90 * 24
SITES_SHOWN = 50
"""In a view: those that received most."""


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
    records.add_traffic(tx, hour_of(moment), after.owner, sender, wire=max(wire, 0), reused=max(reused, 0))


def forget_traffic(tx: Transaction, now: dt.datetime) -> int:
    """Drop what is older than 90 days; returns how many rows."""
    return records.delete_traffic(tx, hour_of(now) - KEPT)


def traffic_view(tx: Transaction, *, now: dt.datetime, site: SiteCode | None = None, hours: int = 24) -> dict[str, object]:
    """The last hours, oldest first and none left out, with the sums and the sites that received most; with ``site`` only the lines
    that site is on. ``bytes_in`` came to it, ``bytes_out`` went from it to its children; without a site all lines count as in.
    Raises UsageError ``bad-hours``."""
    if not 1 <= hours <= HOURS_MAX:
        raise UsageError("bad-hours", f"hours must be from 1 to {HOURS_MAX}.", "The last 24 hours are the default.")
    first = hour_of(now) - (hours - 1) * HOUR
    found = records.sums_by_hour(tx, first, site)
    rows: list[dict[str, object]] = []
    total = dict.fromkeys(("bytes_in", "bytes_out", "bytes_wire", "bytes_reused"), 0)
    for number in range(hours):
        wire, sent, reused = found.get(first + number * HOUR, (0, 0, 0))
        at = iso(first + number * HOUR)
        figures = {"bytes_in": wire - sent, "bytes_out": sent, "bytes_wire": wire, "bytes_reused": reused}
        rows.append({"hour": at, **figures})
        total = {name: total[name] + figure for name, figure in figures.items()}
    most = records.sums_by_site(tx, first, site, limit=SITES_SHOWN)
    sites = [{"site": code, "bytes_wire": wire, "bytes_reused": reused} for code, wire, reused in most]
    return {"site": site, "hours": hours, "since": iso(first), "rows": rows, "sites": sites, **total}
