"""A served site at a real socket, and a client that sends whatever bytes it likes."""

from __future__ import annotations

import asyncio
import concurrent.futures
import dataclasses
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from haulage.engine.trust.certificates import unverified_context
from haulage.server.app import create_app
from haulage.server.limits import Limits
from haulage.server.listener import Listener
from haulage.testing.lab.ports import Ports
from tests.server.asgi import Served

PATIENCE_SECONDS = 30.0
"""Until a test is given up that waits for the server to do something."""

SHORT = Limits(
    connections=400,
    per_address=24,
    head_seconds=1.0,
    body_stall_seconds=0.5,
    body_bytes_per_second=1000,
    unread_seconds=1.0,
    refusals_per_minute=10_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer as it stood on the wire."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"]) if self.body else ""

    def field(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")


class Live:
    """The listener in an event loop of its own."""

    def __init__(self, served: Served, limits: Limits = SHORT) -> None:
        self.served = served
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._ports = Ports()
        address = dataclasses.replace(served.process.listen(), port=self._ports.claim())
        self._listener = Listener(create_app(served.service, limits=limits), address, limits)
        self.run(self._listener.start())
        self.port = self._listener.port

    def run(self, work: Any) -> Any:
        future: concurrent.futures.Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(PATIENCE_SECONDS)

    def close(self) -> None:
        self.run(self._listener.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._ports.close()

    def dial(self, *, source: str = "127.0.0.1") -> socket.socket:
        """A connection without a word on it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS, source_address=(source, 0))

    def connect(self, *, source: str = "127.0.0.1", context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """A connection after its handshake."""
        return (context or unverified_context()).wrap_socket(self.dial(source=source))

    def send(self, raw: bytes, *, source: str = "127.0.0.1") -> list[Told]:
        """All answers until the server closes the connection, which it must do by itself."""
        with self.connect(source=source) as wire:
            try:
                wire.sendall(raw)
            except OSError:
                pass  # It need not read to the end what it refuses.
            return answers(wire)

    def ask(self, raw: bytes) -> Told:
        """The one answer."""
        found = self.send(raw)
        assert len(found) == 1, found
        return found[0]

    def serves(self, *, source: str = "127.0.0.1") -> bool:
        """Whether others are served meanwhile."""
        return [one.status for one in self.send(head("GET", "/healthz", close=True), source=source)] == [200]

    def admin(self, method: str, target: str, *fields: str, body: bytes = b"", close: bool = True) -> bytes:
        """A request of the administrator."""
        return head(method, target, f"Authorization: Bearer {self.served.token}", *fields, close=close) + body


def head(method: str, target: str, *fields: str, close: bool = False, host: str = "a") -> bytes:
    """A request head."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, *(["Connection: close"] if close else [])]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


def rest_of(wire: socket.socket) -> bytes:
    """Everything until the end, however it comes."""
    data = b""
    try:
        while piece := wire.recv(65_536):
            data += piece
    except TimeoutError:
        raise AssertionError(f"the server did not close: {data[-200:]!r}") from None
    except OSError:
        pass
    return data


def answers(wire: socket.socket) -> list[Told]:
    """What stands in everything until the end."""
    data, found = rest_of(wire), []
    while data:
        top, _blank, data = data.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        fields = [(name.lower(), value.strip()) for name, _colon, value in (line.partition(":") for line in lines)]
        status = int(first.split(" ")[1])
        size = next((int(value) for name, value in fields if name == "content-length"), 0) if status >= 200 else 0
        found.append(Told(status=status, fields=fields, body=data[:size]))
        data = data[size:]
    return found
