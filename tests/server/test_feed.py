"""The long poll: answered at once when there is something, woken by a commit, ended by the stop."""

from __future__ import annotations

import asyncio

from haulage.base.ids import Place
from haulage.domain.replication.records import find_stream
from haulage.operations.packages import create_package
from haulage.operations.points import add_point
from haulage.server.bells import Bells
from tests.server.asgi import CHI, Reply, Served, ask


def _position(served: Served) -> str:
    """Where the child stands that has taken everything: as if it had."""
    with served.opened.core.database.reading() as tx:
        stream = find_stream(tx, CHI)
        epoch = served.opened.core.neighbourhood.epoch(tx)
    return f"/hop/v1/feed?epoch={epoch}&stream={stream.out_stream}&sequence={stream.out_next - 1}"


def _drain(served: Served) -> str:
    for _turn in range(20):
        target = _position(served) + "&wait=0"
        if served.ask("GET", target, headers=served.signed("GET", target)).status == 204:
            return _position(served)
    raise AssertionError("the feed never ends")


def test_a_commit_wakes_a_waiting_child(served: Served, tmp_path: object) -> None:
    target = _drain(served) + "&wait=60"

    async def play() -> Reply:
        waiting = asyncio.create_task(ask(served.app, "GET", target, headers=served.signed("GET", target)))
        while f"peer:{CHI}" not in served.bells.names():  # noqa: ASYNC110  (listening begins inside the application)
            await asyncio.sleep(0.005)
        await asyncio.to_thread(add_point, served.service.desk, "test", Place("CHI/WOKEN"), f"folder:{tmp_path}/p")
        return await asyncio.wait_for(waiting, 20)

    reply = asyncio.run(play())
    assert reply.status == 200
    assert reply.body.endswith(b"\n")


def test_a_feed_the_child_has_given_up_tells_nothing(served: Served, tmp_path: object) -> None:
    """What the child stood at then is history: taken for its position, it would look as if it had lost what it was told since."""
    target = _drain(served) + "&wait=60"

    async def begin(number: int) -> asyncio.Task[Reply]:
        task = asyncio.create_task(ask(served.app, "GET", target, headers=served.signed("GET", target)))
        while served.service.feeds.get(CHI, 0) < number or f"peer:{CHI}" not in served.bells.names():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return task

    async def play() -> tuple[Reply, Reply]:
        before = served.service.feeds.get(CHI, 0)
        old, new = await begin(before + 1), await begin(before + 2)
        await asyncio.to_thread(add_point, served.service.desk, "test", Place("CHI/GIVENUP"), f"folder:{tmp_path}/g")
        return await asyncio.wait_for(old, 20), await asyncio.wait_for(new, 20)

    old, new = asyncio.run(play())
    assert (old.status, new.status) == (204, 200)


def test_nothing_to_tell_is_204(served: Served) -> None:
    target = _drain(served) + "&wait=0"
    assert served.ask("GET", target, headers=served.signed("GET", target)).status == 204


def test_what_does_not_concern_a_child_does_not_wake_it(served: Served, tmp_path: object) -> None:
    target = _drain(served) + "&wait=0"
    create_package(served.service.local_desk, "test", name="quiet", source=str(tmp_path))
    assert served.ask("GET", target, headers=served.signed("GET", target)).status == 204


def test_q317893_the_stop_ends_every_wait() -> None:
    bells = Bells()

    async def play() -> bool:
        with bells.in_loop("peer:CHI") as bell:
            bells.close()
            return await asyncio.wait_for(bell.wait(), 5)

    assert asyncio.run(play())
    with bells.in_thread("jobs") as late:
        assert late.is_set()


def test_a_bell_wakes_those_who_listen_and_nobody_else() -> None:
    bells = Bells()
    with bells.in_thread("a") as one, bells.in_thread("b") as other:
        bells.ring("a")
        assert one.is_set()
        assert not other.is_set()
    assert bells.names() == frozenset()
