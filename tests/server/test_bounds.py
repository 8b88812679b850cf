"""An answer is not offered for ever, and refusals do not fill the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message

from haulage.base.errors import NotFoundError
from haulage.server.bounds import Bounds
from haulage.server.limits import Limits
from haulage.server.refusals import Refuser
from haulage.testing.clock import HandClock

SCOPE: dict[str, Any] = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/x",
    "raw_path": b"/x",
    "query_string": b"",
    "headers": [(b"host", b"a")],
    "client": ("192.0.2.1", 1),
}


def test_an_answer_that_is_taken_in_drips_is_broken_off_and_what_it_held_let_go(caplog: pytest.LogCaptureFixture) -> None:
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    async def play() -> None:
        limits = Limits(unread_seconds=0.05, body_bytes_per_second=1000)
        refuser = Refuser(HandClock(), lines_per_minute=1)
        bounds = Bounds(StreamingResponse(pieces()), limits=limits, own_url=lambda: "https://a", refuser=refuser)
        await asyncio.wait_for(bounds(SCOPE, receive, send), 20)
        await asyncio.get_running_loop().shutdown_asyncgens()

    caplog.set_level(logging.WARNING, "haulage.server")
    asyncio.run(play())
    assert closed == [True]
    assert "an answer to 192.0.2.1 was not taken in time" in caplog.text


def test_of_very_many_refusals_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "haulage.server")
    clock = HandClock()
    refuser = Refuser(clock, lines_per_minute=3)
    for _ in range(10):
        refuser.refuse(SCOPE, NotFoundError("no-such-resource", "There is nothing.", ""))
    assert len(caplog.records) == 3
    clock.move(61)
    refuser.refuse(SCOPE, NotFoundError("no-such-resource", "There is nothing.", ""))
    said = [record.getMessage() for record in caplog.records[3:]]
    assert said[0] == "7 more requests were refused in a minute"
    assert said[1].startswith("refused GET /x from 192.0.2.1")
