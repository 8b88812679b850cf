"""A job engine that runs exactly one job per step, by an injected clock, in an order a given generator chooses. For tests of the
domain and the simulation; must know no threads and no disk."""

from __future__ import annotations

import random
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.engine.jobs.engine import JobFunction, Kind, Kinds, OnDefect, Submission, report_defect


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    kind: Kind
    job_id: str
    argument: str
    partition: str
    due_seconds: float


class SteppedJobs:
    """Implements JobEngine; nothing runs but in :meth:`step`."""

    def __init__(self, clock: Clock, chooser: random.Random | None = None, on_defect: OnDefect | None = None) -> None:
        self._clock = clock
        self._chooser = chooser
        self._on_defect = on_defect
        self._kinds = Kinds()
        self._waiting: dict[str, _Waiting] = {}
        self._current: _Waiting | None = None
        self._finished: dict[str, float] = {}
        self._started = False

    def register(self, kind: str, function: JobFunction, workers: int) -> None:
        self._kinds.add(kind, function, workers)

    def submit(self, kind: str, job_id: str, argument: str, *, partition: str, delay_seconds: float = 0) -> Submission:
        found = self._kinds.checked(kind, job_id, partition)
        if job_id in self._finished:
            return Submission.FINISHED
        if job_id in self._waiting:
            return Submission.RUNNING
        due = self._clock.monotonic() + max(0.0, delay_seconds)
        self._waiting[job_id] = _Waiting(kind=found, job_id=job_id, argument=argument, partition=partition, due_seconds=due)
        return Submission.ACCEPTED

    def start(self) -> None:
        self._started = True

    def stop(self, grace_seconds: float) -> None:  # noqa: ARG002  (a step has ended before anybody can ask)
        self._started = False

    def running(self) -> frozenset[str]:
        return frozenset({self._current.job_id} if self._current else ())

    def waiting(self) -> frozenset[str]:
        """Ids of the jobs that have not run yet."""
        return frozenset(self._waiting)

    def sweep(self, keep_seconds: float) -> int:
        limit = self._clock.monotonic() - keep_seconds
        old = [job_id for job_id, at in self._finished.items() if at < limit]
        for job_id in old:
            del self._finished[job_id]
        return len(old)

    def step(self) -> bool:
        """Run one due job to its end; False when none is due.

        An Exception is a defect of the job, logged, and the job has ended. Anything else (a simulated kill) passes through, and
        the job is still waiting, as after a restart."""
        due = self._due()
        if not due:
            return False
        job = self._chooser.choice(due) if self._chooser else due[0]
        self._current = job
        try:
            job.kind.function(job.argument)
        except Exception as defect:
            report_defect(job.job_id, defect, self._on_defect)
        finally:
            self._current = None
        del self._waiting[job.job_id]
        self._finished[job.job_id] = self._clock.monotonic()
        return True

    def next_due_seconds(self) -> float | None:
        """In how many seconds the next job is due (0: now); None when nothing waits. So a simulation knows how far to move."""
        if not self._waiting:
            return None
        return max(0.0, min(job.due_seconds for job in self._waiting.values()) - self._clock.monotonic())

    def lose_everything(self) -> None:
        """As if the jobs database had been deleted."""
        self._waiting.clear()
        self._finished.clear()

    def _due(self) -> list[_Waiting]:
        if not self._started or self._current is not None:
            return []
        now = self._clock.monotonic()
        return [job for job in self._waiting.values() if job.due_seconds <= now]
