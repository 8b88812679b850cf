"""Want of space: refused before a byte moves, said once, waited for, and gone on with by itself; nobody else has to wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.base.errors import TransferError
from haulage.base.ids import PackageId
from haulage.base.settings import StatusSettings
from haulage.domain.transit.site_duty import SPARE_BYTES
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.status import on_places, on_server
from haulage.server.housekeeping import Housekeeper
from haulage.server.presence import Presence
from haulage.testing.store_faults import disk_full
from tests.domain.worlds import CHAIN, CHI, HQ1, ONE, Lab, lab

MIB = 1 << 20


def full(monkeypatch: pytest.MonkeyPatch, sites: Lab, code: object) -> None:
    """The store of a site takes nothing."""

    def refuse(_owner: str) -> object:
        raise disk_full()

    monkeypatch.setattr(sites.core(code).parts.store, "session", refuse)  # type: ignore[arg-type]


def wait(sites: Lab, turns: int = 60) -> None:
    for _turn in range(turns):
        if not sites.world.step():
            sites.world.pass_time()


def test_q137610_space_is_promised_to_one_transfer_only() -> None:
    with lab(CHAIN) as sites:
        duty = sites.core(CHI).site_duty
        duty._free_bytes = lambda: 300 * MIB
        one, two = PackageId("HQ100001"), PackageId("HQ100002")
        with duty._reserved(one, 200 * MIB) as free:
            assert free == 300 * MIB
            with duty._reserved(two, 50 * MIB) as rest:
                assert rest == 100 * MIB
        with duty._reserved(two, 50 * MIB) as free:
            assert free == 300 * MIB


def test_b117_what_does_not_fit_is_not_begun_and_told_once() -> None:
    with lab(CHAIN) as sites:
        sites.core(CHI).site_duty._free_bytes = lambda: SPARE_BYTES
        package = sites.package("CHI")
        sites.publish(package)
        wait(sites)
        row = sites.row(package, "CHI")
        assert (row.state, row.reason, row.bytes_wire) == (ShipmentState.WAITING, Reason.SPACE, 0)
        (said,) = sites.said(CHI, on_places.SPACE_MISSING.number)
        assert int(said.fields["bytes_needed"]) > int(said.fields["bytes_free"]) == SPARE_BYTES
        sites.core(CHI).site_duty._free_bytes = lambda: 1 << 40
        sites.settle()
        assert sites.row(package, "CHI").present == 1


def test_f47_a_disk_that_fills_in_the_middle_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(CHAIN) as sites:
        package = sites.package("CHI")
        with monkeypatch.context() as patched:
            full(patched, sites, CHI)
            sites.publish(package)
            wait(sites)
            row = sites.row(package, "CHI")
            assert (row.state, row.reason, row.error_code) == (ShipmentState.WAITING, Reason.SPACE, "disk-full")
            assert row.tries > 2
            assert len(sites.said(CHI, on_places.TRANSFER_FAILED.number)) == 1, "once, however often it is tried"
            assert not sites.said(CHI, on_places.TRANSFER_WAITS_FOR_PERSON.number)
        sites.settle()
        assert sites.row(package, "CHI").present == 1


def test_q168460_a_capture_goes_on_when_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(ONE) as sites:
        package, publisher = sites.package(), sites.core(HQ1).publisher
        with monkeypatch.context() as patched:
            full(patched, sites, HQ1)
            sites.publish(package)
            sites.settle()
            assert publisher.resume(10 * MIB) == 0, "nobody has made room"
        assert publisher.resume(20 * MIB) == 0
        assert publisher.resume(10 * MIB + 64 * MIB) == 1
        sites.settle()
        assert sites.held(HQ1, package) == [1]
        assert publisher.resume(1 << 40) == 0, "it is done"


def test_a_quota_shows_no_room_so_it_is_tried_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(ONE) as sites:
        package, publisher = sites.package(), sites.core(HQ1).publisher
        with monkeypatch.context() as patched:
            full(patched, sites, HQ1)
            sites.publish(package)
            sites.settle()
        assert publisher.resume(1 << 40) == 0
        sites.world.clock.move(16 * 60)
        assert publisher.resume(1 << 40) == 1


def test_f47_a_full_disk_is_told_once_and_again_after_there_was_room() -> None:
    with lab(ONE) as sites:
        core, free = sites.core(HQ1), [10 * MIB]
        object.__setattr__(core.parts, "free_bytes", lambda: free[0])
        clock = sites.world.clock
        jobs = sites.world.sites[HQ1].jobs
        assert jobs is not None
        keeper = Housekeeper(core, jobs, clock, Presence(clock), StatusSettings())
        turn: Callable[[], None] = keeper.turn
        for _again in range(5):
            turn()
            clock.move(30)
        (said,) = sites.said(HQ1, on_server.DISK_FULL.number)
        assert (said.fields["free"], said.fields["needed"]) == (10 * MIB, SPARE_BYTES)
        free[0] = 1 << 40
        turn()
        free[0] = 0
        turn()
        assert len(sites.said(HQ1, on_server.DISK_FULL.number)) == 2


def test_the_error_of_a_full_parent_names_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its child waits; the parent's other children and the child's other packages do not."""
    with lab(CHAIN) as sites:
        package = sites.package("CHI")

        def build(*_arguments: object, **_named: object) -> object:
            raise TransferError("disk-full", "Cannot build /parcels/x: No space left on device, 0 bytes are free.", "")

        monkeypatch.setattr(sites.core(HQ1).provider, "_build", build)
        sites.publish(package)
        wait(sites)
        assert "/parcels/x" in sites.row(package, "CHI").error_message
        monkeypatch.undo()
        sites.settle()
        assert sites.row(package, "CHI").present == 1
