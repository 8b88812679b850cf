"""The overview over a made-up estate: everything that needs a person is told once for each cause, and the figures are those of the
tables."""

from __future__ import annotations

import collections
import datetime as dt

import pytest

from haulage.base.ids import PackageId
from haulage.domain.reporting.lateness import rule_of
from haulage.domain.reporting.overview import records
from haulage.domain.reporting.overview.needs import MANY_TRIES
from haulage.domain.reporting.overview.view import Overview, overview
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.status import on_requests
from haulage.server.sight import sight_of
from haulage.testing.estate.opened import Estate


@pytest.fixture(scope="module")
def seen(small_estate: Estate) -> Overview:
    service = small_estate.service()
    with service.core.database.reading() as tx:
        return overview(tx, sight_of(service), service.core.journal)


def shown(estate: Estate) -> list[Shipment]:
    """Every shipment as lists show it."""
    with estate.service().core.database.reading() as tx:
        return [transit.shown_shipment(row) for row in tx.execute(transit.shipments.select())]


def test_f68_each_cause_is_told_once_with_what_to_do_and_where(small_estate: Estate, seen: Overview) -> None:
    rows = shown(small_estate)
    wanted: collections.Counter[tuple[str, str]] = collections.Counter()
    for row in rows:
        if row.state is ShipmentState.FAILED and row.error_code != "cancelled":
            wanted["failed", row.error_code] += 1
        if row.state is ShipmentState.WAITING and row.reason in (Reason.PERSON, Reason.SPACE):
            wanted[row.reason.value, row.error_code] += 1
    told = {(one.kind, one.code): one.count for one in seen.needs if one.kind in ("failed", "person", "space")}
    assert told == dict(wanted)
    assert len(told) == 3
    for one in seen.needs:
        assert one.cause
        assert one.next
        assert one.examples
        assert len(one.examples) <= records.EXAMPLES


def test_errors_come_before_warnings_and_the_most_first(seen: Overview) -> None:
    order = [(one.severity != "error", -one.count) for one in seen.needs]
    assert order == sorted(order)
    assert {"away", "retrying"} <= {one.kind for one in seen.needs}
    assert [one.site for one in seen.away] == ["L02"]


def test_what_was_tried_a_few_times_only_needs_nobody_yet(small_estate: Estate, seen: Overview) -> None:
    kept = [row for row in shown(small_estate) if row.state is ShipmentState.RETRYING]
    told = [one for one in seen.needs if one.kind == "retrying"]
    assert sum(one.count for one in told) <= len(kept)
    assert bool(told) == any(row.tries >= MANY_TRIES for row in kept)


def test_f66_the_figures_are_those_of_the_tables(small_estate: Estate, seen: Overview) -> None:
    counted = collections.Counter(row.state for row in shown(small_estate) if row.reason is not Reason.HELD)
    for state in (ShipmentState.MOVING, ShipmentState.WAITING, ShipmentState.FAILED, ShipmentState.PRESENT, ShipmentState.RETRYING):
        assert getattr(seen.totals, state.value) == counted[state], state
    assert (seen.totals.sites, seen.totals.away, seen.empty) == (12, 1, False)
    assert len(seen.moving) == min(8, counted[ShipmentState.MOVING] + counted[ShipmentState.VERIFYING])


def test_what_is_late_is_late_by_the_rule_of_the_lists(small_estate: Estate, seen: Overview) -> None:
    now = small_estate.service().clock.now()
    late = [row for row in shown(small_estate) if rule_of(row, now)[0]]
    assert abs(seen.totals.late - len(late)) <= 1


def test_what_people_did_today_is_told_and_not_who_came_and_went(small_estate: Estate) -> None:
    service = small_estate.service()
    core = service.core
    midnight = service.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with core.database.writing() as tx:
        core.journal.record(tx, on_requests.PACKAGE_ASSIGNED, package=PackageId("HQ100001"), actor="rita", places="CHI")
        seen = overview(tx, sight_of(service), core.journal)
        tx.rollback()
    assert seen.today.done[0].text == "rita assigned package HQ100001 to CHI."
    assert seen.today.done[0].name.startswith("Till software")
    assert dt.datetime.fromisoformat(seen.today.since) == midnight


def test_findings_of_the_server_are_told_as_well(small_estate: Estate) -> None:
    service = small_estate.service()
    finding = {"severity": "warning", "code": "space-scarce", "what": "Only 5 bytes are free.", "hint": "Free space."}
    quiet = {**finding, "severity": "information"}
    with service.core.database.reading() as tx:
        seen = overview(tx, sight_of(service), service.core.journal, [finding, quiet])
    assert [(one.code, one.cause, one.next) for one in seen.needs if one.kind == "server"] == [
        ("space-scarce", "Only 5 bytes are free.", "Free space.")
    ]
