"""Any job engine under any order of submissions, ends, defects, stops and restarts, against a model that knows only the rules."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from haulage.base.clock import SystemClock
from haulage.engine.jobs.engine import JobEngine, Submission
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.jobs.threaded import ThreadedJobs
from haulage.testing.clock import HandClock
from tests import machines

WORKERS = {"fetch": 3, "put": 2}
PER_PLACE: dict[str, int | None] = {"fetch": None, "put": 1}
_PATIENCE_SECONDS = 60
ids = st.integers(0, 15).map("job{}".format)
which = st.integers(0, 1_000)


class Killed(BaseException):
    """The process ends here."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A job that was accepted."""

    kind: str
    partition: str
    place: str
    due_seconds: float


class Machine(RuleBasedStateMachine):
    """``open`` were accepted and have not ended, ``ended`` may not run again."""

    engine: JobEngine

    @initialize()
    def begin(self) -> None:
        self.open: dict[str, Wanted] = {}
        self.ended: set[str] = set()
        self.defects: list[str] = []
        self.start_anew()

    def new_engine(self) -> JobEngine:
        raise NotImplementedError

    def now_seconds(self) -> float:
        raise NotImplementedError

    def function(self, job_id: str) -> None:
        raise NotImplementedError

    def start_anew(self) -> None:
        """A process begins, and knows nothing of the one before."""
        self.engine = self.new_engine()
        for kind, workers in WORKERS.items():
            self.engine.register(kind, self.function, workers, per_place=PER_PLACE[kind])
        self.engine.start()

    def has_room(self, job: Wanted, running: list[Wanted]) -> bool:
        """Whether it may begin beside those."""
        same = [other for other in running if other.kind == job.kind]
        limit = PER_PLACE[job.kind]
        return (
            len(same) < WORKERS[job.kind]
            and all(other.partition != job.partition for other in same)
            and (limit is None or not job.place or sum(other.place == job.place for other in same) < limit)
        )

    @rule(
        job_id=ids,
        kind=st.sampled_from(sorted(WORKERS)),
        partition=st.sampled_from("abc"),
        place=st.sampled_from(["", "P1", "P2"]),
        delay=st.sampled_from([0.0, 0.0, 0.0, 3600.0]),
    )
    def submit(self, job_id: str, kind: str, partition: str, place: str, delay: float) -> None:
        answer = self.engine.submit(kind, job_id, job_id, partition=partition, place=place, delay_seconds=delay)
        if job_id in self.ended:
            assert answer is Submission.FINISHED
        elif job_id in self.open:
            assert answer is Submission.RUNNING
        else:
            assert answer is Submission.ACCEPTED
            self.open[job_id] = Wanted(kind=kind, partition=partition, place=place, due_seconds=self.now_seconds() + delay)
        self.catch_up()

    def catch_up(self) -> None:
        """Let the engine do what it does by itself."""

    @rule()
    def sweep_recent(self) -> None:
        assert self.engine.sweep(keep_seconds=1e9) == 0

    @rule()
    def sweep_all(self) -> None:
        self.engine.sweep(keep_seconds=-1e9)
        self.ended.clear()


