"""All scenarios by name, those of sites and those of servicing, and the bench that each is tried on."""

from __future__ import annotations

from haulage.testing.crash_points.fix_bench import FixBench
from haulage.testing.crash_points.fix_scenarios import FIX_SCENARIOS, FixScenario
from haulage.testing.crash_points.scenario import Scenario
from haulage.testing.crash_points.scenarios import SCENARIOS
from haulage.testing.crash_points.trial import Bench

AnyScenario = Scenario | FixScenario
AnyBench = Bench | FixBench

EVERY: dict[str, AnyScenario] = {one.name: one for one in (*SCENARIOS, *FIX_SCENARIOS)}


def bench_of(scenario: AnyScenario, *, beside: str | None = None) -> AnyBench:
    """A bench for it; close it."""
    if isinstance(scenario, FixScenario):
        return FixBench(scenario, beside=beside)
    return Bench(scenario, beside=beside)
