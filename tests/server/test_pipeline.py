"""The pump and an engine together: what is due is handed over whatever became of those before, and no place hides another."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest

from haulage.base.clock import SystemClock
from haulage.base.ids import PackageId, Place
from haulage.domain.transit import records as transit
from haulage.domain.transit.attempt import Work
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.jobs.threaded import ThreadedJobs
from haulage.server.core import SiteCore
from haulage.server.pipeline import Pump, job_kinds
from tests.domain.worlds import HQ1, ONE, Lab, lab

HUNG, WELL = Place("HQ1/hung"), Place("HQ1/well")
PATIENCE_SECONDS = 60.0


@pytest.fixture
def here() -> Iterator[Lab]:
    with lab(ONE) as here:
        yield here


def _due(here: Lab, where: Place, packages: int, *, hours: int) -> None:
    """So many shipments to a place, due for so long."""
    core, now = here.core(HQ1), here.world.clock.now()
    with core.database.writing() as tx:
        for number in range(packages):
            package = PackageId(f"HQ1{number:05X}")
            row = Shipment(package=package, place=where, owner=HQ1, due=now - dt.timedelta(hours=hours), updated=now)
            transit.put_shipment(tx, row)


def test_f41_duties_of_a_place_that_hangs_do_not_hide_those_of_others(here: Lab) -> None:
    _due(here, HUNG, 200, hours=9)
    _due(here, WELL, 2, hours=1)
    core = here.core(HQ1)
    (kind,) = [kind for kind in job_kinds(core, 4) if kind.kind == "point"]
    with core.database.reading() as tx:
        seen = [due.place for due in kind.due(tx, here.world.clock.now())]
    assert seen == [HUNG] * 4 + [WELL] * 2, "the longest due first, but only as many of one place as may soon begin"
    with core.database.reading() as tx:
        everything = transit.due_shipments(tx, HQ1, here.world.clock.now(), 1000, kind="point")
    assert len(everything) == 202


def test_f41_a_place_that_hangs_keeps_no_other_waiting(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    _due(here, HUNG, 30, hours=9)
    _due(here, WELL, 3, hours=1)
    core = here.core(HQ1)
    hold, well = threading.Event(), threading.Semaphore(0)

    def run(_package: PackageId, where: Place, _run: int, _work: Work) -> None:
        if where == HUNG:
            hold.wait(PATIENCE_SECONDS)
        else:
            well.release()

    monkeypatch.setattr(core.attempts, "run", run)
    engine = ThreadedJobs(SystemClock())
    pump = Pump(core, engine, here.world.clock, workers=4)
    engine.start()
    try:
        pump.turn()
        assert all(well.acquire(timeout=PATIENCE_SECONDS) for _ in range(3))
        assert not hold.is_set()
    finally:
        hold.set()
        engine.stop(PATIENCE_SECONDS)


def test_a_source_that_hangs_keeps_no_other_from_being_captured(here: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    hung, well = here.package(), here.package()
    here.publish(hung)
    here.publish(well)
    core = here.core(HQ1)
    hold, captured = threading.Event(), threading.Event()
    monkeypatch.setattr(core.publisher, "run", lambda package: hold.wait(PATIENCE_SECONDS) if package == hung else captured.set())
    engine = ThreadedJobs(SystemClock())
    pump = Pump(core, engine, here.world.clock)
    engine.start()
    try:
        pump.turn()
        assert captured.wait(PATIENCE_SECONDS)
        assert engine.running()
    finally:
        hold.set()
        engine.stop(PATIENCE_SECONDS)


def _begin(here: Lab) -> tuple[SteppedJobs, Pump]:
    """An engine and a pump, as a server that starts has them."""
    engine = SteppedJobs(here.world.clock)
    pump = Pump(here.core(HQ1), engine, here.world.clock)
    engine.start()
    return engine, pump


def _publish(here: Lab) -> tuple[SiteCore, PackageId]:
    """A package that is to be put to a point, captured and nothing more."""
    here.point(WELL)
    package = here.package(WELL)
    here.publish(package)
    engine, pump = _begin(here)
    assert pump.turn() == 1
    assert engine.step()
    return here.core(HQ1), package


def test_i12_what_a_killed_server_had_in_hand_is_due_when_the_next_one_looks(here: Lab) -> None:
    _core, package = _publish(here)
    killed, pump = _begin(here)
    handed = pump.turn()
    assert handed > 0
    # It dies here, with its jobs.
    engine, pump = _begin(here)
    assert pump.turn() == handed
    while engine.step() or pump.turn():
        pass
    row = here.row(package, WELL)
    assert (row.state, row.present) == (ShipmentState.PRESENT, 1)
    # One that was only cut off from the world runs its job to the end: it is of another time, and does nothing.
    while killed.step():
        pass
    assert here.row(package, WELL) == row


def test_f28_i12_a_queue_emptied_by_hand_is_filled_again_from_the_tables(here: Lab) -> None:
    _core, package = _publish(here)
    engine, pump = _begin(here)
    handed = pump.turn()
    assert pump.turn() == 0
    engine.lose_everything()
    assert pump.turn() == handed
    while engine.step() or pump.turn():
        pass
    assert here.row(package, WELL).settled
