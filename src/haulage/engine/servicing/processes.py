"""Processes of this machine by number and start time: a number alone may be another's by now. Reads /proc where there is one, asks
``ps`` elsewhere; ends only what it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

PROC = "/proc"
_HAS_PROC = os.path.isdir(f"{PROC}/self")
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


@dataclass(frozen=True)
class Process:
    """One process. ``started`` tells it from later ones with its number; ``epoch_seconds`` is the same as wall time."""

    pid: int
    parent: int
    session: int
    started: str
    epoch_seconds: float


def find(pid: int) -> Process | None:
    """The living process of a number; None if there is none (one that has ended and was not fetched is none)."""
    if pid <= 0:
        return None
    return _from_proc(pid) if _HAS_PROC else _from_ps(pid)


def is_alive(process: Process) -> bool:
    """Whether it is still that one."""
    found = find(process.pid)
    return found is not None and found.started == process.started


def everyone() -> Iterator[Process]:
    """All living processes; only where there is a /proc."""
    if not _HAS_PROC:
        return
    for name in os.listdir(PROC):
        if name.isdigit():
            found = _from_proc(int(name))
            if found is not None:
                yield found


def _from_proc(pid: int) -> Process | None:
    try:
        with open(f"{PROC}/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        if fields[0] in (b"Z", b"X"):
            return None
        ticks = int(fields[19])
        return Process(pid, int(fields[1]), int(fields[3]), str(ticks), _boot_seconds() + ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, IndexError, ValueError):
        return None


def _boot_seconds() -> float:
    with open(f"{PROC}/stat", encoding="ascii") as file:
        return float(next(line.split()[1] for line in file if line.startswith("btime ")))


def _from_ps(pid: int) -> Process | None:
    command = ["ps", "-o", "ppid=,pgid=,stat=,lstart=", "-p", str(pid)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
        parent, session, state, start = answer.stdout.split(None, 3)
    except (OSError, ValueError):
        return None
    if state.startswith("Z"):
        return None
    seconds = time.mktime(time.strptime(start.strip(), "%a %b %d %H:%M:%S %Y"))
    return Process(pid, int(parent), int(session), start.strip(), seconds)


def arguments(pid: int) -> list[str]:
    """The command line of a process; empty where that cannot be known."""
    return [os.fsdecode(each) for each in _read(pid, "cmdline").split(b"\0") if each]


def words(pid: int) -> list[str]:
    """The environment a process began with, as ``NAME=value``; empty where that cannot be known."""
    return [os.fsdecode(each) for each in _read(pid, "environ").split(b"\0")]


def has_word(pid: int, word: str) -> bool:
    """Whether a process began with this in its environment."""
    return os.fsencode(word) in _read(pid, "environ").split(b"\0")


def _read(pid: int, name: str) -> bytes:
    try:
        with open(f"{PROC}/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def users_of(paths: set[str]) -> dict[int, str]:
    """Processes that have one of these files open or run from it, with the file; empty where that cannot be known."""
    found: dict[int, str] = {}
    for process in everyone():
        if process.pid == os.getpid():
            continue
        for path in _files_of(process.pid):
            if path in paths:
                found[process.pid] = path
                break
    return found


def _files_of(pid: int) -> Iterator[str]:
    folder = f"{PROC}/{pid}/fd"
    try:
        links = [os.path.join(folder, name) for name in os.listdir(folder)]
    except OSError:
        links = []
    for link in [f"{PROC}/{pid}/exe", *links]:
        try:
            yield os.readlink(link)
        except OSError:
            continue
    for line in _read(pid, "maps").splitlines():
        parts = line.split(None, 5)
        if len(parts) == 6 and parts[5].startswith(b"/"):
            yield os.fsdecode(parts[5])


def send(process: Process, *, force: bool) -> None:
    """Ask it to end, or end it. Where the system has them through a handle, so that no other can be meant."""
    number = _KILL if force else signal.SIGTERM
    try:
        if hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal"):
            fd = os.pidfd_open(process.pid)
            try:
                if is_alive(process):
                    signal.pidfd_send_signal(fd, number)
            finally:
                os.close(fd)
        elif is_alive(process):
            os.kill(process.pid, number)
    except ProcessLookupError:
        return
