"""Signals while a fix is being put on: the first one (a lost connection, Ctrl-C, a request to end) has it undone, later ones are
not heard until that is over. Only in the main thread, where Python hears signals."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


class Interrupts:
    """While it is open the first signal raises KeyboardInterrupt in whatever is being done, unless :meth:`hold` was called."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._held = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                # One that somebody had ignored (nohup) stays ignored.
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        """From now on it comes to its end, whoever asks otherwise."""
        self._held = True

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if not self._held:
            self._held = True
            raise KeyboardInterrupt(signal.Signals(number).name)
