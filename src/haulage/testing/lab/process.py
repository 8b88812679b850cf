"""One server process in a group of its own, which dies with whoever started it. Knows nothing of what it serves."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import weakref
from collections.abc import Mapping, Sequence

from haulage.base.clock import Clock

LOOK_SECONDS = 0.05
_SHOWN_BYTES = 6_000

_DIE_WITH_PARENT = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); "
    "os.getppid() == int(sys.argv[1]) or os._exit(1); os.execv(sys.argv[2], sys.argv[2:])"
)
"""PR_SET_PDEATHSIG survives exec. It fires when the *thread* that started the process ends, so a lab is used from one thread."""

_living: weakref.WeakSet[ServerProcess] = weakref.WeakSet()


class LabTrouble(AssertionError):
    """What the lab expected of a process did not happen; the message ends with what the processes wrote."""


class ServerProcess:
    """A process from start to end. Its output goes to a file that outlives it."""

    def __init__(self, command: Sequence[str], *, log_path: str, environment: Mapping[str, str], clock: Clock) -> None:
        self.log_path = log_path
        self._clock = clock
        with open(log_path, "ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-E", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                start_new_session=True,
            )
        _living.add(self)

    @property
    def pid(self) -> int:
        """Its id, and that of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def wait_for(self, text: bytes, seconds: float) -> None:
        """Return once it has written that."""
        end = self._clock.monotonic() + seconds
        while text not in self._output():
            if not self.alive:
                raise LabTrouble(f"it ended with {self._process.returncode} before it wrote {text!r}:\n{self.tail()}")
            if self._clock.monotonic() > end:
                raise LabTrouble(f"it did not write {text!r} within {seconds:g} s:\n{self.tail()}")
            self._clock.sleep(LOOK_SECONDS)

    def kill(self) -> None:
        """SIGKILL for the whole group; safe to repeat."""
        with contextlib.suppress(ProcessLookupError):
            if self.alive:
                os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        _living.discard(self)

    def terminate(self, seconds: float) -> float:
        """SIGTERM, and the orderly end it must have: exit code 0 in time. Returns the seconds it took."""
        begin = self._clock.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise LabTrouble(f"it did not end within {seconds:g} s of SIGTERM:\n{self.tail()}") from None
        _living.discard(self)
        if code != 0:
            raise LabTrouble(f"it ended with {code} after SIGTERM:\n{self.tail()}")
        return self._clock.monotonic() - begin

    def tail(self) -> str:
        """The end of what it wrote."""
        return self._output()[-_SHOWN_BYTES:].decode("utf-8", "backslashreplace")

    def _output(self) -> bytes:
        with open(self.log_path, "rb") as log:
            log.seek(self._log_start)
            return log.read()


@atexit.register
def _end_all() -> None:
    for process in list(_living):
        process.kill()
