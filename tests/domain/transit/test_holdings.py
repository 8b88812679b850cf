"""What a store keeps: pins of work that died with its process go before any work begins."""

from __future__ import annotations

from haulage.base.ids import VersionNumber
from haulage.domain.transit import records
from haulage.engine.content.model import ManifestId, Pin
from tests.domain.worlds import HQ1, ONE, lab


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
