"""What people and machines do in the very middle of a transfer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.base.ids import PackageId, Place
from haulage.domain.catalog import records as catalog
from haulage.operations import orders, packages
from haulage.operations.orders import Action
from haulage.testing.simulation.network import Host
from tests.domain.worlds import ACTOR, CHI, HQ1, LA1, Lab
from tests.domain.worlds import lab as hierarchy

Deed = Callable[[Lab, PackageId], None]


def delete(lab: Lab, package: PackageId) -> None:
    packages.remove_package(lab.desk(HQ1), ACTOR, package)


def withdraw(lab: Lab, package: PackageId) -> None:
    packages.unassign_package(lab.desk(HQ1), ACTOR, package, [Place("LA1"), Place("LA1/p1")])


def in_mid_transfer(lab: Lab, child: str, deed: Callable[[], None]) -> list[str]:
    """Do something once, when the first piece of a parcel has reached a child; who it was is noted."""
    done: list[str] = []

    def on_piece(host: Host) -> None:
        if host.code == child and not done:
            done.append(host.code)
            deed()

    lab.world.network.on_piece = on_piece
    return done


@pytest.mark.parametrize("deed", [delete, withdraw])
@pytest.mark.parametrize("child", [CHI, LA1])
def test_f23_f24_q244405_deleted_or_withdrawn_in_mid_transfer_nothing_stays(deed: Deed, child: str) -> None:
    with hierarchy() as lab:
        lab.point("LA1/p1")
        package = lab.package("LA1", "LA1/p1")
        lab.source(bytes(range(256)) * 40)
        lab.publish(package)
        done = in_mid_transfer(lab, child, lambda: deed(lab, package))
        lab.settle()
        assert done == [child]
        for code in (CHI, LA1):
            assert lab.held(code, package) == []
            site = lab.world.sites[code]
            assert not [pin.owner for pin in site.disk.store.pins() if package in pin.owner]
        assert [list(point.packages()) for point in lab.world.points.values()] in ([], [[]])
        with lab.world.sites[LA1].disk.database().reading() as tx:
            left = catalog.find_package(tx, package)
        assert left is None or not left.assignments


def test_f24_q168130_cancelled_and_wanted_again_in_mid_transfer_it_arrives() -> None:
    with hierarchy() as lab:
        package = lab.package("LA1")
        lab.source(bytes(range(256)) * 40)
        lab.publish(package)

        def change_of_mind() -> None:
            packages.unassign_package(lab.desk(HQ1), ACTOR, package, [Place("LA1")])
            lab.world.step()
            packages.assign_package(lab.desk(HQ1), ACTOR, package, [Place("LA1")])

        done = in_mid_transfer(lab, CHI, change_of_mind)
        lab.settle()
        assert done
        assert lab.row(package, "LA1").present == 1


@pytest.mark.parametrize("action", ["retry", "verify", "repair"])
def test_an_order_in_mid_transfer_neither_loses_nor_doubles_it(action: Action) -> None:
    with hierarchy() as lab:
        package = lab.package("LA1")
        lab.source(bytes(range(256)) * 40)
        lab.publish(package)
        done = in_mid_transfer(lab, LA1, lambda: _order(lab, action, package))
        lab.settle()
        assert done
        assert lab.row(package, "LA1").present == 1
        assert lab.row(package, "LA1").settled


def _order(lab: Lab, action: Action, package: PackageId) -> None:
    orders.give_order(lab.desk(HQ1), ACTOR, action, package, Place("LA1"))
