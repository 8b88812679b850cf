"""``python -m haulage.testing.crash_points`` tries every death and prints the table. Options choose scenarios, models, points, or a
share of all by chance; ``--list`` names the steps, ``--really`` kills real processes."""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
from collections.abc import Iterator, Sequence

from haulage.base.clock import SystemClock
from haulage.testing.crash_points import table
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.every import EVERY, AnyBench, AnyScenario, bench_of
from haulage.testing.crash_points.real_kill import die, kill_really
from haulage.testing.crash_points.trial import Trial


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 if anything did not hold."""
    asked = _parser().parse_args(arguments)
    scenarios = [EVERY[name] for name in asked.scenario] if asked.scenario else list(EVERY.values())
    if asked.die_in:
        die(bench_of(scenarios[0], beside=asked.die_in), asked.point[0])
        return 2  # not reached
    if asked.list:
        for scenario in scenarios:
            _name_steps(scenario)
        return 0
    return _try_all(scenarios, asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m haulage.testing.crash_points", description=__doc__)
    parser.add_argument("--scenario", action="append", choices=list(EVERY), help="only this one; may be repeated")
    parser.add_argument("--model", action="append", choices=[left.value for left in Left], help="only this one; may be repeated")
    parser.add_argument("--point", action="append", type=int, help="only before the step of this number; may be repeated")
    parser.add_argument("--share", type=float, default=1.0, help="of all deaths, how many to try (0 to 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice that --share makes")
    parser.add_argument("--really", action="store_true", help="kill real processes with SIGKILL; the model is killed")
    parser.add_argument("--list", action="store_true", help="name the steps of the scenario")
    parser.add_argument("--die-in", help=argparse.SUPPRESS)
    return parser


def _name_steps(scenario: AnyScenario) -> None:
    with contextlib.closing(bench_of(scenario)) as bench:
        print(f"{scenario.name}: {scenario.title}")
        for number, step in enumerate(bench.steps, 1):
            print(f"{number:4} {step}")


def _try_all(scenarios: Sequence[AnyScenario], asked: argparse.Namespace) -> int:
    clock, everything, points = SystemClock(), list[Trial](), 0
    started = clock.monotonic()
    print(table.head(), flush=True)
    for scenario in scenarios:
        with contextlib.closing(bench_of(scenario)) as bench:
            trials = list(_trials(bench, asked))
            print(table.row(scenario, len(bench.steps), trials), flush=True)
            points += len(bench.steps)
            everything += trials
    print(table.total(points, everything))
    seconds = clock.monotonic() - started
    print(f"\n{len(everything)} deaths at {points} points in {seconds:.0f} s")
    for sentence in table.failures(everything):
        print(sentence)
    return 0 if all(trial.held for trial in everything) else 1


def _trials(bench: AnyBench, asked: argparse.Namespace) -> Iterator[Trial]:
    chance = random.Random(f"{asked.seed} {bench.scenario.name}")
    for point in asked.point or range(1, len(bench.steps) + 1):
        for left in [Left.KILLED] if asked.really else [Left(name) for name in asked.model] if asked.model else list(Left):
            if chance.random() >= asked.share:
                continue
            if asked.really:
                failure = kill_really(bench, point)
                yield Trial(scenario=bench.scenario.name, point=point, step=bench.steps[point - 1], left=left, failure=failure)
            else:
                yield bench.try_point(point, left)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
