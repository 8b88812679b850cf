"""One request and its answer over HTTPS: signed, bounded, its failures named. Knows no paths and no meaning of any body."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, TransferError, UsageError
from haulage.base.ids import SiteCode
from haulage.engine.links import answers
from haulage.engine.links.loop import closed
from haulage.engine.protocol import problems
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.requests import body_digest, new_nonce, read_signed_time, sign_request

READ_BUFFER_BYTES = 1024 * 1024
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what."""

    connect_seconds: float = 15.0
    stall_seconds: float = 60.0
    """Without a single byte."""
    answer_seconds: float = 300.0
    """For a whole small answer, beyond what a long poll was told to wait."""
    drip_seconds: float = 120.0
    """A transfer must bring ``drip_bytes`` in this much waiting."""
    drip_bytes: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who signs, and whom for. ``peer_keys`` are those of the peer as known now."""

    site: SiteCode
    peer: SiteCode
    key: SigningKey
    peer_keys: Callable[[], Sequence[PublicKey]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request. ``target`` is path and query exactly as sent and signed."""

    method: str
    target: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    good: frozenset[int] = frozenset({200})
    limit_bytes: int = problems.PROBLEM_MAX_BYTES
    wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status and whole body of a good answer."""

    status: int
    body: bytes


class Exchange:
    """Requests to one server. Lives on an event loop; ``identity`` None sends unsigned ones."""

    def __init__(self, *, url: str, context: ssl.SSLContext, clock: Clock, identity: Identity | None, patience: Patience) -> None:
        self._base = server_url(url)
        self._context = context
        self._clock = clock
        self._identity = identity
        self.patience = patience
        self.speaker = f"Site {identity.peer} ({self._base})" if identity else f"The server {self._base}"
        self.clock_offset = dt.timedelta()
        self.peer_version = ""
        """Of Haulage, as the peer said it last; empty if it never did."""
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    async def ask(self, ask: Ask) -> Answer:
        """The whole answer, if its status is one of ``ask.good``. Raises the peer's own error, or TransferError."""
        with self.guarded():
            async with asyncio.timeout(self.patience.answer_seconds + ask.wait_seconds):
                response = await self._good_response(ask)
                try:
                    return Answer(status=response.status, body=await self._body(response, ask.limit_bytes))
                finally:
                    response.close()

    async def start(self, ask: Ask) -> aiohttp.ClientResponse:
        """The answer, its body still to be read (guarded, too) and closed by the caller. Raises like :meth:`ask`."""
        with self.guarded():
            # A head that drips, or preliminary answers without end, never are silent for long.
            async with asyncio.timeout(self.patience.answer_seconds):
                return await self._good_response(ask)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Around every wait: failures of the way become errors, and :meth:`close` cancels the present task."""
        if self._closed:
            raise closed()
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            yield
        except Exception as error:
            known = answers.failure(error, self.speaker)
            if known is None or known is error:
                raise
            raise known from None
        finally:
            self._running.discard(task)

    async def close(self) -> None:
        """Cancel what is under way, close the connections; safe to repeat."""
        self._closed = True
        for task in self._running - {asyncio.current_task()}:
            task.cancel()
        if self._session:
            await self._session.close()

    async def _good_response(self, ask: Ask) -> aiohttp.ClientResponse:
        """Send; once more, freshly signed, if the first try met a connection gone stale, our clock off, or its own replay."""
        try:
            return await self._checked(ask)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            return await self._checked(ask)
        except HaulageError as error:
            if error.code not in ("clock-skew", "request-replayed") or self._identity is None:
                raise
            return await self._checked(ask)

    async def _checked(self, ask: Ask) -> aiohttp.ClientResponse:
        nonce = new_nonce()
        response = await self._send(ask, nonce)
        try:
            answers.check_plain(response.headers, self.speaker)
            if response.status not in ask.good:
                raise await self._refusal(response, nonce)
            self._hear_version(response.headers.get(answers.VERSION_HEADER, ""))
        except BaseException:
            response.close()
            raise
        return response

    def _hear_version(self, said: str) -> None:
        if _VERSION.fullmatch(said):
            self.peer_version = said

    async def _send(self, ask: Ask, nonce: str) -> aiohttp.ClientResponse:
        headers = {"Accept-Encoding": "identity", **ask.headers}
        if self._identity:
            who = self._identity
            headers |= sign_request(
                ask.method,
                ask.target,
                body_digest(ask.body),
                sender=who.site,
                receiver=who.peer,
                now=self._clock.now() + self.clock_offset,
                nonce=nonce,
                key=who.key,
            )
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.patience.connect_seconds, sock_read=self.patience.stall_seconds + ask.wait_seconds
        )
        url = URL(self._base + ask.target, encoded=True)
        data = ask.body if ask.method != "GET" else None
        return await self._opened().request(ask.method, url, data=data, headers=headers, timeout=timeout, allow_redirects=False)

    async def _refusal(self, response: aiohttp.ClientResponse, nonce: str) -> HaulageError:
        if 300 <= response.status < 400:
            return TransferError("redirected", f"{self.speaker} points elsewhere, which is not followed.", "Check the URL.")
        problem = problems.Problem()
        if response.content_type == problems.MEDIA_TYPE:
            problem = problems.decode_problem(await self._body(response, problems.PROBLEM_MAX_BYTES))
        error = problems.error_of(problem, response.status, self.speaker)
        if error.code == "clock-skew" and problem.signed_time and self._identity:
            self._set_clock(problem.signed_time.encode(), nonce, self._identity)
        return error

    def _set_clock(self, signed: bytes, nonce: str, identity: Identity) -> None:
        """Sign by the peer's clock from now on: our own may be wrong, and that must lose nothing (I18)."""
        with contextlib.suppress(HaulageError):
            moment = read_signed_time(signed, site=identity.peer, nonce=nonce, keys=identity.peer_keys())
            self.clock_offset = moment - self._clock.now()

    async def _body(self, response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > limit_bytes:
                raise answers.too_large(self.speaker, limit_bytes)
        return bytes(body)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No limit on connections: how many transfers run at once is decided above, and never by a link.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._context, limit=0, keepalive_timeout=20),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=READ_BUFFER_BYTES,
                skip_auto_headers=("Content-Type",),
                headers={"User-Agent": "haulage"},
            )
        return self._session


def server_url(url: str) -> str:
    """Scheme, host and port of a site's server, without a slash at the end. Raises UsageError ``bad-url``."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0 and "@" not in parts.netloc
        base = str(URL(f"https://{parts.netloc}")) if sound and parts.path in ("", "/") and not parts.query + parts.fragment else ""
    except ValueError:
        base = ""
    if not base:
        raise UsageError("bad-url", f"{url[:200]!r} is not the URL of a server.", "Write it as https://NAME:PORT.")
    return base.rstrip("/")
