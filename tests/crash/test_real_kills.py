"""Real processes, killed with SIGKILL at chosen steps, come back as those that died within this one."""

from __future__ import annotations

import contextlib
import os
import random

import pytest

from haulage.testing.crash_points.real_kill import kill_really
from haulage.testing.crash_points.scenarios import by_name
from haulage.testing.crash_points.trial import Bench

KILLS = 25 if os.environ.get("HAULAGE_LONG") == "1" else 1


@pytest.mark.parametrize("name", ["init", "publish", "point-update", "receive", "send", "sweep"])
def test_f1_f15_i12_killed_really(name: str) -> None:
    with contextlib.closing(Bench(by_name(name))) as bench:
        points = range(1, len(bench.steps) + 1)
        for point in random.Random(name).sample(points, min(KILLS, len(points))):
            assert kill_really(bench, point) == "", f"{name} at {point}"
