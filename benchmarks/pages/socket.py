"""Asking a page over the real socket: TLS, HTTP, one connection that is kept. Knows no page."""

from __future__ import annotations

import asyncio
import http.client
import threading
import time
from typing import Any

from haulage.engine.trust.certificates import unverified_context
from haulage.server.app import create_app
from haulage.server.listener import Listener
from haulage.testing.estate.opened import Estate


class Wire:
    """The served estate, and a connection to it."""

    def __init__(self, estate: Estate, cookie: str) -> None:
        process = estate.process
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        app = create_app(process.service, limits=process.limits, pages=process.pages)
        self._listener = Listener(app, process.listen(), process.limits)
        self._run(self._listener.start())
        self._connection = http.client.HTTPSConnection("127.0.0.1", self._listener.port, context=unverified_context(), timeout=60)
        self._fields = {"Cookie": cookie, "Accept": "text/html,application/json"}

    def visit(self, target: str) -> float:
        """Seconds until the last byte is here."""
        try:
            return self._ask(target)
        except (http.client.HTTPException, ConnectionError):
            # The server hangs up on who says nothing for a while.
            self._connection.close()
            return self._ask(target)

    def _ask(self, target: str) -> float:
        begun = time.perf_counter()
        self._connection.request("GET", target, headers=self._fields)
        self._connection.getresponse().read()
        return time.perf_counter() - begun

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
        self._run(self._listener.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(60)
