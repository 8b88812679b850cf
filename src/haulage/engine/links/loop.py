"""One private event loop on a thread of its own, so that callers may block while aiohttp does not. Knows no HTTP."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from haulage.base.errors import TransferError

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for blocking callers of any thread. One is enough for all links of a process."""

    def __init__(self, name: str = "haulage-links") -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``. Raises what it raises; TransferError ``link-closed`` if it was cancelled or the loop closed."""
        with self._lock:
            if self._closed:
                work.close()
                raise closed()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise closed() from None
        except BaseException:
            future.cancel()
            raise

    def call_soon(self, act: Callable[[], object]) -> None:
        """Do something on the loop, soon, without waiting; nothing if it is closed."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(act)

    def close(self) -> None:
        """Cancel what runs and end the thread; safe to repeat."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def closed() -> TransferError:
    """The error of a link that was closed while in use."""
    return TransferError("link-closed", "The link was closed while it was in use.", "It goes on when the server runs again.")
