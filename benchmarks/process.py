"""One command as a process of its own: how long it took, and the most memory any process of it held. Knows no contender."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run."""

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int
    """The largest process of a pipeline, not the sum."""
    output: str


class CommandFailed(Exception):
    """A command ended with an error; its last words are the message."""


def run(command: str, *, environment: Mapping[str, str] | None = None, folder: str | None = None) -> Measured:
    """Run a shell command to its end. Its processes are waited for by the shell, so that their use is counted."""
    with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        output.seek(0)
        if child.returncode:
            raise CommandFailed(f"{command}\n{words.read()[-2000:].decode(errors='replace')}")
        return Measured(
            wall_seconds=wall,
            processor_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * 1024,
            output=output.read().decode(errors="replace"),
        )
