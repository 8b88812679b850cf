"""The command line's way to the API, and the only place in it that knows HTTP. Knows no command and prints nothing.

Only reading is tried twice: a change whose answer was lost may have been made."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from haulage.base.errors import FAMILIES, FormatError, HaulageError, NotAllowedError, TransferError, UsageError
from haulage.cli.locate import Target, find_target, no_server
from haulage.engine.protocol.problems import PROBLEM_MAX_BYTES, decode_problem, error_of

API = "/api/v1"
ANSWER_SECONDS = 600.0
"""Extract, check and sweep are answered when they are done."""
EVENTS_SECONDS = 60.0
"""Who sends events says every quarter of a minute that it is there; a line that is silent for so long is dead."""
PAGE = 500

Row = dict[str, Any]
Query = Mapping[str, str | int | bool | None]


def connect(home: str | None) -> Client:
    """The client of the server that ``--home`` or the environment names."""
    return Client(find_target(home, os.environ))


class Client:
    """Requests to one server over one connection."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._connection: _Pinned | None = None

    def get(self, path: str, query: Query | None = None) -> Any:
        """What is there."""
        try:
            return self._ask("GET", path, query, None)
        except TransferError as error:
            if error.code != "answer-lost":
                raise
            return self._ask("GET", path, query, None)

    def rows(self, path: str, query: Query | None = None) -> Iterator[Row]:
        """A whole list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, {**(query or {}), "limit": PAGE, "cursor": cursor})
            yield from page["items"]
            cursor = page["cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: object = None) -> Any:
        """Ask for something to be done."""
        return self._ask("POST", path, None, body if body is not None else {})

    def put(self, path: str, body: object) -> Any:
        """Add."""
        return self._ask("PUT", path, None, body)

    def patch(self, path: str, body: object) -> Any:
        """Change."""
        return self._ask("PATCH", path, None, body)

    def upload(self, path: str, data: bytes, query: Query | None = None) -> Any:
        """Hand over the bytes of a file."""
        return self._ask("PUT", path, query, data)

    def delete(self, path: str, query: Query | None = None, body: object = None) -> Any:
        """Remove."""
        return self._ask("DELETE", path, query, body)

    def events(self, path: str, query: Query | None = None) -> Iterator[tuple[str, Any]]:
        """Server-sent events as (id, data), until the connection ends."""
        response = self._send("GET", path, query, None)
        if response.status != 200:
            raise _refusal(response.status, response.read(PROBLEM_MAX_BYTES), self.target)
        if self._connection is not None and self._connection.sock is not None:
            self._connection.sock.settimeout(EVENTS_SECONDS)
        with self._trouble("GET"):
            yield from _events(response)
        self.close()

    def close(self) -> None:
        """End the connection; the next request makes a new one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _ask(self, method: str, path: str, query: Query | None, body: object) -> Any:
        response = self._send(method, path, query, body)
        with self._trouble(method):
            data = response.read()
        if not 200 <= response.status < 300:
            raise _refusal(response.status, data, self.target)
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise FormatError("bad-answer", f"{self.target.named} did not answer with JSON.", "Is that a Haulage server?") from None

    def _send(self, method: str, path: str, query: Query | None, body: object) -> http.client.HTTPResponse:
        asked = {name: _text(value) for name, value in (query or {}).items() if value is not None and value is not False}
        address = API + path + ("?" + urlencode(asked) if asked else "")
        headers = {"Authorization": f"Bearer {self.target.token}", "Accept": "application/json", "Accept-Encoding": "identity"}
        data = None
        if body is not None:
            is_file = isinstance(body, bytes)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers["Content-Type"] = "application/octet-stream" if is_file else "application/json"
        with self._trouble(method):
            if self._connection is None:
                self._connection = self._open()
            self._connection.request(method, address, body=data, headers=headers)
            return self._connection.getresponse()

    def _open(self) -> _Pinned:
        parts = urlsplit(self.target.url)
        assert parts.hostname is not None
        return _Pinned(parts.hostname, parts.port or 443, self.target)

    @contextlib.contextmanager
    def _trouble(self, method: str) -> Iterator[None]:
        """Failures of the way become errors."""
        try:
            yield
        except HaulageError:
            self.close()
            raise
        except ssl.SSLError as error:
            self.close()
            raise _untrusted(self.target, getattr(error, "verify_message", "") or error.reason or str(error)) from None
        except (ConnectionRefusedError, socket.gaierror) as error:
            self.close()
            if self.target.home:
                raise no_server(self.target.home) from None
            raise TransferError(
                "no-server",
                f"No server answers at {self.target.named}: {error.strerror}.",
                "Does it run, is HAULAGE_URL right?",
            ) from None
        except (OSError, http.client.HTTPException) as error:
            self.close()
            hint = "Try again." if method == "GET" else "Look whether it was done before you try again."
            why = str(error) or type(error).__name__
            raise TransferError("answer-lost", f"The connection to {self.target.named} broke: {why}.", hint) from error


class _Pinned(http.client.HTTPSConnection):
    """TLS to a server known by its certificate's digest, or by an authority. The token is not sent to anybody else."""

    def __init__(self, host: str, port: int, target: Target) -> None:
        self._target = target
        super().__init__(host, port, timeout=ANSWER_SECONDS, context=_context(target))

    def connect(self) -> None:
        super().connect()
        if self._target.pin:
            sock = self.sock
            assert isinstance(sock, ssl.SSLSocket)
            found = hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
            if not hmac.compare_digest(found, self._target.pin):
                self.close()
                raise _untrusted(self._target, "its certificate is not the one of this home")


def _context(target: Target) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=target.ca_file)
    except OSError as error:
        raise FormatError(
            "bad-ca-file", f"HAULAGE_CA cannot be used: {error.strerror or error}.", "A PEM file is needed."
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if target.pin:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the digest is checked instead, before anything is said
    return context


def _untrusted(target: Target, why: str) -> NotAllowedError:
    return NotAllowedError(
        "server-not-trusted",
        f"The server of {target.named} did not prove that it is the right one: {why}.",
        "Set HAULAGE_CA to the hierarchy's CA certificate." if not target.pin else "Restart the server of that home.",
    )


def _refusal(status: int, data: bytes, target: Target) -> HaulageError:
    problem = decode_problem(data)
    kind = FAMILIES.get(problem.family)
    if kind is not None and problem.code:
        return kind(problem.code, problem.detail or problem.code, problem.hint)
    return error_of(problem, status, target.named)


def _events(lines: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    number = ""
    data: list[str] = []
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line and data:
            yield number, json.loads("\n".join(data))
            data = []
        name, _colon, value = line.partition(":")
        if name == "id":
            number = value.strip()
        elif name == "data":
            data.append(value.removeprefix(" "))


def _text(value: str | int | bool | None) -> str:
    return "true" if value is True else str(value)


_NO_STEP = frozenset({"", ".", ".."})


def path(*parts: str) -> str:
    """A path of the API; parts are quoted. Raises UsageError ``bad-name`` for one that no quoting makes a single step of a path:
    servers, and proxies before them, take ``../x`` apart again."""
    for part in parts:
        if part in _NO_STEP or "/" in part:
            raise UsageError("bad-name", f"{part[:80]!r} is the name of nothing.", "Give it as the list shows it, without slash.")
    return "".join("/" + quote(part, safe="") for part in parts)


def place_path(*parts: str, place: str) -> str:
    """The same, ending in a place: its slash is part of the path."""
    return path(*parts, *_place_parts(place))


def _place_parts(place: str) -> Sequence[str]:
    return place.split("/", 1)
