"""What each receiver is to be told next, and remembering what it was told: every message at least once, in order, whatever ends in
between. Knows no HTTP and no mail; whoever sends asks here before and reports here after."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from haulage.base.clock import Clock, iso
from haulage.base.ids import SiteCode
from haulage.domain.telling import records
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.notifier import Answer, Progress, after_failure, after_success, begun, mail_due, resettled, wants_saying
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Listed, Severity, StatusFilter
from haulage.engine.status.on_telling import ABOUT_TELLING, NOTIFIER_FAILS, NOTIFIER_SKIPPED, NOTIFIER_WORKS

POSTS = 20
"""So many messages are read at once for a receiver that gets them one by one."""
UNWRITTEN = 1000
"""A cursor may run so far ahead of its row over messages that are not for its receiver."""
_EVERY = 10_000_000
_OWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Several messages in one mail: how long they are gathered, how often one goes at most, how many it shows."""

    first_seconds: float
    every_seconds: float
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Who is told what. ``gathering`` None: each message by itself."""

    name: str
    settings: str
    """A digest of all that was set for it."""
    asked: Asked
    gathering: Gathering | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do now: send ``messages``, or if there are none, look again at ``again`` or when there is something new."""

    messages: Sequence[Listed] = ()
    counts: dict[Severity, int] = dataclasses.field(default_factory=dict)
    """Of a mail: all it tells, also what it does not show."""
    through: int = 0
    """Of a mail: the last it tells."""
    again: dt.datetime | None = None
    gone: bool = False


