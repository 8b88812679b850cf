"""One package at one place, whole: how it stands and why, what comes next and when, what it cost, and all that happened."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, SiteCode, is_point, owner_of
from haulage.domain.catalog.model import Package
from haulage.domain.estate import records as estate
from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.knowledge.librarian import Librarian
from haulage.domain.reporting.explain import cause_of, next_of, update_of
from haulage.domain.reporting.moving.records import find_shown
from haulage.domain.reporting.timeline import Event, timeline
from haulage.domain.reporting.transfers import TransferRow, rows_of
from haulage.domain.transit.states import MEANING, REASON_MEANING, WORD_MEANING, Reason
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Severity, StatusFilter


class AtPlace(msgspec.Struct, frozen=True, kw_only=True):
    """``why`` tells what the bytes were made from; ``articles`` what is known of a failure like this one. ``own``: the place
    makes the package itself. ``url`` of a point."""

    transfer: TransferRow
    own: bool
    url: str
    newest: int
    """The version the package has now."""
    meaning: str
    cause: str
    next: str
    bases: Sequence[str]
    level: str | None
    why: str
    verified: str | None
    articles: Sequence[Mapping[str, object]]
    events: Sequence[Event]


def at_place(
    tx: Transaction, journal: Journal, librarian: Librarian, package: Package, where: Place, *, now: dt.datetime, here: SiteCode
) -> AtPlace | None:
    """Everything about a package at a place; None if it is not meant for it and never was."""
    found = find_shown(tx, package.id, where)
    if found is None:
        return None
    [row] = rows_of(tx, [found], now=now, here=here)
    update = update_of(tx, package, where, found)
    point = estate.find_point(tx, where) if is_point(where) else None
    words = [MEANING[found.state], REASON_MEANING[found.reason] if found.reason is not Reason.NONE else ""]
    words.append(WORD_MEANING[found.word] if not found.stopped else "")
    return AtPlace(
        transfer=row,
        own=where == str(owner_of(package.id)),
        url="" if point is None else point.url,
        newest=package.version,
        meaning=" ".join([text for text in words if text]),
        cause=cause_of(found, found.reason),
        next=next_of(found, found.state, found.reason),
        bases=update.bases,
        level=update.level,
        why=update.why,
        verified=None if found.verified is None else iso(found.verified),
        articles=known_issues(tx, journal, librarian, here, package.id, where, row),
        events=timeline(tx, journal, package.id, where),
    )


def known_issues(
    tx: Transaction, journal: Journal, librarian: Librarian, here: SiteCode, package: PackageId, where: Place, row: TransferRow
) -> Sequence[Mapping[str, object]]:
    """What is known about a failure like this one: by its error, and by what was said of it last."""
    if row.error is None or row.word == "cancelled":
        return []
    wanted = StatusFilter(packages=(package,), places=(where,), at_least=Severity.WARNING)
    said = [one.record.number for one in journal.find(tx, wanted, limit=1, newest=True)]
    return likely(tx, here, librarian, f"{row.error.code}\n{row.error.message}", messages=said)
