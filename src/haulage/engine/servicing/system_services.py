"""Services that the system itself runs: systemd through ``systemctl``, Windows through ``sc.exe``. Asked, and looked at."""

from __future__ import annotations

import os
import re
import subprocess

from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.services import State

_ANSWER_SECONDS = 60

_SYSTEMD = {
    "active": State.RUNNING, "reloading": State.RUNNING, "refreshing": State.RUNNING, "activating": State.STARTING,
    "deactivating": State.STOPPING, "maintenance": State.STOPPING, "inactive": State.STOPPED, "failed": State.STOPPED,
}  # fmt: skip
_WINDOWS = {
    1: State.STOPPED, 2: State.STARTING, 3: State.STOPPING, 4: State.RUNNING, 5: State.STARTING, 6: State.STOPPING,
    7: State.RUNNING,
}  # fmt: skip
_NO_SUCH_SERVICE = 1060


def _ask(*command: str) -> tuple[int, str]:
    """Exit code and output."""
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as cause:
        raise StepError("service-failed", f"{' '.join(command)} gave no answer: {cause}", "Is this the right machine?") from cause
    return answer.returncode, answer.stdout + answer.stderr


def _told(name: str, *command: str) -> None:
    code, output = _ask(*command)
    if code != 0:
        said = " ".join(output.split())[:300]
        raise StepError("service-failed", f"{' '.join(command)} ended with {code}: {said}", f"Look at the service {name}.")


class Systemd:
    """A unit."""

    def __init__(self, name: str) -> None:
        self._name = name

    def state(self) -> State:
        _code, output = _ask("systemctl", "show", "--property=LoadState", "--property=ActiveState", "--", self._name)
        facts = dict(line.partition("=")[::2] for line in output.splitlines() if "=" in line)
        if "ActiveState" not in facts:
            raise StepError(
                "service-failed", f"systemctl does not tell of {self._name}: {output[:200]}", "Is systemd running here?"
            )
        if facts.get("LoadState") == "not-found":
            return State.MISSING
        return _SYSTEMD.get(facts["ActiveState"], State.STARTING)

    def ask_to_stop(self) -> None:
        _told(self._name, "systemctl", "stop", "--no-block", "--", self._name)

    def ask_to_start(self) -> None:
        _told(self._name, "systemctl", "start", "--no-block", "--", self._name)

    def kill(self) -> None:
        _told(self._name, "systemctl", "kill", "--signal=SIGKILL", "--", self._name)

    def check_rights(self) -> None:
        if os.name != "nt" and os.geteuid() != 0:
            raise RefusedError("no-rights", f"Stopping the systemd service {self._name} needs root.", "Run it with sudo.")


class WindowsService:
    """A service of the service control manager."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _query(self) -> tuple[int, str]:
        return _ask("sc.exe", "queryex", self._name)

    def state(self) -> State:
        code, output = self._query()
        if code == _NO_SUCH_SERVICE or str(_NO_SUCH_SERVICE) in output:
            return State.MISSING
        # The words are in the system's language; the third line of the answer begins its value with the number.
        values = re.findall(r"^\s*\S+\s*:\s*([1-7])\s+[A-Z_]+\s*$", output, re.MULTILINE)
        if not values:
            raise StepError("service-failed", f"sc.exe does not tell of {self._name}: {output[:200]}", "Run it as administrator.")
        return _WINDOWS[int(values[0])]

    def ask_to_stop(self) -> None:
        _told(self._name, "sc.exe", "stop", self._name)

    def ask_to_start(self) -> None:
        _told(self._name, "sc.exe", "start", self._name)

    def kill(self) -> None:
        _code, output = self._query()
        pids = [each for each in re.findall(r"^\s*PID\s*:\s*([0-9]+)\s*$", output, re.MULTILINE) if each != "0"]
        if pids:
            _told(self._name, "taskkill.exe", "/F", "/T", "/PID", pids[0])

    def check_rights(self) -> None:
        code, _output = _ask("net.exe", "session")
        if code != 0:
            raise RefusedError(
                "no-rights", f"Stopping the Windows service {self._name} needs an administrator.", "Start it as administrator."
            )
