"""A site restored from a backup with ``haulage restore``: it says so by its epoch before it says anything else, and gives no number
twice, whomever it hears from first."""

from __future__ import annotations

import datetime as dt

import pytest

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import EPOCHS_PER_LIFE, epoch_of
from haulage.domain.transit import records as transit
from haulage.engine.content.model import ManifestId
from haulage.engine.status import on_sites
from haulage.operations import packages
from haulage.testing.simulation.disk import Backup
from haulage.testing.simulation.site import SimSite
from haulage.wiring.documents import Documents
from tests.domain.worlds import ACTOR, CHAIN, CHI, HQ1, LA1, ONE, Lab, lab

pytestmark = pytest.mark.slow_twice

BER = SiteCode("BER")
FORK = (("HQ1", None), ("CHI", "HQ1"), ("BER", "HQ1"))


def restore(here: Lab, site: SimSite, backup: Backup, *, content: bool) -> list[tuple[PackageId, VersionNumber]]:
    """What ``haulage restore`` does, and the server's start after it."""
    site.kill()
    site.disk.restore(backup)
    if not content:
        site.disk.store.replace({}, ())
    core = site.assemble()
    with core.database.writing() as tx:
        lost = core.begin_new_life(tx)
    site.kill()
    here.world.start(site)
    return list(lost)


def a_while(here: Lab) -> None:
    for _minute in range(40):
        here.work()
        here.world.pass_time(20)
    here.work()


def manifest_of(here: Lab, code: SiteCode, package: PackageId, number: int) -> bytes:
    with here.core(code).database.reading() as tx:
        version = catalog.find_version(tx, package, VersionNumber(number))
    assert version is not None
    return version.manifest


def test_f54_a_restored_owner_that_publishes_before_it_hears_from_anybody_reuses_no_version_number() -> None:
    """Both children have a version 2 of which the owner knows nothing when it publishes again."""
    with lab(FORK) as here:
        package = here.package("CHI", "BER")
        here.publish(package)
        here.settle()
        site = here.world.sites[HQ1]
        backup = site.disk.backup()
        here.source(b"lost")
        here.publish(package)
        here.settle()
        lost = manifest_of(here, CHI, package, 2)
        here.world.network.cut |= {CHI, BER}
        restore(here, site, backup, content=True)
        here.source(b"new")
        here.publish(package)
        here.work()
        assert here.row(package, "HQ1").present == 1002
        here.world.network.cut.clear()
        a_while(here)
        for code in (CHI, BER):
            assert here.row(package, code).present == 1002
            assert manifest_of(here, code, package, 1002) == manifest_of(here, HQ1, package, 1002) != lost
            assert not here.said(code, on_sites.EQUIVOCATING_DEFINITION.number)
            assert not here.said(code, on_sites.EQUIVOCATING_DEFINITION.number)


def test_f54_an_edit_before_it_hears_of_a_lost_version_does_not_take_that_version_back() -> None:
    with lab(FORK) as here:
        package = here.package("CHI", "BER")
        here.publish(package)
        here.settle()
        site = here.world.sites[HQ1]
        backup = site.disk.backup()
        here.source(b"lost")
        here.publish(package)
        here.settle()
        here.world.network.cut |= {CHI, BER}
        restore(here, site, backup, content=True)
        packages.change_package(here.desk(HQ1), ACTOR, package, name="edited")
        here.world.network.cut.clear()
        for _step in range(300):
            here.world.step() or here.world.pass_time(20)
            assert {here.row(package, code).wanted for code in (CHI, BER)} == {2}, "a version never goes back"
        with here.core(HQ1).database.reading() as tx:
            known = catalog.find_package(tx, package)
        assert known is not None
        assert (known.version, known.name) == (2, "edited")
        for code in (CHI, BER):
            assert (here.row(package, code).wanted, here.row(package, code).present) == (2, 2)
        here.source(b"after")
        here.publish(package)
        a_while(here)
        assert here.row(package, "CHI").present == here.row(package, "BER").present == 1003


