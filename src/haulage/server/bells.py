"""Wake-ups between threads and the event loop. A bell is a hint: whoever hears it looks at the tables, and looks by itself too."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator

JOBS = "jobs"
"""Something is due."""


class Bells:
    """Named bells; anybody may ring, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Callable[[], None]]] = {}
        self._closed = False

    def ring(self, name: str) -> None:
        """Wake whoever listens to this bell now; those who do not look later anyway."""
        with self._lock:
            listeners = list(self._listeners.get(name, ()))
        for listener in listeners:
            listener()

    def close(self) -> None:
        """Ring every bell, for good: the server stops."""
        with self._lock:
            self._closed = True
            listeners = [listener for listeners in self._listeners.values() for listener in listeners]
        for listener in listeners:
            listener()

    @property
    def closed(self) -> bool:
        """Whether the server stops."""
        return self._closed

    def names(self) -> frozenset[str]:
        """The bells somebody listens to now."""
        with self._lock:
            return frozenset(self._listeners)

    @contextlib.contextmanager
    def in_thread(self, name: str) -> Iterator[threading.Event]:
        """An event that is set when the bell rings; the listener clears it before it looks."""
        event = threading.Event()
        with self._listening(name, event.set):
            yield event

    @contextlib.contextmanager
    def in_loop(self, name: str) -> Iterator[asyncio.Event]:
        """The same for a coroutine."""
        event, loop = asyncio.Event(), asyncio.get_running_loop()

        def listener() -> None:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                loop.call_soon_threadsafe(event.set)

        with self._listening(name, listener):
            yield event

    @contextlib.contextmanager
    def _listening(self, name: str, listener: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            self._listeners.setdefault(name, []).append(listener)
            closed = self._closed
        if closed:
            listener()
        try:
            yield
        finally:
            with self._lock:
                self._listeners[name].remove(listener)
                if not self._listeners[name]:
                    del self._listeners[name]
