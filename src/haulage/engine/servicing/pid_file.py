"""A plain process that says its number in a file: a service of its own making. The number is believed only if the process is older
than the file, or runs the very command; a number given to another since is no service."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

from haulage.engine.servicing import processes
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.processes import Process
from haulage.engine.servicing.programs import MARK
from haulage.engine.servicing.services import State

_MOST_BYTES = 65_536
_SLACK_SECONDS = 2.0
"""Start times are whole clock ticks, and the time of boot is rounded."""


class PidFile:
    """``path`` holds a number, or a JSON object with ``pid``. ``start`` is a command: one that stays is the service itself, one
    that ends has put it into the background."""

    def __init__(self, name: str, path: str, start: Sequence[str], stop: Sequence[str] | None, folder: str) -> None:
        self._name = name
        self._path = path
        self._start = list(start)
        self._stop = None if stop is None else list(stop)
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._asked: Process | None = None
        """Asked to stop: may live on when it has removed its file already."""

    def state(self) -> State:
        self._check_child()
        if self._asked is not None:
            if processes.is_alive(self._asked):
                return State.STOPPING
            self._asked = None
        return State.RUNNING if self._process() is not None else State.STOPPED

    def _check_child(self) -> None:
        child = self._child
        if child is None or child.poll() is None:
            return
        self._child = None
        if child.returncode != 0 and self._asked is None:
            ended = f"{' '.join(self._start)} ended with {child.returncode}"
            raise StepError("service-failed", f"The service {self._name} did not stay up: {ended}.", "Its own log says why.")

    def _process(self) -> Process | None:
        pid, written = self._read()
        process = processes.find(pid)
        if process is None or (process.epoch_seconds > written + _SLACK_SECONDS and not self._runs_start(pid)):
            return None
        return process

    def _runs_start(self, pid: int) -> bool:
        """The clock may have been put forward since: then only the command tells."""
        words = processes.arguments(pid)
        return (
            bool(words)
            and all(each in words for each in self._start[1:])
            and os.path.basename(words[0]) == os.path.basename(self._start[0])
        )

    def _read(self) -> tuple[int, float]:
        """The number (0 for none), and when it was written."""
        try:
            with open(self._path, "rb") as file:
                text = file.read(_MOST_BYTES).decode("utf-8", "replace").strip()
                written = os.fstat(file.fileno()).st_mtime
        except OSError:
            return 0, 0.0
        try:
            found = json.loads(text)
            number = found.get("pid", 0) if isinstance(found, dict) else found
            return (number if isinstance(number, int) and not isinstance(number, bool) else 0), written
        except ValueError:
            return 0, written

    def ask_to_stop(self) -> None:
        self._asked = self._process()
        if self._stop is not None:
            self._run(self._stop)
        elif self._asked is not None:
            processes.send(self._asked, force=False)

    def ask_to_start(self) -> None:
        self._asked = self._child = None
        self._child = self._run(self._start)

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Apart from this process: it lives on when this one ends."""
        try:
            return subprocess.Popen(
                command,
                cwd=self._folder,
                env={name: value for name, value in os.environ.items() if name != MARK},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as cause:
            raise StepError("service-failed", f"{command[0]} cannot be started: {cause.strerror}.", f"See {self._name}.") from cause

    def kill(self) -> None:
        process = self._asked or self._process()
        if process is not None:
            processes.send(process, force=True)

    def check_rights(self) -> None:
        if os.name == "nt":
            raise RefusedError("no-rights", "Pid files are not for Windows.", "Have the fix name the Windows service.")
        process = self._process()
        if process is not None:
            try:
                os.kill(process.pid, 0)
            except PermissionError:
                raise RefusedError(
                    "no-rights",
                    f"The service {self._name} (process {process.pid}) is another user's.",
                    "Run it as that user or root.",
                ) from None
