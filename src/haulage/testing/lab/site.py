"""One site of the lab: its home, its process, its API, and the real command line against it."""

from __future__ import annotations

import contextlib
import glob
import io
import json
import os
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from haulage.base.clock import Clock
from haulage.base.settings import settings_text
from haulage.cli.client import Client
from haulage.cli.locate import find_target
from haulage.cli.main import main
from haulage.testing.lab.process import LabTrouble, ServerProcess

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
COMMAND_SECONDS = 120.0

Value = str | int | float | bool | tuple[str, ...]
Sections = Mapping[str, Mapping[str, Value]]


class LabSite:
    """A site that was made; ``start`` runs its server."""

    def __init__(self, code: str, home: str, *, logs: str, clock: Clock, environment: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.home = home
        self.environment = {**clean_environment(), **(environment or {})}
        self._logs = logs
        self._clock = clock
        self._process: ServerProcess | None = None
        self._client: Client | None = None
        self._starts = 0

    @property
    def api(self) -> Client:
        """The API of the running server, for looking often. A server that has a new certificate is connected to anew."""
        target = find_target(self.home, {})
        if self._client is None or self._client.target != target:
            self._forget_client()
            self._client = Client(target)
        return self._client

    @property
    def certified(self) -> bool:
        """Whether it shows a certificate of its hierarchy, and not any more the one it made itself to begin with."""
        parts = urlsplit(self.api.target.url)
        pem = ssl.get_server_certificate((str(parts.hostname), parts.port or 443), timeout=READY_SECONDS)
        shown = x509.load_pem_x509_certificate(pem.encode())
        return self.running and shown.issuer != shown.subject

    @property
    def running(self) -> bool:
        """Whether its process is alive."""
        return self._process is not None and self._process.alive

    @property
    def log_path(self) -> str:
        """What its servers wrote, one after the other."""
        return os.path.join(self._logs, f"{self.code}.log")

    def settings(self, sections: Sections) -> None:
        """Write more settings into ``haulage.toml``; they count from the next start on."""
        path = os.path.join(self.home, "haulage.toml")
        with open(path, "rb") as file:
            known = tomllib.load(file)
        for name, values in sections.items():
            known.setdefault(name, {}).update(values)
        with open(path, "w", encoding="utf-8") as file:
            file.write(settings_text(known))

    def start(self) -> None:
        """Start the server and wait until it can be used."""
        self.begin()
        self.wait_ready()

    def begin(self) -> None:
        """Start the server without waiting."""
        assert not self.running, f"{self.code} runs already"
        self._starts += 1
        self._process = ServerProcess(
            [program(), "serve", "--home", self.home], log_path=self.log_path, environment=self.environment, clock=self._clock
        )

    def wait_ready(self) -> None:
        """Wait until the server that was begun can be used."""
        assert self._process is not None
        self._process.wait_for(b"ready https://", READY_SECONDS)

    def kill(self) -> None:
        """SIGKILL."""
        self._forget_client()
        if self._process is not None:
            self._process.kill()

    def stop(self) -> float:
        """SIGTERM; raises LabTrouble unless it ends well in time. Returns the seconds it took."""
        self._forget_client()
        assert self._process is not None
        return self._process.terminate(STOP_SECONDS)

    def cli(self, *arguments: str, expect: int = 0) -> Any:
        """A command as its own process; its JSON. ``expect`` is the exit code it must have; the error's JSON if that is not 0."""
        done = subprocess.run(
            [program(), *arguments, "--home", self.home, "--output", "json"],
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=self.environment,
        )
        return self._answer(arguments, done.returncode, done.stdout.decode(), done.stderr.decode(), expect)

    def quick(self, *arguments: str, expect: int = 0) -> Any:
        """The same command in this process: a second faster."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*arguments, "--home", self.home, "--output", "json"])
        return self._answer(arguments, code, out.getvalue(), err.getvalue(), expect)

    def tail(self) -> str:
        """The end of what its server wrote, and of its log files."""
        parts = [f"--- {self.code}: {'running' if self.running else 'not running'}, started {self._starts} times"]
        for path in sorted({self.log_path, *glob.glob(os.path.join(glob.escape(self.home), "logs", "*"))}):
            with contextlib.suppress(OSError), open(path, "rb") as file:
                file.seek(max(0, os.path.getsize(path) - 6_000))
                parts.append(f"--- {path}\n{file.read().decode('utf-8', 'backslashreplace')}")
        return "\n".join(parts)

    def _answer(self, arguments: tuple[str, ...], code: int, out: str, err: str, expect: int) -> Any:
        if code != expect:
            raise LabTrouble(
                f"{self.code}: haulage {' '.join(arguments)} ended with {code}, not {expect}:\n{out}{err}\n{self.tail()}"
            )
        text = out if code == 0 else err
        try:
            return json.loads(text) if text.strip() else None
        except ValueError:
            raise LabTrouble(f"{self.code}: haulage {' '.join(arguments)} did not print JSON:\n{text}") from None

    def _forget_client(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def program() -> str:
    """The command as it was installed beside this Python."""
    return os.path.join(os.path.dirname(sys.executable), "haulage")


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that points commands at another server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("HAULAGE_")}
