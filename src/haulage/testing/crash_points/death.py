"""The death of one process at one numbered step. Must not know what the process does."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator

from haulage.base.ids import SiteCode
from haulage.testing.crash_points.disk import DurableDisk, Left


class Killed(BaseException):
    """The process is gone. Not an Exception: no handler of the product may survive it."""


class Death:
    """Counts the durable steps of the victim, and ends it before the one numbered ``at`` (None: never). ``watch`` is to be given to
    ``watching_steps``."""

    def __init__(
        self, victim: SiteCode, at: int | None, left: Left, *, leave_in: str, kill: Callable[[], None] | None = None
    ) -> None:
        self.victim = victim
        self.at = at
        self.left = left
        self.leave_in = leave_in
        """The folder in which the disk of the dead is found."""
        self.steps: list[str] = []
        """Names of the victim's steps."""
        self.happened = False
        self.disk: DurableDisk | None = None
        self._kill = kill
        self._counting = False
        self._dying = False
        self._running: list[SiteCode] = []

    def count_from_now(self, disk_of_victim: str) -> None:
        """What came before belongs to the past."""
        self.disk = DurableDisk(disk_of_victim)
        self._counting = True

    def stop_counting(self) -> None:
        """What comes now is not part of the scenario."""
        self._counting = False
        if self.disk is not None:
            self.disk.close()
            self.disk = None

    @contextlib.contextmanager
    def running(self, code: SiteCode) -> Iterator[None]:
        """What happens meanwhile happens in the process of this site."""
        self._running.append(code)
        try:
            yield
        finally:
            self._running.pop()

    def buried(self) -> None:
        """The dead process is out of the way; the next one of that site lives."""
        self._dying = False

    @property
    def _victim_runs(self) -> bool:
        return bool(self._running) and self._running[-1] == self.victim

    def watch(self, name: str) -> None:
        """A durable step is about to happen."""
        if not self._victim_runs:
            return
        if self._dying:
            raise Killed("it is dead already")
        if not self._counting:
            return
        if self.disk is not None:
            self.disk.before_step(name)
        if self.happened:
            return
        self.steps.append(name)
        if len(self.steps) == self.at:
            self._die(name)

    def synced(self, fd: int) -> None:
        """The victim synced an open file or folder."""
        if self.disk is not None and self._victim_runs:
            self.disk.synced(fd)

    def synced_all(self, fd: int) -> None:
        """The victim synced a whole file system."""
        if self.disk is not None and self._victim_runs:
            self.disk.sync_top(fd)

    def _die(self, name: str) -> None:
        if self._kill is not None:
            self._kill()
        assert self.disk is not None
        self.disk.leave(self.leave_in, self.left, random.Random(f"{self.at} {self.left.value}"))
        self.disk.close()
        self.disk = None
        self.happened = self._dying = True
        raise Killed(name)
