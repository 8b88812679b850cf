"""How a place stands: the worst counts, nothing is counted twice, and the table and the value agree on what is what."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_package_id
from haulage.domain.reporting import records
from haulage.domain.reporting.standing import Health, Standing, Tally, group_of, rank, worst
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.template import fresh_database

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
SHOP = Place("CHI/SHOP")
counts = st.dictionaries(
    st.tuples(st.sampled_from([one.value for one in ShipmentState]), st.sampled_from([one.value for one in Reason])),
    st.integers(1, 9).flatmap(lambda count: st.tuples(st.just(count), st.integers(0, count))),
)


@given(counts)
def test_everything_that_is_not_gone_is_counted_once(found: dict[tuple[str, str], tuple[int, int]]) -> None:
    tally = Tally()
    for (state, reason), (count, overdue) in found.items():
        tally.add(state, reason, count, overdue)
    standing = tally.standing
    there = sum(count for (state, _reason), (count, _late) in found.items() if state != ShipmentState.REMOVED.value)
    leaving = sum(count for (state, _reason), (count, _late) in found.items() if state == ShipmentState.REMOVING.value)
    assert standing.wanted == there - leaving
    assert standing.leaving == leaving
    assert sum(row.count for row in tally.rows()) == sum(count for count, _late in found.values())


@given(st.lists(st.sampled_from(Health)))
def test_a_place_is_as_well_as_the_worst_of_it(healths: list[Health]) -> None:
    found = worst(healths)
    assert all(rank(found) <= rank(one) for one in healths)
    assert found in healths or (not healths and found is Health.WELL)


def test_the_worst_is_told_first() -> None:
    assert Standing(failed=1, stuck=5, late=9, present=100).health is Health.FAILED
    assert Standing(stuck=1, late=9).health is Health.STUCK
    assert Standing(late=1, busy=9).health is Health.LATE
    assert Standing(busy=1, present=3).health is Health.BUSY
    assert Standing(leaving=1).health is Health.BUSY
    assert Standing(present=3, held=1).health is Health.WELL


def test_the_table_and_the_value_agree_on_what_is_what() -> None:
    database = fresh_database()
    rows = [
        Shipment(
            package=make_package_id(SiteCode("HQ1"), 1 + number),
            place=SHOP,
            owner=SiteCode("CHI"),
            wanted=VersionNumber(1),
            state=state,
            reason=reason,
            updated=NOW,
        )
        for number, (state, reason) in enumerate((state, reason) for state in ShipmentState for reason in Reason)
    ]
    with database.writing() as tx:
        for row in rows:
            transit.put_shipment(tx, row)
    groups = ("failed", "stuck", "late", "busy", "held", "leaving", "present")
    with database.reading() as tx:
        for group in groups:
            found = {row.package for row, _name, _size in records.shipments_at(tx, SHOP, NOW, group=group, limit=1000)}
            assert found == {row.package for row in rows if group_of(row.state.value, row.reason.value) == group}, group
        standing = records.tallies_at(tx, [SHOP], NOW)[SHOP].standing
        assert {group: getattr(standing, group) for group in groups} == {
            group: sum(group_of(row.state.value, row.reason.value) == group for row in rows) for group in groups
        }
        open_ = records.open_tallies(tx, NOW)[SHOP].standing
        assert open_ == Standing(**{group: getattr(standing, group) for group in groups if group != "present"})


def test_what_takes_longer_than_it_should_is_late_once() -> None:
    database = fresh_database()
    moving = Shipment(
        package=PackageId("HQ100001"), place=SHOP, owner=SiteCode("CHI"), wanted=VersionNumber(1), state=ShipmentState.MOVING,
        expected=NOW - dt.timedelta(minutes=1), updated=NOW,
    )  # fmt: skip
    with database.writing() as tx:
        transit.put_shipment(tx, moving)
    with database.reading() as tx:
        assert records.open_tallies(tx, NOW)[SHOP].standing == Standing(late=1)
        assert records.open_tallies(tx, NOW - dt.timedelta(hours=1))[SHOP].standing == Standing(busy=1)


def test_names_of_packages_are_searched_as_they_are_typed() -> None:
    database = fresh_database()
    with database.writing() as tx:
        for number in (1, 2, 3):
            row = Shipment(
                package=make_package_id(SiteCode("HQ1"), number),
                place=SHOP,
                owner=SiteCode("CHI"),
                wanted=VersionNumber(1),
                updated=NOW,
            )
            transit.put_shipment(tx, row)
    with database.reading() as tx:
        found = records.shipments_at(tx, SHOP, NOW, words="hq100002", limit=10)
        assert [row.package for row, _name, _size in found] == ["HQ100002"]
        assert records.shipments_at(tx, SHOP, NOW, words="100%", limit=10) == []
        assert [row.package for row, _n, _s in records.shipments_at(tx, SHOP, NOW, after="HQ100001", limit=1)] == ["HQ100002"]
