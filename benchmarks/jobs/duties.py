"""A site in miniature: duties in a table, a pump that hands over what is due, attempts that write their end. The same rules as
``domain/transit`` and ``server/pipeline``, so small that what is measured is the job engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from haulage.engine.database.transaction import Database, Transaction, open_database
from haulage.engine.jobs.engine import JobEngine, Submission

AHEAD = 8
"""So many duties for each worker are looked at: all that can begin before the next look."""
LOOK_SECONDS = 2.0
KIND = "point"

metadata = sa.MetaData()
duties = sa.Table(
    "duties",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("place", sa.Text, nullable=False),
    sa.Column("due", sa.Float, index=True),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("effects", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("held_until", sa.Float, nullable=False),
)
IDLE = {"due": None, "run": 0, "effects": 0, "holder": "", "held_until": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A duty whose time has come."""

    id: int
    place: str
    run: int

    @property
    def job(self) -> str:
        """The id of its next job."""
        return f"{self.id}:{self.run}"


class Look(Protocol):
    """How the pump finds what may be handed over."""

    def __call__(self, database: Database, now: float, limit: int) -> Sequence[Due]: ...


def look(database: Database, now: float, limit: int) -> Sequence[Due]:
    """What is due, to read only."""
    with database.reading() as tx:
        return read_due(tx, duties.c.due <= now, limit)


def read_due(tx: Transaction, condition: sa.ColumnElement[bool], limit: int) -> Sequence[Due]:
    """The longest due duties for which the condition holds."""
    query = sa.select(duties.c.id, duties.c.place, duties.c.run).where(condition).order_by(duties.c.due, duties.c.id).limit(limit)
    return [Due(id=row.id, place=row.place, run=row.run) for row in tx.execute(query.with_for_update(skip_locked=True))]


class Site:
    """Duties, pump and engine of one process."""

    def __init__(self, url: str, engine: JobEngine, workers: int, work: Callable[[int], None], looking: Look = look) -> None:
        self.database = open_database(url)
        with self.database.writing() as tx:
            metadata.create_all(tx)
        self.engine = engine
        self._work, self._look, self._limit = work, looking, AHEAD * workers
        self._handed: set[str] = set()
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._pump = threading.Thread(target=self._run_pump, name="pump", daemon=True)
        engine.register(KIND, self._attempt, workers)

    def start(self) -> None:
        """Begin to work."""
        self.engine.start()
        self._pump.start()

    def stop(self) -> None:
        """End as a server does."""
        self._stopping.set()
        self._bell.set()
        self.engine.stop(3.0)
        self._pump.join(1.0)
        self.database.close()

    def add(self, count: int, *, due: bool) -> None:
        """Write down so many duties, in one transaction, and ring."""
        now = time.time()
        rows = [IDLE | {"id": number, "place": f"P{number % 50}", "due": now if due else None} for number in range(count)]
        with self.database.writing() as tx:
            tx.execute(duties.insert(), rows)
            self.database.after_commit(tx, self._bell.set)

    def arm(self, number: int) -> None:
        """One duty is due now."""
        with self.database.writing() as tx:
            tx.execute(duties.update().where(duties.c.id == number).values(due=time.time()))
            self.database.after_commit(tx, self._bell.set)

    def left(self) -> int:
        """How many are due still."""
        with self.database.reading() as tx:
            return tx.execute(sa.select(sa.func.count()).select_from(duties).where(duties.c.due.is_not(None))).scalar_one()

    def effects(self) -> dict[int, int]:
        """How many duties had how many effects."""
        with self.database.reading() as tx:
            rows = tx.execute(sa.select(duties.c.effects, sa.func.count()).group_by(duties.c.effects)).all()
        return {int(effects): int(count) for effects, count in rows}

    def _run_pump(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()
            for due in self._look(self.database, time.time(), self._limit):
                if due.job not in self._handed:
                    self._handed.add(due.job)
                    argument = f"{due.id}|{due.run}"
                    answer = self.engine.submit(KIND, due.job, argument, partition=str(due.id), place=due.place)
                    if answer is Submission.FINISHED:  # its end was not written: under the next number it runs again
                        self._end(due.id, due.run, effects=0, again=time.time())
            self._bell.wait(LOOK_SECONDS)

    def _attempt(self, argument: str) -> None:
        """One try: a job that was done already does nothing."""
        number, run = (int(part) for part in argument.split("|"))
        with self.database.reading() as tx:
            found = tx.execute(sa.select(duties.c.run, duties.c.due).where(duties.c.id == number)).one()
        if found.run == run and found.due is not None:
            self._work(number)
            self._end(number, run, effects=1, again=None)

    def _end(self, number: int, run: int, *, effects: int, again: float | None) -> None:
        with self.database.writing() as tx:
            tx.execute(
                duties.update()
                .where(duties.c.id == number, duties.c.run == run)
                .values(run=run + 1, effects=duties.c.effects + effects, due=again, holder="", held_until=0.0)
            )
            self.database.after_commit(tx, self._bell.set)
