"""The lab itself: nothing it starts outlives it, and what it says of a failure can be used."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.testing.lab.ports import Ports
from haulage.testing.lab.process import LabTrouble, ServerProcess

_PARENT = """
import sys
from haulage.base.clock import SystemClock
from haulage.testing.lab.process import ServerProcess
child = ServerProcess(["/bin/sh", "-c", "echo ready; exec sleep 600"], log_path=sys.argv[1], environment={}, clock=SystemClock())
child.wait_for(b"ready", 30)
print(child.pid, flush=True)
sys.stdin.read()
"""


def started(tmp_path: Path, script: str) -> ServerProcess:
    return ServerProcess(["/bin/sh", "-c", script], log_path=str(tmp_path / "log"), environment={}, clock=SystemClock())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_server_dies_with_a_killed_test(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(tmp_path / "log")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        clock = SystemClock()
        end = clock.monotonic() + 30
        while is_alive(pid) and clock.monotonic() < end:
            clock.sleep(0.02)
        assert not is_alive(pid)


def test_a_kill_takes_the_whole_group(tmp_path: Path) -> None:
    process = started(tmp_path, "sleep 600 & echo $! child; wait")
    process.wait_for(b"child", 30)
    child = int(process.tail().split()[0])
    process.kill()
    process.kill()
    clock = SystemClock()
    end = clock.monotonic() + 30
    while is_alive(child) and clock.monotonic() < end:
        clock.sleep(0.02)
    assert (process.alive, is_alive(child)) == (False, False)


def test_trouble_shows_what_the_process_wrote(tmp_path: Path) -> None:
    with pytest.raises(LabTrouble, match="no such luck"):
        started(tmp_path, "echo no such luck; exit 3").wait_for(b"ready", 30)
    process = started(tmp_path, "trap 'echo torn; exit 5' TERM; echo ready; while :; do sleep 0.05; done")
    process.wait_for(b"ready", 30)
    with pytest.raises(LabTrouble, match=r"ended with 5 after SIGTERM(.|\n)*torn"):
        process.terminate(30)
    stubborn = started(tmp_path, "trap '' TERM; echo ready; while :; do sleep 0.05; done")
    stubborn.wait_for(b"ready", 30)
    with pytest.raises(LabTrouble, match="did not end within"):
        stubborn.terminate(0.2)
    assert not stubborn.alive


def test_two_labs_never_have_the_same_port() -> None:
    one, other = Ports(), Ports()
    other._next = one._next
    try:
        taken = {one.claim() for _ in range(5)} | {other.claim() for _ in range(5)}
        assert len(taken) == 10
        assert max(taken) < 32_768
    finally:
        one.close()
        other.close()
