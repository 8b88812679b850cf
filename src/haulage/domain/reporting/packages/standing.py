"""How packages stand at the places that are to hold them: the same truth as a package's status, reckoned for many at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from haulage.base.ids import PackageId, Place, is_point
from haulage.domain.reporting.packages import records
from haulage.domain.reporting.packages.records import Stand
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

WORST_FIRST = ("failed", "retrying", "waiting", "moving", "verifying", "planned", "removing", "present")
_STUCK = (Reason.PERSON.value, Reason.SPACE.value)


class StateCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many places stand alike."""

    state: str
    reason: str
    count: int


class At(msgspec.Struct, frozen=True, kw_only=True):
    """A package at one place, as far as lists need it."""

    place: Place
    kind: str
    """``site`` or ``point``."""
    state: str
    reason: str
    wanted: int
    present: int
    verified: dt.datetime | None
    updated: dt.datetime | None
    """None: its site never said a word of it."""


def order_of(one: At) -> tuple[int, str]:
    """What needs a person first; then by place."""
    rank = WORST_FIRST.index(one.state) * 2 + 1
    if one.state == ShipmentState.WAITING.value and one.reason in _STUCK:
        rank -= 1
    return rank, one.place


def counted(rows: Iterable[At]) -> list[StateCount]:
    """How many of each state and reason, worst first."""
    return _ordered(Counter((one.state, one.reason) for one in rows))


def _ordered(counts: Counter[tuple[str, str]]) -> list[StateCount]:
    ordered = sorted(counts, key=lambda key: (WORST_FIRST.index(key[0]), key[1]))
    return [StateCount(state=state, reason=reason, count=counts[state, reason]) for state, reason in ordered]


def standing_of(tx: Transaction, packages: Sequence[PackageId]) -> dict[PackageId, list[At]]:
    """How several packages stand at all their places, what needs a person first."""
    found: dict[PackageId, list[At]] = {name: [] for name in packages}
    for one in records.stands(tx, packages):
        found[one.package].append(_at(one))
    return {name: sorted(rows, key=order_of) for name, rows in found.items()}


def counts_of(tx: Transaction, packages: Sequence[PackageId]) -> dict[PackageId, list[StateCount]]:
    """The same, only counted."""
    return {name: _ordered(Counter(counts)) for name, counts in records.tallies(tx, packages).items()}


def chosen(rows: Sequence[At], *, words: str = "", state: str = "", reason: str = "", kind: str = "") -> list[At]:
    """Those a filter leaves."""
    needles = [word.upper() for word in words.split()]
    return [
        one
        for one in rows
        if (not state or one.state == state)
        and (not reason or one.reason == reason)
        and (not kind or one.kind == kind)
        and all(needle in one.place.upper() for needle in needles)
    ]


def _at(one: Stand) -> At:
    return At(
        place=one.place,
        kind="point" if is_point(one.place) else "site",
        state=one.state,
        reason=one.reason,
        wanted=one.wanted,
        present=one.present,
        verified=one.verified,
        updated=one.updated if one.heard else None,
    )
