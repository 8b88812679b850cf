"""A site that is removed and invited again is another server; what the one before said does not count for it."""

from __future__ import annotations

import dataclasses

from haulage.base.ids import NO_VERSION, PackageId, Place, VersionNumber
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.domain.transit.mirror import report_of
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind
from haulage.operations import orders, sites
from haulage.testing.scratch import blank_image
from haulage.testing.simulation import growing
from tests.domain.worlds import ACTOR, CHI, HQ1, ONE, Lab, lab

PAIR = (("HQ1", None), ("CHI", "HQ1"))


def _seen(here: Lab, package: PackageId) -> Shipment | None:
    with here.core(HQ1).database.reading() as tx:
        return transit.find_shipment(tx, package, Place("CHI"))


def _tell(here: Lab, row: Shipment) -> None:
    core = here.core(HQ1)
    with core.database.writing() as tx:
        core.mirror.take(tx, CHI, Message(kind=MessageKind.SHIPMENT, key=f"{row.package}/CHI", body=encode(report_of(row))))


def _again(here: Lab) -> None:
    """CHI is removed, invited again and joins with a fresh disk and another key."""
    here.world.network.cut.add(CHI)
    sites.remove_site(here.desk(HQ1), ACTOR, CHI)
    here.world.drop(CHI)
    here.settle()
    here.world.network.cut.clear()
    join = growing.invite(here.world.sites[HQ1], CHI, HQ1)
    site = here.world.add(CHI, HQ1, blank_image(), incarnation=1)
    growing.join(site, here.world.sites[HQ1], join)
    here.world.start(site)
    here.settle()


def test_f56_a_removed_and_invited_site_begins_a_life_beyond_every_epoch_of_the_one_before() -> None:
    with lab(PAIR) as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        old = here.row(package, "CHI")
        _again(here)
        with here.core(CHI).database.reading() as tx:
            me = estate.find_site(tx, CHI)
            assert me is not None
            assert estate.epoch(tx) == me.first_epoch > old.epoch
        assert here.row(package, "CHI").present == 1, "it gets what is assigned to its code"


def test_q318834_late_reports_of_an_old_incarnation_have_no_effect() -> None:
    with lab(PAIR) as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        old = here.row(package, "CHI")
        _again(here)
        now = _seen(here, package)
        assert now is not None
        _tell(
            here,
            dataclasses.replace(old, epoch=old.epoch + 5, observation=10**6, present=VersionNumber(9), wanted=VersionNumber(9)),
        )
        assert _seen(here, package) == now


def test_i16_f53_what_a_restored_neighbour_does_not_say_again_is_shown_as_gone() -> None:
    with lab(PAIR) as here:
        package, other = here.package("CHI"), here.package("CHI")
        for one in (package, other):
            here.publish(one)
        here.settle()
        core, row, forgotten = here.core(HQ1), here.row(package, "CHI"), here.row(other, "CHI")
        _tell(here, dataclasses.replace(row, epoch=row.epoch + 1, observation=row.observation + 1))
        with core.database.writing() as tx:
            transit.put_shipment(tx, forgotten)
            core.mirror.void(tx, CHI, row.epoch + 1)
        said, gone = _seen(here, package), _seen(here, other)
        assert said is not None
        assert gone is not None
        assert (said.present, said.state) == (1, ShipmentState.PRESENT)
        assert (gone.present, gone.wanted, gone.state, gone.epoch) == (NO_VERSION, NO_VERSION, ShipmentState.REMOVED, row.epoch + 1)


def test_an_order_to_verify_does_not_keep_a_point_from_its_first_version() -> None:
    with lab(ONE) as here:
        here.point("HQ1/p")
        package = here.package("HQ1/p")
        here.publish(package)
        here.core(HQ1).publisher.run(package)
        orders.give_order(here.desk(HQ1), ACTOR, "verify", package, Place("HQ1/p"))
        assert here.row(package, "HQ1/p").verify
        here.settle()
        row = here.row(package, "HQ1/p")
        assert (row.present, row.verify, row.error_code) == (1, False, "")
