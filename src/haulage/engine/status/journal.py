"""The journal: status messages recorded in the caller's transaction, taken from lower sites, listed, followed, expired.

Order is the order of ``id`` here and of (epoch, sequence) at the site that spoke; never a clock. Must not know who forwards.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import logging
import re
import threading
from collections.abc import Callable, Sequence

from haulage.base.clock import Clock
from haulage.base.errors import FormatError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status import catalogue, records
from haulage.engine.status.flood import FloodGate, Kind
from haulage.engine.status.message import (
    FieldValue,
    Found,
    Listed,
    Message,
    MessageType,
    Severity,
    StatusFilter,
    StatusRecord,
    sentence,
)

OnRecord = Callable[[Transaction, int], None]
"""Told of each new record by its local id, inside the transaction that stores it."""

FIELD_CHARACTERS = 4000
FIELD_COUNT = 32
_EXPIRE_BATCH = 5000
_CANNOT_STAND = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: no database takes them."""

_log = logging.getLogger("haulage.status")
_log.addHandler(logging.NullHandler())  # where no log was set up, nothing is to appear on a terminal
_LEVELS = {Severity.INFORMATION: logging.INFO, Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}


class Journal:
    """The status messages of one site and of the sites below it."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Clock,
        site: SiteCode,
        epoch: Callable[[Transaction], int],
        on_record: OnRecord | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._site = site
        self._epoch = epoch
        self._on_record = on_record
        self._gate = FloodGate()
        self._gate_lock = threading.Lock()
        self._stored: collections.Counter[int] = collections.Counter()

    @property
    def site(self) -> SiteCode:
        """Whose journal it is."""
        return self._site

    def record(
        self,
        tx: Transaction,
        message: Message,
        *,
        package: PackageId | None = None,
        place: Place | None = None,
        **fields: FieldValue,
    ) -> StatusRecord | None:
        """Say ``message`` in the caller's transaction. Every field of its sentence must be given; others may be.

        Returns None when the same (number, package, place) was said too often lately: then it is only counted, and the next one
        stored tells how many (field ``left_out``). Audit messages are always stored."""
        _require_fields(message, package, place, fields)
        kind: Kind = (message.number, package, place)
        if message.type is not MessageType.AUDIT and not self._admit(tx, kind, fields):
            return None
        said = StatusRecord(
            site=self._site,
            epoch=(epoch := self._epoch(tx)),
            sequence=self._next_sequence(tx, epoch),
            number=message.number,
            severity=message.severity,
            type=message.type,
            component=message.component.value,
            package=package,
            place=place,
            time=self._clock.now(),
            fields={name: _cut(value) for name, value in fields.items()},
        )
        self._store(tx, said)
        self._database.after_commit(tx, lambda: _write_to_log(said, message))
        return said

    def take(self, tx: Transaction, said: StatusRecord) -> bool:
        """Store what another site said. False, and no effect, if it is known already or has expired here.

        Raises FormatError ``bad-status`` when it is larger than any honest record."""
        _require_bounds(said)
        marks = records.marks(tx, said.site, said.epoch)
        if said.sequence <= marks.expired or records.is_known(tx, said.site, said.epoch, said.sequence):
            return False
        records.set_last(tx, said.site, said.epoch, max(said.sequence, marks.last))
        self._store(tx, said)
        return True

    def find(self, tx: Transaction, wanted: StatusFilter, *, limit: int = 100, newest: bool = False) -> Sequence[Listed]:
        """Up to ``limit`` records in the order they came here: the first ones after the cursor, or with ``newest`` the last."""
        rows: list[Listed] = []
        found = self.look(tx, wanted, limit=limit, newest=newest)
        while True:
            rows = [*found.rows, *rows] if newest else [*rows, *found.rows]
            if found.more is None or len(rows) >= limit:
                return rows
            wanted = dataclasses.replace(wanted, before=found.more) if newest else dataclasses.replace(wanted, after=found.more)
            found = self.look(tx, wanted, limit=limit - len(rows), newest=newest)

    def look(self, tx: Transaction, wanted: StatusFilter, *, limit: int, newest: bool = False) -> Found:
        """The same in one bounded look, which may find nothing and still have more before it: a person waits for it."""
        found = records.find(tx, wanted, _spelled(wanted.words), limit=limit, newest=newest)
        if not wanted.words:
            return found
        return dataclasses.replace(found, rows=[listed for listed in found.rows if _holds(listed.record, wanted.words)])

    def count(self, tx: Transaction, wanted: StatusFilter) -> dict[Severity, int]:
        """How many fit, by severity, among the newest 10,000 that fit the narrowest part of the filter."""
        return records.count(tx, wanted, _spelled(wanted.words))

    def span(self, tx: Transaction, wanted: StatusFilter, *, limit: int) -> tuple[int, int, int]:
        """Of the newest ``limit`` that fit: how many they are, the least and the greatest id; zeros if there is none. Reads through
        all that the filter leaves, however many."""
        return records.span(tx, wanted, _spelled(wanted.words), limit=limit)

    def get(self, tx: Transaction, local_id: int) -> Listed | None:
        """One record by its local id."""
        return records.by_id(tx, local_id)

    def last_id(self, tx: Transaction) -> int:
        """The newest local id; 0 when there is none. Where following begins."""
        return records.newest_id(tx)

    def stored(self) -> dict[int, int]:
        """How many records of each number of the catalogue were stored since this process began; 0 for numbers not in it."""
        with self._gate_lock:
            return dict(self._stored)

    def expire(self, tx: Transaction, *, days: int, audit_days: int, through: int | None = None) -> int:
        """Remove records that reached this site longer ago than told, at most 5,000 of them, and return how many.

        ``through``: none above this local id, because they still have to be forwarded. Their sequences are never used or taken
        again."""
        now = self._clock.now()
        return records.delete_old(
            tx,
            before=now - dt.timedelta(days=days),
            audit_before=now - dt.timedelta(days=audit_days),
            through=through,
            limit=_EXPIRE_BATCH,
        )

    def _admit(self, tx: Transaction, kind: Kind, fields: dict[str, FieldValue]) -> bool:
        now_seconds = self._clock.monotonic()
        with self._gate_lock:
            if not self._gate.admits(kind, now_seconds):
                self._gate.count(kind)
                return False
            if left_out := self._gate.left_out(kind):
                fields["left_out"] = left_out
        # Only what is durable counts: a transaction that is rolled back and tried again must be able to say it again.
        self._database.after_commit(tx, lambda: self._kept(kind, now_seconds))
        return True

    def _kept(self, kind: Kind, now_seconds: float) -> None:
        with self._gate_lock:
            self._gate.kept(kind, now_seconds)

    def _count(self, number: int) -> None:
        # Others may say any number: what is counted must not grow with them.
        with self._gate_lock:
            self._stored[number if number in catalogue.MESSAGES else 0] += 1

    def _next_sequence(self, tx: Transaction, epoch: int) -> int:
        sequence = records.marks(tx, self._site, epoch).last + 1
        records.set_last(tx, self._site, epoch, sequence)
        return sequence

    def _store(self, tx: Transaction, said: StatusRecord) -> None:
        local_id = records.insert(tx, said, received=self._clock.now())
        self._database.after_commit(tx, lambda: self._count(said.number))
        if self._on_record is not None:
            self._on_record(tx, local_id)


def _write_to_log(said: StatusRecord, message: Message) -> None:
    """Under the same number, beside what only developers want to know. Of what others said, their own log tells."""
    where = {name: value for name, value in (("package", said.package), ("place", said.place)) if value is not None}
    _log.log(_LEVELS[said.severity], "%s", sentence(said, message), extra={"number": said.number, **where})


def _spelled(words: Sequence[str]) -> dict[str, frozenset[int]]:
    return {
        word: frozenset(each.number for each in catalogue.MESSAGES.values() if word.lower() in each.text.lower()) for word in words
    }


def _holds(said: StatusRecord, words: Sequence[str]) -> bool:
    """Whether each word is really there: what the tables were asked also finds names of fields and of what stands for them."""
    known = catalogue.MESSAGES.get(said.number)
    text = "\n".join((*([sentence(said, known)] if known is not None else []), *map(str, said.fields.values()))).lower()
    return all(word.lower() in text for word in words)


def _require_fields(message: Message, package: PackageId | None, place: Place | None, fields: dict[str, FieldValue]) -> None:
    given = set(fields) | ({"package"} if package else set()) | ({"place"} if place else set())
    if missing := message.mentions - given:
        raise ValueError(f"message {message.number} {message.name} needs {', '.join(sorted(missing))}")


def _cut(value: FieldValue) -> FieldValue:
    if isinstance(value, int):
        return value
    clean = value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    return clean if len(clean) <= FIELD_CHARACTERS else clean[: FIELD_CHARACTERS - 1] + "…"


def _require_bounds(said: StatusRecord) -> None:
    texts = [said.component, *said.fields, *(value for value in said.fields.values() if isinstance(value, str))]
    numbers = [said.epoch, said.sequence, said.number, *(value for value in said.fields.values() if isinstance(value, int))]
    if (
        len(said.fields) > FIELD_COUNT
        or any(len(text) > FIELD_CHARACTERS or _CANNOT_STAND.search(text) for text in texts)
        or any(abs(number) >= 1 << 63 for number in numbers)
        or said.number >= 1 << 31
    ):
        raise FormatError("bad-status", f"Status {said.site}:{said.epoch}:{said.sequence} is larger than any can be.")
