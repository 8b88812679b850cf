"""The queue and its promise: never more at once than told, never idle while something could begin, nothing lost or done twice."""

from __future__ import annotations

import collections
import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from haulage.engine.jobs.engine import Submission
from haulage.engine.jobs.queue import Job, Queue
from haulage.testing.clock import HandClock

WORKERS = {"wide": 4, "narrow": 1}
PER_PLACE = {"wide": 2, "narrow": None}


class QueueMachine(RuleBasedStateMachine):
    """Any order of offers, beginnings, ends, kills and passing time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = HandClock()
        self.queue = Queue(self.clock)
        for kind, workers in WORKERS.items():
            self.queue.register(kind, lambda _argument: None, workers, PER_PLACE[kind])
        self.waiting: dict[str, tuple[str, str, str, float]] = {}
        self.running: list[Job] = []
        self.finished: dict[str, float] = {}

    @rule(
        kind=st.sampled_from(sorted(WORKERS)),
        job_id=st.sampled_from([str(number) for number in range(12)]),
        partition=st.sampled_from("abc"),
        place=st.sampled_from(["", "x", "y"]),
        delay=st.sampled_from([0.0, -1.0, 5.0]),
    )
    def offer(self, kind: str, job_id: str, partition: str, place: str, delay: float) -> None:
        answer = self.queue.offer(kind, job_id, "", partition=partition, place=place, delay_seconds=delay)
        if job_id in self.finished:
            assert answer is Submission.FINISHED
        elif job_id in self.waiting or any(job.id == job_id for job in self.running):
            assert answer is Submission.RUNNING
        else:
            assert answer is Submission.ACCEPTED
            self.waiting[job_id] = (kind, partition, place, self.clock.monotonic() + max(0.0, delay))

    @rule(seed=st.none() | st.integers(0, 9))
    def take(self, seed: int | None) -> None:
        could = [job_id for job_id in self.waiting if self._could_begin(job_id)]
        assert self.queue.ready() == bool(could)
        job = self.queue.take(None if seed is None else random.Random(seed))
        assert (job is not None) == bool(could)
        if job is not None:
            assert job.id in could
            del self.waiting[job.id]
            self.running.append(job)

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 9), killed=st.booleans())
    def end(self, which: int, killed: bool) -> None:
        job = self.running.pop(which % len(self.running))
        if killed:
            self.queue.put_back(job)
            self.waiting[job.id] = (job.kind.name, job.partition, job.place, job.due_seconds)
        else:
            self.queue.end(job)
            self.finished[job.id] = self.clock.monotonic()

    @rule(seconds=st.sampled_from([1.0, 5.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule(keep=st.sampled_from([0.0, 3.0]))
    def sweep(self, keep: float) -> None:
        old = [job_id for job_id, at in self.finished.items() if at < self.clock.monotonic() - keep]
        assert self.queue.sweep(keep) == len(old)
        for job_id in old:
            del self.finished[job_id]

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.queue.running() == {job.id for job in self.running}
        assert self.queue.waiting_ids() == set(self.waiting)
        assert self.queue.waiting() == len(self.waiting)
        ahead = [due - self.clock.monotonic() for *_rest, due in self.waiting.values() if due > self.clock.monotonic()]
        assert self.queue.ahead_seconds() == min(ahead, default=None)

    @invariant()
    def limits_hold(self) -> None:
        for kind, workers in WORKERS.items():
            running = [job for job in self.running if job.kind.name == kind]
            assert len(running) <= workers
            assert len({job.partition for job in running}) == len(running)
            places = collections.Counter(job.place for job in running if job.place)
            assert max(places.values(), default=0) <= (PER_PLACE[kind] or workers)

    def _could_begin(self, job_id: str) -> bool:
        kind, partition, place, due = self.waiting[job_id]
        running = [job for job in self.running if job.kind.name == kind]
        at_place = sum(job.place == place for job in running) if place else 0
        return (
            due <= self.clock.monotonic()
            and len(running) < WORKERS[kind]
            and partition not in {job.partition for job in running}
            and at_place < (PER_PLACE[kind] or WORKERS[kind])
        )


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


def test_what_came_first_begins_first_and_what_was_cut_off_keeps_its_turn() -> None:
    queue = Queue(HandClock())
    queue.register("work", lambda _argument: None, 9, None)
    for name in "abcd":
        queue.offer("work", name, "", partition=name, place="", delay_seconds=0)
    first, second = queue.take(), queue.take()
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == ("a", "b")
    queue.put_back(first)
    again = queue.take()
    assert again == first


@pytest.mark.parametrize(("workers", "per_place"), [(0, None), (1, 0), (-1, 1)])
def test_a_kind_nobody_could_run_is_a_defect(workers: int, per_place: int | None) -> None:
    with pytest.raises(ValueError, match="cannot be registered"):
        Queue(HandClock()).register("work", lambda _argument: None, workers, per_place)
