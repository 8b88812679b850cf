"""Backups as the server knows them: what is asked for, and the schedule. How one is taken is wiring's business."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError

AGAIN = dt.timedelta(hours=1)
"""A scheduled backup that failed is tried again so soon."""

View = dict[str, object]

_log = logging.getLogger("haulage.backups")


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupOrder:
    """What is wanted."""

    target: str
    passphrase: str = ""
    """Empty: keys lie in the backup in clear, for its owner alone."""
    passphrase_file: str = ""
    """Read when the backup is taken, in place of a passphrase."""
    content: bool = False
    keep: int = 0
    """How many backups of this site stay in the target; 0: all."""
    dry_run: bool = False
    """Only look whether it could be taken there."""


TakeBackup = Callable[[BackupOrder, str], View]
"""(what, who asks): take a backup now; returns its figures."""


class Schedule:
    """Takes a backup when the last one is too long ago. Forgets nothing by a restart: when the last one was is on disk."""

    def __init__(
        self,
        *,
        clock: Clock,
        every: dt.timedelta,
        order: BackupOrder | None,
        take: TakeBackup,
        last: Callable[[], dt.datetime | None],
    ) -> None:
        """``order`` None: nothing is scheduled."""
        self._clock = clock
        self._every = every
        self._order = order
        self._take = take
        self._last = last
        self._not_before: dt.datetime | None = None

    def turn(self) -> bool:
        """Look once; returns whether a backup was taken. One that fails is said by whoever takes it, and tried again later."""
        now = self._clock.now()
        if self._order is None or (self._not_before is not None and self._not_before - AGAIN <= now < self._not_before):
            return False
        last = self._last()
        if last is not None and last <= now < last + self._every:
            return False
        try:
            self._take(self._order, "schedule")
        except HaulageError as error:
            _log.warning("scheduled backup: %s", error)
            self._not_before = now + AGAIN
            return False
        self._not_before = None
        return True
