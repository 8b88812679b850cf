"""The service manager hears when the server is ready, that it is alive, and when it stops; from a real server, too."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.server.notify import Manager
from haulage.testing.lab.site import program
from haulage.wiring.founding import init_central


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(path)
        line.settimeout(60)
        yield line, path


def test_a_datagram_at_a_path_and_at_an_abstract_address(manager: tuple[socket.socket, str]) -> None:
    line, path = manager
    Manager({"NOTIFY_SOCKET": path}).tell("READY=1", "STATUS=here")
    assert line.recv(100) == b"READY=1\nSTATUS=here"
    name = f"haulage-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as abstract:
        abstract.bind(f"\0{name}")
        abstract.settimeout(10)
        Manager({"NOTIFY_SOCKET": f"@{name}"}).tell("STOPPING=1")
        assert abstract.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "relative", "/there/is/nobody", "@nobody-listens-here", "/" + "x" * 200])
def test_without_anybody_who_listens_nothing_happens(address: str) -> None:
    Manager({"NOTIFY_SOCKET": address}).tell("READY=1")


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 20.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_often_it_wants_to_hear(environment: dict[str, str], seconds: float | None) -> None:
    assert Manager(environment, pid=7).alive_seconds == seconds


def test_it_is_told_again_and_again(manager: tuple[socket.socket, str]) -> None:
    line, path = manager

    async def twice() -> None:
        told = asyncio.create_task(Manager({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "3000"}).keep_telling())
        heard = [await asyncio.to_thread(line.recv, 100) for _ in range(2)]
        told.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await told
        assert heard == [b"WATCHDOG=1", b"WATCHDOG=1"]

    asyncio.run(twice())


def test_a_server_says_that_it_is_ready_that_it_lives_and_that_it_stops(tmp_path: Path, manager: tuple[socket.socket, str]) -> None:
    line, path = manager
    home = init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0")
    environment = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "90000000"}
    server = subprocess.Popen([program(), "serve", "--home", home.path], env=environment, stderr=subprocess.DEVNULL)
    try:
        ready = line.recv(500).decode().split("\n")
        assert ready[0] == "READY=1"
        assert ready[1].startswith("STATUS=Site HQ1 at https://127.0.0.1:")
        assert line.recv(500) == b"WATCHDOG=1"
        server.send_signal(signal.SIGTERM)
        assert line.recv(500) == b"STOPPING=1"
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()
