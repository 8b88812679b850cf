"""The HTTPS listener: granian inside this process and event loop. Can be ended and begun anew, for a new certificate, while
everything else goes on."""

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

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from haulage.base.errors import ConflictError, HaulageError, TransferError
from haulage.engine.trust.certificates import unverified_context

HEADER_BYTES = 64 * 1024
CONNECTIONS = 8192
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


class Listener:
    """One listening server."""

    def __init__(self, app: Any, address: Address) -> None:
        self._app = app
        self._address = address
        self._server: Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Listen; returns the SHA-256 of the certificate shown, once a connection has seen it. Raises ConflictError ``port-taken``,
        TransferError ``cannot-listen``."""
        address = self._address
        _check_free(address.host, address.port)
        expected = fingerprint(address.certificate_path)
        self._server = Server(
            self._app,
            address=address.host,
            port=address.port,
            interface=Interfaces.ASGINL,
            http=HTTPModes.http1,
            websockets=False,
            backlog=1024,
            backpressure=CONNECTIONS,
            http1_settings=HTTP1Settings(max_buffer_size=HEADER_BYTES),
            log_enabled=False,
            ssl_cert=Path(address.certificate_path),
            ssl_key=Path(address.key_path),
        )
        self._task = asyncio.create_task(self._server.serve())
        await self._wait_until_seen(expected)
        return expected

    async def stop(self) -> None:
        """Take no more connections, and let those there are end; safe to repeat."""
        server, task = self._server, self._task
        self._server = self._task = None
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
                if await _shown(host, self._address.port, context) == expected:
                    return
            await asyncio.sleep(0.02)
        raise TransferError("cannot-listen", f"Nothing answers at {host}:{self._address.port}.", "Is a firewall in between?")


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


def _check_free(host: str, port: int) -> None:
    """Several servers may share a port without a word of the system; so it is asked first (B107)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as cause:
        raise _unusable(host, port, cause) from None


def _unusable(host: str, port: int, cause: OSError) -> HaulageError:
    if cause.errno == errno.EADDRINUSE:
        return ConflictError(
            "port-taken", f"Another program listens at {host}:{port} already.", "Stop it, or set another [site] listen."
        )
    return TransferError(
        "cannot-listen", f"This machine cannot listen at {host}:{port}: {cause.strerror}.", "Check [site] listen in haulage.toml."
    )
