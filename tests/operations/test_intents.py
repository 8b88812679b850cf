"""What people may ask, and what they are refused before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.engine.protocol.asks import Want
from haulage.operations import orders, packages, points, sites
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab, lab


@pytest.fixture(scope="module")
def here() -> Iterator[Lab]:
    with lab() as made:
        yield made


@pytest.fixture(scope="module")
def package(here: Lab) -> PackageId:
    made = here.package("CHI")
    here.publish(made)
    here.settle()
    return made


def test_i11_an_empty_list_withdraws_nothing(here: Lab, package: PackageId) -> None:
    with pytest.raises(UsageError):
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [])
    with here.core(HQ1).database.reading() as tx:
        known = catalog.find_package(tx, package)
    assert known is not None
    assert known.assignments == ("CHI",)


def test_q281754_saying_the_same_again_changes_nothing(here: Lab, package: PackageId) -> None:
    before = packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("CHI")])
    assert packages.change_package(here.desk(HQ1), ACTOR, package, name="demo", keep=2).revision == before.revision


def test_i4_only_the_owner_changes_a_package_and_assigns_downwards(here: Lab, package: PackageId) -> None:
    with pytest.raises(ConflictError):
        packages.publish_package(here.desk(CHI), ACTOR, package)
    with pytest.raises(UsageError):
        here.package("HQ1", owner=CHI)


def test_unknown_places_and_packages_are_named(here: Lab, package: PackageId) -> None:
    with pytest.raises(NotFoundError):
        packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("XXX")])
    with pytest.raises(NotFoundError):
        orders.give_order(here.desk(HQ1), ACTOR, "retry", PackageId("HQ1FFFFF"), Place("CHI"))


def test_a_point_in_use_is_not_removed(here: Lab, package: PackageId) -> None:
    here.point("CHI/q")
    packages.assign_package(here.desk(HQ1), ACTOR, package, [Place("CHI/q")])
    with pytest.raises(ConflictError):
        points.remove_point(here.desk(HQ1), ACTOR, Place("CHI/q"))
    with pytest.raises(ConflictError):
        points.add_point(here.desk(HQ1), ACTOR, Place("CHI/q"), "folder:/elsewhere")


def test_only_the_central_site_changes_the_table_of_sites(here: Lab) -> None:
    with pytest.raises(ConflictError):
        sites.invite_site(here.desk(CHI), ACTOR, SiteCode("NEW"))
    with pytest.raises(ConflictError):
        sites.remove_site(here.desk(HQ1), ACTOR, CHI)
    with pytest.raises(ConflictError):
        sites.invite_site(here.desk(HQ1), ACTOR, CHI)
    with here.core(HQ1).database.reading() as tx:
        assert [site.code for site in estate.list_sites(tx)] == ["CHI", "HQ1", "LA1"]


def test_b71_a_child_gets_only_what_is_assigned_below_it(here: Lab, package: PackageId) -> None:
    with here.core(HQ1).database.reading() as tx:
        version = catalog.list_versions(tx, package)[0]
    want = Want(package=package, version=version.number, target=version.manifest.hex())
    assert isinstance(here.core(HQ1).provider.want(CHI, want), bytes)
    with pytest.raises(NotFoundError):
        here.core(CHI).provider.want(LA1, want)
    with pytest.raises(NotFoundError):
        here.core(HQ1).provider.open(CHI, "00" * 32)


def test_b71_a_parcel_is_handed_to_those_it_concerns_and_nobody_else(here: Lab, package: PackageId) -> None:
    provider = here.core(HQ1).provider
    with here.core(HQ1).database.reading() as tx:
        version = catalog.list_versions(tx, package)[0]
    assert isinstance(provider.want(CHI, Want(package=package, version=version.number, target=version.manifest.hex())), bytes)
    with here.core(HQ1).database.reading() as tx:
        parcel = transit.list_parcels(tx)[0].id
    assert provider.open(CHI, parcel).endswith(f"{parcel}.parcel")
    for other in (LA1, SiteCode("ZZZ")):
        with pytest.raises(NotFoundError) as caught:
            provider.open(other, parcel)
        assert caught.value.code == "parcel-gone"
