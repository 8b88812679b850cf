"""Whatever is done to one place, and whatever fails there, nobody else is touched by it: no byte, no job, no message."""

from __future__ import annotations

import pytest

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.transit import records as transit
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ManifestId
from haulage.operations import packages, points, sites
from haulage.testing.scratch import blank_image
from haulage.testing.simulation import growing
from haulage.testing.simulation.world import World
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab, lab

BER, LA2 = SiteCode("BER"), SiteCode("LA2")
WIDE = (("HQ1", None), ("CHI", "HQ1"), ("BER", "HQ1"), ("LA1", "CHI"), ("LA2", "CHI"))


def observed(here: Lab, *places: str) -> dict[str, list[tuple[PackageId, int, int]]]:
    """How often the rows of places were written, by their own sites."""
    out = {}
    for where in places:
        with here.world.sites[SiteCode(where[:3])].disk.database().reading() as tx:
            rows = transit.list_shipments(tx, owner=SiteCode(where[:3]))
        out[where] = [(row.package, row.observation, row.run) for row in rows if row.place == where]
    return out


def served(world: World) -> dict[SiteCode, dict[SiteCode, int]]:
    """Bytes of parcels each site handed out."""
    return {site.code: dict(site.core.provider.served_bytes) for site in world.sites.values() if site.core is not None}


def test_f42_q235157_a_point_added_copies_to_nobody_else() -> None:
    with lab(WIDE) as here:
        here.point("LA1/p1")
        package = here.package("LA1/p1", "LA2", "BER")
        here.publish(package)
        here.settle()
        before = observed(here, "HQ1", "CHI", "BER", "LA1", "LA1/p1", "LA2")
        bytes_before = served(here.world)
        here.point("LA1/p2")
        packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("LA1/p2")])
        here.settle()
        assert here.row(package, "LA1/p2").present == 1
        assert observed(here, *before) == before
        assert served(here.world) == bytes_before


def test_f7_kb907979_a_point_added_later_gets_what_was_published_not_what_the_source_is_now() -> None:
    with lab() as here:
        package = here.package("LA1")
        here.publish(package)
        here.settle()
        here.source(b"changed, but never published")
        here.point("LA1/p1")
        packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("LA1/p1")])
        here.settle()
        tree = next(iter(here.world.points.values())).trees[package, here.row(package, "LA1/p1").present]
        assert tree.contents[b"d/file", None] == b"first" * 50


def test_f57_kb872772_one_child_is_removed_and_the_others_stay() -> None:
    with lab(WIDE) as here:
        package = here.package("LA1", "LA2", "BER")
        here.publish(package)
        here.settle()
        before = observed(here, "HQ1", "CHI", "BER", "LA1")
        sites.remove_site(here.desk(HQ1), ACTOR, LA2)
        here.world.drop(LA2)
        here.settle()
        assert observed(here, *before) == before
        here.source(b"second")
        here.publish(package)
        here.settle()
        assert {here.row(package, where).present for where in ("HQ1", "CHI", "BER", "LA1")} == {2}


def test_f58_kb837658_an_edit_at_the_middle_about_a_point_below_touches_nothing_else_there() -> None:
    with lab() as here:
        here.point("LA1/p1")
        package = here.package("LA1/p1")
        here.publish(package)
        here.settle()
        before = observed(here, "LA1", "LA1/p1")
        points.add_point(here.desk(CHI), ACTOR, Place("LA1/p2"), "folder:/LA1/p2")
        here.settle()
        points.remove_point(here.desk(CHI), ACTOR, Place("LA1/p2"))
        here.settle()
        assert observed(here, "LA1", "LA1/p1") == before
        assert here.row(package, "LA1/p1").present == 1


def test_q246651_a_restart_of_everybody_sends_nothing_again() -> None:
    with lab(WIDE) as here:
        here.point("LA1/p1")
        package = here.package("LA1/p1", "LA2", "BER")
        here.publish(package)
        here.settle()
        before = observed(here, "HQ1", "CHI", "BER", "LA1", "LA1/p1", "LA2")
        for site in here.world.sites.values():
            site.kill()
            here.world.start(site)
        here.settle()
        assert observed(here, *before) == before
        assert not any(handed for handed in served(here.world).values())


def test_q262384_thirty_quiet_days_send_nothing() -> None:
    with lab() as here:
        package = here.package("LA1")
        here.publish(package)
        here.settle()
        requests = here.world.network.requests
        here.world.clock.move(30 * 86_400)
        here.settle()
        assert here.world.network.requests == requests


def test_q214485_q319166_a_dead_site_keeps_nobody_waiting() -> None:
    with lab(WIDE) as here:
        package = here.package("LA1", "LA2", "BER")
        here.world.network.cut.add(BER)
        here.world.sites[LA1].kill()
        here.publish(package)
        here.work()
        assert here.row(package, "LA2").present == 1
        assert here.row(package, "CHI").present == 1


