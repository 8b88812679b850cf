"""Thousands of schedules, each decided by its seed. A seed that once failed stands in ``seeds.txt`` and is run for ever.

Replay one with ``python -m haulage.testing.simulation SEED``; HAULAGE_LONG=1 runs many more.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable

import pytest

from haulage.testing.simulation.schedule import run_schedule

PART = 50
PARTS = 400 if os.environ.get("HAULAGE_LONG") == "1" else 20
KEPT = [
    int(line.split()[0])
    for line in (pathlib.Path(__file__).parent / "seeds.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("part", range(PARTS))
def test_all_invariants_hold(part: int, record_property: Callable[[str, object], None]) -> None:
    """I5, I6, I7, I10, I12, I18 and I25 after each step, and in the end everything has converged."""
    steps = sum(run_schedule(seed) for seed in range(part * PART, (part + 1) * PART))
    assert steps > PART
    record_property("schedules", PART)
    print(f"{PART} schedules, {steps} steps")


@pytest.mark.parametrize("seed", KEPT)
def test_a_seed_that_once_failed(seed: int) -> None:
    assert run_schedule(seed) > 0


def test_a_seed_decides_everything() -> None:
    def told(seed: int) -> list[str]:
        lines: list[str] = []
        run_schedule(seed, say=lines.append)
        return lines

    assert told(3) == told(3)
    assert told(3) != told(4)
