"""What somebody had done to the store from a page: one thing at a time, in a thread of its own, and how far it is. Knows no
store; the work is given to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import msgspec

from haulage.base.clock import Clock, iso
from haulage.base.errors import ConflictError, HaulageError

_log = logging.getLogger("haulage.store")
Progress = Callable[[int], None]
Work = Callable[[Progress], str]
"""Does it, tells the bytes read so far, and returns the outcome as a sentence."""
DOING = {"sweep": "sweep", "foretell": "look at what a sweep would give back", "check": "check", "repair": "check and repair"}


class StoreAct(msgspec.Struct, frozen=True, kw_only=True):
    """One act and its outcome."""

    what: str
    """sweep, foretell, check, repair"""
    by: str
    began: str
    ended: str | None = None
    bytes_done: int = 0
    """Read so far, of what is stored."""
    outcome: str = ""
    """A sentence, once it ended."""
    failed: bool = False
    hint: str = ""


class StoreActs:
    """Of one running server. What it remembers ends with it; the status messages stay."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: StoreAct | None = None
        self.ended = threading.Event()
        """Set while nothing is being done."""
        self.ended.set()

    @property
    def last(self) -> StoreAct | None:
        """What was asked for last."""
        with self._lock:
            return self._last

    def start(self, actor: str, what: str, work: Work) -> None:
        """Begin one. Raises ConflictError ``store-busy`` while another one goes on."""
        with self._lock:
            if self._last is not None and self._last.ended is None:
                raise ConflictError(
                    "store-busy", f"{self._last.by} asked for a {DOING[self._last.what]}, and it goes on.", "Wait for its end."
                )
            self._last = StoreAct(what=what, by=actor, began=iso(self._clock.now()))
            self.ended.clear()
        threading.Thread(target=self._run, args=(work,), name="haulage-store-act", daemon=True).start()

    def _run(self, work: Work) -> None:
        outcome, hint, failed = "", "", False
        try:
            outcome = work(self._progress)
        except HaulageError as error:
            outcome, hint, failed = error.message, error.hint, True
        except Exception as cause:
            _log.exception("an act on the store")
            outcome, hint, failed = (
                f"The server met an unexpected error ({type(cause).__name__}).",
                "Look at the server's log.",
                True,
            )
        with self._lock:
            assert self._last is not None
            ended = iso(self._clock.now())
            self._last = msgspec.structs.replace(self._last, ended=ended, outcome=outcome, hint=hint, failed=failed)
        self.ended.set()

    def _progress(self, done: int) -> None:
        with self._lock:
            assert self._last is not None
            self._last = msgspec.structs.replace(self._last, bytes_done=done)
