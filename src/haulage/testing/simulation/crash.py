"""Deaths of simulated processes: one site's process dies at a chosen durable step, whoever called it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from haulage.base.ids import SiteCode


class SimulatedCrash(BaseException):
    """The process of a site is dead. Not an Exception: no handler of the product may survive it."""

    def __init__(self, code: SiteCode, at: str) -> None:
        super().__init__(f"{code} at {at}")
        self.code = code


class Fate:
    """Who is running, and who dies when. ``watch`` is to be given to ``watching_steps``."""

    def __init__(self) -> None:
        self._running: list[SiteCode] = []
        self._left: dict[SiteCode, int] = {}

    def arm(self, code: SiteCode, steps: int) -> None:
        """Let a site die before its ``steps``-th durable step from now."""
        self._left[code] = steps

    def disarm(self, code: SiteCode) -> None:
        """Let it live."""
        self._left.pop(code, None)

    def is_armed(self, code: SiteCode) -> bool:
        """Whether it is going to die."""
        return code in self._left

    @contextlib.contextmanager
    def running(self, code: SiteCode) -> Iterator[None]:
        """What happens meanwhile happens in the process of this site."""
        self._running.append(code)
        try:
            yield
        finally:
            self._running.pop()

    def watch(self, name: str) -> None:
        """A durable step is about to happen."""
        code = self._running[-1] if self._running else None
        if code is None or code not in self._left:
            return
        self._left[code] -= 1
        if self._left[code] <= 0:
            del self._left[code]
            raise SimulatedCrash(code, name)
