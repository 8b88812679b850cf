"""One command as a process of its own: how long it took, and the most memory its processes held. Knows no contender."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.memory import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run."""

    wall_seconds: float
    processor_seconds: float
    peak_bytes: int
    """Of all its processes together, by looking often; and the largest one's own highest mark."""
    output: str


class CommandFailed(Exception):
    """A command ended with an error; its last words are the message."""


def run(
    command: str, *, environment: Mapping[str, str] | None = None, folder: str | None = None, limit_seconds: float | None = None
) -> Measured:
    """Run a shell command to its end. Its processes are waited for by the shell, so that their use is counted.

    Raises CommandFailed: it ended with an error, or took longer than the limit.
    """
    with tempfile.TemporaryFile() as words, tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        child = subprocess.Popen(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=words,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        with Watched(child.pid) as memory, _limited(child.pid, limit_seconds):
            _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        output.seek(0)
        if child.returncode:
            said = words.read()[-2000:].decode(errors="replace").strip()
            if limit_seconds is not None and wall >= limit_seconds:
                said = f"longer than {limit_seconds:.0f} s"
            raise CommandFailed(f"{command}\n{said or f'ended with {child.returncode}'}")
        return Measured(
            wall_seconds=wall,
            processor_seconds=usage.ru_utime + usage.ru_stime,
            peak_bytes=max(memory.peak_bytes, _largest_bytes(usage)),
            output=output.read().decode(errors="replace"),
        )


@contextlib.contextmanager
def _limited(session: int, seconds: float | None) -> Iterator[None]:
    """Ends everything in the session when the time is over, or when whoever waits is interrupted."""

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(session, signal.SIGKILL)

    timer = threading.Timer(seconds or 0, end)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    except BaseException:
        end()
        raise
    finally:
        timer.cancel()


def _largest_bytes(usage: resource.struct_rusage) -> int:
    """The largest process's own highest mark, which looking often can miss; 0 when it says nothing, as a child begins with ours."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage.ru_maxrss * 1024 if usage.ru_maxrss > ours else 0
