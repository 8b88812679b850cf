"""Stopping in order, waiting, failing rather than killing, starting again in reverse, and staying up; by a clock of the test."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haulage.engine.servicing import services as services_module
from haulage.engine.servicing.definition import Service, ServiceKind
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.services import Services, State
from haulage.engine.servicing.system_services import Systemd, WindowsService


class Hand:
    """A clock that a wait moves."""

    seconds = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Fake:
    """Stops and starts so many seconds after it was asked (None: never), and goes down again after so many."""

    name: str
    clock: Hand
    calls: list[str]
    now: State = State.RUNNING
    stops_after: float | None = 1.0
    starts_after: float | None = 1.0
    falls_after: float | None = None
    changes: list[tuple[float, State]] = field(default_factory=list)

    def state(self) -> State:
        while self.changes and self.changes[0][0] <= self.clock.seconds:
            self.now = self.changes.pop(0)[1]
        return self.now

    def ask_to_stop(self) -> None:
        self.calls.append(f"stop {self.name}")
        self.now = State.STOPPING
        if self.stops_after is not None:
            self.changes.append((self.clock.seconds + self.stops_after, State.STOPPED))

    def ask_to_start(self) -> None:
        self.calls.append(f"start {self.name}")
        self.now = State.STARTING
        if self.starts_after is not None:
            self.changes.append((self.clock.seconds + self.starts_after, State.RUNNING))
            if self.falls_after is not None:
                self.changes.append((self.clock.seconds + self.starts_after + self.falls_after, State.STOPPED))

    def kill(self) -> None:
        self.calls.append(f"kill {self.name}")
        self.now = State.STOPPED

    def check_rights(self) -> None:
        return None


def _services(*fakes: Fake, said: Callable[[str], None] = lambda _line: None) -> Services:
    clock = fakes[0].clock
    made = [Service(kind=ServiceKind.SYSTEMD, name=each.name, stop_seconds=10, start_seconds=10) for each in fakes]
    return Services(made, fakes, clock, said)


def _three() -> tuple[Fake, Fake, Fake]:
    clock, calls = Hand(), list[str]()
    return Fake("a", clock, calls), Fake("b", clock, calls, now=State.STOPPED), Fake("c", clock, calls)


def test_they_stop_in_order_and_start_in_reverse_those_that_ran() -> None:
    a, b, c = _three()
    services = _services(a, b, c)
    running = services.running()
    services.stop(kill=False)
    services.start(running)
    assert a.calls == ["stop a", "stop c", "start c", "start a"]
    assert b.state() is State.STOPPED


def test_one_that_does_not_stop_is_waited_for_and_not_killed() -> None:
    a, b, c = _three()
    a.stops_after = None
    with pytest.raises(StepError, match="a did not stop within 10 seconds") as failed:
        _services(a, b, c).stop(kill=False)
    assert failed.value.code == "service-timeout"
    assert a.calls == ["stop a"]
    assert a.clock.seconds >= 10


def test_unless_told_to() -> None:
    a, b, c = _three()
    a.stops_after = None
    _services(a, b, c).stop(kill=True)
    assert a.calls == ["stop a", "kill a", "stop c"]
    assert a.clock.seconds >= 10, "it had its time first"


@pytest.mark.parametrize(("starts", "falls", "code"), [(None, None, "service-timeout"), (1.0, 1.0, "service-failed")])
def test_one_that_does_not_come_up_or_not_stay_up_is_told(starts: float | None, falls: float | None, code: str) -> None:
    a, b, c = _three()
    c.starts_after, c.falls_after = starts, falls
    services = _services(a, b, c)
    services.stop(kill=False)
    with pytest.raises(StepError) as failed:
        services.start((0, 2))
    assert failed.value.code == code
    assert " c " in failed.value.message


def test_one_that_stays_up_is_looked_at_long_enough() -> None:
    a, b, c = _three()
    c.falls_after = services_module.SETTLE_SECONDS + 30
    services = _services(a, b, c)
    services.stop(kill=False)
    services.start((2,))
    assert c.state() is State.RUNNING


def test_what_is_waited_for_is_said() -> None:
    lines: list[str] = []
    a, b, c = _three()
    services = _services(a, b, c, said=lines.append)
    services.stop(kill=False)
    lines.clear()
    services.start((2,))
    assert lines == ["service c: started", "service c: up, watched for 3 seconds", "service c: stayed up"]
    c.changes.append((c.clock.seconds + 1.0, State.STOPPED))
    lines.clear()
    with pytest.raises(StepError, match="went down again"):
        services.start((2,))
    assert lines == ["service c: up, watched for 3 seconds"]


def test_one_that_ends_only_after_its_time_is_started_again() -> None:
    a, b, c = _three()
    a.changes.append((1.0, State.STOPPED))  # it was asked, did not end in its time, and ends now
    services = _services(a, b, c)
    with pytest.raises(StepError):
        services.start((0,))
    a.now = State.RUNNING
    a.changes.append((a.clock.seconds + 1.0, State.STOPPED))
    services.start_again((0,))
    assert a.calls == ["start a"]
    assert a.state() is State.RUNNING


def test_one_that_must_be_there_and_is_not_is_refused() -> None:
    a, b, c = _three()
    b.now = State.MISSING
    with pytest.raises(RefusedError, match="no systemd service b"):
        _services(a, b, c).running()


def _program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("LoadState=loaded\nActiveState=active", State.RUNNING),
        ("LoadState=loaded\nActiveState=reloading", State.RUNNING),
        ("LoadState=loaded\nActiveState=activating", State.STARTING),
        ("LoadState=loaded\nActiveState=deactivating", State.STOPPING),
        ("LoadState=loaded\nActiveState=failed", State.STOPPED),
        ("LoadState=not-found\nActiveState=inactive", State.MISSING),
    ],
)
def test_systemd_is_asked(said: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "systemctl", f'echo "$@" >> {tmp_path}/asked\nprintf "{said}\\n"\n')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    unit = Systemd("press.service")
    assert unit.state() is state
    unit.ask_to_stop()
    unit.ask_to_start()
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[1:] == ["stop --no-block -- press.service", "start --no-block -- press.service"]


def test_systemd_that_says_no_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "systemctl", "echo Access denied >&2\nexit 4\n")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(StepError, match="ended with 4: Access denied"):
        Systemd("press.service").ask_to_stop()


_QUERY = """
SERVICE_NAME: press
        TYPE               : 10  WIN32_OWN_PROCESS
        STATE              : {state}
                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)
        WIN32_EXIT_CODE    : 0  (0x0)
        PID                : 4711
"""


@pytest.mark.parametrize(
    ("code", "said", "state"),
    [
        (0, _QUERY.format(state="4  RUNNING"), State.RUNNING),
        (0, _QUERY.format(state="1  STOPPED"), State.STOPPED),
        (0, _QUERY.format(state="3  STOP_PENDING"), State.STOPPING),
        (0, _QUERY.format(state="2  START_PENDING").replace("STATE", "STATUS"), State.STARTING),
        (36, "[SC] EnumQueryServicesStatus:OpenService 1060", State.MISSING),
    ],
)
def test_windows_is_asked(code: int, said: str, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "said").write_text(said)
    _program(tmp_path, "sc.exe", f'echo "$@" >> {tmp_path}/asked\ncat {tmp_path}/said\nexit {code}\n')
    _program(tmp_path, "taskkill.exe", f'echo taskkill "$@" >> {tmp_path}/asked\n')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    service = WindowsService("press")
    assert service.state() is state
    if code == 0:
        service.kill()
        assert (tmp_path / "asked").read_text().splitlines()[-1] == "taskkill /F /T /PID 4711"
