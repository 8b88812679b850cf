"""Transfers as people look at them: what moves, waits, is held, fails or is late, one row for each package at each place, in pages.
Reads only, and never more rows than a page has."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.reporting import lateness
from haulage.domain.reporting.moving import records
from haulage.domain.reporting.moving.wanted import ORDER, Wanted, check, may_hold
from haulage.domain.transit.asked import Asked, asked_of
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState, Word
from haulage.domain.transit.watching import expected_at
from haulage.engine.database.transaction import Transaction

STALE_SECONDS = 900.0
"""What was reported longer ago says nothing of when it will have arrived."""
LIMIT = 100


class AskedView(msgspec.Struct, frozen=True, kw_only=True):
    """An order that the place's site has not answered."""

    action: str
    actor: str
    sender: SiteCode
    issued: str


class ErrorView(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong last."""

    code: str
    message: str
    hint: str
    family: str


class TransferRow(msgspec.Struct, frozen=True, kw_only=True):
    """One package at one place. Times are ISO 8601 in UTC, sizes bytes; ``sender`` gives the bytes: the site above, or for a point
    its own site. ``rate`` is bytes per second as the receiver measured it ``age_seconds`` ago; ``eta`` null: not known. ``late``
    names the rule by which it is late, ``late_why`` says it; both are empty otherwise."""

    id: str
    package: PackageId
    name: str
    version: int
    present: int
    place: Place
    site: SiteCode
    kind: str
    sender: str
    state: str
    reason: str
    word: str
    word_by: str
    word_time: str | None
    asked: AskedView | None
    bytes_planned: int
    bytes_done: int
    bytes_total: int
    bytes_reused: int
    bytes_new: int
    bytes_wire: int
    rate: int
    eta: str | None
    expected: str | None
    late: str
    late_why: str
    due: str | None
    tries: int
    since: str | None
    updated: str
    age_seconds: int
    error: ErrorView | None


class TransferList(msgspec.Struct, frozen=True, kw_only=True):
    """A page; ``cursor`` null on the last one."""

    items: Sequence[TransferRow]
    cursor: str | None


def transfers(
    tx: Transaction, wanted: Wanted, *, now: dt.datetime, here: SiteCode, limit: int = LIMIT, cursor: str | None = None
) -> TransferList:
    """A page: what moves first, then what needs somebody, what waits, what is done; by package and place within each.
    Raises UsageError ``bad-state``, ``bad-cursor``."""
    check(wanted)
    found: list[Shipment] = []
    begin, after = _start(cursor)
    for number, state in enumerate(ORDER):
        if number < begin or not may_hold(wanted, state):
            continue
        found += records.page(tx, wanted, state, after if number == begin else None, now=now, limit=limit + 1 - len(found))
        if len(found) > limit:
            break
    more = len(found) > limit
    rows = rows_of(tx, found[:limit], now=now, here=here)
    last = found[limit - 1] if more else None
    return TransferList(items=rows, cursor=None if last is None else f"{ORDER.index(last.state)}|{last.package}|{last.place}")


def transfer(tx: Transaction, package: PackageId, where: Place, *, now: dt.datetime, here: SiteCode) -> TransferRow | None:
    """One transfer; None if there never was that duty, as far as is known here."""
    found = records.find_shown(tx, package, where)
    return None if found is None else rows_of(tx, [found], now=now, here=here)[0]


def rows_of(tx: Transaction, found: Sequence[Shipment], *, now: dt.datetime, here: SiteCode) -> list[TransferRow]:
    """Shipments with what belongs beside them."""
    asked = asked_of(tx, [(one.package, one.place) for one in found])
    names = records.names_of(tx, {one.package for one in found})
    senders = {}
    for owner in {one.owner for one in found if one.kind == "site"}:
        site = estate.find_site(tx, owner)
        senders[owner] = "" if site is None or site.parent is None else site.parent
    return [
        _row(one, asked.get((one.package, one.place)), names.get(one.package, ""), senders.get(one.owner, ""), now, here)
        for one in found
    ]


def eta_of(one: Shipment, now: dt.datetime) -> dt.datetime | None:
    """When it will have arrived, at the rate last measured; None where that cannot be said."""
    left = one.bytes_planned - one.bytes_done
    if one.state is not ShipmentState.MOVING or left <= 0 or (now - one.updated).total_seconds() > STALE_SECONDS:
        return None
    reckoned = expected_at(one.updated, left, one.rate)
    return None if reckoned is None else max(now, reckoned)


def counts(tx: Transaction, *, now: dt.datetime) -> dict[str, int]:
    """How many transfers each narrowing of a list would show; of those that are done none is counted, nor looked at."""
    found, by_word = records.count_open(tx), records.count_stopped(tx)
    by_state: Counter[str] = Counter()
    for (state, is_held), count in found.items():
        if not (is_held and state == ShipmentState.WAITING.value):
            by_state[state] += count
    held = {name: by_word.get(name, 0) for name in ("held", "cancelled")}
    return {**by_state, **held, "open": sum(found.values()), "late": records.count_late(tx, now)}


def _row(one: Shipment, asked: Asked | None, name: str, parent: str, now: dt.datetime, here: SiteCode) -> TransferRow:
    eta, (late, why) = eta_of(one, now), lateness.rule_of(one, now)
    # What this site says of itself is of this moment.
    age = 0 if one.owner == here else max(0, round((now - one.updated).total_seconds()))
    error = ErrorView(code=one.error_code, message=one.error_message, hint=one.error_hint, family=one.error_family)
    return TransferRow(
        id=f"{one.package}@{one.place}",
        package=one.package,
        name=name,
        version=one.wanted,
        present=one.present,
        place=one.place,
        site=one.owner,
        kind=one.kind,
        sender=one.owner if one.kind == "point" else parent,
        state=one.state.value,
        reason=one.reason.value,
        word=one.word.value,
        word_by=one.word_by if one.word is not Word.NONE else "",
        word_time=None if one.word is Word.NONE else _iso(one.word_time),
        asked=None if asked is None else _asked_view(asked),
        bytes_planned=one.bytes_planned,
        bytes_done=one.bytes_done,
        bytes_total=one.bytes_total,
        bytes_reused=one.bytes_reused,
        bytes_new=one.bytes_new,
        bytes_wire=one.bytes_wire,
        rate=one.rate,
        eta=_iso(eta),
        expected=_iso(one.expected),
        late=late,
        late_why=why,
        due=_iso(one.due),
        tries=one.tries,
        since=_iso(one.armed),
        updated=iso(one.updated),
        age_seconds=age,
        error=error if one.error_code else None,
    )


def _asked_view(asked: Asked) -> AskedView:
    return AskedView(action=asked.action, actor=asked.actor, sender=asked.sender, issued=iso(asked.issued))


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _start(cursor: str | None) -> tuple[int, tuple[str, str] | None]:
    if cursor is None:
        return 0, None
    number, _bar, key = cursor.partition("|")
    package, _bar, where = key.partition("|")
    if not number.isdecimal() or int(number) >= len(ORDER) or not package or not where:
        raise UsageError("bad-cursor", f"{cursor[:40]!r} is not a cursor of this list.", "Begin without one.")
    return int(number), (package, where)
