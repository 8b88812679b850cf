"""The same deaths by SIGKILL of a real process, to prove that what the others do within one process tells the truth."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from haulage.testing.crash_points.every import AnyBench


def kill_really(bench: AnyBench, point: int) -> str:
    """Have a process of its own run the scenario up to the step and be killed there, then come back here. Returns what did not
    hold, or nothing."""
    command = [sys.executable, "-m", "haulage.testing.crash_points", "--die-in", bench.root]
    command += ["--scenario", bench.scenario.name, "--point", str(point)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != -signal.SIGKILL:
        return f"it was not killed: {ended.returncode} {ended.stderr[-500:]}"
    try:
        bench.come_back()
    except Exception as failure:
        return f"{type(failure).__name__}: {failure}"
    return ""


def die(bench: AnyBench, point: int) -> None:
    """What the process does that is to be killed."""
    bench.die_for_real(point, lambda: os.kill(os.getpid(), signal.SIGKILL))
