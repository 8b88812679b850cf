"""What lists and counts see of shipments: every place that is to hold a package, as its owner said or waiting for its report; and
tallies that are always what counting would give."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.domain.transit.tallies import records as tallies
from haulage.domain.transit.views import package_status
from haulage.engine.database.template import fresh_database
from haulage.operations import packages as packages_of
from haulage.wiring.tables import TABLES
from tests.domain.worlds import ACTOR, HQ1, Lab, lab

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
PACKAGES = [PackageId("HQ100001"), PackageId("HQ100002")]
PLACES = [Place(name) for name in ("CHI", "LA1", "LA1/SHOP", "LA1/TILLS")]
STANDS = [
    (ShipmentState.PRESENT, Reason.NONE),
    (ShipmentState.MOVING, Reason.NONE),
    (ShipmentState.WAITING, Reason.SPACE),
    (ShipmentState.REMOVED, Reason.NONE),
]
packages, places, versions = st.sampled_from(PACKAGES), st.sampled_from(PLACES), st.integers(0, 3).map(VersionNumber)


def said(
    package: PackageId, where: Place, wanted: int, stand: tuple[ShipmentState, Reason] = STANDS[0], *, planned: int = 0
) -> Shipment:
    return Shipment(
        package=package,
        place=where,
        owner=SiteCode(where[:3]),
        wanted=VersionNumber(wanted),
        state=stand[0],
        reason=stand[1],
        bytes_planned=planned,
        updated=NOW,
    )


class Shown(RuleBasedStateMachine):
    """Sites say things in any order, definitions announce things in any order; beside it, what should be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.database = fresh_database(TABLES)
        self.said: dict[tuple[PackageId, Place], Shipment] = {}
        self.announced: dict[tuple[PackageId, Place], VersionNumber] = {}

    @rule(package=packages, where=places, wanted=versions, stand=st.sampled_from(STANDS), planned=st.integers(0, 9))
    def say(
        self, package: PackageId, where: Place, wanted: VersionNumber, stand: tuple[ShipmentState, Reason], planned: int
    ) -> None:
        shipment = said(package, where, wanted, stand, planned=planned)
        with self.database.writing() as tx:
            records.put_shipment(tx, shipment)
        self.said[package, where] = shipment

    @rule(package=packages, wanted=st.dictionaries(places, versions.filter(bool)))
    def announce(self, package: PackageId, wanted: dict[Place, VersionNumber]) -> None:
        with self.database.writing() as tx:
            records.announce(tx, package, wanted, NOW)
        self.announced = {key: version for key, version in self.announced.items() if key[0] != package}
        self.announced |= {(package, where): version for where, version in wanted.items()}

    @rule(owner=st.sampled_from([SiteCode("CHI"), SiteCode("LA1")]))
    def unsay(self, owner: SiteCode) -> None:
        with self.database.writing() as tx:
            records.unsay_shipments(tx, owner)
        self.said = {key: one for key, one in self.said.items() if one.owner != owner}

    @rule(owner=st.sampled_from([SiteCode("CHI"), SiteCode("LA1")]))
    def remove(self, owner: SiteCode) -> None:
        with self.database.writing() as tx:
            records.remove_shipments(tx, owner)
        self.said = {key: one for key, one in self.said.items() if one.owner != owner}
        self.announced = {key: version for key, version in self.announced.items() if key[1][:3] != owner}

    @invariant()
    def lists_show_what_was_said_or_that_a_report_is_awaited(self) -> None:
        expected = {}
        for key in self.said.keys() | self.announced.keys():
            one, version = self.said.get(key), self.announced.get(key)
            behind = one is None or version not in (None, one.wanted)
            expected[key] = ("waiting", "report") if one is None or behind else (one.state.value, one.reason.value)
        with self.database.reading() as tx:
            found = {(row.package, row.place): records.shown_shipment(row) for row in tx.execute(sa.select(records.shipments))}
        assert {key: (one.state.value, one.reason.value) for key, one in found.items()} == expected
        for key, version in self.announced.items():
            assert found[key].wanted == version

    @invariant()
    def owners_words_are_kept(self) -> None:
        with self.database.reading() as tx:
            assert {(one.package, one.place): one for one in records.list_shipments(tx)} == self.said
            for key in ((package, where) for package in PACKAGES for where in PLACES):
                assert records.find_shipment(tx, *key) == self.said.get(key)

    @invariant()
    def tallies_are_what_counting_gives(self) -> None:
        with self.database.writing() as tx:
            kept, sums = tallies.of_sites(tx), tallies.totals(tx)
            records.count_anew(tx)
            assert (kept, sums) == (tallies.of_sites(tx), tallies.totals(tx))


Shown.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestShown = Shown.TestCase


def test_of_sites_is_asked_for_some_alone() -> None:
    database = fresh_database(TABLES)
    with database.writing() as tx:
        for where in PLACES:
            records.put_shipment(tx, said(PACKAGES[0], where, 1))
        found = tallies.of_sites(tx, [SiteCode("LA1")])
    assert {code: {one.kind: one.count for one in rows} for code, rows in found.items()} == {"LA1": {"site": 1, "point": 2}}


def test_f16_rows_are_what_the_status_of_a_package_says_at_every_step() -> None:
    with lab() as here:
        here.point("CHI/P1")
        package = here.package("CHI/P1", "LA1")
        seen = set()
        for text in (b"first", b"second"):
            here.source(text)
            here.publish(package)
            while here.world.step() or here.world.pass_time():
                seen |= _as_both_say(here, package)
        packages_of.unassign_package(here.desk(HQ1), ACTOR, package, [Place("CHI/P1")])
        while here.world.step() or here.world.pass_time():
            seen |= _as_both_say(here, package)
    assert seen >= {("LA1", "waiting", "report"), ("LA1", "present", ""), ("CHI/P1", "present", ""), ("CHI/P1", "removing", "")}


def _as_both_say(here: Lab, package: PackageId) -> set[tuple[str, str, str]]:
    """At the central site: what its table shows, which must be what the status of the package says."""
    with here.core(HQ1).database.reading() as tx:
        known = catalog.find_package(tx, package)
        assert known is not None
        shown = {(row.place, row.state, row.reason) for row in tx.execute(sa.select(records.shipments)) if row.state != "removed"}
        told = {(view["place"], view["state"], view["reason"]) for view in package_status(tx, known)}
    assert shown == told
    return shown
