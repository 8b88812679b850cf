"""Telling the service manager that the server is ready, alive and stopping: systemd's datagrams, without its library. Does nothing
where nobody listens; knows nothing of the site."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Mapping

PARTS_OF_TIMEOUT = 3
"""It is told so many times within the time after which systemd takes the server for dead."""


class Manager:
    """The service manager, as the environment of the process names it."""

    def __init__(self, environment: Mapping[str, str] | None = None, pid: int | None = None) -> None:
        found = os.environ if environment is None else environment
        self._address = found.get("NOTIFY_SOCKET", "")
        self.alive_seconds = _alive_seconds(found, os.getpid() if pid is None else pid)
        """How often it wants to hear that the server is alive; None if it does not."""

    def tell(self, *lines: str) -> None:
        """Send one datagram. A manager that does not take it must not stop the server."""
        if not self._address.startswith(("/", "@")):
            return
        # An abstract address begins with a zero byte, which no environment can hold.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)
            line.sendto("\n".join(lines).encode(), address)

    async def keep_telling(self) -> None:
        """Say again and again that the event loop runs, until cancelled; a loop that hangs says nothing, and is started anew."""
        while self.alive_seconds is not None:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.alive_seconds)


def _alive_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    timeout, whose = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not timeout.isdecimal() or int(timeout) == 0 or whose not in ("", str(pid)):
        return None
    return int(timeout) / 1_000_000 / PARTS_OF_TIMEOUT
