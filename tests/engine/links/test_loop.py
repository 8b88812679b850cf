"""The private loop: results, errors and an orderly end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from haulage.base.errors import TransferError
from haulage.engine.links.loop import LoopThread


async def add(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


async def fail() -> None:
    raise LookupError("mine")


def test_it_gives_results_and_errors_to_any_thread() -> None:
    loop = LoopThread()
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(loop.run(add(n, 1)))) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [1, 2, 3, 4, 5]
    with pytest.raises(LookupError, match="mine"):
        loop.run(fail())
    loop.close()


def test_i12_closing_cancels_what_runs_and_refuses_what_comes() -> None:
    loop = LoopThread()
    started = threading.Event()
    codes: list[str] = []

    async def wait() -> None:
        started.set()
        await asyncio.Event().wait()

    def caller() -> None:
        try:
            loop.run(wait())
        except TransferError as error:
            codes.append(error.code)

    thread = threading.Thread(target=caller)
    thread.start()
    assert started.wait(10)
    loop.close()
    thread.join(10)
    loop.close()
    loop.call_soon(lambda: codes.append("never"))
    assert codes == ["link-closed"]
    with pytest.raises(TransferError):
        loop.run(add(1, 2))
