"""What changed today: versions published, arrivals, sites that came and went, and who did what. From the status messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.ids import PackageId
from haulage.domain.reporting.records import package_names
from haulage.domain.telling.views import status_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_packages, on_places, on_sites
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Component, Message, MessageType, StatusFilter

MOST = 8
"""Of each kind; more are a click away."""
MOST_LOOKED_AT = 40

PUBLISHED = (on_packages.VERSION_PUBLISHED, on_packages.VERSION_ROLLED_BACK)
ARRIVED = (on_places.PRESENT_AT_SITE, on_places.PRESENT_AT_POINT)
SITES = (on_sites.SITE_JOINED, on_sites.SITE_REMOVED, on_sites.SITE_BACK)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, as its status message says it."""

    id: int
    number: int
    severity: str
    time: str
    site: str
    package: str
    name: str
    place: str
    version: int | None
    text: str


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """Since midnight, newest first."""

    since: str
    published: Sequence[Event]
    arrivals: int
    arrivals_at_least: bool
    """So many were looked at, and there may be more."""
    sites: Sequence[Event]
    done: Sequence[Event]
    """What people asked for."""


def today(tx: Transaction, journal: Journal, now: dt.datetime) -> Today:
    """Of the day in UTC that ``now`` lies in."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    published = _look(tx, journal, _of(PUBLISHED, midnight))
    sites = _look(tx, journal, _of(SITES, midnight))
    asked = _look(tx, journal, StatusFilter(types=(MessageType.AUDIT,), since=midnight), most=MOST_LOOKED_AT)
    # Who comes and goes is for the record; here it would hide what was done.
    done = [one for one in asked if one["component"] != Component.PEOPLE.value][:MOST]
    names = package_names(tx, {PackageId(str(one["package"])) for one in (*published, *done) if one["package"]})
    arrivals, more = _arrivals(tx, journal, midnight)
    return Today(
        since=f"{midnight:%Y-%m-%dT%H:%M:%SZ}",
        published=[_event(one, names) for one in published],
        arrivals=arrivals,
        arrivals_at_least=more,
        sites=[_event(one, names) for one in sites],
        done=[_event(one, names) for one in done],
    )


def _of(messages: Sequence[Message], since: dt.datetime) -> StatusFilter:
    return StatusFilter(numbers=tuple([message.number for message in messages]), since=since)


def _look(tx: Transaction, journal: Journal, wanted: StatusFilter, *, most: int = MOST) -> list[dict[str, object]]:
    return [status_view(one) for one in reversed(journal.look(tx, wanted, limit=most, newest=True).rows)]


def _arrivals(tx: Transaction, journal: Journal, since: dt.datetime) -> tuple[int, bool]:
    count = sum(journal.count(tx, _of(ARRIVED, since)).values())
    return count, count >= 10_000


def _event(view: Mapping[str, object], names: Mapping[PackageId, str]) -> Event:
    fields = view["fields"]
    version = fields.get("version") if isinstance(fields, dict) else None
    package = PackageId(str(view["package"] or ""))
    return Event(
        id=int(str(view["id"])),
        number=int(str(view["number"])),
        severity=str(view["severity"]),
        time=str(view["time"]),
        site=str(view["site"]),
        package=package,
        name=names.get(package, ""),
        place=str(view["place"] or ""),
        version=version if isinstance(version, int) else None,
        text=str(view["text"]),
    )