def test_numbers_are_left_out_once() -> None:
    with lab(FORK) as here:
        package, empty = here.package("CHI"), here.package("CHI")
        here.publish(package)
        here.settle()
        site = here.world.sites[HQ1]
        restore(here, site, site.disk.backup(), content=True)
        fresh = here.package("CHI")
        for text in (b"one", b"two"):
            here.source(text)
            for each in (package, empty, fresh):
                here.publish(each)
            here.settle()
        assert [here.row(each, "CHI").present for each in (package, empty, fresh)] == [1003, 1002, 2]


@pytest.mark.parametrize("content", [True, False])
@pytest.mark.parametrize("victim", [CHI, LA1])
def test_f53_a_restored_child_catches_up_both_ways(victim: SiteCode, content: bool) -> None:
    """Backed up, then a version, a new package and a deletion; nothing it said before counts after the restore."""
    with lab(CHAIN) as here:
        here.point("LA1/P")
        here.settle()
        package, gone = here.package("LA1", "LA1/P"), here.package("LA1")
        for each in (package, gone):
            here.publish(each)
        here.settle()
        site = here.world.sites[victim]
        backup = site.disk.backup()
        before = _epoch(here, victim)
        packages.remove_package(here.desk(HQ1), ACTOR, gone)
        new = here.package("LA1")
        here.source(b"second")
        here.publish(package)
        here.publish(new)
        here.settle()
        lost = restore(here, site, backup, content=content)
        assert bool(lost) is not content
        assert _epoch(here, victim) >= before + 1
        here.settle()
        for each, number in ((package, 2), (new, 1)):
            row = here.row(each, "LA1")
            assert (row.wanted, row.present) == (number, number)
            with here.core(HQ1).database.reading() as tx:
                seen = transit.find_shipment(tx, each, Place(victim))
            assert seen is not None
            assert (seen.present, seen.epoch) == (number, _epoch(here, victim))
        assert here.row(gone, "LA1").present == 0
        store = here.world.sites[victim].disk.store
        held = here.held(victim, package)
        assert held
        assert store.read(ManifestId(manifest_of(here, victim, package, held[0])))  # type: ignore[arg-type]


def test_i16_two_restores_of_one_backup_are_told_apart() -> None:
    with lab(CHAIN) as here:
        package = here.package("LA1")
        here.publish(package)
        here.settle()
        site = here.world.sites[CHI]
        backup = site.disk.backup()
        restore(here, site, backup, content=True)
        here.settle()
        first = _epoch(here, CHI)
        here.source(b"second")
        here.publish(package)
        here.settle()
        here.world.clock.move(60)
        restore(here, site, backup, content=True)
        assert _epoch(here, CHI) > first, "also before it hears from anybody"
        here.settle()
        assert here.row(package, "LA1").present == here.row(package, "CHI").present == 2


def test_i18_a_wrong_clock_at_the_restore_only_costs_one_more_rise() -> None:
    with lab(CHAIN) as here:
        package = here.package("LA1")
        here.publish(package)
        here.settle()
        site = here.world.sites[CHI]
        backup = site.disk.backup()
        restore(here, site, backup, content=True)
        here.settle()
        first = _epoch(here, CHI)
        site.clock.wrong_seconds = -86_400.0 * 365
        restore(here, site, backup, content=True)
        assert _epoch(here, CHI) < first
        site.clock.wrong_seconds = 0.0
        here.settle()
        assert _epoch(here, CHI) > first
        assert here.row(package, "LA1").present == 1


def test_epochs_of_one_life_stay_below_those_of_the_next() -> None:
    moments = [dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (1970, 2026, 2400)]
    assert all(3 * EPOCHS_PER_LIFE <= epoch_of(3, moment) < 4 * EPOCHS_PER_LIFE - 1000 for moment in moments)
    assert epoch_of(0, moments[1]) < epoch_of(0, moments[1] + dt.timedelta(seconds=1))


def _epoch(here: Lab, code: SiteCode) -> int:
    with here.world.sites[code].disk.database().reading() as tx:
        return estate.epoch(tx)


