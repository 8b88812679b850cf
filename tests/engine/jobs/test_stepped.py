"""The single-stepped engine, under the shared suite and by itself."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from haulage.engine.jobs.engine import Submission
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.testing.clock import HandClock
from tests.engine.jobs.suite import Bench, Suite


class Stepped(Bench):
    """Steps until the condition holds, moving the clock to the next due job when nothing is due."""

    def __init__(self, chooser: random.Random | None = None) -> None:
        super().__init__()
        self.clock = HandClock()
        self.engine = self.stepped = SteppedJobs(self.clock, chooser, self.on_defect)
        self.engine.register("work", self.function, 4)
        self.engine.register("other", self.function, 2)
        self.engine.start()

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if not self.stepped.step():
                due = self.stepped.next_due_seconds()
                assert due is not None, "nothing is left to run"
                self.clock.move(due)


class TestStepped(Suite):
    @pytest.fixture
    def bench(self) -> Bench:
        return Stepped()


class Killed(BaseException):
    """The simulated process ends here."""


def test_nothing_runs_before_start_and_after_stop() -> None:
    bench = Stepped()
    bench.engine.stop(0)
    bench.engine.submit("work", "a", "a", partition="p")
    assert not bench.stepped.step()
    bench.engine.start()
    assert bench.stepped.step()
    assert not bench.stepped.step()


def test_i12_a_kill_passes_through_and_the_job_runs_again() -> None:
    bench = Stepped()

    def kill(_argument: str) -> None:
        raise Killed

    bench.action = kill
    bench.engine.submit("work", "a", "a", partition="p")
    with pytest.raises(Killed):
        bench.stepped.step()
    assert bench.engine.running() == frozenset()
    assert bench.engine.submit("work", "a", "a", partition="p") is Submission.RUNNING
    bench.action = lambda argument: None
    assert bench.stepped.step()
    assert bench.ran == ["a", "a"]


def test_the_chooser_decides_the_order_and_the_same_seed_gives_the_same() -> None:
    def order(seed: int) -> list[str]:
        bench = Stepped(random.Random(seed))
        for number in range(20):
            bench.engine.submit("work", str(number), str(number), partition=str(number))
        bench.until(lambda: len(bench.ran) == 20)
        return bench.ran

    assert order(1) == order(1) != order(2)


def test_a_delay_is_counted_by_the_injected_clock() -> None:
    bench = Stepped()
    bench.engine.submit("work", "a", "a", partition="p", delay_seconds=30)
    assert not bench.stepped.step()
    assert bench.stepped.next_due_seconds() == 30
    bench.clock.move(29.5)
    assert not bench.stepped.step()
    bench.clock.move(0.5)
    assert bench.stepped.step()
    assert bench.stepped.next_due_seconds() is None


def test_losing_everything_loses_only_history() -> None:
    bench = Stepped()
    bench.engine.submit("work", "done", "done", partition="p")
    bench.stepped.step()
    bench.engine.submit("work", "waiting", "waiting", partition="p")
    bench.stepped.lose_everything()
    assert not bench.stepped.step()
    for job_id in ("done", "waiting"):
        assert bench.engine.submit("work", job_id, job_id, partition="p") is Submission.ACCEPTED
