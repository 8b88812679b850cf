"""The one table of jobs: kind, function, what makes it due; and the pump that submits what is due.

The tables are the truth and the pump only looks at them: a lost job or a lost wake-up costs a moment, and what a killed server had
in hand is still due when the next one looks.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.base.ids import PackageId, Place
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.engine.database.transaction import Transaction
from haulage.engine.jobs.engine import JobEngine, Submission
from haulage.server.core import SiteCore

JOB_KINDS = ("capture", "site", "point", "survey", "import", "index")
"""Every kind of job; the id of a job begins with its kind and a colon."""
AHEAD = 8
"""So many duties for each worker are looked at: more than can begin before the next look, and few, because every job's end asks
for one."""
CAPTURES = 2
"""One keeps all processors busy; the second is for when a source hangs."""
AHEAD_AT_ONE_PLACE = 2
"""The same for each job that one place may have: a place that hangs would else hide all others behind its own duties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One job that should run now. ``over`` is called when the engine says a job of that id has ended although the duty has not."""

    id: str
    argument: str
    partition: str
    place: str
    over: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One row of the table."""

    kind: str
    workers: int
    per_place: int | None = None
    run: Callable[[str], None]
    due: Callable[[Transaction, dt.datetime], Sequence[Due]]


def job_kinds(core: SiteCore, workers: int) -> list[JobKind]:
    """Every kind of job a site runs."""

    def site(argument: str) -> None:
        package, where, run = argument.split("|")
        core.attempts.run(PackageId(package), Place(where), int(run), core.site_duty.work)

    def point(argument: str) -> None:
        package, where, run = argument.split("|")
        core.attempts.run(PackageId(package), Place(where), int(run), core.point_duty.work)

    per_place = max(1, workers // 2)

    def site_duties(tx: Transaction, now: dt.datetime) -> Sequence[Due]:
        due = transit.due_shipments(tx, core.code, now, AHEAD * workers, kind="site")
        return [_shipment_job(core, row) for row in due]

    def point_duties(tx: Transaction, now: dt.datetime) -> Sequence[Due]:
        at_one_place = AHEAD_AT_ONE_PLACE * per_place
        due = transit.due_shipments(tx, core.code, now, AHEAD * workers, kind="point", at_one_place=at_one_place)
        return [_shipment_job(core, row) for row in due]

    def captures(tx: Transaction, _now: dt.datetime) -> Sequence[Due]:
        return [
            Due(
                id=f"capture:{source.package}:{source.requested}",
                argument=source.package,
                partition=source.package,
                place=core.code,
                over=functools.partial(core.publisher.again, source.package),
            )
            for source in core.publisher.due(tx)
        ]

    def surveys(_tx: Transaction, now: dt.datetime) -> Sequence[Due]:
        return [
            Due(id=f"survey:{where}:{when.isoformat()}", argument=where, partition=where, place=where, over=_nothing)
            for where, when in core.survey.due(now)
        ]

    def imports(tx: Transaction, _now: dt.datetime) -> Sequence[Due]:
        due = core.importer.due(tx)[:1]
        return [
            Due(id=f"import:{one.number}", argument=str(one.number), partition="articles", place=core.code, over=_nothing)
            for one in due
        ]

    def indexing(tx: Transaction, _now: dt.datetime) -> Sequence[Due]:
        run = core.librarian.due(tx)
        if run is None:
            return []
        return [Due(id=f"index:{run}", argument="", partition="index", place=core.code, over=core.librarian.again)]

    return [
        JobKind(kind="capture", workers=CAPTURES, run=lambda package: core.publisher.run(PackageId(package)), due=captures),
        JobKind(kind="site", workers=workers, run=site, due=site_duties),
        JobKind(kind="point", workers=workers, per_place=per_place, run=point, due=point_duties),
        JobKind(kind="survey", workers=workers, run=lambda where: core.survey.run(Place(where)), due=surveys),
        JobKind(kind="import", workers=1, run=lambda number: core.importer.run(int(number)), due=imports),
        JobKind(kind="index", workers=1, run=lambda _nothing: core.librarian.run(), due=indexing),
    ]


def _shipment_job(core: SiteCore, row: Shipment) -> Due:
    return Due(
        id=f"{row.kind}:{row.package}:{row.wanted}:{row.place}:{row.generation}:{row.run}",
        argument=f"{row.package}|{row.place}|{row.run}",
        partition=f"{row.package}@{row.place}",
        place=row.place,
        over=lambda: core.attempts.renumber(row.package, row.place, row.run),
    )


def _nothing() -> None:
    """A survey that ended is planned no more."""


class Pump:
    """Submits what is due."""

    def __init__(self, core: SiteCore, engine: JobEngine, clock: Clock, *, workers: int = 4) -> None:
        self._core = core
        self._engine = engine
        self._clock = clock
        self._kinds = job_kinds(core, workers)
        for kind in self._kinds:
            engine.register(kind.kind, kind.run, kind.workers, per_place=kind.per_place)
        self.found = 0
        """How many duties were due at the last look."""

    def turn(self) -> int:
        """Look once; returns how many jobs were handed over."""
        running = self._engine.running()
        with self._core.database.reading() as tx:
            now = self._clock.now()
            found = [(kind.kind, due) for kind in self._kinds for due in kind.due(tx, now) if due.id not in running]
        self.found, started = len(found), 0
        for kind, due in found:
            answer = self._engine.submit(kind, due.id, due.argument, partition=due.partition, place=due.place)
            started += answer is Submission.ACCEPTED
            if answer is Submission.FINISHED:
                due.over()
        return started

    def next_due(self) -> dt.datetime | None:
        """When something will be due by itself."""
        with self._core.database.reading() as tx:
            shipment = transit.next_due(tx, self._core.code, self._clock.now())
        times = [when for when in (shipment, self._core.survey.next_due()) if when is not None]
        return min(times, default=None)