def heal(here: Lab) -> None:
    """What the servers do by themselves: the restored one looks around, its children hand over what they are asked for."""
    for _round in range(4):
        here.work()
        here.core(HQ1).healer.heal()
        here.work()
        for code in (CHI, LA1):
            here.core(code).lender.help_parent()
        here.work()


def test_h1_a_restored_owner_gets_its_content_from_a_child_that_holds_it() -> None:
    """The source has changed since, and nobody above ever had it."""
    with lab(CHAIN) as here:
        package = here.package("LA1")
        here.publish(package)
        here.settle()
        here.source(b"changed since")
        site = here.world.sites[HQ1]
        lost = restore(here, site, site.disk.backup(), content=False)
        assert lost == [(package, 1)]
        a_while(here)
        row = here.row(package, "HQ1")
        assert (row.present, row.state.value, row.reason.value) == (0, "waiting", "content")
        assert here.held(HQ1, package) == []
        assert here.core(HQ1).healer.wanted
        heal(here)
        here.settle()
        assert here.row(package, "HQ1").present == 1
        assert here.held(HQ1, package) == [1]
        assert not here.core(HQ1).healer.wanted
        assert here.row(package, "LA1").present == 1


def test_a_restored_owner_gets_content_from_its_source_while_that_is_unchanged_and_names_what_it_cannot_get() -> None:
    with lab(ONE) as here:
        package = here.package("HQ1")
        here.publish(package)
        here.settle()
        site = here.world.sites[HQ1]
        here.source(b"changed since")
        restore(here, site, site.disk.backup(), content=False)
        a_while(here)
        here.core(HQ1).healer.heal()
        left = here.core(HQ1).healer.lacks
        assert [(lack.package, lack.version) for lack in left] == [(package, 1)]
        here.publish(package)
        a_while(here)
        assert here.row(package, "HQ1").present == 1002, "what its source holds now is a new version"
        here.core(HQ1).healer.heal()
        assert not here.core(HQ1).healer.lacks


def test_i6_f53_a_point_that_shows_a_newer_version_than_its_restored_site_knows_is_not_put_back() -> None:
    """The link is cut, so the site cannot hear of the newer version, and somebody asks it to repair the point."""
    with lab(CHAIN) as here:
        here.point("LA1/P")
        here.settle()
        package = here.package("LA1/P")
        here.publish(package)
        here.settle()
        site = here.world.sites[LA1]
        backup = site.disk.backup()
        here.source(b"second")
        here.publish(package)
        here.settle()
        point = here.world.points["folder:/LA1/P"]
        documents, point.documents = point.documents, {}
        assert point.pointers[package] == 2
        here.world.network.cut.add(LA1)
        restore(here, site, backup, content=True)
        a_while(here)
        row = here.row(package, "LA1/P")
        assert (row.wanted, row.state.value, row.reason.value) == (1, "waiting", "definition")
        assert point.pointers[package] == 2
        point.documents = documents
        here.world.network.cut.clear()
        here.settle()
        assert (here.row(package, "LA1/P").present, point.pointers[package]) == (2, 2)


def test_f54_a_lone_site_learns_of_a_version_it_forgot_from_its_own_point() -> None:
    with lab(ONE) as here:
        here.point("HQ1/P")
        package = here.package("HQ1/P")
        here.publish(package)
        here.settle()
        site = here.world.sites[HQ1]
        backup = site.disk.backup()
        here.source(b"second")
        here.publish(package)
        here.settle()
        point = here.world.points["folder:/HQ1/P"]
        with here.core(HQ1).database.reading() as tx:
            point.documents[package, VersionNumber(2)] = dict(Documents(site.disk.store, b"root")(tx, package, VersionNumber(2)))
        restore(here, site, backup, content=True)
        a_while(here)
        with here.core(HQ1).database.reading() as tx:
            known = catalog.find_package(tx, package)
        assert known is not None
        assert known.version == 2
        assert point.pointers[package] == 2
        here.core(HQ1).healer.heal()
        here.settle()
        assert here.row(package, "HQ1").present == here.row(package, "HQ1/P").present == 2
