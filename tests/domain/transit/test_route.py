"""Which places of a site owe a package."""

from __future__ import annotations

from haulage.base.ids import SiteCode, package_id, place
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.transit.route import concerned_children, wanted_places

HQ1, CHI, LA1, BER = SiteCode("HQ1"), SiteCode("CHI"), SiteCode("LA1"), SiteCode("BER")
TREE = Hierarchy({HQ1: None, CHI: HQ1, LA1: CHI, BER: HQ1})
PACKAGE = package_id("HQ100001")


def _wanted(here: SiteCode, *assigned: str, points: tuple[str, ...] = (), package: str = "HQ100001") -> set[str]:
    found = wanted_places(package_id(package), [place(one) for one in assigned], here, TREE, [place(one) for one in points])
    return set(found)


def test_sites_on_the_way_hold_one_copy() -> None:
    assert _wanted(CHI, "LA1") == {"CHI"}
    assert _wanted(BER, "LA1") == set()
    assert _wanted(LA1, "LA1", "LA1/p", points=("LA1/p", "LA1/q")) == {"LA1", "LA1/p"}


def test_a_point_brings_its_site_and_those_above_and_an_unknown_one_nobody() -> None:
    assert _wanted(LA1, "LA1/p", points=("LA1/p",)) == {"LA1", "LA1/p"}
    assert _wanted(CHI, "LA1/p", points=("LA1/p",)) == {"CHI"}
    assert _wanted(LA1, "LA1/p") == _wanted(CHI, "LA1/p") == set()


def test_the_owner_holds_its_package_though_nobody_wants_it() -> None:
    assert _wanted(HQ1) == {"HQ1"}


def test_sites_above_the_owner_owe_nothing() -> None:
    assert _wanted(HQ1, "LA1", package="CHI00001") == set()
    assert _wanted(CHI, "LA1", package="CHI00001") == {"CHI"}


def test_a_removed_site_is_on_nobodys_way() -> None:
    assert _wanted(HQ1, "XXX") == {"HQ1"}
    assert _wanted(CHI, "XXX/p") == set()


def test_children_on_the_way_to_an_assigned_place() -> None:
    assert concerned_children([place("LA1/p"), place("HQ1")], HQ1, TREE) == {CHI}
    assert concerned_children([place("LA1"), place("BER")], HQ1, TREE) == {CHI, BER}
    assert concerned_children([place("XXX")], HQ1, TREE) == set()
