"""The same schedules on PostgreSQL: they hold there too, and go exactly as on SQLite, to the last word."""

from __future__ import annotations

import os

import pytest

from haulage.testing.scratch import PostgresBackend, standing_on
from haulage.testing.simulation.schedule import run_schedule
from tests.peers import need

SEEDS = range(2000 if os.environ.get("HAULAGE_LONG") == "1" else 6)
PARTS = 2


def _told(seed: int) -> list[str]:
    lines: list[str] = []
    run_schedule(seed, say=lines.append)
    return lines


@pytest.mark.parametrize("part", range(PARTS))
def test_a_schedule_goes_the_same_way_on_both(part: int, request: pytest.FixtureRequest) -> None:
    need("postgresql")
    backend: PostgresBackend = request.getfixturevalue("postgres_backend")
    for seed in SEEDS[part::PARTS]:
        here = _told(seed)
        with standing_on(backend):
            there = _told(seed)
        assert here == there
