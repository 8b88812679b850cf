"""Holding a root for one servicing: the lock, and first of all ending what an earlier start left."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from haulage.engine.servicing.clock import iso
from haulage.engine.servicing.errors import RefusedError
from haulage.engine.servicing.healing import Healed, heal, is_untidy
from haulage.engine.servicing.lock import Lock
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import Places


@contextlib.contextmanager
def held(places: Places, machine: Machine, log: Log, fix: str) -> Iterator[Healed | None]:
    """The root is this process's while the context is open. Gives what was healed on the way. Raises RefusedError ``busy``,
    ``no-rights``, ``read-only-root``; ServicingError ``unfinished``."""
    try:
        places.make()
    except OSError as cause:
        code = "read-only-root" if cause.errno == errno.EROFS else "no-rights"
        raise RefusedError(
            code, f"{places.state} cannot be made: {cause.strerror}.", "Run it with the rights of an administrator."
        ) from cause
    with _lock(places, machine, fix):
        yield heal(places, machine, log)


@contextlib.contextmanager
def looked_at(places: Places, machine: Machine, log: Log, fix: str) -> Iterator[Healed | None]:
    """For commands that change nothing: healed first if an earlier start left something, else not even a folder is made."""
    if not is_untidy(places):
        yield None
        return
    with held(places, machine, log, fix) as healed:
        yield healed


def _lock(places: Places, machine: Machine, fix: str) -> Lock:
    return Lock(places.lock, {"fix": fix, "actor": machine.who, "pid": os.getpid(), "since": iso(machine.clock.now())})
