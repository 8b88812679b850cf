"""Status messages: list, follow, explain."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.responses import Response, StreamingResponse

from haulage.base.errors import NotFoundError, UsageError
from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.telling.asked import Asked
from haulage.domain.telling.views import number_view, status_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.fields import Count
from haulage.engine.status import catalogue
from haulage.engine.status.message import Listed, StatusFilter
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, check_limit, cut
from haulage.server.service import Service

LOOK_SECONDS = 0.5
"""How often a follower looks for new messages."""
KEEP_ALIVE_SECONDS = 15.0
BATCH = 500


class Wanted(Asked, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which messages, and which part of them. Pages go on from their first to the newest; with ``newest`` the first page has the
    newest, and the cursor goes back. ``after`` and ``before`` are the ``id`` of a message."""

    after: Count | None = None
    before: Count | None = None
    cursor: Count | None = None
    limit: int = 100
    newest: bool = False

    def cut(self, tx: Transaction, now: dt.datetime) -> StatusFilter:
        """The filter with where to begin. Raises UsageError for what is none."""
        after, before = self.after, self.before
        if self.cursor is not None and self.newest:
            before = self.cursor if before is None else min(before, self.cursor)
        elif self.cursor is not None:
            after = self.cursor if after is None else max(after, self.cursor)
        return dataclasses.replace(self.filter(tx, now), after=after, before=before)


def _list(call: Call) -> Answer:
    asked: Wanted = call.query
    check_limit(asked.limit)
    core = call.service.core
    with core.database.reading() as tx:
        found = core.journal.look(tx, asked.cut(tx, call.service.clock.now()), limit=asked.limit, newest=asked.newest)
    rows = [status_view(listed) for listed in found.rows]
    return Answer(value={"items": rows, "cursor": None if found.more is None else str(found.more)})


async def _follow(call: Call) -> Response:
    asked: Wanted = call.query
    start = await asyncio.to_thread(_start, call.service, asked)
    events = _events(call.service, asked, start)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(service: Service, asked: Wanted, after: int) -> AsyncIterator[bytes]:
    """Messages as they come, until the server stops or the client leaves."""
    yield b": following\n\n"
    quiet_seconds = 0.0
    with service.bells.in_loop("stop") as stop:
        while not service.bells.closed:
            found, through = await asyncio.to_thread(_after, service, asked, after)
            for listed in found:
                yield b"id: %d\nevent: status\ndata: " % listed.id + msgspec.json.encode(status_view(listed)) + b"\n\n"
            after = through
            quiet_seconds = 0.0 if found else quiet_seconds + LOOK_SECONDS
            if quiet_seconds >= KEEP_ALIVE_SECONDS:
                quiet_seconds = 0.0
                yield b": still here\n\n"
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue


def _start(service: Service, asked: Wanted) -> int:
    """Where a follower begins: behind the one it saw last, with the first of the time it asks for, or now."""
    with service.core.database.reading() as tx:
        wanted = asked.cut(tx, service.clock.now())
        if wanted.after is not None:
            return wanted.after
        return 0 if wanted.since is not None else service.core.journal.last_id(tx)


def _after(service: Service, asked: Wanted, after: int) -> tuple[Sequence[Listed], int]:
    """What came since, and how far that was looked through: nobody looks through the same twice."""
    journal = service.core.journal
    with service.core.database.reading() as tx:
        last = journal.last_id(tx)
        if last <= after:
            return (), after
        wanted = dataclasses.replace(asked.cut(tx, service.clock.now()), after=after)
        found = journal.look(tx, wanted, limit=BATCH)
    return found.rows, last if found.more is None else found.more


def _number(call: Call) -> Answer:
    text = call.path["number"]
    if not text.isdecimal() or len(text) > 9:
        raise UsageError("bad-number", f"{text[:40]!r} is not a message number.", "haulage status list shows numbers.")
    message = catalogue.explain(int(text))
    core = call.service.core
    with core.database.reading() as tx:
        articles = likely(tx, core.code, core.librarian, message.name, messages=[message.number])
    return Answer(value=number_view(message) | {"articles": articles})


def _numbers(call: Call) -> Answer:
    rows = [number_view(message) for message in catalogue.MESSAGES.values()]
    page: Page = call.query
    return cut(rows, limit=page.limit, cursor=page.cursor, key=lambda row: f"{row['number']:09}")


def _one(call: Call) -> Answer:
    text = call.path["id"]
    found = None
    if text.isdecimal() and len(text) < 19:
        with call.service.core.database.reading() as tx:
            found = call.service.core.journal.get(tx, int(text))
    if found is None:
        raise NotFoundError("no-such-message", f"There is no status message {text[:40]!r} here.", "It may have expired.")
    return Answer(value=status_view(found))


ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/status", permission=Permission.READ, act=_list, query=Wanted, summary="Status messages"),
    Endpoint(
        method="GET",
        path="/api/v1/status/stream",
        permission=Permission.READ,
        act=_follow,
        query=Wanted,
        summary="Status messages as they come, as server-sent events",
    ),
    Endpoint(
        method="GET",
        path="/api/v1/status/numbers",
        permission=Permission.READ,
        act=_numbers,
        query=Page,
        summary="Every number, what it means and what to do",
    ),
    Endpoint(method="GET", path="/api/v1/status/{id}", permission=Permission.READ, act=_one, summary="One status message"),
    Endpoint(
        method="GET",
        path="/api/v1/status/numbers/{number}",
        permission=Permission.READ,
        act=_number,
        summary="What a number means and what to do",
    ),
)