class Cursors:
    """The rows of all receivers of one site."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        journal: Journal,
        clock: Clock,
        chance: random.Random,
        keep: dt.timedelta,
        keep_messages: int,
    ) -> None:
        self._code = code
        self._database = database
        self._journal = journal
        self._clock = clock
        self._chance = chance
        self._keep = keep
        self._keep_messages = keep_messages
        self._looked: dict[str, int] = {}
        """Up to where nothing more is for a receiver; ahead of its row, and lost with the process."""

    def begin(self, receivers: Sequence[Receiver]) -> None:
        """The server starts: who is new begins with what comes from now on, who is gone is forgotten."""
        with self._database.writing() as tx:
            newest = self._journal.last_id(tx)
            for to in receivers:
                row = records.find(tx, to.name)
                records.put(tx, begun(to.name, to.settings, newest) if row is None else resettled(row, to.settings, newest))
            records.keep_only(tx, [to.name for to in receivers])

    def plan(self, to: Receiver) -> Plan:
        """What is to be sent now. Whoever fails is first rid of what is too old."""
        with self._database.reading() as tx:
            row = self.progress(tx, to)
        now = self._clock.now()
        if row.gone or (row.due is not None and now < row.due):
            return Plan(again=row.due, gone=row.gone)
        if row.tries:
            self._skip(to)
        if to.gathering is None:
            return self._posts(to)
        return self._mail(to, to.gathering)

    def told(self, to: Receiver, through: int, count: int) -> None:
        """Everything up to there arrived; the last ``count`` messages for it did."""
        with self._database.writing() as tx:
            row = self.progress(tx, to)
            if row.said:
                self._journal.record(tx, NOTIFIER_WORKS, notifier=to.name, tries=row.tries)
            records.put(tx, after_success(row, through, count, self._clock.now()))

    def failed(self, to: Receiver, answer: Answer) -> None:
        """It did not arrive, or nobody knows. One status message tells of each time that a receiver fails."""
        with self._database.writing() as tx:
            row = after_failure(self.progress(tx, to), answer, self._clock.now(), self._chance)
            if wants_saying(row):
                outlook = "Nothing more is sent until its settings change" if row.gone else "It is tried again, later each time"
                self._journal.record(tx, NOTIFIER_FAILS, notifier=to.name, cause=row.failure, outlook=outlook)
                row = dataclasses.replace(row, said=True)
            records.put(tx, row)

    def wake(self, to: Receiver) -> None:
        """It was seen to work: try at once, even if it had said that it wants no more."""
        with self._database.writing() as tx:
            records.put(tx, dataclasses.replace(self.progress(tx, to), due=None, gone=False))

    def waiting(self, tx: Transaction, to: Receiver) -> int:
        """How many messages wait for it, at most one more than are kept."""
        wanted = self._wanted(tx, to, self._from(self.progress(tx, to)))
        return self._journal.span(tx, wanted, limit=self._keep_messages + 1)[0] - len(self._own(tx, to, wanted))

    def progress(self, tx: Transaction, to: Receiver) -> Progress:
        """Its row."""
        row = records.find(tx, to.name)
        return row if row is not None else begun(to.name, to.settings, self._journal.last_id(tx))

    def _posts(self, to: Receiver) -> Plan:
        with self._database.reading() as tx:
            rows, through, more = self._next(tx, to, self.progress(tx, to))
        if not rows:
            self._pass(to, through)
            return Plan(again=self._clock.now() if more else None)
        return Plan(messages=rows)

    def _mail(self, to: Receiver, gathering: Gathering) -> Plan:
        with self._database.reading() as tx:
            row = self.progress(tx, to)
            rows, through, more = self._next(tx, to, row)
            newest = self._journal.last_id(tx)
        if not rows:
            self._pass(to, through)
            return Plan(again=self._clock.now() if more else None)
        if not row.batch:
            first, every = gathering.first_seconds, gathering.every_seconds
            due = mail_due(rows[0].received, row.told_at, first_seconds=first, every_seconds=every)
            if self._clock.now() < due:
                return Plan(again=due)
            row = dataclasses.replace(row, batch=newest)
            with self._database.writing() as tx:
                records.put(tx, row)
        with self._database.reading() as tx:
            plan = self._gathered(tx, to, row, gathering.lines)
        if not plan.messages:  # what it was begun for has expired or was skipped
            self._pass(to, row.batch)
            return Plan(again=self._clock.now())
        return plan

    def _gathered(self, tx: Transaction, to: Receiver, row: Progress, lines: int) -> Plan:
        """What one mail shows: errors before all else, and of everything the first."""
        wanted = dataclasses.replace(self._wanted(tx, to, row.through), before=row.batch + 1)
        counts = self._journal.count(tx, wanted)
        for own in self._own(tx, to, wanted):
            counts[own.record.severity] -= 1
        errors = dataclasses.replace(wanted, at_least=Severity.ERROR)
        rows = {one.id: one for one in self._others(to, self._journal.find(tx, errors, limit=lines))}
        for one in self._others(to, self._journal.find(tx, wanted, limit=lines)):
            if len(rows) < lines:
                rows[one.id] = one
        shown = [rows[key] for key in sorted(rows)]
        return Plan(messages=shown, counts={severity: count for severity, count in counts.items() if count > 0}, through=row.batch)

    def _next(self, tx: Transaction, to: Receiver, row: Progress) -> tuple[list[Listed], int, bool]:
        """The next messages for it, up to where was looked, and whether that was not the end."""
        newest = self._journal.last_id(tx)
        found = self._journal.look(tx, self._wanted(tx, to, self._from(row)), limit=POSTS)
        return self._others(to, found.rows), newest if found.more is None else found.more, found.more is not None

    def _pass(self, to: Receiver, through: int) -> None:
        """Nothing up to there is for it."""
        self._looked[to.name] = through
        with self._database.reading() as tx:
            row = self.progress(tx, to)
        if through - row.through > UNWRITTEN or row.batch:
            with self._database.writing() as tx:
                records.put(tx, dataclasses.replace(self.progress(tx, to), through=through, batch=0))

    def _skip(self, to: Receiver) -> None:
        """Give up what waited too long, and what is more than can wait; say how much."""
        now = self._clock.now()
        with self._database.writing() as tx:
            row = self.progress(tx, to)
            waiting = self._wanted(tx, to, row.through)
            old = dataclasses.replace(waiting, until=now - self._keep)
            through = self._journal.span(tx, old, limit=_EVERY)[2]
            count, least, _greatest = self._journal.span(tx, waiting, limit=self._keep_messages + 1)
            if count > self._keep_messages:
                through = max(through, least)
            if not through:
                return
            gone = dataclasses.replace(waiting, before=through + 1)
            skipped = self._journal.span(tx, gone, limit=_EVERY)[0] - len(self._own(tx, to, gone))
            self._journal.record(tx, NOTIFIER_SKIPPED, notifier=to.name, count=skipped, until=iso(now))
            records.put(tx, dataclasses.replace(row, through=through, batch=0, skipped=row.skipped + skipped))

    def _from(self, row: Progress) -> int:
        return max(row.through, self._looked.get(row.name, 0)) if not row.batch else row.through

    def _wanted(self, tx: Transaction, to: Receiver, after: int) -> StatusFilter:
        return dataclasses.replace(to.asked.filter(tx, self._clock.now()), after=after)

    def _others(self, to: Receiver, rows: Sequence[Listed]) -> list[Listed]:
        return [one for one in rows if not self._is_own(to, one)]

    def _own(self, tx: Transaction, to: Receiver, wanted: StatusFilter) -> list[Listed]:
        """What of it tells of this very receiver; few, for the journal keeps few alike."""
        about = tuple(number for number in _ABOUT if not wanted.numbers or number in wanted.numbers)
        rows = self._journal.find(tx, dataclasses.replace(wanted, numbers=about), limit=_OWN) if about else ()
        return [one for one in rows if self._is_own(to, one)]

    def _is_own(self, to: Receiver, one: Listed) -> bool:
        """Whether it tells of this very receiver's trouble."""
        said = one.record
        return said.number in _ABOUT and said.site == self._code and said.fields.get("notifier") == to.name


_ABOUT = tuple(message.number for message in ABOUT_TELLING)
