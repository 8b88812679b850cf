"""What happened to one package at one place, in one order: what was said of it, what people asked for, the versions that came."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, make_place, site_of
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import catalogue, on_packages, on_requests
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Listed, StatusFilter, sentence

SHOWN = 60
_OF_PACKAGE = (
    on_packages.VERSION_PUBLISHED,
    on_packages.VERSION_ROLLED_BACK,
    on_packages.CAPTURE_FAILED,
    on_requests.PACKAGE_ASSIGNED,
    on_requests.PACKAGE_UNASSIGNED,
)
"""Said of the package alone, and part of the story of each of its places."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. ``id`` and ``number`` are of the status message; ``place`` is another place than the one asked about
    where the story of the site that feeds it belongs to it."""

    id: int
    number: int
    severity: str
    kind: str
    """``milestone``, ``detail``, ``audit``."""
    site: str
    place: str
    time: str
    text: str


def timeline(tx: Transaction, journal: Journal, package: PackageId, where: Place, *, limit: int = SHOWN) -> Sequence[Event]:
    """The last things that happened, newest first, by the order in which they were heard here."""
    places = tuple(dict.fromkeys((where, make_place(site_of(where)))))
    of_pair = journal.find(tx, StatusFilter(packages=(package,), places=places), limit=limit, newest=True)
    numbers = tuple([message.number for message in _OF_PACKAGE])
    of_package = journal.find(tx, StatusFilter(packages=(package,), numbers=numbers), limit=limit, newest=True)
    heard = {listed.id: listed for listed in (*of_pair, *of_package)}
    return [_event(listed) for _id, listed in sorted(heard.items(), reverse=True)[:limit]]


def _event(listed: Listed) -> Event:
    record = listed.record
    return Event(
        id=listed.id,
        number=record.number,
        severity=record.severity.value,
        kind=record.type.value,
        site=record.site,
        place=record.place or "",
        time=iso(record.time),
        text=sentence(record, catalogue.MESSAGES.get(record.number)),
    )
