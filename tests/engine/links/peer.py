"""A server in this process that answers byte by byte what a test tells it, over real TLS on the loopback address."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.engine.links.loop import LoopThread
from haulage.engine.protocol.asks import Want
from haulage.engine.protocol.problems import encode_problem, problem_of
from haulage.engine.trust.certificates import issue, make_authority, make_csr, make_tls_key
from haulage.engine.trust.keys import SigningKey

NOW = dt.datetime.now(dt.UTC)
AUTHORITY = make_authority(SiteCode("HQ1"), now=NOW)

HANG = b"<hang>"
ABORT = b"<abort>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Script = Callable[[Request], list[bytes]]


def http(status: int, body: bytes = b"", *headers: str) -> list[bytes]:
    """A plain answer."""
    lines = [f"HTTP/1.1 {status} X", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-encoding")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return ["\r\n".join([*lines, "", ""]).encode(), body]


@dataclass
class Peer:
    """Runs a script; keeps what was asked."""

    script: Script
    folder: Path
    url: str = ""
    asked: list[Request] = field(default_factory=list)
    connections: int = 0
    _loop: LoopThread = field(default_factory=lambda: LoopThread("test-peer"))

    def start(self, host: str = "127.0.0.1", issued: dt.datetime = NOW) -> None:
        """Listen on a free port."""
        key, url = make_tls_key(), f"https://{host}:1"
        pem = issue(AUTHORITY, make_csr(key, code=SiteCode("HQ1"), url=url), code=SiteCode("HQ1"), url=url, now=issued)
        (self.folder / "peer.pem").write_bytes(key + pem.encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "peer.pem")
        self.url = f"https://127.0.0.1:{self._loop.run(self._listen(context))}"

    def stop(self) -> None:
        self._loop.close()

    async def _listen(self, context: ssl.SSLContext) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await _read(reader):
                self.asked.append(request)
                for piece in self.script(request):
                    if piece == HANG:
                        await writer.drain()
                        await asyncio.Event().wait()
                    if piece == ABORT:
                        writer.transport.abort()
                        return
                    writer.write(piece)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Request(method=method, target=target, headers=headers, body=body)


HQ1, CHI = SiteCode("HQ1"), SiteCode("CHI")
CHI_KEY, HQ1_KEY = SigningKey.from_seed(b"\1" * 32), SigningKey.from_seed(b"\2" * 32)
PARCEL = "ab" * 32
DATA = bytes(range(256)) * 40
SIZE = len(DATA)
WANT = Want(package=PackageId("HQ100042"), version=VersionNumber(7), target="ab" * 32)


def part(data: bytes, first: int, *headers: str, status: int = 206, size: int = SIZE, etag: str = PARCEL) -> list[bytes]:
    return http(status, data, f'ETag: "{etag}"', f"Content-Range: bytes {first}-{size - 1}/{size}", *headers)


def refusal(act: Callable[[], object]) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        act()
    return caught.value


def problem(error: HaulageError, status: int, signed: bytes = b"") -> list[bytes]:
    return http(status, encode_problem(problem_of(error, status, signed_time=signed)), "Content-Type: application/problem+json")