class SteppedMachine(Machine):
    """One job at a time, by a clock of our own; a job may submit another, raise, or die."""

    def new_engine(self) -> JobEngine:
        self.clock = HandClock()
        self.ran: list[str] = []
        self.then = ""
        self.stepped = SteppedJobs(self.clock, random.Random(len(self.open)), lambda job_id, _defect: self.defects.append(job_id))
        return self.stepped

    def now_seconds(self) -> float:
        return self.clock.monotonic()

    def function(self, job_id: str) -> None:
        assert self.engine.running() == {job_id}
        self.ran.append(job_id)
        if self.then == "kill":
            raise Killed
        if self.then == "raise":
            raise ZeroDivisionError
        if self.then == "submit":
            self.submit(f"{job_id}+", "put", "c", "P1", 0.0)

    @rule(then=st.sampled_from(["", "", "raise", "submit", "kill"]))
    def step(self, then: str) -> None:
        due = {job_id for job_id, job in self.open.items() if job.due_seconds <= self.now_seconds()}
        assert (self.stepped.next_due_seconds() == 0.0) == bool(due)
        self.then, self.ran, defects = then, [], len(self.defects)
        try:
            assert self.stepped.step() == bool(due)
        except Killed:
            assert self.ran
            assert self.ran[0] in due
            return
        assert len(self.ran) == min(len(due), 1)
        if self.ran:
            assert self.ran[0] in due
            del self.open[self.ran[0]]
            self.ended.add(self.ran[0])
        assert len(self.defects) - defects == (1 if then == "raise" and due else 0)

    @rule(seconds=st.sampled_from([1.0, 3599.0, 3600.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule()
    def stop_and_go_on(self) -> None:
        self.engine.stop(0)
        assert not self.stepped.step()
        self.engine.start()

    @rule()
    def lose_everything(self) -> None:
        self.stepped.lose_everything()
        self.open.clear()
        self.ended.clear()

    @invariant()
    def it_knows_what_waits(self) -> None:
        if hasattr(self, "open"):
            assert self.stepped.waiting() == set(self.open)


class ThreadedMachine(Machine):
    """Real threads: every job waits at its gate until it is let through, so that what runs beside what is known."""

    def new_engine(self) -> JobEngine:
        self.changed = threading.Condition()
        self.gates: dict[str, str] = {}
        self.begun: Counter[str] = Counter()
        self.through: Counter[str] = Counter()
        return ThreadedJobs(SystemClock(), on_defect=lambda job_id, _defect: self.defects.append(job_id))

    def now_seconds(self) -> float:
        return 0.0

    def function(self, job_id: str) -> None:
        with self.changed:
            self.begun[job_id] += 1
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: job_id in self.gates, _PATIENCE_SECONDS)
            how = self.gates.pop(job_id)
        if how == "raise":
            raise ZeroDivisionError
        if how == "submit":
            self.engine.submit("put", f"{job_id}+", f"{job_id}+", partition="c", place="P1")

    def begun_now(self) -> set[str]:
        """Ids that stand at their gates."""
        return set(self.begun - self.through)

    def catch_up(self) -> None:
        """Until everything stands at its gate that has room: no slot stays empty while something could use it."""

        def full() -> bool:
            running = self.begun_now()
            beside = [self.open[job_id] for job_id in running]
            waiting = [job for job_id, job in self.open.items() if job_id not in running and not job.due_seconds]
            return not any(self.has_room(job, beside) for job in waiting)

        with self.changed:
            assert self.changed.wait_for(full, _PATIENCE_SECONDS), "something could run and does not"

    @precondition(lambda self: self.open and self.begun_now())
    @rule(number=which, how=st.sampled_from(["end", "end", "raise", "submit"]))
    def let_through(self, number: int, how: str) -> None:
        running = sorted(self.begun_now())
        job_id = running[number % len(running)]
        defects = len(self.defects)
        with self.changed:
            self.gates[job_id] = how
            self.changed.notify_all()
        ticks = threading.Event()
        for _ in range(_PATIENCE_SECONDS * 500):
            if job_id not in self.engine.running():
                break
            ticks.wait(0.002)
        else:
            raise AssertionError("it does not end")
        with self.changed:
            self.through[job_id] += 1
            del self.open[job_id]
            self.ended.add(job_id)
            if how == "submit" and f"{job_id}+" not in self.open and f"{job_id}+" not in self.ended:
                self.open[f"{job_id}+"] = Wanted(kind="put", partition="c", place="P1", due_seconds=0.0)
        assert len(self.defects) - defects == (how == "raise")
        self.catch_up()

    @rule()
    def restart(self) -> None:
        """What runs may end, what waits is forgotten; so is what had ended."""
        self._finish()
        self.open.clear()
        self.ended.clear()
        self.start_anew()

    def _finish(self) -> None:
        stopper = threading.Thread(target=self.engine.stop, args=(_PATIENCE_SECONDS,))
        with self.changed:
            # Nobody begins after this, for the engine's own lock is taken first by whoever stops it.
            self.gates |= dict.fromkeys([*self.open, *(f"{each}+" for each in self.open)], "end")
            self.changed.notify_all()
        stopper.start()
        stopper.join()
        assert self.engine.running() == frozenset()

    def teardown(self) -> None:
        if hasattr(self, "open"):
            self._finish()

    @invariant()
    def limits_hold(self) -> None:
        if not hasattr(self, "open"):
            return
        running = [self.open[job_id] for job_id in self.begun_now()]
        assert set(self.engine.running()) == self.begun_now()
        for position, job in enumerate(running):
            assert self.has_room(job, running[:position])

    @invariant()
    def an_id_runs_once(self) -> None:
        if hasattr(self, "open"):
            assert all(count <= 1 for count in (self.begun - self.through).values())


def test_q281754_q319207_the_stepped_engine_keeps_the_rules() -> None:
    machines.run(SteppedMachine, examples=40, steps=50)


def test_q281754_q319207_the_threaded_engine_keeps_the_rules() -> None:
    machines.run(ThreadedMachine, examples=12, steps=30)
