"""What servicing needs of the machine beside its disk: clocks, services, programs, a name for the record. Tests bring their own."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from haulage.engine.servicing import processes
from haulage.engine.servicing.clock import Clock, MachineClock
from haulage.engine.servicing.controllers import controller_of
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.programs import Programs
from haulage.engine.servicing.services import Controllers


class RunsPrograms(Protocol):
    """See :class:`Programs`."""

    def run(self, command: Sequence[str], *, folder: str, timeout_seconds: float) -> int: ...

    def end_left(self, *, folder: str) -> None: ...


def _programs(clock: Clock, log: Log) -> RunsPrograms:
    return Programs(clock, log.say)


@dataclass(frozen=True)
class Machine:
    """This machine, or one that a test made."""

    clock: Clock = field(default_factory=MachineClock)
    controllers: Controllers = controller_of
    programs: Callable[[Clock, Log], RunsPrograms] = _programs
    users_of: Callable[[set[str]], dict[int, str]] = processes.users_of
    actor: str = ""

    @property
    def who(self) -> str:
        """The actor for the record."""
        return self.actor or _user()


def _user() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
