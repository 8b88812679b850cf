"""A version for which there is no room: nothing crosses the line, it waits by name, and comes when there is room."""

from __future__ import annotations

from haulage.domain.transit.states import Reason, ShipmentState
from tests.domain.worlds import CHI, lab


def test_b117_q137610_what_does_not_fit_is_refused_before_a_byte_is_sent() -> None:
    with lab() as here:
        package = here.package("CHI")
        duty = here.core(CHI).site_duty
        free = [1000]
        duty._free_bytes = lambda: free[0]
        here.publish(package)
        here.work()
        row = here.row(package, "CHI")
        assert (row.state, row.reason) == (ShipmentState.WAITING, Reason.SPACE)
        assert (row.present, row.bytes_wire) == (0, 0)
        free[0] = 1 << 40
        here.settle()
        assert here.row(package, "CHI").present == 1
