"""``python -m haulage.testing.simulation SEED`` replays one schedule and says everything that happens;
``python -m haulage.testing.simulation FIRST LAST`` runs many and names those that fail."""

from __future__ import annotations

import sys

from haulage.base.clock import SystemClock
from haulage.testing.simulation.schedule import run_schedule


def main(arguments: list[str]) -> int:
    """Exit code 1 if a schedule fails."""
    numbers = [int(argument) for argument in arguments]
    if len(numbers) == 1:
        steps = run_schedule(numbers[0], say=print)
        print(f"seed {numbers[0]}: all invariants held in {steps} steps")
        return 0
    first, last = numbers
    clock, failed = SystemClock(), 0
    started = clock.monotonic()
    for seed in range(first, last + 1):
        try:
            run_schedule(seed)
        except Exception as failure:
            failed += 1
            print(f"seed {seed}: {type(failure).__name__}: {str(failure)[:300]}", flush=True)
    seconds = clock.monotonic() - started
    count = last + 1 - first
    print(f"{count} schedules, {failed} failed, {count / seconds:.1f} per second")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