def test_f22_q256880_a_site_reached_only_through_another_gets_everything_when_that_is_back() -> None:
    with lab() as here:
        package = here.package("LA1")
        here.world.sites[CHI].kill()
        here.publish(package)
        here.settle_for_a_day()
        with here.core(HQ1).database.reading() as tx:
            assert transit.find_shipment(tx, package, Place("LA1")) is None
        here.world.start(here.world.sites[CHI])
        here.settle()
        assert here.row(package, "LA1").present == 1


def test_q248150_every_tier_shows_of_a_place_what_its_own_site_says() -> None:
    with lab() as here:
        here.point("LA1/p1")
        package = here.package("LA1/p1")
        here.publish(package)
        here.settle()
        shown = []
        for code in (HQ1, CHI, LA1):
            with here.core(code).database.reading() as tx:
                row = transit.find_shipment(tx, package, Place("LA1/p1"))
            assert row is not None
            shown.append((row.state, row.present, row.verified, row.epoch, row.observation))
        assert shown[0] == shown[1] == shown[2]


@pytest.mark.slow_twice
def test_q311085_withdrawn_from_many_points_it_stays_at_none() -> None:
    with lab() as here:
        names = [f"LA1/p{number}" for number in range(25)]
        for name in names:
            here.point(name)
        package = here.package(*names)
        here.publish(package)
        here.settle()
        assert all(here.row(package, name).present == 1 for name in names)
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place(name) for name in names])
        here.settle()
        assert [name for name in names if here.row(package, name).present] == []
        assert [list(point.packages()) for point in here.world.points.values()] == [[]] * len(names)


@pytest.mark.slow_twice
def test_q185179_a_removal_that_failed_is_tried_until_it_is_done() -> None:
    with lab() as here:
        here.point("LA1/p1")
        package = here.package("LA1/p1")
        here.publish(package)
        here.settle()
        point = next(iter(here.world.points.values()))
        point.broken = True
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place("LA1/p1")])
        here.work()
        here.settle_for_a_day()
        assert here.row(package, "LA1/p1").error_code == "point-unusable"
        assert package in point.pointers
        point.broken = False
        here.settle()
        assert not point.packages()


def test_q226851_what_is_assigned_while_a_site_joins_is_not_lost() -> None:
    """A point of it, an assignment and a version, all before it has exchanged anything with anybody."""
    with lab((("HQ1", None), ("CHI", "HQ1"))) as here:
        string = growing.invite(here.world.sites[HQ1], LA1, CHI)
        here.settle()
        here.point("LA1/p1")
        package = here.package("LA1/p1")
        here.publish(package)
        site = here.world.add(LA1, CHI, blank_image())
        growing.join(site, here.world.sites[CHI], string)
        here.world.start(site)
        here.settle()
        assert here.row(package, "LA1/p1").present == 1


def test_q243171_q185901_numbers_are_never_used_again() -> None:
    with lab((("HQ1", None),)) as here:
        seen = set()
        for _time in range(40):
            package = here.package()
            assert package not in seen
            seen.add(package)
            here.publish(package)
            packages.remove_package(here.desk(HQ1), ACTOR, package)
        here.settle()
        here.world.sites[HQ1].kill()
        here.world.start(here.world.sites[HQ1])
        assert here.package() not in seen


def test_f13_a_database_older_than_its_store_takes_what_is_there() -> None:
    """The store went on after the backup: nothing that it holds already crosses the line again."""
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        site = here.world.sites[CHI]
        old = site.disk.backup()
        here.source(b"second")
        here.publish(package)
        here.settle()
        kept, pins = dict(site.disk.store.chunks), tuple(site.disk.store.pins())
        site.kill()
        site.disk.restore(old)
        site.disk.store.replace(kept, pins)
        bytes_before = served(here.world)
        here.world.start(site)
        here.settle()
        assert here.row(package, "CHI").present == 2
        assert served(here.world)[HQ1] == bytes_before[HQ1]


def test_f13_a_store_older_than_its_database_is_filled_again_on_an_order() -> None:
    with lab() as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        site = here.world.sites[CHI]
        old = site.disk.backup()
        here.source(b"second")
        here.publish(package)
        here.settle()
        site.kill()
        site.disk.store.replace(dict(old.chunks), old.pins)
        here.world.start(site)
        here.order(package, "CHI", "repair")
        here.settle()
        assert here.row(package, "CHI").settled
        assert here.row(package, "CHI").present == 2
        ((_package, _number, manifest),) = [held for held in _holdings(here, CHI) if held[1] == 2]
        assert set(live_chunks(ManifestId(manifest), site.disk.store)) <= site.disk.store.chunks.keys()


def _holdings(here: Lab, code: SiteCode) -> list[tuple[PackageId, int, bytes]]:
    with here.core(code).database.reading() as tx:
        return [(package, number, bytes(manifest)) for package, number, manifest in transit.all_holdings(tx)]
