"""Programs of a fix as real processes: exit codes, an end in time for all they start, what they say (B95)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from haulage.engine.servicing import processes
from haulage.engine.servicing.clock import MachineClock
from haulage.engine.servicing.definition import Outcome, Program, Service, ServiceKind, When
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.pid_file import PidFile
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.programs import MARK, MOST_LINES, Programs, filled
from haulage.engine.servicing.services import Services, State

SERVICE = Service(kind=ServiceKind.PIDFILE, name="press", pid_file="pid", start=("press",))


class Impatient:
    """A clock on which the wait is over once a file is there: the program has come to where it hangs."""

    def __init__(self, sign: Path) -> None:
        self._sign = sign

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

    def monotonic(self) -> float:
        return 1e9 if self._sign.exists() else 0.0

    def sleep(self, seconds: float) -> None:
        MachineClock().sleep(seconds)


def _script(folder: Path, text: str) -> list[str]:
    path = folder / "program.py"
    path.write_text(textwrap.dedent(text))
    return [sys.executable, str(path), str(folder)]


def _run(folder: Path, text: str, lines: list[str] | None = None) -> int:
    said = [] if lines is None else lines
    return Programs(MachineClock(), said.append).run(_script(folder, text), folder=str(folder), timeout_seconds=60)


@pytest.mark.parametrize(
    ("code", "outcome"), [(0, Outcome.OK), (7, Outcome.FAILED), (1, Outcome.FAILED), (194, Outcome.REBOOT), (255, Outcome.FAILED)]
)
def test_b95_exit_codes_are_mapped(tmp_path: Path, code: int, outcome: Outcome) -> None:
    program = Program(When.AFTER, ("x",), exits={194: Outcome.REBOOT})
    assert program.outcome(_run(tmp_path, f"import sys; sys.exit({code})")) is outcome


@pytest.mark.parametrize(
    ("code", "outcome"), [(3010, Outcome.REBOOT), (1641, Outcome.REBOOT_BEGUN), (1603, Outcome.FAILED), (-9, Outcome.FAILED)]
)
def test_b95_codes_beyond_a_byte_are_mapped_too(code: int, outcome: Outcome) -> None:
    assert Program(When.AFTER, ("x",)).outcome(code) is outcome


_HANGS = """
    import os, subprocess, sys, time
    folder = sys.argv[1]
    child = subprocess.Popen([sys.executable, "-c",
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"])
    open(folder + "/pids.new", "w").write(f"{os.getpid()} {child.pid}")
    os.rename(folder + "/pids.new", folder + "/pids")
    {then}
"""


def _pids(folder: Path) -> list[int]:
    return [int(each) for each in (folder / "pids").read_text().split()]


@pytest.mark.parametrize("then", ["time.sleep(600)", "pass"], ids=["hangs", "child outlives parent"])
def test_b95_the_whole_tree_ends_in_time(tmp_path: Path, then: str) -> None:
    runner = Programs(Impatient(tmp_path / "pids"), lambda _line: None)
    with pytest.raises(StepError) as failed:
        runner.run(_script(tmp_path, _HANGS.replace("{then}", then)), folder=str(tmp_path), timeout_seconds=5)
    assert failed.value.code == "program-timeout"
    assert [pid for pid in _pids(tmp_path) if processes.find(pid) is not None] == []


def test_b95_one_that_leaves_session_and_parent_is_found_by_its_mark(tmp_path: Path) -> None:
    runner = Programs(Impatient(tmp_path / "pids"), lambda _line: None)
    text = """
        import os, sys, time
        if os.fork():
            sys.exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        open(sys.argv[1] + "/pids.new", "w").write(str(os.getpid()))
        os.rename(sys.argv[1] + "/pids.new", sys.argv[1] + "/pids")
        time.sleep(600)
    """
    with pytest.raises(StepError):
        runner.run(_script(tmp_path, text), folder=str(tmp_path), timeout_seconds=5)
    assert [pid for pid in _pids(tmp_path) if processes.find(pid) is not None] == []


def test_b95_a_child_that_ends_by_itself_is_waited_for(tmp_path: Path) -> None:
    text = """
        import os, sys
        reader, writer = os.pipe()
        if os.fork():
            sys.exit(5)
        os.close(writer)
        os.read(reader, 1)  # returns when the parent has ended
        open(sys.argv[1] + "/late", "w").write("done")
    """
    assert _run(tmp_path, text) == 5
    assert (tmp_path / "late").read_text() == "done"


def test_what_it_says_is_logged_within_bounds(tmp_path: Path) -> None:
    lines: list[str] = []
    assert _run(tmp_path, f"for n in range({MOST_LINES} * 3): print('line', n)", lines) == 0
    said = [line for line in lines if line.startswith("program says:")]
    assert said[0] == "program says: line 0"
    assert len(said) == MOST_LINES + 1
    assert said[-1] == f"program says: ({2 * MOST_LINES} more lines)"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no-such-thing") as failed:
        Programs(MachineClock(), lambda _line: None).run(["no-such-thing"], folder=str(tmp_path), timeout_seconds=5)
    assert failed.value.code == "program-not-found"


def test_places_in_commands_are_filled(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "x").write_text("")
    places = Places(str(tmp_path), {"home": "/var/lib/x"})
    assert filled(["bin/x", "{tools}/y", "--home={home}", "{python}"], places, "/t") == [
        str(tmp_path / "bin" / "x"), "/t/y", "--home=/var/lib/x", sys.executable
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="nowhere") as refused:
        filled(["{nowhere}/x"], places, "")
    assert refused.value.code == "no-such-root"


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def _control(folder: Path) -> PidFile:
    return PidFile("press", str(folder / "pid"), [sys.executable, "-m", "press"], None, str(folder))


def test_a_process_is_found_by_its_pid_file_and_asked_to_end(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    (tmp_path / "pid").write_text(f"{sleeper.pid}\n")
    control = _control(tmp_path)
    assert control.state() is State.RUNNING
    control.ask_to_stop()
    assert sleeper.wait() == -signal.SIGTERM
    assert control.state() is State.STOPPED


def test_a_number_given_to_another_process_since_is_no_service(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    (tmp_path / "pid").write_text('{"pid": ' + str(sleeper.pid) + "}")
    found = processes.find(sleeper.pid)
    assert found is not None
    try:
        assert _control(tmp_path).state() is State.RUNNING
        os.utime(tmp_path / "pid", (found.epoch_seconds - 60, found.epoch_seconds - 60))
        control = _control(tmp_path)
        assert control.state() is State.STOPPED
        control.ask_to_stop()
        control.kill()
        assert sleeper.poll() is None, "nobody touches another's process"
        words = [sys.executable, "-c", "import time; time.sleep(600)"]
        same = PidFile("press", str(tmp_path / "pid"), words, None, str(tmp_path))
        assert same.state() is State.RUNNING, "the clock was put forward: it is the very command"
    finally:
        sleeper.kill()
        sleeper.wait()


@pytest.mark.parametrize("text", ["", "0", "-1", "true", "[1]", '{"pid": "x"}', "\x00", "99999999999999"])
def test_a_file_that_names_nobody_is_no_service(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert _control(tmp_path).state() is State.STOPPED


def test_a_service_that_ends_at_once_is_told_with_its_code(tmp_path: Path) -> None:
    control = PidFile("press", str(tmp_path / "pid"), [sys.executable, "-c", "raise SystemExit(3)"], None, str(tmp_path))
    control.ask_to_start()
    services = Services([SERVICE], [control], MachineClock(), lambda _line: None)
    with pytest.raises(StepError, match="ended with 3"):
        services.start((0,))


def test_what_a_killed_servicing_left_running_is_ended_before_anything_is_given_back(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    left = []
    for folder in (ours, other):
        folder.mkdir()
        mark = {MARK: f"1-1-{folder}"}
        left.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={**os.environ, **mark}))
    lines: list[str] = []
    try:
        Programs(MachineClock(), lines.append).end_left(folder=str(ours))
        assert left[0].wait() == -signal.SIGKILL
        assert left[1].poll() is None, "another root's"
        assert len(lines) == 1
    finally:
        for process in left:
            process.kill()
            process.wait()


def test_a_file_in_use_is_known_with_its_user(tmp_path: Path) -> None:
    used, unused = tmp_path / "used", tmp_path / "unused"
    used.write_bytes(b"x")
    unused.write_bytes(b"x")
    text = "import sys; file = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", text, str(used)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
        assert user.stdout is not None
        user.stdout.readline()
        assert processes.users_of({str(used), str(unused)}) == {user.pid: str(used)}
        user.kill()
