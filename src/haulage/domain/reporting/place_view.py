"""What lies at one place, what should, and what is the matter with it: the same for a site's own store and for a point."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place
from haulage.domain.reporting import records
from haulage.domain.reporting.explain import cause_of, next_of
from haulage.domain.reporting.standing import STUCK
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Severity, StatusFilter

PROBLEMS_READ = 200
"""So many packages of each kind of trouble are looked at; what is beyond is only counted."""
NAMED = 6
"""So many of them are named."""
Likely = Callable[[str, Sequence[int]], Sequence[object]]
"""The articles a text and numbers of status messages point at."""


class PackageAt(msgspec.Struct, frozen=True, kw_only=True):
    """One package at the place."""

    package: PackageId
    name: str
    wanted: int
    present: int
    state: str
    reason: str
    late: bool
    tries: int
    due: str | None
    bytes: int
    """Of the version that is wanted; 0 where that is not known."""
    bytes_planned: int
    bytes_done: int
    verified: str | None
    updated: str
    word: str
    error_code: str
    error_message: str


class AtPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the packages at the place; ``next`` is the cursor of the page after, "" at the end."""

    rows: Sequence[PackageAt]
    next: str


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """Packages that are stuck for the same cause: told once, with what to do."""

    state: str
    reason: str
    code: str
    count: int
    cause: str
    """Of the one that was told last."""
    next: str
    since: str
    tries: int
    due: str | None
    packages: Sequence[PackageId]
    """Some of them."""
    message: int | None = None
    """The status message that told of it, by its id here."""
    number: int | None = None
    likely: Sequence[object] = ()


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """How old what is known is. None: nothing is there."""

    verified_first: str | None
    """When the one that was read longest ago was read."""
    verified_last: str | None
    updated: str | None
    """The last change of anything here."""


def at_place(
    tx: Transaction, place: Place, now: dt.datetime, *, group: str = "", words: str = "", after: str = "", limit: int
) -> AtPlace:
    """One page."""
    found = records.shipments_at(tx, place, now, group=group, words=words, after=after, limit=limit + 1)
    rows = [_package_at(row, name, size, now) for row, name, size in found[:limit]]
    return AtPlace(rows=rows, next=rows[-1].package if len(found) > limit else "")


def troubles_at(tx: Transaction, place: Place, now: dt.datetime, journal: Journal, likely: Likely) -> list[Trouble]:
    """Worst first: what failed, what waits for somebody, what is tried again."""
    found: dict[tuple[str, str, str], list[Shipment]] = {}
    for group in ("failed", "stuck", "late"):
        for row, _name, _size in records.shipments_at(tx, place, now, group=group, limit=PROBLEMS_READ):
            if row.state in (ShipmentState.FAILED, ShipmentState.RETRYING) or row.reason in STUCK:
                found.setdefault((row.state.value, row.reason.value, row.error_code), []).append(row)
    return [_trouble(tx, place, rows, journal, likely) for rows in found.values()]


def ages_of(tx: Transaction, place: Place) -> Ages:
    """Of everything at the place."""
    first, last, updated = records.ages_at(tx, place)
    return Ages(verified_first=_iso(first), verified_last=_iso(last), updated=_iso(updated))


def _trouble(tx: Transaction, place: Place, rows: Sequence[Shipment], journal: Journal, likely: Likely) -> Trouble:
    newest = max(rows, key=lambda row: (row.updated, row.package))
    wanted = StatusFilter(places=(place,), packages=(newest.package,), at_least=Severity.WARNING)
    told = journal.find(tx, wanted, limit=1, newest=True)
    number = told[0].record.number if told else None
    return Trouble(
        state=newest.state.value,
        reason=newest.reason.value,
        code=newest.error_code,
        count=len(rows),
        cause=cause_of(newest, newest.reason),
        next=newest.error_hint or next_of(newest, newest.state, newest.reason),
        since=iso(min(row.armed or row.updated for row in rows)),
        tries=newest.tries,
        due=_iso(newest.due),
        packages=[row.package for row in rows[:NAMED]],
        message=told[0].id if told else None,
        number=number,
        likely=likely(f"{newest.error_code} {newest.error_message}", () if number is None else (number,)),
    )


def _package_at(row: Shipment, name: str, size: int, now: dt.datetime) -> PackageAt:
    open_ = row.state not in (ShipmentState.PRESENT, ShipmentState.REMOVED)
    return PackageAt(
        package=row.package,
        name=name,
        wanted=row.wanted,
        present=row.present,
        state=row.state.value,
        reason=row.reason.value,
        late=open_ and row.expected is not None and row.expected < now,
        tries=row.tries,
        due=_iso(row.due),
        bytes=size,
        bytes_planned=row.bytes_planned,
        bytes_done=row.bytes_done,
        verified=_iso(row.verified),
        updated=iso(row.updated),
        word=row.word.value,
        error_code=row.error_code,
        error_message=row.error_message,
    )


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else iso(moment)
