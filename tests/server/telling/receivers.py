"""A webhook's receiver and a mail server on this machine, which answer as a test wants; and a certificate that vouches for both."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from haulage.base.clock import SystemClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """For localhost and 127.0.0.1."""

    path: str
    key_path: str

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self.key_path)
        return context


def make_certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return Certificate(path=str(folder / "cert.pem"), key_path=str(folder / "key.pem"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


Respond = Callable[[Request, socket.socket], None]


def answering(*statuses: str, headers: str = "", body: bytes = b"") -> Respond:
    """These answers one after the other, the last for ever."""
    left = list(statuses)

    def respond(_request: Request, line: socket.socket) -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        line.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body)

    return respond


class HookServer:
    """HTTP, one request a connection."""

    def __init__(self, respond: Respond, context: ssl.SSLContext | None = None) -> None:
        self.respond = respond
        self.requests: list[Request] = []
        self.came = threading.Condition()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/hook?token=hidden"

    def wait_for(self, count: int) -> list[Request]:
        """At least so many requests."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.requests) >= count, 20), self.requests
            return list(self.requests)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _peer = self._listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), line:
                line.settimeout(5)
                plain = line if self._context is None else self._context.wrap_socket(line, server_side=True)
                with plain:
                    self._answer(plain)

    def _answer(self, line: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            if not (piece := line.recv(65536)):
                return
            data += piece
        head, _end, body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _colon, value in (one.partition(":") for one in rest)}
        while len(body) < int(headers.get("content-length", 0)):
            body += line.recv(65536)
        request = Request(line=first, headers=headers, body=body)
        with self.came:
            self.requests.append(request)
            self.came.notify_all()
        self.respond(request, line)


@contextlib.contextmanager
def hook_server(respond: Respond, context: ssl.SSLContext | None = None) -> Iterator[HookServer]:
    server = HookServer(respond, context)
    try:
        yield server
    finally:
        server.close()


@dataclass(slots=True, kw_only=True)
class Post:
    """A mail server's handler: keeps what came, refuses what it is told to refuse."""

    refuse_sender: str = ""
    refuse: dict[str, str] = field(default_factory=dict)
    data_answers: list[str] = field(default_factory=list)
    """What DATA is answered, one after the other; "drop" closes the line without a word. Then 250."""
    mails: list[Any] = field(default_factory=list)
    signed_in: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.refuse_sender:
            return self.refuse_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.data_answers.pop(0) if self.data_answers else "250 kept"
        if not answer.startswith(("4", "5")):
            self.mails.append(envelope)
        if answer == "drop":
            server.transport.abort()
            return "421 never read"
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append((data.login, data.password))
        return AuthResult(success=data.password == b"word", handled=data.password == b"word")


@contextlib.contextmanager
def mail_server(post: Post, ssl_context: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """Its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        asked: dict[str, Any] = {"authenticator": post.authenticate, "auth_require_tls": True, "loop": loop} | options
        return await loop.create_server(lambda: SMTP(post, **asked), "127.0.0.1", 0, ssl=ssl_context)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(5)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    clock = SystemClock()
    end = clock.monotonic() + 20
    while not holds():
        assert clock.monotonic() < end, "it never came to that"
        clock.sleep(0.005)
