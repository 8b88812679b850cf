"""A hierarchy of real sites on this machine: made, started, killed, looked at, and gone at the end. Knows the product by its
commands, its settings file and its API only."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import NotAllowedError, NotFoundError, TransferError
from haulage.testing.lab.ports import Ports
from haulage.testing.lab.process import LabTrouble
from haulage.testing.lab.site import COMMAND_SECONDS, LabSite, Sections, program
from haulage.testing.lab.slow_line import SlowLine

QUICK: Sections = {"retry": {"first_seconds": 0.1, "cap_seconds": 0.4}}
"""Settings of every site unless others are given: whatever fails is tried again soon."""

PRESENT_SECONDS = 120.0
_LOOK_SECONDS = 0.1

Row = dict[str, Any]


class Lab:
    """Sites below one folder. A context manager: at its end no process is left."""

    def __init__(self, folder: str | os.PathLike[str], *, clock: Clock | None = None) -> None:
        self.folder = os.path.abspath(folder)
        self.clock = clock or SystemClock()
        self.sites: dict[str, LabSite] = {}
        self.lines: dict[str, SlowLine] = {}
        """The slow ones, by the site they lead to."""
        self._ports = Ports()
        self._listen: dict[str, str] = {}
        os.makedirs(self.path("logs"), exist_ok=True)

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every process."""
        for site in self.sites.values():
            site.kill()
        for line in self.lines.values():
            line.close()
        self._ports.close()

    def path(self, *names: str) -> str:
        """A path below the lab's folder."""
        return os.path.join(self.folder, *names)

    def __getitem__(self, code: str) -> LabSite:
        return self.sites[code]

    def __iter__(self) -> Iterator[LabSite]:
        return iter(self.sites.values())

    def central(
        self,
        code: str = "HQ1",
        *,
        settings: Sections = QUICK,
        environment: Mapping[str, str] | None = None,
        bytes_per_second: int = 0,
    ) -> LabSite:
        """Make and start a central site; its children reach it over a slow line if it is said how slow."""
        site = self._new(code, environment)
        self._make(site, "init", "--site", code, *self._line_to(code, bytes_per_second))
        site.settings(settings)
        site.start()
        return site

    def site(
        self,
        code: str,
        *,
        parent: str,
        settings: Sections = QUICK,
        environment: Mapping[str, str] | None = None,
        inviter: str | None = None,
        database: str = "",
    ) -> LabSite:
        """Invite, join and start a child of a running site; ``inviter`` is the central site unless said, ``database`` a file in
        its home."""
        at = self.sites[inviter or next(iter(self.sites))]
        invitation = at.quick("invite", "site", code, "--parent", parent)
        return self.joined(code, invitation["join"], settings=settings, environment=environment, database=database)

    def joined(
        self,
        code: str,
        join: str,
        *,
        settings: Sections = QUICK,
        environment: Mapping[str, str] | None = None,
        database: str = "",
    ) -> LabSite:
        """Join and start a site with a join string that somebody was given."""
        site = self._new(code, environment)
        self.until(lambda: self._knows_invitation(site, join, database), f"{code} can join")
        site.settings(settings)
        site.start()
        self.until(lambda: site.certified, f"{code} is a site of the hierarchy")
        return site

    def kill(self, code: str) -> None:
        """SIGKILL."""
        self.sites[code].kill()

    def start(self, code: str) -> None:
        """Start a site again and wait until it can be used."""
        self.sites[code].start()

    def stop(self, code: str) -> float:
        """SIGTERM; exit code 0 within ten seconds. Returns the seconds it took."""
        return self.sites[code].stop()

    def cli(self, code: str, *arguments: str, expect: int = 0) -> Any:
        """A command against a site, as its own process."""
        return self.sites[code].cli(*arguments, expect=expect)

    def quick(self, code: str, *arguments: str, expect: int = 0) -> Any:
        """A command against a site, in this process."""
        return self.sites[code].quick(*arguments, expect=expect)

    def status(self, package: str, at: str | None = None) -> dict[str, Row]:
        """The rows of a package by place, as a site (the central one) sees them; none if it knows nothing of it."""
        try:
            return {row["place"]: row for row in self._at(at).api.rows(f"/packages/{package}/status")}
        except NotFoundError:
            return {}

    def wait_present(
        self, package: str, version: int | None = None, *, at: str | None = None, seconds: float = PRESENT_SECONDS
    ) -> dict[str, Row]:
        """Wait until every place has the newest version, as a site (the central one) sees it; then the rows by place."""

        def look() -> dict[str, Row] | None:
            rows = self.status(package, at)
            newest = self._at(at).api.get(f"/packages/{package}")["version"] if rows else 0
            there = all(row["state"] == "present" and row["present"] == row["wanted"] == newest for row in rows.values())
            return rows if rows and newest and there and version in (None, newest) else None

        rows: dict[str, Row] = self.until(look, f"{package} is present everywhere", seconds, lambda: self._summary(package, at))
        return rows

    def until(
        self,
        look: Callable[[], Any],
        what: str,
        seconds: float = PRESENT_SECONDS,
        describe: Callable[[], str] = lambda: "",
        every_seconds: float = _LOOK_SECONDS,
    ) -> Any:
        """Look until the answer is true, and return it. A server that is away is looked at again."""
        end = self.clock.monotonic() + seconds
        trouble: Exception | None = None
        while True:
            try:
                answer = look()
                if answer:
                    return answer
                trouble = None
            except (TransferError, NotAllowedError, OSError) as error:
                trouble = error  # away, or just now showing a new certificate
            if self.clock.monotonic() > end:
                raise LabTrouble(f"not within {seconds:g} s: {what} ({trouble or ''})\n{describe()}\n{self.tails()}")
            self.clock.sleep(every_seconds)

    def tails(self) -> str:
        """The end of what every server wrote."""
        return "\n".join(site.tail() for site in self.sites.values())

    def _at(self, code: str | None) -> LabSite:
        return self.sites[code] if code else next(iter(self.sites.values()))

    def _summary(self, package: str, at: str | None) -> str:
        try:
            rows = self.status(package, at)
        except TransferError as error:
            return error.message
        names = ("wanted", "present", "state", "reason", "tries", "due", "bytes_done", "bytes_planned", "error")
        return "\n".join(f"{place}: {json.dumps({name: row[name] for name in names})}" for place, row in rows.items())

    def _new(self, code: str, environment: Mapping[str, str] | None) -> LabSite:
        assert code not in self.sites
        site = LabSite(code, self.path(code), logs=self.path("logs"), clock=self.clock, environment=environment)
        self.sites[code] = site
        return site

    def _line_to(self, code: str, bytes_per_second: int) -> Sequence[str]:
        if not bytes_per_second:
            return ()
        port, target = self._ports.claim(), self._ports.claim()
        self._listen[code] = f"127.0.0.1:{target}"
        self.lines[code] = SlowLine(port, target, bytes_per_second=bytes_per_second)
        return ("--url", f"https://127.0.0.1:{port}")

    def _make(self, site: LabSite, *arguments: str) -> None:
        code, said = self._offline(site, *arguments)
        if code != 0:
            raise LabTrouble(f"{site.code}: haulage {arguments[0]} ended with {code}:\n{said}\n{self.tails()}")

    def _knows_invitation(self, site: LabSite, join: str, database: str) -> bool:
        """An invitation needs a moment to reach the site it is for; until then joining is refused and may be tried again."""
        code, said = self._offline(site, "join", join, *(("--database", database) if database else ()))
        if code not in (0, 3, 4, 5, 8):
            raise LabTrouble(f"{site.code}: haulage join ended with {code}:\n{said}\n{self.tails()}")
        return code == 0

    def _offline(self, site: LabSite, *arguments: str) -> tuple[int, str]:
        if site.code not in self._listen:
            self._listen[site.code] = f"127.0.0.1:{self._ports.claim()}"
        listen = self._listen[site.code]
        done = subprocess.run(
            [program(), *arguments, "--home", site.home, "--listen", listen],
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env=site.environment,
        )
        return done.returncode, (done.stdout + done.stderr).decode("utf-8", "backslashreplace")
