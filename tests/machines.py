"""How long the state machines run: a little in every ``make test``, twenty times that in ``make test-long``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_LONGER = 20


def run(machine: type[RuleBasedStateMachine], *, examples: int, steps: int) -> None:
    """Let the machine live that many lives of at most so many steps. A failure prints the shortest one, and the line that repeats
    it (``@reproduce_failure``)."""
    long = os.environ.get("HAULAGE_LONG") == "1"
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples * (_LONGER if long else 1),
            stateful_step_count=steps,
            deadline=None,
            print_blob=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
