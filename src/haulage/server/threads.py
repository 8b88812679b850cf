"""Threads that may not end in silence: whatever throws is logged and begun again, later each time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

FIRST_SECONDS = 0.5
CAP_SECONDS = 30.0
HEALTHY_TURNS = 10

_log = logging.getLogger("haulage.server")


class Repeating:
    """Calls ``turn`` again and again in a thread until stopped. ``turn`` does its own waiting, on ``stopping`` or a bell that rings
    when the server stops."""

    def __init__(self, name: str, turn: Callable[[], None], stopping: threading.Event) -> None:
        self._name = name
        self._turn = turn
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run, name=f"haulage-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the end; whether it came."""
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            _log.warning("the thread %s did not end in time", self._name)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = good = 0
        while not self._stopping.is_set():
            try:
                self._turn()
                good += 1
                failures = 0 if good >= HEALTHY_TURNS else failures
            except Exception:
                if self._stopping.is_set():
                    return
                failures, good = failures + 1, 0
                pause = min(CAP_SECONDS, FIRST_SECONDS * 2.0 ** min(failures - 1, 10))
                _log.exception("the thread %s failed; it goes on in %.1f s", self._name, pause)
                self._stopping.wait(pause)
