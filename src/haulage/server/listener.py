"""The HTTPS listener: granian inside this process and event loop, on a socket of our own making. Can be ended and begun anew, for a
new certificate, while everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import logging
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from haulage.base.errors import ConflictError, HaulageError, TransferError
from haulage.engine.trust.certificates import unverified_context
from haulage.server.doorman import Doorman
from haulage.server.limits import Limits

BACKLOG = 1024
START_SECONDS = 20.0
STOP_SECONDS = 3.0

_log = logging.getLogger("haulage.server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen, and with which files."""

    host: str
    port: int
    certificate_path: str
    key_path: str


class _OnSocket(Server):
    """Granian at a socket that is there already. By itself it would share the port with any other process, without a word."""

    def __init__(self, app: Any, listening: socket.socket, **options: Any) -> None:
        host, port = listening.getsockname()[:2]
        super().__init__(app, address=host, port=port, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        # It closes the descriptor itself when it ends.
        descriptor = self._listening.detach()
        self._sfd, self._shd = descriptor, SocketHolder(descriptor, False, BACKLOG)  # type: ignore[call-arg, assignment]


class Listener:
    """One listening server."""

    def __init__(self, app: Any, address: Address, limits: Limits | None = None) -> None:
        self._app = app
        self._address = address
        self._limits = limits or Limits()
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None
        self._doorman: Doorman | None = None

    async def start(self) -> str:
        """Listen; returns the SHA-256 of the certificate shown, once a connection has seen it. Raises ConflictError ``port-taken``,
        TransferError ``cannot-listen``."""
        address, limits = self._address, self._limits
        expected = fingerprint(address.certificate_path)
        listening = _listening(address.host, address.port, limits)
        self.port: int = listening.getsockname()[1]
        self._server = _OnSocket(
            self._app,
            listening,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=limits.connections,
            http1_settings=HTTP1Settings(
                header_read_timeout=int(limits.head_seconds * 1000), max_buffer_size=max(8192, 2 * limits.head_bytes)
            ),
            log_enabled=False,
            ssl_cert=Path(address.certificate_path),
            ssl_key=Path(address.key_path),
        )
        self._doorman = Doorman(listening, limits)
        self._doorman.start()
        self._task = asyncio.create_task(self._server.serve())
        await self._wait_until_seen(expected)
        return expected

    async def stop(self) -> None:
        """Take no more connections, and let those there are end; safe to repeat."""
        server, task, doorman = self._server, self._task, self._doorman
        self._server = self._task = self._doorman = None
        if doorman is not None:
            await asyncio.to_thread(doorman.stop)
        if server is None or task is None:
            return
        server.stop()  # type: ignore[no-untyped-call]
        done, _pending = await asyncio.wait({task}, timeout=STOP_SECONDS)
        if not done:
            _log.warning("connections did not end in time; they are cut")
            task.cancel()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await task

    async def _wait_until_seen(self, expected: str) -> None:
        assert self._task is not None
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._address.host, self._address.host)  # noqa: S104
        context = unverified_context()
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if self._task.done():
                cause = self._task.exception()
                raise TransferError("cannot-listen", f"The server could not start to listen: {cause}.", "See the log.") from cause
            with contextlib.suppress(OSError, ssl.SSLError):
                if await _shown(host, self.port, context) == expected:
                    return
            await asyncio.sleep(0.02)
        raise TransferError("cannot-listen", f"Nothing answers at {host}:{self.port}.", "Is a firewall in between?")


async def _shown(host: str, port: int, context: ssl.SSLContext) -> str:
    _reader, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        found: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return hashlib.sha256(found.getpeercert(binary_form=True) or b"").hexdigest()
    finally:
        writer.close()


def fingerprint(certificate_path: str) -> str:
    """SHA-256 of the first certificate in a PEM file."""
    with open(certificate_path, encoding="ascii") as file:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(file.read())).hexdigest()


def _listening(host: str, port: int, limits: Limits) -> socket.socket:
    """The port for this process alone, or an error (B107). Every connection inherits: a client that takes nothing of what it was
    sent, or is gone without a word, is cut by the kernel."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    unread = max(1, int(limits.unread_seconds))
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, unread)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, unread // 4))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(limits.unread_seconds * 1000))
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as cause:
        listening.close()
        raise _unusable(host, port, cause) from None
    return listening


def _unusable(host: str, port: int, cause: OSError) -> HaulageError:
    if cause.errno == errno.EADDRINUSE:
        return ConflictError(
            "port-taken", f"Another program listens at {host}:{port} already.", "Stop it, or set another [site] listen."
        )
    return TransferError(
        "cannot-listen", f"This machine cannot listen at {host}:{port}: {cause.strerror}.", "Check [site] listen in haulage.toml."
    )
