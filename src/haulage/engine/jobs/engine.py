"""What the domain knows of jobs: a kind, an id, one argument, a partition. Truth is never in here: a job is a wake-up for a duty
that stands in a table and stays due until a job has ended well, so an engine keeps nothing beyond its process (decision 0006).

A job function looks at wanted and present and closes the gap; it runs at least once, so it must be harmless to run twice. Jobs
never retry by themselves: the duty's row decides whether and when there is a next one, under another id.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from haulage.base.errors import UsageError

JobFunction = Callable[[str], None]
"""Takes the job's argument. What it raises is a defect: logged, and the job ends."""

OnDefect = Callable[[str, BaseException], None]
"""Told of a job (by id) that ended by a defect, after it was logged; must not raise."""

_ID_CHARACTERS = 500

_log = logging.getLogger("haulage.jobs")


class Submission(enum.Enum):
    """What became of a submission."""

    ACCEPTED = "accepted"
    RUNNING = "running"
    """A job of that id is waiting or running already; nothing was added."""
    FINISHED = "finished"
    """A job of that id has ended already in this process and does not run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job: what runs it and how many at once."""

    name: str
    function: JobFunction
    workers: int
    per_place: int | None = None
    """How many at once for one place; None for as many as there are workers."""


class JobEngine(Protocol):
    """Runs jobs: each id once, one at a time per partition of a kind, at most ``workers`` of a kind and ``per_place`` of a kind
    for one place at once."""

    def register(self, kind: str, function: JobFunction, workers: int, *, per_place: int | None = None) -> None:
        """Make a kind known. Before ``start``."""
        ...

    def submit(
        self, kind: str, job_id: str, argument: str, *, partition: str, place: str = "", delay_seconds: float = 0
    ) -> Submission:
        """Ask for a job, not before ``delay_seconds`` from now. Any number of racing callers get one run per id. A job without a
        place is not counted at any.

        Raises UsageError ``bad-job`` for an unknown kind, an empty id or partition."""
        ...

    def start(self) -> None:
        """Begin running jobs. Of those a killed process had, it knows nothing: their duties are still due."""
        ...

    def stop(self, grace_seconds: float) -> None:
        """Take no more jobs and wait so long for running ones. A process that still has ``running()`` jobs then must end with
        ``os._exit``, since Python waits for their threads."""
        ...

    def running(self) -> frozenset[str]:
        """Ids of the jobs in the hands of this process."""
        ...

    def sweep(self, keep_seconds: float) -> int:
        """Forget jobs that finished longer ago than told; returns how many. Their ids may be used again."""
        ...


class Kinds:
    """The registered kinds and the checks every submission passes: a job that could never run is refused loudly."""

    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def add(self, name: str, function: JobFunction, workers: int, per_place: int | None = None) -> Kind:
        """Register one. Raises ValueError for what only a defect can ask."""
        if not name or name in self._kinds or workers < 1 or (per_place is not None and per_place < 1):
            raise ValueError(f"kind {name!r} with {workers} workers, {per_place} per place, cannot be registered")
        kind = self._kinds[name] = Kind(name=name, function=function, workers=workers, per_place=per_place)
        return kind

    def all(self) -> list[Kind]:
        """Every kind, in the order of registration."""
        return list(self._kinds.values())

    def checked(self, kind: str, job_id: str, partition: str) -> Kind:
        """The kind of a submission that can run. Raises UsageError ``bad-job``."""
        problem = None
        if kind not in self._kinds:
            problem = f"there is no kind {kind!r}"
        elif not job_id or len(job_id) > _ID_CHARACTERS:
            problem = "its id is empty or too long"
        elif not partition:
            problem = "it has no partition"
        if problem:
            raise UsageError("bad-job", f"Job {job_id!r} cannot be submitted: {problem}.", "This is a defect; please report it.")
        return self._kinds[kind]


def report_defect(job_id: str, defect: BaseException, on_defect: OnDefect | None) -> None:
    """What every engine does when a job function raises."""
    _log.error("job %s ended by a defect", job_id, exc_info=defect)
    try:
        if on_defect is not None:
            on_defect(job_id, defect)
    except Exception:
        _log.exception("the defect of job %s could not be told", job_id)
