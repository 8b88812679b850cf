"""The demo's stage: three real server processes in a temporary folder, and the command line that speaks to them. Knows no act."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import HaulageError
from haulage.cli.client import Client, Row, connect

COMMAND = (sys.executable, "-c", "from haulage.cli.main import run; run()")
_RETRY = "\n[retry]\nfirst_seconds = 0.2\ncap_seconds = 0.5\n"
"""A demo has no half hour to wait for the next try."""
_READY_SECONDS = 120.0
_STOP_SECONDS = 15.0
_LOG_LINES = 15


class Stage:
    """Homes, processes and points of HQ1, CHI and LA1 below one folder."""

    def __init__(self, folder: str, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock
        self.urls: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def path(self, *names: str) -> str:
        """A path on the stage."""
        return os.path.join(self.folder, *names)

    def home(self, code: str) -> str:
        """A site's home."""
        return self.path(code)

    def point(self, code: str) -> str:
        """The folder that is the point of a site."""
        return self.path(f"{code}-point")

    def client(self, code: str) -> Client:
        """The API of a site, for looking more often than a process can be started."""
        return connect(self.home(code))

    def run(self, code: str, *arguments: str) -> Any:
        """One command at a site's server, as a person would type it; returns its JSON. Raises HaulageError ``demo-failed``."""
        done = self._command(*arguments, "--home", self.home(code), "-o", "json")
        if done.returncode:
            raise self.failed(f"haulage {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def offline(self, *arguments: str) -> Any:
        """A command that needs no server; returns its JSON. Raises HaulageError ``demo-failed``."""
        done = self._command(*arguments, "-o", "json")
        if done.returncode:
            raise self.failed(f"haulage {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def text(self, code: str, *arguments: str) -> str:
        """The same, as people read it."""
        return self._command(*arguments, "--home", self.home(code)).stdout.rstrip()

    def make_central(self, code: str) -> None:
        """init, and serve."""
        self.run(code, "init", "--site", code, "--listen", "127.0.0.1:0")
        self._hurry(code)
        self.start(code)

    def make_child(self, code: str, parent: str, central: str) -> None:
        """invite, join, and serve. The invitation needs a moment to reach the parent."""
        invited = self.run(central, "invite", "site", code, "--parent", parent)["join"]
        arguments = ("join", invited, "--listen", "127.0.0.1:0", "--home", self.home(code), "-o", "json")
        self.until(lambda: self._command(*arguments).returncode == 0, 120.0, f"{code} could not join {parent}")
        self._hurry(code)
        self.start(code)

    def start(self, code: str) -> None:
        """serve; returns when the server can be used."""
        log = self.path(f"{code}.log")
        with open(log, "ab") as output:
            begin = output.tell()
            # Its own process group: Ctrl-C is for the demo, which then stops the servers in order.
            self._processes[code] = subprocess.Popen(
                [*COMMAND, "serve", "--home", self.home(code)],
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=_environment(),
            )

        def is_ready() -> bool:
            if self._processes[code].poll() is not None:
                raise self.failed(f"the server of {code} ended at its start")
            with open(log, "rb") as file:
                file.seek(begin)
                found = re.search(rb"^ready (https://\S+)", file.read(), re.MULTILINE)
            if found:
                self.urls[code] = found[1].decode()
            return found is not None

        self.until(is_ready, _READY_SECONDS, f"the server of {code} did not become ready")

    def kill(self, code: str) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        process = self._processes.pop(code)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """SIGTERM for all; SIGKILL for one that does not end."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def pids(self) -> list[int]:
        """Of the servers that run."""
        return [process.pid for process in self._processes.values()]

    def until(self, there: Callable[[], bool], seconds: float, otherwise: str, pause_seconds: float = 0.05) -> None:
        """Wait. Raises HaulageError ``demo-failed`` with the sentence ``otherwise``."""
        end = self.clock.monotonic() + seconds
        while not there():
            if self.clock.monotonic() > end:
                raise self.failed(f"{otherwise} within {seconds:g} s")
            self.clock.sleep(pause_seconds)

    def failed(self, sentence: str) -> HaulageError:
        """A check that did not hold, with what the servers said last."""
        said = "".join(f"\n{name}: {line}" for name in sorted(os.listdir(self.folder)) for line in self._last_lines(name))
        return HaulageError(
            "demo-failed", f"The demo failed: {sentence}.{said}", "haulage demo --keep leaves everything to look at."
        )

    def rows(self, code: str, package: str) -> dict[str, Row]:
        """The status of a package as seen at a site, by place."""
        return {row["place"]: row for row in self.run(code, "package", "status", package)}

    def _command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=_environment(), check=False)

    def _hurry(self, code: str) -> None:
        with open(os.path.join(self.home(code), "haulage.toml"), "a", encoding="utf-8") as file:
            file.write(_RETRY)

    def _last_lines(self, name: str) -> list[str]:
        if not name.endswith(".log"):
            return []
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return [line.rstrip()[:400] for line in file.readlines()[-_LOG_LINES:]]


@contextlib.contextmanager
def stage(keep: bool, clock: Clock | None = None) -> Iterator[Stage]:
    """A stage that is taken down at the end, however it ends; with ``keep`` only if it is left by Ctrl-C."""
    folder = tempfile.mkdtemp(prefix="haulage-demo-")
    made = Stage(folder, clock or SystemClock())
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    clear = not keep
    try:
        yield made
    except KeyboardInterrupt:
        clear = True
        raise
    finally:
        if clear:
            made.stop()
            shutil.rmtree(folder, onerror=_make_removable)
        signal.signal(signal.SIGTERM, before)


def _as_interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _make_removable(function: Callable[..., object], path: str, _error: object) -> None:
    """A folder without write permission stands in the way."""
    for each in (os.path.dirname(path), path):
        if os.path.isdir(each) and not os.path.islink(each):
            os.chmod(each, stat.S_IRWXU)
    function(path)


def _environment() -> dict[str, str]:
    """Without what could lead a command to another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HAULAGE_")}
