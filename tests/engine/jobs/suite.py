"""What every job engine must do. A subclass gives a :class:`Bench`: a started engine, and a way to let it run dry."""

from __future__ import annotations

import abc
import itertools
import threading
from collections.abc import Callable

import pytest

from haulage.base.errors import UsageError
from haulage.engine.jobs.engine import JobEngine, Submission

_numbers = itertools.count(1)


class Bench(abc.ABC):
    """A started engine with kinds ``work`` (4 workers) and ``other`` (2 workers), and what its jobs did."""

    engine: JobEngine

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.reset()

    def reset(self) -> None:
        """Before each test."""
        self.ran: list[str] = []
        self.defects: list[str] = []
        self.action: Callable[[str], None] = lambda argument: None

    def function(self, argument: str) -> None:
        """The job function of every kind."""
        try:
            self.action(argument)
        finally:
            with self.changed:
                self.ran.append(argument)
                self.changed.notify_all()

    def on_defect(self, job_id: str, _defect: BaseException) -> None:
        with self.changed:
            self.defects.append(job_id)
            self.changed.notify_all()

    @abc.abstractmethod
    def until(self, condition: Callable[[], bool]) -> None:
        """Let the engine work until the condition holds; fails if it never does."""


def fresh(name: str = "job") -> str:
    """An id nobody used before."""
    return f"{name}-{next(_numbers)}"


class Suite:
    """The shared tests."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError

    def submit(
        self, bench: Bench, job_id: str, argument: str = "", *, partition: str = "p", delay_seconds: float = 0
    ) -> Submission:
        return bench.engine.submit("work", job_id, argument or job_id, partition=partition, delay_seconds=delay_seconds)

    def finish(self, bench: Bench, job_id: str) -> None:
        bench.until(lambda: job_id in bench.ran and self.submit(bench, job_id) is Submission.FINISHED)

    def test_a_job_runs_with_its_argument(self, bench: Bench) -> None:
        job_id = fresh()
        assert self.submit(bench, job_id, "HQ100042:7 ü") is Submission.ACCEPTED
        bench.until(lambda: bench.ran == ["HQ100042:7 ü"])
        bench.until(lambda: self.submit(bench, job_id) is Submission.FINISHED)

    def test_q281754_an_id_runs_once(self, bench: Bench) -> None:
        job_id = fresh()
        assert self.submit(bench, job_id) is Submission.ACCEPTED
        self.finish(bench, job_id)
        assert self.submit(bench, job_id) is Submission.FINISHED
        after = fresh()
        self.submit(bench, after)
        self.finish(bench, after)
        assert bench.ran == [job_id, after]

    def test_an_id_that_waits_or_runs_is_not_added(self, bench: Bench) -> None:
        job_id, seen = fresh(), []
        bench.action = lambda argument: seen.append(self.submit(bench, argument))
        self.submit(bench, job_id)
        self.finish(bench, job_id)
        assert seen == [Submission.RUNNING]
        assert bench.ran == [job_id]

    def test_sixteen_racing_submitters_give_one_run(self, bench: Bench) -> None:
        job_id, results = fresh(), []
        barrier = threading.Barrier(16)

        def race() -> None:
            barrier.wait()
            results.append(self.submit(bench, job_id))

        threads = [threading.Thread(target=race) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.finish(bench, job_id)
        assert results.count(Submission.ACCEPTED) == 1
        assert len(results) == 16
        assert bench.ran == [job_id]

    def test_one_at_a_time_per_partition(self, bench: Bench) -> None:
        lock, open_now, peaks = threading.Lock(), {"a": 0, "b": 0}, {"a": 0, "b": 0}

        def watch(argument: str) -> None:
            partition = argument[0]
            with lock:
                open_now[partition] += 1
                peaks[partition] = max(peaks[partition], open_now[partition])
            with lock:
                open_now[partition] -= 1

        bench.action = watch
        for number in range(6):
            for partition in "ab":
                self.submit(bench, fresh(), f"{partition}{number}", partition=partition)
        bench.until(lambda: len(bench.ran) == 12)
        assert peaks == {"a": 1, "b": 1}

    def test_a_defect_ends_the_job_and_nothing_else(self, bench: Bench) -> None:
        bad, good = fresh("bad"), fresh("good")

        def act(argument: str) -> None:
            if argument == bad:
                raise ZeroDivisionError

        bench.action = act
        self.submit(bench, bad)
        self.submit(bench, good)
        self.finish(bench, good)
        self.finish(bench, bad)
        assert bench.defects == [bad]
        assert sorted(bench.ran) == sorted([bad, good])

    def test_b18_ids_and_arguments_are_inert(self, bench: Bench) -> None:
        job_id = fresh("x'; DROP TABLE shipments; -- {0} %s\n")
        self.submit(bench, job_id, partition="'; --")
        self.finish(bench, job_id)
        assert bench.ran == [job_id]

    @pytest.mark.parametrize(
        ("kind", "job_id", "partition"),
        [("none", "a", "p"), ("work", "", "p"), ("work", "x" * 501, "p"), ("work", "a", "")],
    )
    def test_what_could_never_run_is_refused_loudly(self, bench: Bench, kind: str, job_id: str, partition: str) -> None:
        with pytest.raises(UsageError) as raised:
            bench.engine.submit(kind, job_id, "", partition=partition)
        assert raised.value.code == "bad-job"

    def test_running_names_what_runs(self, bench: Bench) -> None:
        job_id, seen = fresh(), []
        bench.action = lambda argument: seen.append(bench.engine.running())
        self.submit(bench, job_id)
        self.finish(bench, job_id)
        assert seen == [{job_id}]
        assert bench.engine.running() == frozenset()

    def test_a_job_may_submit_another_in_its_own_partition(self, bench: Bench) -> None:
        first, second = fresh("first"), fresh("second")

        def act(argument: str) -> None:
            if argument == first:
                self.submit(bench, second)

        bench.action = act
        self.submit(bench, first)
        self.finish(bench, second)
        assert bench.ran == [first, second]

    def test_a_delayed_job_lets_others_pass(self, bench: Bench) -> None:
        late, soon = fresh("late"), fresh("soon")
        assert self.submit(bench, late, delay_seconds=1) is Submission.ACCEPTED
        assert self.submit(bench, late) is Submission.RUNNING
        self.submit(bench, soon)
        self.finish(bench, late)
        assert bench.ran == [soon, late]

    def test_the_sweep_forgets_finished_jobs_only(self, bench: Bench) -> None:
        done, waiting = fresh("done"), fresh("waiting")
        self.submit(bench, done)
        self.finish(bench, done)
        self.submit(bench, waiting, delay_seconds=3600)
        bench.engine.sweep(keep_seconds=3600)
        assert self.submit(bench, done) is Submission.FINISHED
        assert bench.engine.sweep(keep_seconds=-3600) >= 1
        assert self.submit(bench, waiting) is Submission.RUNNING
        assert self.submit(bench, done) is Submission.ACCEPTED
        self.finish(bench, done)
        assert bench.ran == [done, done]
