"""Status messages: list, follow, explain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from starlette.responses import Response, StreamingResponse

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.base.ids import package_id, place, site_code
from haulage.domain.knowledge.diagnosis import likely
from haulage.engine.protocol.fields import Count
from haulage.engine.status import catalogue
from haulage.engine.status.message import Listed, Severity, StatusFilter, sentence
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import check_limit
from haulage.server.service import Service, View

LOOK_SECONDS = 0.5
"""How often a follower looks for new messages."""
KEEP_ALIVE_SECONDS = 15.0
BATCH = 500


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages. ``after`` and ``cursor`` are the ``id`` of the last one seen."""

    package: str | None = None
    place: str | None = None
    site: str | None = None
    number: Count | None = None
    severity: str | None = None
    after: Count | None = None
    cursor: Count | None = None
    limit: int = 100
    newest: bool = False

    def filter(self) -> StatusFilter:
        """As the journal takes it. Raises UsageError for what is none."""
        words = {severity.value: severity for severity in Severity}
        if self.severity is not None and self.severity not in words:
            raise UsageError("bad-severity", f"{self.severity[:40]!r} is no severity.", f"Use one of {', '.join(words)}.")
        return StatusFilter(
            after=self.after if self.after is not None else self.cursor,
            package=None if self.package is None else package_id(self.package),
            place=None if self.place is None else place(self.place),
            site=None if self.site is None else site_code(self.site),
            number=self.number,
            at_least=words[self.severity] if self.severity is not None else Severity.INFORMATION,
        )


def status_view(listed: Listed) -> View:
    """One message in the stable form scripts rely on; ``id`` is this server's cursor."""
    record = listed.record
    return {
        "id": listed.id,
        "sequence": record.sequence,
        "number": record.number,
        "severity": record.severity.value,
        "type": record.type.value,
        "site": record.site,
        "component": record.component,
        "package": record.package,
        "place": record.place,
        "time": iso(record.time),
        "received": iso(listed.received),
        "text": sentence(record, catalogue.MESSAGES.get(record.number)),
        "fields": dict(record.fields),
    }


def _list(call: Call) -> Answer:
    asked: Wanted = call.query
    check_limit(asked.limit)
    with call.service.core.database.reading() as tx:
        found = call.service.core.journal.find(tx, asked.filter(), limit=asked.limit, newest=asked.newest)
    rows = [status_view(listed) for listed in found]
    full = len(found) == asked.limit and not asked.newest
    return Answer(value={"items": rows, "cursor": str(found[-1].id) if full else None})


async def _follow(call: Call) -> Response:
    asked: Wanted = call.query
    wanted, service = asked.filter(), call.service
    start = wanted.after
    if start is None:
        start = await asyncio.to_thread(_newest, service)
    events = _events(service, asked, start)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(service: Service, asked: Wanted, after: int) -> AsyncIterator[bytes]:
    """Messages as they come, until the server stops or the client leaves."""
    yield b": following\n\n"
    quiet_seconds = 0.0
    with service.bells.in_loop("stop") as stop:
        while not service.bells.closed:
            found = await asyncio.to_thread(_after, service, asked, after)
            for listed in found:
                after = listed.id
                yield b"id: %d\nevent: status\ndata: " % after + msgspec.json.encode(status_view(listed)) + b"\n\n"
            quiet_seconds = 0.0 if found else quiet_seconds + LOOK_SECONDS
            if quiet_seconds >= KEEP_ALIVE_SECONDS:
                quiet_seconds = 0.0
                yield b": still here\n\n"
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue


def _newest(service: Service) -> int:
    with service.core.database.reading() as tx:
        return service.core.journal.last_id(tx)


def _after(service: Service, asked: Wanted, after: int) -> Sequence[Listed]:
    wanted = msgspec.structs.replace(asked, after=after).filter()
    with service.core.database.reading() as tx:
        return service.core.journal.find(tx, wanted, limit=BATCH)


def _number(call: Call) -> Answer:
    text = call.path["number"]
    if not text.isdecimal() or len(text) > 9:
        raise UsageError("bad-number", f"{text[:40]!r} is not a message number.", "haulage status list shows numbers.")
    message = catalogue.explain(int(text))
    core = call.service.core
    with core.database.reading() as tx:
        articles = likely(tx, core.code, core.librarian, message.name, messages=[message.number])
    return Answer(
        value={
            "id": message.number,
            "number": message.number,
            "name": message.name,
            "severity": message.severity.value,
            "type": message.type.value,
            "component": message.component.value,
            "text": message.text,
            "cause": message.cause,
            "remedy": message.remedy,
            "articles": articles,
        }
    )


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
        path="/api/v1/status/numbers/{number}",
        permission=Permission.READ,
        act=_number,
        summary="What a number means and what to do",
    ),
)
