"""A server that answers what a test tells it to, over TLS, with a home that points to it: for tests of the command line alone."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import pathlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from haulage.base.ids import SiteCode
from haulage.engine.trust.certificates import issue, make_authority, make_csr, make_tls_key

TOKEN = "haulage_" + "t" * 43
NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    token: str


@dataclass(frozen=True, kw_only=True)
class Says:
    """An answer that is not plain JSON with status 200."""

    value: Any = None
    status: int = 200
    media_type: str = "application/json"
    raw: bytes | None = None


Reply = Any
"""A value for every request, a list of items for a list, or a function of the request."""


@dataclass(kw_only=True)
class FakeApi:
    """Replies by ``METHOD /path`` below /api/v1."""

    url: str
    home: str
    authority: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def reply(self, asked: Asked) -> Says:
        found = self.replies.get(f"{asked.method} {asked.path}", Says(value=problem("no-such-resource", "not-found"), status=404))
        value = found(asked) if callable(found) else found
        if isinstance(value, Says):
            return value
        return Says(value={"items": value, "cursor": None} if isinstance(value, list) else value)


def problem(code: str, family: str, detail: str = "It is so.", hint: str = "Do this.") -> dict[str, object]:
    """A problem document."""
    return {"code": code, "family": family, "detail": detail, "hint": hint, "status": 400, "title": family}


def refuse(code: str, family: str, detail: str = "It is so.", hint: str = "Do this.", status: int = 409) -> Says:
    """An answer that is one."""
    return Says(value=problem(code, family, detail, hint), status=status, media_type="application/problem+json")


@contextlib.contextmanager
def fake_api(folder: pathlib.Path) -> Iterator[FakeApi]:
    """The server, running while the context is open."""
    authority = make_authority(SiteCode("HQ1"), now=NOW)
    key = make_tls_key()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    url = f"https://127.0.0.1:{server.server_port}"
    pem = issue(authority, make_csr(key, code=SiteCode("HQ1"), url=url), code=SiteCode("HQ1"), url=url, now=NOW)
    home = folder / "home"
    for name, content in {
        "haulage.toml": '[site]\ncode = "HQ1"\n',
        "keys/admin.token": TOKEN + "\n",
        "keys/tls.pem": key.decode(),
        "run/server.json": json.dumps({"url": url, "pid": 1, "fingerprint": fingerprint(pem)}),
        "run/cert.pem": pem,
        "ca.pem": authority.certificate_pem,
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    (home / "keys").chmod(0o700)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(home / "run/cert.pem", home / "keys/tls.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    api = FakeApi(url=url, home=str(home), authority=str(home / "ca.pem"))
    server.api = api  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()


def fingerprint(pem: str) -> str:
    """SHA-256 of a certificate, as a server writes it."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(
            method=self.command,
            path=parts.path.removeprefix("/api/v1"),
            query=dict(parse_qsl(parts.query)),
            body=json.loads(data) if data else None,
            token=self.headers.get("Authorization", ""),
        )
        api: FakeApi = self.server.api  # type: ignore[attr-defined]
        api.asked.append(asked)
        says = api.reply(asked)
        body = says.raw if says.raw is not None else json.dumps(says.value).encode()
        self.send_response(says.status)
        self.send_header("Content-Type", says.media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815


Ask = Callable[..., "tuple[int, str, str]"]
