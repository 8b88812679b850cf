"""Which job may begin now: its time has come, its kind has a worker free, its partition and its place have room. Knows no
thread and no disk; whoever shares a queue between threads brings the lock."""

from __future__ import annotations

import collections
import random
from collections.abc import Iterator
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.engine.jobs.engine import JobFunction, Kind, Kinds, Submission


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job that waits or runs."""

    number: int
    """In the order of submission."""
    id: str
    kind: Kind
    argument: str
    partition: str
    place: str
    due_seconds: float


class Queue:
    """The jobs of one engine, by the injected clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kinds = Kinds()
        self._waiting: dict[str, dict[str, Job]] = {}
        """By kind, so that what waits for a busy kind costs the others nothing."""
        self._running: dict[str, Job] = {}
        self._taken: collections.Counter[tuple[str, ...]] = collections.Counter()
        """Running jobs by kind, by kind and partition, by kind and place."""
        self._finished: dict[str, float] = {}
        self._number = 0

    def register(self, kind: str, function: JobFunction, workers: int, per_place: int | None) -> None:
        """Make a kind known."""
        self._kinds.add(kind, function, workers, per_place)
        self._waiting[kind] = {}

    @property
    def workers(self) -> int:
        """The most jobs that can run at once."""
        return sum(kind.workers for kind in self._kinds.all())

    def offer(self, kind: str, job_id: str, argument: str, *, partition: str, place: str, delay_seconds: float) -> Submission:
        """Take a job in, unless one of its id is known. Raises UsageError ``bad-job``."""
        found = self._kinds.checked(kind, job_id, partition)
        if job_id in self._finished:
            return Submission.FINISHED
        if job_id in self._running or any(job_id in waiting for waiting in self._waiting.values()):
            return Submission.RUNNING
        self._number += 1
        self._waiting[kind][job_id] = Job(
            number=self._number,
            id=job_id,
            kind=found,
            argument=argument,
            partition=partition,
            place=place,
            due_seconds=self._clock.monotonic() + max(0.0, delay_seconds),
        )
        return Submission.ACCEPTED

    def take(self, chooser: random.Random | None = None) -> Job | None:
        """A job that may begin, which then counts as running: the one ``chooser`` chooses, or the one that came first to a kind
        that has room; None when there is none."""
        if chooser is None:
            job = next(self._ready(), None)
        else:
            ready = sorted(self._ready(), key=lambda each: each.number)
            job = chooser.choice(ready) if ready else None
        if job is not None:
            del self._waiting[job.kind.name][job.id]
            self._running[job.id] = job
            self._taken.update(_slots(job))
        return job

    def end(self, job: Job) -> None:
        """It has run, and does not run again."""
        self._leave(job)
        self._finished[job.id] = self._clock.monotonic()

    def put_back(self, job: Job) -> None:
        """It was cut off, and waits again where it stood."""
        self._leave(job)
        waiting = [*self._waiting[job.kind.name].values(), job]
        self._waiting[job.kind.name] = {each.id: each for each in sorted(waiting, key=lambda each: each.number)}

    def ready(self) -> bool:
        """Whether a job may begin now."""
        return next(self._ready(), None) is not None

    def ahead_seconds(self) -> float | None:
        """In how many seconds the next job comes due; None when none waits for its time."""
        now = self._clock.monotonic()
        ahead = [job.due_seconds - now for waiting in self._waiting.values() for job in waiting.values() if job.due_seconds > now]
        return min(ahead, default=None)

    def running(self) -> frozenset[str]:
        """Ids of the jobs that run."""
        return frozenset(self._running)

    def waiting(self) -> int:
        """How many jobs have not begun."""
        return sum(map(len, self._waiting.values()))

    def waiting_ids(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(job_id for waiting in self._waiting.values() for job_id in waiting)

    def sweep(self, keep_seconds: float) -> int:
        """Forget ids that ended longer ago than told; returns how many."""
        limit = self._clock.monotonic() - keep_seconds
        old = [job_id for job_id, at in self._finished.items() if at < limit]
        for job_id in old:
            del self._finished[job_id]
        return len(old)

    def forget(self) -> None:
        """Forget everything that does not run."""
        self._finished.clear()
        for waiting in self._waiting.values():
            waiting.clear()

    def _ready(self) -> Iterator[Job]:
        now = self._clock.monotonic()
        for kind in self._kinds.all():
            if self._taken[(kind.name,)] < kind.workers:
                yield from (job for job in self._waiting[kind.name].values() if job.due_seconds <= now and self._has_room(job))

    def _has_room(self, job: Job) -> bool:
        _kind, partition, *place = _slots(job)
        return not self._taken[partition] and all(self._taken[each] < (job.kind.per_place or 0) for each in place)

    def _leave(self, job: Job) -> None:
        del self._running[job.id]
        for slot in _slots(job):
            self._taken[slot] -= 1
            if not self._taken[slot]:
                del self._taken[slot]


def _slots(job: Job) -> list[tuple[str, ...]]:
    """What a running job takes room of."""
    slots: list[tuple[str, ...]] = [(job.kind.name,), (job.kind.name, "partition", job.partition)]
    return [*slots, (job.kind.name, "place", job.place)] if job.kind.per_place is not None and job.place else slots
