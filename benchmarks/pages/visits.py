"""Asking a page as a browser of somebody signed in does, in this process: the time, the bytes, and the questions to the database.
Knows no page."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import sqlalchemy as sa

from haulage.console.app import Console
from haulage.console.frame.cookies import SESSION
from haulage.console.frame.page import Page
from haulage.console.frame.sessions import Sessions
from haulage.domain.people.model import LOCAL
from haulage.server.app import create_app
from haulage.server.service import Service
from haulage.wiring.console import pages_of, writes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """One answer."""

    status: int
    size_bytes: int
    seconds: float
    """Until the last byte, by the clock on the wall."""
    processor_seconds: float
    """User and system time of the whole process meanwhile."""
    questions: int
    """Statements sent to the database."""


class Visitor:
    """An administrator, signed in at a console that is called without a socket."""

    def __init__(self, service: Service) -> None:
        sessions = Sessions(service.clock, service.core.database, service.reception.local_proof)
        self.pages: tuple[Page, ...] = pages_of(service)
        self._app: Any = create_app(service, pages=Console(service, sessions, self.pages, writes_of(service, sessions)))
        self.cookie = f"{SESSION}={sessions.begin(LOCAL, browser='a benchmark')}"
        self._engine = service.core.database.engine
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """No more visits."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def visit(self, target: str) -> Visited:
        """One page, from the request to the last byte."""
        with _counted(self._engine) as questions:
            begun, used = time.perf_counter(), time.process_time()
            status, size_bytes = self._loop.run_until_complete(self._ask(target))
            seconds, processor_seconds = time.perf_counter() - begun, time.process_time() - used
        return Visited(
            status=status, size_bytes=size_bytes, seconds=seconds, processor_seconds=processor_seconds, questions=len(questions)
        )

    async def _ask(self, target: str) -> tuple[int, int]:
        path, _mark, query = target.partition("?")
        fields = {"host": "127.0.0.1", "cookie": self.cookie, "accept": "text/html,application/json"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in fields.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if sent:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return int(sent[0]["status"]), sum(len(message.get("body", b"")) for message in sent[1:])


@contextmanager
def _counted(engine: sa.Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
