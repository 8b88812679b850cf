"""What really lies at a point, when the tables say something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from haulage.base.ids import PackageId, Place, VersionNumber
from haulage.engine.trees.memory import MemoryTree
from haulage.operations import packages
from haulage.testing.memory_point import MemoryPoint
from tests.domain.worlds import ACTOR, CHI, HQ1, Lab
from tests.domain.worlds import lab as hierarchy

P1 = Place("CHI/p1")


@pytest.fixture
def lab() -> Iterator[Lab]:
    with hierarchy() as made:
        yield made


def at(lab: Lab) -> MemoryPoint:
    return lab.world.points["folder:/CHI/p1"]


def test_f54_what_a_restored_site_does_not_remember_putting_there_is_taken_away(lab: Lab) -> None:
    """CHI is restored to before it had the point; meanwhile the package was put there and withdrawn again."""
    package = lab.package("CHI")
    lab.publish(package)
    lab.settle()
    backup = lab.world.sites[CHI].disk.backup()
    lab.point("CHI/p1")
    packages.assign_package(lab.desk(HQ1), ACTOR, package, [P1])
    lab.settle()
    assert at(lab).pointers == {package: 1}
    lab.world.sites[CHI].kill()
    packages.unassign_package(lab.desk(HQ1), ACTOR, package, [P1])
    lab.world.sites[CHI].disk.restore(backup)
    lab.world.start(lab.world.sites[CHI])
    lab.settle()
    assert at(lab).pointers == {}
    assert not at(lab).packages()


def test_f54_what_a_restored_site_believes_to_be_there_is_put_again(lab: Lab) -> None:
    package = lab.package("CHI")
    lab.point("CHI/p1")
    packages.assign_package(lab.desk(HQ1), ACTOR, package, [P1])
    lab.publish(package)
    lab.settle()
    at(lab).remove_package(package)
    lab.world.sites[CHI].kill()
    lab.world.start(lab.world.sites[CHI])
    lab.settle()
    assert at(lab).current(package) == 1


def test_a_folder_named_like_a_package_nobody_knows_is_named_and_left(lab: Lab) -> None:
    lab.point("CHI/p1")
    lab.settle()
    package = lab.package("CHI/p1")
    lab.publish(package)
    lab.settle()
    stranger = PackageId("XYZ00001")
    at(lab).trees[stranger, VersionNumber(1)] = MemoryTree()
    lab.world.sites[CHI].kill()
    lab.world.start(lab.world.sites[CHI])
    lab.settle()
    assert stranger in at(lab).packages()
    assert [record.fields["path"] for record in lab.said(CHI, 2362)] == [stranger]
