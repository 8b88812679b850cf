"""Status messages as they come: from where a follower was, to those with the token alone, until the server stops."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from typing import Any

from haulage.engine.status import on_server
from haulage.server.app import create_app
from haulage.server.bells import Bells
from tests.server.asgi import Served

TARGET = "/api/v1/status/stream"


class _Follower:
    """One connection: what came so far, and a client that stays."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self.came = asyncio.Event()

    async def follow(self, app: Any, headers: dict[str, str], query: str = "") -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": TARGET,
            "raw_path": TARGET.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in {"host": "a", **headers}.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if asked:
                await asyncio.Event().wait()
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            self.status = message.get("status", self.status)
            self.body += message.get("body", b"")
            self.came.set()

        await app(scope, receive, send)

    async def until(self, wanted: bytes) -> None:
        while wanted not in self.body:
            self.came.clear()
            await asyncio.wait_for(self.came.wait(), 20)


def _say(served: Served, cause: str) -> None:
    with served.opened.core.database.writing() as tx:
        served.opened.core.journal.record(tx, on_server.SERVER_STOPPED, cause=cause)


def _newest(served: Served) -> int:
    with served.opened.core.database.reading() as tx:
        return served.opened.core.journal.last_id(tx)


def test_b74_no_stream_without_the_token(served: Served) -> None:
    async def play(headers: dict[str, str]) -> int:
        follower = _Follower()
        await follower.follow(served.app, headers)
        return follower.status

    for headers in ({}, {"Cookie": f"token={served.token}"}, {"Origin": served.service.url()}):
        assert asyncio.run(play(headers)) == 401
    assert served.ask("GET", f"{TARGET}?token={served.token}").status == 401


def test_a_follower_gets_what_it_missed_and_what_comes_each_once(served: Served) -> None:
    after = _newest(served)
    _say(served, "missed")

    async def play() -> _Follower:
        follower = _Follower()
        headers = {"Authorization": f"Bearer {served.token}"}
        following = asyncio.create_task(follower.follow(served.app, headers, f"after={after}"))
        await follower.until(b"missed")
        await asyncio.to_thread(_say, served, "fresh\nid: 1\ndata: forged")
        await follower.until(b"forged")
        following.cancel()
        return follower

    follower = asyncio.run(play())
    assert follower.status == 200
    events = [
        dict(row.split(": ", 1) for row in event.split("\n"))
        for event in follower.body.decode().split("\n\n")
        if event[:3] == "id:"
    ]
    assert [int(event["id"]) for event in events] == [after + 1, after + 2]
    told = [json.loads(event["data"]) for event in events]
    assert [row["fields"]["cause"] for row in told] == ["missed", "fresh\nid: 1\ndata: forged"]


def test_q317893_the_stop_ends_a_stream(served: Served) -> None:
    bells = Bells()
    service = _with_bells(served, bells)

    async def play() -> int:
        follower = _Follower()
        following = asyncio.create_task(follower.follow(service, {"Authorization": f"Bearer {served.token}"}))
        await follower.until(b": following")
        bells.close()
        await asyncio.wait_for(following, 20)
        return follower.status

    assert asyncio.run(play()) == 200


def _with_bells(served: Served, bells: Bells) -> Any:
    return create_app(dataclasses.replace(served.service, bells=bells))
