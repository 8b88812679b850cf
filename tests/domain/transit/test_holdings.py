"""What a store keeps: pins of work that died with its process go before any work begins."""

from __future__ import annotations

import dataclasses
import datetime as dt

from haulage.base.ids import VersionNumber
from haulage.domain.transit import records
from haulage.domain.transit.holdings import RECEIVING
from haulage.engine.content.model import ManifestId, Pin
from tests.domain.worlds import CHI, HQ1, ONE, lab


def test_reconcile_drops_the_pins_of_dead_work_and_restores_lost_ones() -> None:
    with lab(ONE) as here:
        package = here.package()
        here.publish(package)
        here.settle()
        core = here.core(HQ1)
        store = core.parts.store
        with core.database.reading() as tx:
            manifest = ManifestId(records.held_versions(tx, package)[VersionNumber(1)])
        for dead in (f"receive:{package}:1", f"receive:{package}:1:0", f"capture:{package}", "serve:00:1", f"held:{package}:9"):
            store.pin(Pin(owner=dead, manifest=manifest))
        store.unpin(f"held:{package}:1")
        assert core.holdings.reconcile() == (5, 1)
        assert [(pin.owner, pin.manifest) for pin in store.pins()] == [(f"held:{package}:1", manifest)]
        assert core.holdings.reconcile() == (0, 0)


def test_a_lease_on_what_arrived_of_a_parcel_lives_as_long_as_the_version_is_wanted() -> None:
    with lab((("HQ1", None), ("CHI", "HQ1"))) as here:
        package = here.package("CHI")
        here.publish(package)
        here.settle()
        core = here.core(CHI)
        store, until = core.parts.store, here.world.clock.now() + dt.timedelta(days=30)
        with core.database.reading() as tx:
            manifest = ManifestId(records.held_versions(tx, package)[VersionNumber(1)])
        lease = Pin(owner=f"{RECEIVING}{package}", manifest=manifest, expires=until)
        store.pin(lease)
        assert core.holdings.reconcile() == (1, 0), "it is present: nothing is arriving"
        here.world.network.cut.add(CHI)
        row = here.row(package, "CHI")
        with core.database.writing() as tx:
            records.put_shipment(tx, dataclasses.replace(row, wanted=VersionNumber(2)))
        store.pin(lease)
        assert core.holdings.reconcile() == (0, 0)
        store.pin(dataclasses.replace(lease, expires=here.world.clock.now()))
        assert core.holdings.reconcile() == (1, 0)
