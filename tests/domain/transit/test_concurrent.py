"""What another thread may do in between: each test puts it exactly there."""

from __future__ import annotations

from contextlib import AbstractContextManager

import pytest

from haulage.base.ids import Place, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import CaptureState
from haulage.domain.transit import records as transit
from haulage.domain.transit.attempt import Outcome
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.engine.database.transaction import Transaction
from haulage.engine.trees.model import ReadPolicy, TreeReader
from haulage.operations import orders, packages
from haulage.server import pipeline
from haulage.testing.simulation.site import Sources
from tests.domain.worlds import ACTOR, HQ1, ONE, lab


def test_i5_a_version_taken_up_again_before_its_old_pin_is_gone_stays_pinned() -> None:
    with lab(ONE) as here:
        package = here.package()
        here.publish(package)
        here.settle()
        core = here.core(HQ1)

        def take_up_again() -> None:
            with core.database.writing() as tx:
                version = catalog.find_version(tx, package, VersionNumber(1))
                assert version is not None
                core.holdings.hold(tx, version)

        with core.database.writing() as tx:
            # Runs after the commit and before the pin goes, as another thread may.
            core.database.after_commit(tx, take_up_again)
            core.holdings.drop(tx, package, VersionNumber(1))
        assert here.held(HQ1, package) == [1]
        assert f"held:{package}:1" in [pin.owner for pin in core.parts.store.pins()]


def test_i25_what_was_put_is_present_though_an_order_came_in_the_meantime() -> None:
    with lab(ONE) as here:
        here.point("HQ1/p")
        package = here.package("HQ1/p")
        here.publish(package)
        here.settle()
        before = here.row(package, "HQ1/p")

        def work(shipment: Shipment) -> Outcome:
            orders.give_order(here.desk(HQ1), ACTOR, "retry", package, shipment.place)
            return Outcome(state=ShipmentState.PRESENT, changes={"present": VersionNumber(7), "bytes_done": 99})

        orders.give_order(here.desk(HQ1), ACTOR, "retry", package, Place("HQ1/p"))
        here.core(HQ1).attempts.run(package, Place("HQ1/p"), here.row(package, "HQ1/p").run, work)
        after = here.row(package, "HQ1/p")
        assert (after.present, after.state, after.bytes_done) == (7, ShipmentState.PLANNED, before.bytes_done)
        assert after.due is not None


def test_i18_f46_a_clock_put_back_by_days_delays_nothing_for_days() -> None:
    with lab(ONE) as here:
        package = here.package()
        here.publish(package)
        here.core(HQ1).publisher.run(package)
        site = here.world.sites[HQ1]
        site.clock.wrong_seconds = 10 * 86_400.0

        def fail(_shipment: Shipment) -> Outcome:
            return Outcome(state=ShipmentState.WAITING, due_after_seconds=300.0)

        here.core(HQ1).attempts.run(package, Place("HQ1"), 0, fail)
        site.clock.wrong_seconds = 0.0
        with site.disk.database().reading() as tx:
            now = site.clock.now()
            assert [row.place for row in transit.due_shipments(tx, HQ1, now, 10, kind="site")] == ["HQ1"]
            assert transit.next_due(tx, HQ1, now) == now


def test_q319207_many_due_points_do_not_keep_a_site_from_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "AHEAD", 1)
    with lab(ONE) as here:
        here.point("HQ1/a")
        here.point("HQ1/b")
        package = here.package("HQ1/a", "HQ1/b")
        here.publish(package)
        here.core(HQ1).publisher.run(package)
        core = here.core(HQ1)
        kinds = {kind.kind: kind for kind in pipeline.job_kinds(core, 1)}

        def later(tx: Transaction) -> None:
            row = transit.find_shipment(tx, package, Place("HQ1"))
            assert row is not None
            assert row.due is not None
            here.world.clock.move(5)
            core.ledger.save(tx, row.moved(ShipmentState.PLANNED, here.world.clock.now(), due=here.world.clock.now()))

        with core.database.writing() as tx:
            later(tx)
        with core.database.reading() as tx:
            assert kinds["site"].due(tx, here.world.clock.now())


def test_i5_rolling_back_to_what_is_half_swept_is_refused() -> None:
    with lab(ONE) as here:
        package = here.package(keep=1)
        for text in (b"first", b"second", b"third"):
            here.source(text)
            here.publish(package)
            here.settle()
        store = here.world.sites[HQ1].disk.store
        with here.core(HQ1).database.reading() as tx:
            first = catalog.find_version(tx, package, VersionNumber(1))
            second = catalog.find_version(tx, package, VersionNumber(2))
        assert first is not None
        assert second is not None
        lost = [chunk for chunk in store.chunks if b"first" in store.chunks[chunk] and chunk != first.manifest]
        assert lost
        for chunk in lost:
            del store.chunks[chunk]
        with pytest.raises(Exception, match="no longer kept"):
            packages.rollback_package(here.desk(HQ1), ACTOR, package, VersionNumber(1))
        assert packages.rollback_package(here.desk(HQ1), ACTOR, package, VersionNumber(2)).number == 4


def test_a_defect_in_a_capture_ends_it_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(ONE) as here:
        package = here.package()
        here.publish(package)
        monkeypatch.setattr(type(here.world.sources), "open", lambda *_any: 1 / 0)
        here.core(HQ1).publisher.run(package)
        with here.core(HQ1).database.reading() as tx:
            source = catalog.find_source(tx, package)
        assert source is not None
        assert (source.state, source.error_code, source.done) == (CaptureState.FAILED, "defect", 1)


def test_a_source_changed_while_it_is_read_is_read_in_full_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(ONE) as here:
        package = here.package()
        here.publish(package)
        sources, desk = here.world.sources, here.desk(HQ1)
        real = type(sources).open

        def change(self: Sources, spec: str, policy: ReadPolicy) -> AbstractContextManager[TreeReader]:
            packages.change_package(desk, ACTOR, package, source="memory:other")
            return real(self, spec, policy)

        monkeypatch.setattr(type(sources), "open", change)
        here.core(HQ1).publisher.run(package)
        with here.core(HQ1).database.reading() as tx:
            source = catalog.find_source(tx, package)
        assert source is not None
        assert (source.spec, source.full, source.done) == ("memory:other", True, 1)
