"""Groups in a hierarchy: what a change of one does to packages, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.base.errors import ConflictError, HaulageError, NotFoundError, UsageError
from haulage.base.ids import GroupName, PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.groups import records
from haulage.operations import groups, packages, points, sites
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab, lab

SHOPS = GroupName("shops")


@pytest.fixture
def here() -> Iterator[Lab]:
    with lab() as made:
        yield made


def add(here: Lab, *places: str, name: GroupName = SHOPS) -> None:
    groups.add_to_group(here.desk(HQ1), ACTOR, name, [Place(where) for where in places])


def known(here: Lab, package: PackageId, at: SiteCode = HQ1) -> Package:
    with here.core(at).database.reading() as tx:
        found = catalog.find_package(tx, package)
    assert found is not None
    return found


def held(here: Lab, at: SiteCode = HQ1, name: GroupName = SHOPS) -> tuple[Place, ...] | None:
    with here.core(at).database.reading() as tx:
        group = records.find_group(tx, HQ1, name)
    return None if group is None else group.places


def test_a_package_goes_where_its_group_goes(here: Lab) -> None:
    add(here, "CHI")
    package = here.package()
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    here.publish(package)
    here.settle()
    assert here.held(CHI, package)
    assert not here.held(LA1, package)
    add(here, "LA1")
    here.settle()
    assert here.held(LA1, package)
    groups.drop_from_group(here.desk(HQ1), ACTOR, SHOPS, [Place("LA1")])
    here.settle()
    assert not here.held(LA1, package)
    assert known(here, package, CHI).assignments == ("CHI",)


def test_only_what_changed_is_issued(here: Lab) -> None:
    add(here, "CHI", "LA1")
    both, one = here.package("LA1"), here.package()
    for package in (both, one):
        packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    bystander = here.package("CHI")
    before = {package: known(here, package).revision for package in (both, one, bystander)}
    reach = groups.drop_from_group(here.desk(HQ1), ACTOR, SHOPS, [Place("LA1")])
    assert [(change.package, change.lost) for change in reach.moved] == [(one, ("LA1",))]
    assert (reach.packages, reach.removals, reach.additions) == (2, 1, 0)
    assert known(here, both).assignments == ("CHI", "LA1")
    assert known(here, both).revision == before[both]
    assert known(here, bystander).revision == before[bystander]
    assert known(here, one).revision > before[one]


def test_q281754_the_same_members_again_change_nothing(here: Lab) -> None:
    add(here, "CHI")
    package = here.package()
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    revision, said = known(here, package).revision, len(here.said(HQ1, 30022))
    add(here, "CHI")
    groups.set_group(here.desk(HQ1), ACTOR, SHOPS, [Place("CHI")])
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    assert (known(here, package).revision, len(here.said(HQ1, 30022))) == (revision, said)


def test_a_place_named_by_itself_stays_when_the_group_goes(here: Lab) -> None:
    add(here, "CHI", "LA1")
    package = here.package("LA1")
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    packages.unassign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    found = known(here, package)
    assert (found.assignments, found.groups, found.direct) == (("LA1",), (), ("LA1",))


def test_a_place_of_a_group_is_not_withdrawn_behind_its_back(here: Lab) -> None:
    add(here, "CHI")
    package = here.package("LA1")
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    with pytest.raises(ConflictError) as caught:
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [Place("CHI")])
    assert caught.value.code == "assigned-by-group"
    with pytest.raises(ConflictError) as caught:
        packages.unassign_package(here.desk(HQ1), ACTOR, package, [], [GroupName("other")])
    assert caught.value.code == "not-assigned"
    assert known(here, package).assignments == ("CHI", "LA1")


def test_a_group_in_use_is_removed_only_if_that_is_meant(here: Lab) -> None:
    add(here, "CHI")
    package = here.package("LA1")
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    with pytest.raises(ConflictError) as caught:
        groups.remove_group(here.desk(HQ1), ACTOR, SHOPS)
    assert caught.value.code == "group-in-use"
    assert held(here) == ("CHI",)
    reach = groups.remove_group(here.desk(HQ1), ACTOR, SHOPS, even_used=True)
    assert (reach.removals, held(here)) == (1, None)
    assert (known(here, package).groups, known(here, package).assignments) == ((), ("LA1",))


def test_i11_a_group_is_emptied_only_if_that_is_meant(here: Lab) -> None:
    add(here, "CHI")
    with pytest.raises(UsageError):
        groups.set_group(here.desk(HQ1), ACTOR, SHOPS, [])
    with pytest.raises(UsageError):
        groups.drop_from_group(here.desk(HQ1), ACTOR, SHOPS, [])
    groups.set_group(here.desk(HQ1), ACTOR, SHOPS, [], empty=True)
    package = here.package()
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    assert (held(here), known(here, package).assignments) == ((), ())
    add(here, "LA1")
    assert known(here, package).assignments == ("LA1",)


def test_a_removed_point_leaves_its_groups_and_a_removed_site_too(here: Lab) -> None:
    here.point("LA1/p")
    add(here, "LA1/p", "LA1", "CHI")
    package = here.package()
    packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    here.settle()
    points.remove_point(here.desk(HQ1), ACTOR, Place("LA1/p"))
    assert (held(here), known(here, package).assignments) == (("CHI", "LA1"), ("CHI", "LA1"))
    here.point("LA1/q")
    add(here, "LA1/q")
    sites.remove_site(here.desk(HQ1), ACTOR, LA1)
    assert (held(here), known(here, package).assignments) == (("CHI",), ("CHI",))
    assert len(here.said(HQ1, 3311)) == 2


def test_a_point_assigned_by_its_own_name_is_still_not_removed(here: Lab) -> None:
    here.point("CHI/p")
    here.package("CHI/p")
    add(here, "CHI/p")
    with pytest.raises(ConflictError):
        points.remove_point(here.desk(HQ1), ACTOR, Place("CHI/p"))
    assert held(here) == ("CHI/p",)


def test_what_is_refused(here: Lab) -> None:
    package = here.package()
    refused: list[tuple[type[HaulageError], str, list[str]]] = [
        (NotFoundError, "no-such-place", ["XXX"]),
        (NotFoundError, "no-such-place", ["CHI/none"]),
    ]
    for kind, code, where in refused:
        with pytest.raises(kind) as caught:
            add(here, *where)
        assert caught.value.code == code
    with pytest.raises(UsageError) as outside:
        groups.add_to_group(here.desk(CHI), ACTOR, SHOPS, [Place("HQ1")])
    assert outside.value.code == "out-of-scope"
    with pytest.raises(NotFoundError) as unknown:
        packages.assign_package(here.desk(HQ1), ACTOR, package, [], [SHOPS])
    assert unknown.value.code == "no-such-group"


def test_a_group_is_told_upwards_and_never_down(here: Lab) -> None:
    groups.add_to_group(here.desk(CHI), ACTOR, SHOPS, [Place("LA1")])
    add(here, "CHI")
    here.settle()

    def owners(code: SiteCode) -> list[str]:
        with here.core(code).database.reading() as tx:
            return [group.owner for group in records.list_groups(tx)]

    assert (owners(HQ1), owners(CHI), owners(LA1)) == (["CHI", "HQ1"], ["CHI"], [])
