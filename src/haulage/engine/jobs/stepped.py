"""A job engine that runs exactly one job per step, by an injected clock, in an order a given generator chooses. For tests of the
domain and the simulation; must know no threads and no disk."""

from __future__ import annotations

import random

from haulage.base.clock import Clock
from haulage.engine.jobs.engine import JobFunction, OnDefect, Submission, report_defect
from haulage.engine.jobs.queue import Job, Queue


class SteppedJobs:
    """Implements JobEngine; nothing runs but in :meth:`step`."""

    def __init__(self, clock: Clock, chooser: random.Random | None = None, on_defect: OnDefect | None = None) -> None:
        self._chooser = chooser
        self._on_defect = on_defect
        self._queue = Queue(clock)
        self._current: Job | None = None
        self._started = False

    def register(self, kind: str, function: JobFunction, workers: int, *, per_place: int | None = None) -> None:
        self._queue.register(kind, function, workers, per_place)

    def submit(
        self, kind: str, job_id: str, argument: str, *, partition: str, place: str = "", delay_seconds: float = 0
    ) -> Submission:
        return self._queue.offer(kind, job_id, argument, partition=partition, place=place, delay_seconds=delay_seconds)

    def start(self) -> None:
        self._started = True

    def stop(self, grace_seconds: float) -> None:  # noqa: ARG002  (a step has ended before anybody can ask)
        self._started = False

    def running(self) -> frozenset[str]:
        return self._queue.running()

    def waiting(self) -> frozenset[str]:
        """Ids of the jobs that have not run yet."""
        return self._queue.waiting_ids()

    def sweep(self, keep_seconds: float) -> int:
        return self._queue.sweep(keep_seconds)

    def step(self) -> bool:
        """Run one due job to its end; False when none is due.

        An Exception is a defect of the job, logged, and the job has ended. Anything else (a simulated kill) passes through, and
        the job is still waiting."""
        if not self._started or self._current is not None:
            return False
        job = self._current = self._queue.take(self._chooser)
        if job is None:
            return False
        try:
            job.kind.function(job.argument)
        except Exception as defect:
            report_defect(job.id, defect, self._on_defect)
        except BaseException:
            self._queue.put_back(job)
            raise
        finally:
            self._current = None
        self._queue.end(job)
        return True

    def next_due_seconds(self) -> float | None:
        """In how many seconds the next job is due (0: now); None when nothing waits. So a simulation knows how far to move."""
        return 0.0 if self._queue.ready() else self._queue.ahead_seconds()

    def lose_everything(self) -> None:
        """As if the process had ended."""
        self._queue.forget()
