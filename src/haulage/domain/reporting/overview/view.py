"""The overview: what moves, what is stuck, failed or late, what needs a person, what changed today. Few questions, each bounded, so
that it costs the same for ten sites and for thousands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.catalog.model import CaptureState
from haulage.domain.estate import records as estate
from haulage.domain.reporting.contact import Contacts, LinkView, Sight
from haulage.domain.reporting.overview import records
from haulage.domain.reporting.overview.needs import Need, needs
from haulage.domain.reporting.overview.today import Today, today
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.domain.transit.tallies.records import totals as tallied
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.journal import Journal

MOVING_SHOWN = 8
CAPTURES_SHOWN = 5


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """How many transfers stand how, and how much there is."""

    moving: int
    verifying: int
    waiting: int
    """For content, space, a person or a report; what is held apart."""
    held: int
    retrying: int
    failed: int
    late: int
    late_at_least: bool
    planned: int
    removing: int
    present: int
    left_bytes: int
    """Planned and not there yet, of what moves."""
    packages: int
    sites: int
    points: int
    away: int


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer on its way. ``rate``: bytes a second, 0 if nobody measured it yet."""

    package: PackageId
    name: str
    place: Place
    state: str
    version: int
    bytes_planned: int
    bytes_done: int
    rate: int
    expected: str | None
    updated: str


class Capturing(msgspec.Struct, frozen=True, kw_only=True):
    """A capture that runs or waits for its turn."""

    package: PackageId
    name: str
    state: str
    started: str | None


class AwaySite(msgspec.Struct, frozen=True, kw_only=True):
    """A site that is not heard."""

    site: SiteCode
    since: str | None
    said_by: str


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. ``empty``: nothing was ever made here."""

    site: SiteCode
    empty: bool
    totals: Totals
    needs: Sequence[Need]
    moving: Sequence[Moving]
    captures: Sequence[Capturing]
    away: Sequence[AwaySite]
    today: Today


def overview(tx: Transaction, sight: Sight, journal: Journal, findings: Sequence[Mapping[str, object]] = ()) -> Overview:
    """As it stands now. ``findings``: what is wrong with this server, for whoever may know."""
    tree = estate.hierarchy(tx)
    contacts = Contacts(tx, sight, tree, full=False)
    links = {code: contacts.link(code) for code in tree.subtree(sight.code) if code != sight.code}
    away = {code: link for code, link in links.items() if link.state == "away"}
    totals = _totals(tx, sight, len(away))
    return Overview(
        site=sight.code,
        empty=totals.packages == 0 and totals.sites <= 1 and totals.points == 0,
        totals=totals,
        needs=needs(tx, away, findings),
        moving=[_moving(one) for one in records.movers(tx, MOVING_SHOWN)],
        captures=[
            Capturing(
                package=one.package, name=one.name, state=one.state, started=None if one.started is None else iso(one.started)
            )
            for one in records.captures(tx, [CaptureState.RUNNING, CaptureState.REQUESTED], CAPTURES_SHOWN)
        ],
        away=[_away(code, link) for code, link in sorted(away.items(), key=lambda one: one[1].away_since or "")[:MOVING_SHOWN]],
        today=today(tx, journal, sight.now),
    )


def _totals(tx: Transaction, sight: Sight, away: int) -> Totals:
    found: dict[ShipmentState, int] = {}
    held = left = 0
    for row in tallied(tx):
        if row.reason == Reason.HELD.value:
            held += row.count
            continue
        state = ShipmentState(row.state)
        found[state] = found.get(state, 0) + row.count
        left += row.left_bytes if state is ShipmentState.MOVING else 0
    late = records.count_late(tx, sight.now)
    packages, sites, points = records.counts(tx)
    return Totals(
        moving=found.get(ShipmentState.MOVING, 0),
        verifying=found.get(ShipmentState.VERIFYING, 0),
        waiting=found.get(ShipmentState.WAITING, 0),
        held=held,
        retrying=found.get(ShipmentState.RETRYING, 0),
        failed=found.get(ShipmentState.FAILED, 0),
        late=late,
        late_at_least=late >= records.LOOKED_AT,
        planned=found.get(ShipmentState.PLANNED, 0),
        removing=found.get(ShipmentState.REMOVING, 0),
        present=found.get(ShipmentState.PRESENT, 0),
        left_bytes=max(0, left),
        packages=packages,
        sites=sites,
        points=points,
        away=away,
    )


def _moving(one: records.Mover) -> Moving:
    return Moving(
        package=one.package,
        name=one.name,
        place=one.place,
        state=one.state,
        version=one.version,
        bytes_planned=one.bytes_planned,
        bytes_done=one.bytes_done,
        rate=one.rate,
        expected=None if one.expected is None else iso(one.expected),
        updated=iso(one.updated),
    )


def _away(code: SiteCode, link: LinkView) -> AwaySite:
    return AwaySite(site=code, since=link.away_since, said_by=link.said_by)
