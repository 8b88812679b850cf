"""A journal and the cursors on it, for tests of who is told."""

from __future__ import annotations

import datetime as dt
import random

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.cursors import Cursors, Gathering, Plan, Receiver
from haulage.domain.telling.notifier import Answer, Outcome, Progress
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import StatusFilter
from haulage.engine.status.on_packages import POINT_COPY_FAILED, UNCHANGED
from haulage.testing.clock import HandClock
from haulage.testing.scratch import empty_database

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
HQ1 = SiteCode("HQ1")
OPS = Receiver(name="ops", settings="a", asked=Asked(severity="warning"))
PEOPLE = Receiver(
    name="people",
    settings="a",
    asked=Asked(severity="warning"),
    gathering=Gathering(first_seconds=60, every_seconds=600, lines=3),
)
REFUSED = Answer(outcome=Outcome.FAILED, said="500 Internal Server Error")


class Telling:
    """One site whose messages are told to somebody."""

    def __init__(self, *receivers: Receiver, keep_messages: int = 100) -> None:
        self.clock, self.database = HandClock(START), empty_database()
        self.journal = Journal(self.database, clock=self.clock, site=HQ1, epoch=lambda _tx: 1)
        self.keep_messages = keep_messages
        self.cursors = self.start(*receivers)

    def start(self, *receivers: Receiver) -> Cursors:
        """A server starts, with nothing in memory."""
        self.cursors = Cursors(
            HQ1,
            database=self.database,
            journal=self.journal,
            clock=self.clock,
            chance=random.Random(1),
            keep=dt.timedelta(days=3),
            keep_messages=self.keep_messages,
        )
        self.cursors.begin(receivers)
        return self.cursors

    def warn(self, cause: str = "x", place: str = "HQ1/P1") -> int:
        """An error; returns its local id."""
        with self.database.writing() as tx:
            self.journal.record(
                tx, POINT_COPY_FAILED, package=PackageId("HQ100001"), place=Place(place), version=1, cause=cause, code="x", tries=1
            )
            return self.journal.last_id(tx)

    def note(self) -> int:
        """An information."""
        with self.database.writing() as tx:
            self.journal.record(tx, UNCHANGED, package=PackageId("HQ100001"), version=1)
            return self.journal.last_id(tx)

    def row(self, to: Receiver) -> Progress:
        with self.database.reading() as tx:
            return self.cursors.progress(tx, to)

    def waiting(self, to: Receiver) -> int:
        with self.database.reading() as tx:
            return self.cursors.waiting(tx, to)

    def deliver(self, to: Receiver) -> list[int]:
        """Everything that is due arrives; returns the local ids in the order they went."""
        got: list[int] = []
        while (plan := self.cursors.plan(to)).messages:
            got += [message.id for message in plan.messages]
            self.told(to, plan)
        return got

    def told(self, to: Receiver, plan: Plan) -> None:
        if to.gathering is not None:
            self.cursors.told(to, plan.through, sum(plan.counts.values()))
        else:
            for message in plan.messages:
                self.cursors.told(to, message.id, 1)

    def fail(self, to: Receiver, times: int, answer: Answer = REFUSED) -> None:
        """It fails so often, each time when it is due."""
        for _ in range(times):
            due = self.row(to).due
            if due is not None and due > self.clock.now():
                self.clock.move((due - self.clock.now()).total_seconds())
            assert self.cursors.plan(to).messages
            self.cursors.failed(to, answer)

    def said(self, *numbers: int) -> list[dict[str, object]]:
        with self.database.reading() as tx:
            return [dict(one.record.fields) for one in self.journal.find(tx, StatusFilter(numbers=numbers))]
