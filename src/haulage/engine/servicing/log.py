"""What was done, line by line, for the person who asks later: each step, and for each file one of replaced, already current or
refused with the reason (Q313874). Holds no truth: nothing is decided from it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from haulage.engine.servicing.clock import Clock, iso


class Log:
    """Appends to a file once there is one, and says every line to ``echo``. What cannot be written is said all the same."""

    def __init__(self, clock: Clock, echo: Callable[[str], None] = lambda _line: None) -> None:
        self._clock = clock
        self._echo = echo
        self._fd = -1
        self.path = ""

    def open(self, path: str) -> None:
        """From now on into this file, too. No error if that cannot be."""
        self.close()
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o644)
            self.path = path

    def say(self, sentence: str) -> None:
        """One line; line breaks in what others said are made spaces."""
        line = " ".join(sentence.split())
        self._echo(line)
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.write(self._fd, f"{iso(self._clock.now())} {line}\n".encode("utf-8", "replace"))

    def close(self) -> None:
        """Make it durable as well as that goes."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.fsync(self._fd)
            os.close(self._fd)
            self._fd, self.path = -1, ""
