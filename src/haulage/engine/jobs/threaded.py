"""The job engine of a server: threads that sleep until something may begin. It keeps nothing: what a killed process had in hand is
still due in its table, and the next process finds it there."""

from __future__ import annotations

import threading

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.engine.jobs.engine import JobFunction, OnDefect, Submission, report_defect
from haulage.engine.jobs.queue import Job, Queue


class ThreadedJobs:
    """Implements JobEngine. One thread for each job that can run at once; none of them wakes without a reason."""

    def __init__(self, clock: Clock, *, on_defect: OnDefect | None = None) -> None:
        self._on_defect = on_defect
        self._changed = threading.Condition()
        """Guards all that follows, and is told when a job came, one ended or the engine stops."""
        self._queue = Queue(clock)
        self._threads: list[threading.Thread] = []
        self._open = False

    def register(self, kind: str, function: JobFunction, workers: int, *, per_place: int | None = None) -> None:
        if self._threads:
            raise RuntimeError("kinds are registered before the engine starts")
        self._queue.register(kind, function, workers, per_place)

    def submit(
        self, kind: str, job_id: str, argument: str, *, partition: str, place: str = "", delay_seconds: float = 0
    ) -> Submission:
        with self._changed:
            if not self._open:
                raise TransferError(
                    "jobs-stopped", "The job engine is not running.", "Start the server, or wait until it has started."
                )
            answer = self._queue.offer(kind, job_id, argument, partition=partition, place=place, delay_seconds=delay_seconds)
            if answer is Submission.ACCEPTED:
                self._changed.notify()
        return answer

    def start(self) -> None:
        with self._changed:
            self._open = True
        self._threads = []
        for number in range(1, self._queue.workers + 1):
            thread = threading.Thread(target=self._work, name=f"haulage-job-{number}")
            thread.start()
            self._threads.append(thread)

    def stop(self, grace_seconds: float) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()
            ended = self._changed.wait_for(lambda: not self._queue.running(), grace_seconds)
        if ended:
            for thread in self._threads:
                thread.join()

    def running(self) -> frozenset[str]:
        with self._changed:
            return self._queue.running()

    def sweep(self, keep_seconds: float) -> int:
        with self._changed:
            return self._queue.sweep(keep_seconds)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.kind.function(job.argument)
            except BaseException as defect:  # even SystemExit of a library must not end the worker's thread
                report_defect(job.id, defect, self._on_defect)
            finally:
                with self._changed:
                    self._queue.end(job)
                    if not self._open:
                        self._changed.notify_all()

    def _next(self) -> Job | None:
        """The next job for this thread; None when the engine stops."""
        with self._changed:
            while self._open:
                job = self._queue.take()
                if job is not None:
                    if self._queue.waiting():
                        # Another may be free to begin as well, and somebody must watch the time in this thread's place.
                        self._changed.notify()
                    return job
                ahead = self._queue.ahead_seconds()
                self._changed.wait(None if ahead is None else min(ahead, threading.TIMEOUT_MAX))
        return None
