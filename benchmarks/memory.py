"""How much memory a process and all its descendants hold at once, by looking often. Knows no command."""

from __future__ import annotations

import os
import threading
from types import TracebackType

_PAUSE_SECONDS = 0.04
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watched:
    """While it is entered, the resident memory of a process tree is summed again and again; ``peak_bytes`` is the most seen.

    Pages that several processes share are counted for each of them, mapped files too.
    """

    def __init__(self, root: int) -> None:
        self.peak_bytes = 0
        self._root = root
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_PAUSE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _tree_bytes(self._root))


def _tree_bytes(root: int) -> int:
    total, waiting = 0, [root]
    while waiting:
        number = waiting.pop()
        try:
            with open(f"/proc/{number}/statm") as file:
                total += int(file.read().split()[1]) * _PAGE
            for thread in os.listdir(f"/proc/{number}/task"):
                with open(f"/proc/{number}/task/{thread}/children") as file:
                    waiting += map(int, file.read().split())
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return total
