"""How far one receiver of status messages was told, and what follows from what it answered. Pure: the cursor is a local id of the
journal; how messages travel is not known here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import random
from dataclasses import dataclass

from haulage.domain.transit.retry import RetryPolicy

RETRY = RetryPolicy(first_seconds=5.0, cap_seconds=900.0)
SAID_AFTER_TRIES = 3
"""A receiver that is started anew may miss a try or two; after so many in a row a person is told."""
LONGEST_WAIT = dt.timedelta(hours=24)
"""A receiver may ask for at most so much time before the next try."""
FAILURE_CHARACTERS = 500


class Outcome(enum.Enum):
    """What became of one try."""

    TOLD = "told"
    FAILED = "failed"
    GONE = "gone"
    """The receiver wants no more, ever: until its settings change nothing is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver said to one try, in a sentence; ``wait_seconds`` is what it asked for before the next."""

    outcome: Outcome
    said: str
    wait_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One receiver's row."""

    name: str
    settings: str
    """A digest of its settings: with others it begins to try at once."""
    through: int
    """Everything up to this local id was told, or was not for it, or was skipped."""
    batch: int = 0
    """A mail that was begun tells everything up to this one: tried again it is the same mail. 0: none was begun."""
    tries: int = 0
    """Failures in a row."""
    due: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    failure: str = ""
    said: bool = False
    """Whether a status message tells that it fails."""
    gone: bool = False
    told: int = 0
    skipped: int = 0
    told_at: dt.datetime | None = None

    @property
    def state(self) -> str:
        """For people."""
        return "gone" if self.gone else "failing" if self.tries else "working"


def begun(name: str, settings: str, newest: int) -> Progress:
    """A receiver that was never told anything: what was before it is not told."""
    return Progress(name=name, settings=settings, through=newest)


def resettled(row: Progress, settings: str, newest: int) -> Progress:
    """The same when the server starts. Other settings are tried at once; a cursor from a journal that went further is none."""
    row = dataclasses.replace(row, through=min(row.through, newest), batch=min(row.batch, newest))
    if row.settings == settings:
        return row
    return dataclasses.replace(row, settings=settings, batch=0, tries=0, due=None, failing_since=None, failure="", gone=False)


def after_success(row: Progress, through: int, count: int, now: dt.datetime) -> Progress:
    """``count`` messages arrived."""
    return dataclasses.replace(
        row,
        through=through,
        batch=0,
        tries=0,
        due=None,
        failing_since=None,
        failure="",
        said=False,
        gone=False,
        told=row.told + count,
        told_at=now,
    )


def after_failure(row: Progress, answer: Answer, now: dt.datetime, chance: random.Random) -> Progress:
    """Nothing arrived, or nobody can say whether it did: it is sent again when it is due."""
    tries = row.tries + 1
    due = RETRY.due(now, tries, chance)
    if answer.wait_seconds is not None:
        due = max(due, now + min(dt.timedelta(seconds=min(answer.wait_seconds, 1e6)), LONGEST_WAIT))
    return dataclasses.replace(
        row,
        tries=tries,
        due=due,
        failing_since=row.failing_since or now,
        failure=answer.said[:FAILURE_CHARACTERS],
        gone=answer.outcome is Outcome.GONE,
    )


def wants_saying(row: Progress) -> bool:
    """Whether a status message should tell now that it fails: once for each time it fails."""
    return not row.said and (row.gone or row.tries >= SAID_AFTER_TRIES)


def mail_due(
    first_received: dt.datetime, told_at: dt.datetime | None, *, first_seconds: float, every_seconds: float
) -> dt.datetime:
    """When the mail goes that begins with a message received then."""
    gathered = first_received + dt.timedelta(seconds=first_seconds)
    return gathered if told_at is None else max(gathered, told_at + dt.timedelta(seconds=every_seconds))
