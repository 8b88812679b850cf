"""Transfers as they are listed: order, filters, pages, what is late and why, and what an act would reach."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import UsageError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_package_id, site_of
from haulage.domain.reporting import lateness
from haulage.domain.reporting.moving.records import pairs_of
from haulage.domain.reporting.moving.wanted import ORDER, Wanted
from haulage.domain.reporting.transfer_files import files_of
from haulage.domain.reporting.transfer_reach import reach
from haulage.domain.reporting.transfers import TransferRow, counts, eta_of, transfer, transfers
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment, obeying
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.database.transaction import Database, Transaction
from haulage.operations import orders
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab
from tests.domain.worlds import lab as hierarchy

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
AGO = [dt.timedelta(0), dt.timedelta(minutes=20), dt.timedelta(hours=30)]
moments = st.sampled_from([None, NOW + AGO[1], *(NOW - ago for ago in AGO)])
PLACES = [Place("CHI"), Place("CHI/P1"), Place("LA1")]

shipments = st.builds(
    Shipment,
    package=st.integers(1, 40).map(lambda number: make_package_id(HQ1, number)),
    place=st.sampled_from(PLACES),
    owner=st.just(CHI),
    wanted=st.sampled_from([VersionNumber(1), VersionNumber(2)]),
    present=st.sampled_from([VersionNumber(0), VersionNumber(2)]),
    state=st.sampled_from(ShipmentState),
    reason=st.sampled_from([Reason.NONE, Reason.CONTENT, Reason.SPACE]),
    due=moments,
    expected=moments,
    armed=moments,
    rate=st.sampled_from([0, 1000]),
    bytes_planned=st.sampled_from([0, 5000]),
    bytes_done=st.sampled_from([0, 2000]),
    word=st.sampled_from(Word),
    word_by=st.just("somebody"),
    updated=moments.map(lambda moment: moment or NOW),
).map(lambda one: obeying(dataclasses.replace(one, owner=site_of(one.place))))


def written(database: Database, rows: Sequence[Shipment]) -> dict[tuple[PackageId, Place], Shipment]:
    with database.writing() as tx:
        tx.execute(records.shipments.delete())
        for row in rows:
            records.put_shipment(tx, row)
    return {(row.package, row.place): row for row in rows}


def every_transfer(tx: Transaction, wanted: Wanted, *, now: dt.datetime, here: SiteCode) -> list[TransferRow]:
    """All of them at once."""
    return list(transfers(tx, wanted, now=now, here=here, limit=1000).items)


@pytest.fixture(scope="module")
def world() -> Iterator[Lab]:
    with hierarchy() as lab:
        lab.settle()
        yield lab


@given(st.lists(shipments, max_size=25), st.integers(1, 7))
def test_pages_put_together_are_the_list_in_order_each_once(world: Lab, rows: list[Shipment], limit: int) -> None:
    database = world.core(HQ1).database
    known = written(database, rows)
    with database.reading() as tx:
        seen, cursor = [], None
        while True:
            page = transfers(tx, Wanted(state="all"), now=NOW, here=HQ1, limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            seen += [(row.state, row.package, row.place) for row in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert seen == [(row.state, row.package, row.place) for row in every_transfer(tx, Wanted(state="all"), now=NOW, here=HQ1)]
    rank = {state.value: number for number, state in enumerate(ORDER)}
    assert seen == sorted(seen, key=lambda one: (rank[one[0]], one[1], one[2]))
    assert {(package, place) for _state, package, place in seen} == set(known)


@given(st.lists(shipments, max_size=25))
def test_c12_what_is_late_is_late_by_one_rule_here_and_in_the_table(world: Lab, rows: list[Shipment]) -> None:
    database = world.core(HQ1).database
    known = written(database, rows)
    with database.reading() as tx:
        listed = {(row.package, row.place): row for row in every_transfer(tx, Wanted(state="late"), now=NOW, here=HQ1)}
        tally = counts(tx, now=NOW)
    late = {key for key, row in known.items() if lateness.rule_of(row, NOW)[0]}
    assert set(listed) == late
    assert all(row.late and row.late_why for row in listed.values())
    assert tally["late"] == len(late)
    open_ = [row for row in known.values() if row.state not in (ShipmentState.PRESENT, ShipmentState.REMOVED)]
    assert tally["open"] == len(open_)
    assert tally["held"] == sum(row.word is Word.HELD for row in known.values())


@given(shipments)
def test_c13_an_eta_is_reckoned_or_unknown_and_never_nonsense(row: Shipment) -> None:
    eta = eta_of(row, NOW)
    known = row.state is ShipmentState.MOVING and row.rate > 0 and row.bytes_planned > row.bytes_done
    if not known or (NOW - row.updated).total_seconds() > 900:
        assert eta is None
    else:
        assert eta is not None
        assert NOW <= eta <= NOW + dt.timedelta(seconds=(row.bytes_planned - row.bytes_done) / row.rate) + AGO[1]


def test_c13_at_a_crawl_nobody_is_told_a_day_in_another_century() -> None:
    row = Shipment(
        package=PackageId("HQ100001"),
        place=Place("CHI"),
        owner=CHI,
        state=ShipmentState.MOVING,
        rate=1,
        bytes_planned=10**12,
        updated=NOW,
    )
    assert eta_of(row, NOW) is None


@given(st.lists(shipments, max_size=25), st.sampled_from(["hold", "release", "cancel"]), st.sampled_from(["", "CHI", "LA1"]))
def test_what_an_act_reaches_is_told_before_and_is_what_it_does(world: Lab, rows: list[Shipment], word: str, site: str) -> None:
    database = world.core(HQ1).database
    known = written(database, rows)
    wanted = Wanted(site=site, state="all")
    with database.reading() as tx:
        told = reach(tx, word, wanted, now=NOW)
        pairs = list(pairs_of(tx, word, wanted, now=NOW, limit=1000))
    changes: dict[str, Callable[[Shipment], bool]] = {
        "hold": lambda row: row.word is not Word.HELD,
        "release": lambda row: row.word is not Word.NONE,
        "cancel": lambda row: row.present != row.wanted and row.word is not Word.CANCELLED,
    }
    expected = sorted(key for key, row in known.items() if changes[word](row) and (not site or row.owner == site))
    assert pairs == expected
    assert told.transfers == len(expected) == told.moving + told.stopped + told.present
    assert told.sites == len({site_of(place) for _package, place in expected})
    left = [known[key] for key in expected if known[key].present != known[key].wanted]
    assert told.left_bytes == sum(max(0, row.bytes_planned - row.bytes_done) for row in left)


def test_f2_a_real_transfer_shows_who_feeds_it_and_what_was_asked() -> None:
    with hierarchy() as lab:
        lab.point("LA1/p1")
        package = lab.package("LA1", "LA1/p1")
        lab.publish(package)
        lab.settle()
        lab.world.network.cut.add(LA1)
        orders.say_of_transfer(lab.desk(HQ1), ACTOR, "hold", package, Place("LA1"))
        lab.work()
        core = lab.core(HQ1)
        now = lab.world.clock.now()
        with core.database.reading() as tx:
            rows = {row.place: row for row in transfers(tx, Wanted(state="all"), now=now, here=HQ1).items}
            asked = transfers(tx, Wanted(state="asked"), now=now, here=HQ1).items
            assert transfer(tx, package, Place("CHI/nowhere"), now=now, here=HQ1) is None
        assert {place: row.sender for place, row in rows.items()} == {"HQ1": "", "CHI": "HQ1", "LA1": "CHI", "LA1/p1": "LA1"}
        assert {row.name for row in rows.values()} == {"demo"}
        assert [(row.place, row.asked and row.asked.action) for row in asked] == [("LA1", "hold")]
        lab.world.network.cut.discard(LA1)
        lab.settle()
        with core.database.reading() as tx:
            assert [row.word_by for row in transfers(tx, Wanted(state="held"), now=now, here=HQ1).items] == ["tester at HQ1"]


def test_c14_files_that_come_are_named_with_the_bytes_that_are_new_in_each() -> None:
    with hierarchy() as lab:
        package = lab.package("CHI")
        lab.publish(package)
        lab.settle()
        core, store = lab.core(HQ1), lab.world.sites[HQ1].disk.store

        def files(limit: int = 10, cursor: str | None = None) -> tuple[int, list[tuple[str, str]], str | None]:
            found = files_of(core.database, store, package, Place("CHI"), limit=limit, cursor=cursor)
            return found.base, [(row.path, row.change) for row in found.items], found.cursor

        assert files() == (1, [], None)
        orders.say_of_transfer(lab.desk(HQ1), ACTOR, "hold", package, Place("CHI"))
        lab.source(b"other!")
        lab.publish(package)
        lab.settle()
        assert files() == (1, [("d/file", "changed")], None)
        found = files_of(core.database, store, package, Place("CHI"), limit=1, cursor=None).items[0]
        assert (found.size, found.bytes_new) == (6 * 50 + 6, 6 * 50 + 6)
        with pytest.raises(UsageError):
            files(cursor="x")


@pytest.mark.parametrize("cursor", ["", "x", "99|HQ100001|CHI", "1|HQ100001", "|a|b"])
def test_a_cursor_of_another_list_is_refused(world: Lab, cursor: str) -> None:
    with world.core(HQ1).database.reading() as tx, pytest.raises(UsageError):
        transfers(tx, Wanted(), now=NOW, here=SiteCode("HQ1"), cursor=cursor)


@pytest.mark.parametrize("wanted", [Wanted(state="flying"), Wanted(reason="boredom")])
def test_an_unknown_state_or_reason_is_refused(world: Lab, wanted: Wanted) -> None:
    with world.core(HQ1).database.reading() as tx, pytest.raises(UsageError):
        transfers(tx, wanted, now=NOW, here=HQ1)


@given(st.lists(shipments, max_size=25))
def test_every_number_leads_to_exactly_what_it_counts(world: Lab, rows: list[Shipment]) -> None:
    """The counts of states and the lists they lead to; and what waits, by why it does."""
    database = world.core(HQ1).database
    written(database, rows)
    with database.reading() as tx:
        told = counts(tx, now=NOW)
        for state in (*told, "waiting"):
            listed = every_transfer(tx, Wanted(state=state), now=NOW, here=HQ1)
            assert told.get(state, 0) == len(listed), state
        waiting = every_transfer(tx, Wanted(state="waiting"), now=NOW, here=HQ1)
        parts = [
            every_transfer(tx, Wanted(state="waiting", reason=reason), now=NOW, here=HQ1)
            for reason in sorted({row.reason for row in waiting} - {""})
        ]
    assert all(row.reason != "held" for row in waiting)
    assert sum(map(len, parts)) == len([row for row in waiting if row.reason])
