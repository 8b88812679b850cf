"""A site dies before any durable step of any scenario, by a kill or by a power cut, and comes back: whole, without anybody's help,
to the same end, with nothing left behind (I5, I7, I10, I12).

A failure names the command that replays it; ``python -m haulage.testing.crash_points`` tries all and prints the table.
"""

from __future__ import annotations

import contextlib
import os
import random

from haulage.testing.crash_points import table
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.scenarios import SCENARIOS, by_name
from haulage.testing.crash_points.trial import Bench

LONG = os.environ.get("HAULAGE_LONG") == "1"
SLICE = 5


def _die(*names: str) -> None:
    for name in names:
        with contextlib.closing(Bench(by_name(name))) as bench:
            deaths = [(point, left) for point in range(1, len(bench.steps) + 1) for left in Left]
            chosen = deaths if LONG else random.Random(name).sample(deaths, min(SLICE, len(deaths)))
            failures = table.failures(bench.try_point(point, left) for point, left in chosen)
            assert failures == []


def test_every_scenario_is_tried_here() -> None:
    tested = {name for function in globals().values() if callable(function) for name in _names_in(function)}
    assert tested >= {scenario.name for scenario in SCENARIOS}


def _names_in(function: object) -> tuple[object, ...]:
    code = getattr(function, "__code__", None)
    return () if code is None else tuple(one for one in code.co_consts if isinstance(one, str))


def test_f1_f5_f12_founding_a_site() -> None:
    _die("init")


def test_f15_f17_joining() -> None:
    _die("join")


def test_f17_i7_letting_a_child_join() -> None:
    _die("admit")


def test_f1_f5_i5_capturing_and_publishing() -> None:
    _die("publish")


def test_f1_f5_i5_capturing_again() -> None:
    _die("publish-again")


def test_f5_i12_defining_a_point() -> None:
    _die("point-new")


def test_f5_i5_putting_a_version_on_a_point() -> None:
    _die("point-install")


def test_f1_f5_f37_i5_switching_a_point() -> None:
    _die("point-update")


def test_f5_i12_repairing_a_point() -> None:
    _die("point-repair")


def test_f23_i10_taking_away_from_a_point() -> None:
    _die("unassign", "point-remove")


def test_f15_f17_f30_i7_sending() -> None:
    _die("send")


def test_f15_f17_i7_sending_a_delta() -> None:
    _die("send-delta")


def test_f5_f15_f16_i5_receiving() -> None:
    _die("receive")


def test_f5_f15_f16_i5_receiving_a_delta() -> None:
    _die("receive-delta")


def test_f17_f30_i7_telling_and_hearing() -> None:
    _die("tell", "hear")


def test_f23_i10_deleting_everywhere() -> None:
    _die("delete", "delete-below")


def test_f40_f5_i10_sweeping() -> None:
    _die("sweep")


def test_f12_i12_migrating() -> None:
    _die("migrate")


def test_f1_f5_i12_dying_again_while_coming_back_from_a_capture() -> None:
    _die("return-publish", "return-sweep")


def test_f5_i12_dying_again_while_coming_back_to_a_point() -> None:
    _die("return-point")


def test_f5_f15_i12_dying_again_while_coming_back_to_a_transfer() -> None:
    _die("return-send", "return-receive")


def test_f5_f15_f24_holding_and_releasing_a_transfer() -> None:
    _die("hold")
