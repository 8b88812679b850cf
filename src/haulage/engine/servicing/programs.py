"""Running one program of a fix: no shell, nothing to read, an end within its time for it and all it starts (B95).

A program has ended when all its descendants have: one that outlives its parent is waited for, and ended with the rest of the tree.
"""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from haulage.engine.servicing import processes
from haulage.engine.servicing.clock import Clock
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.processes import Process

MARK = "SERVICING_PROGRAM"
"""In the environment of the program and of what it starts: how they are found."""
MOST_LINES = 200
_MOST_LINE_BYTES = 2_000
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.02, 0.5
_ROUNDS = 200


def filled(command: Sequence[str], places: Places, tools: str) -> list[str]:
    """The command with its places put in. Raises RefusedError ``no-such-root``."""
    values = {"root": places.root, "tools": tools, "python": sys.executable, **places.others}
    found = []
    for word in command:
        for name, value in values.items():
            word = word.replace("{" + name + "}", value)
        found.append(word)
    for word, given in zip(found, command):
        if word == given and word.startswith("{") and "}" in word:
            name = word[1 : word.index("}")]
            raise RefusedError("no-such-root", f"A program of the fix needs {word}.", f"Give --root {name}=FOLDER too.")
    program = found[0]
    if not os.path.isabs(program) and os.path.exists(os.path.join(places.root, program)):
        found[0] = os.path.join(places.root, program)
    return found


def _end_of_mark(folder: str) -> str:
    return f"-{os.path.realpath(folder)}"


class Programs:
    """Runs programs in a product's root."""

    def __init__(self, clock: Clock, said: Callable[[str], None], environment: Mapping[str, str] | None = None) -> None:
        self._clock = clock
        self._said = said
        self._environment = dict(os.environ if environment is None else environment)
        self._count = 0

    def run(self, command: Sequence[str], *, folder: str, timeout_seconds: float) -> int:
        """Its exit code (below 0: ended by that signal). Raises StepError ``program-not-found``, ``program-timeout``."""
        self._count += 1
        mark = f"{os.getpid()}-{self._count}{_end_of_mark(folder)}"
        self._said(f"program {' '.join(command)}: begins")
        try:
            child = self._start(command, folder, mark)
        except OSError as cause:
            raise StepError(
                "program-not-found", f"The program {command[0]} cannot be started: {cause.strerror}.", "The bundle is incomplete."
            ) from cause
        tree = _Tree(child, f"{MARK}={mark}")
        assert child.stdout is not None
        output = _Output(child.stdout)
        try:
            code = self._wait(child, tree, timeout_seconds)
        except BaseException:
            tree.end(self._clock)
            raise
        finally:
            for line in output.lines():
                self._said(f"program says: {line}")
        if code is None:
            raise StepError(
                "program-timeout",
                f"{' '.join(command)}, or what it started, did not end within {timeout_seconds:g} seconds; all of it was ended.",
                "Run it by hand to see what it waits for.",
            )
        self._said(f"program {' '.join(command)}: ended with {code}")
        return code

    def end_left(self, *, folder: str) -> None:
        """End programs of this root whose servicing was killed: they would write into what is being given back. Whoever calls holds
        the lock, so no other servicing has one."""
        for process in processes.everyone():
            word = next((each for each in processes.words(process.pid) if each.startswith(f"{MARK}=")), "")
            if word.endswith(_end_of_mark(folder)) and process.pid != os.getpid():
                self._said(f"process {process.pid} was left by a program of an earlier start: ended by force")
                processes.send(process, force=True)
                while processes.is_alive(process):
                    self._clock.sleep(_SHORTEST_SECONDS)

    def _start(self, command: Sequence[str], folder: str, mark: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(command),
            cwd=folder,
            env={**self._environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def _wait(self, child: subprocess.Popen[bytes], tree: _Tree, seconds: float) -> int | None:
        until, pause = self._clock.monotonic() + seconds, _SHORTEST_SECONDS
        while tree.lives():
            if self._clock.monotonic() >= until:
                tree.end(self._clock)
                return None
            self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_SECONDS)
        return child.returncode


class _Tree:
    """A process and its descendants: by parent, by session, and by the mark in their environment."""

    def __init__(self, child: subprocess.Popen[bytes], mark: str) -> None:
        self._child = child
        self._mark = mark
        self._known: dict[int, Process] = {}

    def lives(self) -> bool:
        """Whether any of it does."""
        running = self._child.poll() is None
        return bool(self._members()) or running

    def _members(self) -> list[Process]:
        """The living, without the first of them."""
        all_now = {each.pid: each for each in processes.everyone() if each.pid != self._child.pid and each.pid != os.getpid()}
        self._known = {pid: each for pid, each in self._known.items() if pid in all_now and all_now[pid].started == each.started}
        families = {self._child.pid, *self._known}
        grown = True
        while grown:
            grown = False
            for pid, each in all_now.items():
                if pid not in self._known and (
                    each.parent in families or each.session == self._child.pid or processes.has_word(pid, self._mark)
                ):
                    self._known[pid] = each
                    families.add(pid)
                    grown = True
        return list(self._known.values())

    def end(self, clock: Clock) -> None:
        """All of it, by force; what is started meanwhile as well."""
        for _round in range(_ROUNDS):
            members = self._members()
            if os.name == "nt":
                subprocess.run(["taskkill.exe", "/F", "/T", "/PID", str(self._child.pid)], capture_output=True, check=False)
            if self._child.poll() is None:
                self._child.kill()
            for each in members:
                processes.send(each, force=True)
            if not self.lives():
                return
            clock.sleep(_SHORTEST_SECONDS)


class _Output:
    """The first lines of what is said, read so that nobody waits for a reader; the rest is counted."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: collections.deque[str] = collections.deque()
        self._more = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._stream:
            while line := self._stream.readline(_MOST_LINE_BYTES):
                if len(self._lines) < MOST_LINES:
                    self._lines.append(line.decode("utf-8", "replace").rstrip())
                else:
                    self._more += 1

    def lines(self) -> list[str]:
        """What was said so far; all of it once every writer has ended."""
        self._reader.join(1.0)
        return [*self._lines, *([f"({self._more} more lines)"] if self._more else [])]
