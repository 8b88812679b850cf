"""Every request before anything looks at it: its head within bounds, its body announced and coming, its answer without a name of
the software behind. Knows no endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haulage.base.errors import HaulageError, NotAllowedError, TransferError, UsageError
from haulage.server.limits import Limits
from haulage.server.refusals import Refuser, target_of

_log = logging.getLogger("haulage.server")
_ONCE = frozenset(
    {b"host", b"content-length", b"content-type", b"content-encoding", b"authorization", b"origin", b"range", b"if-range"}
)
"""Fields of which two could be read two ways."""
_SEE = "See docs/format-wire.md, or the API's description."


class Bounds:
    """Around the application. ``own_url`` tells what this server is called now: pages from elsewhere may not ask it anything."""

    def __init__(self, app: ASGIApp, *, limits: Limits, own_url: Callable[[], str], refuser: Refuser) -> None:
        self._app = app
        self._limits = limits
        self._own_url = own_url
        self._refuser = refuser

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["server"] = "haulage"
                headers["x-content-type-options"] = "nosniff"
            # The kernel cuts who takes nothing; this is for who takes a byte now and then.
            seconds = self._limits.unread_seconds + len(message.get("body", b"")) / self._limits.body_bytes_per_second
            async with asyncio.timeout(seconds):
                await send(message)

        try:
            self._check_head(scope)
        except HaulageError as error:
            await self._refuser.refuse(scope, error)(scope, receive, told)
            return
        try:
            await self._app(scope, self._watched(scope, receive), told)
        except TimeoutError:
            _log.warning("an answer to %s was not taken in time and is broken off", (scope.get("client") or ("?",))[0])

    def _check_head(self, scope: Scope) -> None:
        fields: list[tuple[bytes, bytes]] = scope["headers"]
        limits = self._limits
        if len(target_of(scope)) > limits.target_bytes:
            raise UsageError("target-too-long", f"The path and query are longer than {limits.target_bytes} bytes.", _SEE)
        if len(fields) > limits.head_fields or sum(len(name) + len(value) + 4 for name, value in fields) > limits.head_bytes:
            raise UsageError(
                "head-too-large", f"The head has more than {limits.head_fields} fields or {limits.head_bytes} bytes.", _SEE
            )
        counted = Counter(name for name, _value in fields)
        twice = sorted(name for name in _ONCE if counted[name] > 1)
        if twice:
            raise UsageError("field-twice", f"The head has {twice[0].decode()} more than once.", "Send it once.")
        if not dict(fields).get(b"host") and scope["http_version"] == "1.1":
            raise UsageError("host-missing", "The head names no host.", "HTTP/1.1 asks for one.")
        if counted[b"transfer-encoding"]:
            # One way to say how long a body is, so that nobody can say it in two (B61), and none that has no end (B51).
            raise UsageError("length-required", "A body must come with its Content-Length, not in chunks.", _SEE)
        self._check_origin(dict(fields))

    def _check_origin(self, fields: dict[bytes, bytes]) -> None:
        origin = fields.get(b"origin")
        if origin is not None and origin.decode("latin-1") != self._own_url():
            hint = f"Open its own pages at {self._own_url()}; programs send no Origin."
            raise NotAllowedError("foreign-origin", "A page from elsewhere may not ask this server.", hint)

    def _watched(self, scope: Scope, receive: Receive) -> Receive:
        """Pieces of the body, each of them in time; after the last one a client may stay silent for as long as it listens."""
        loop, limits = asyncio.get_running_loop(), self._limits
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        length = int(announced) if announced.isdigit() else 0
        latest = loop.time() + limits.body_stall_seconds + length / limits.body_bytes_per_second
        whole = length == 0

        async def watched() -> Any:
            nonlocal whole
            if whole:
                return await receive()
            patience = min(limits.body_stall_seconds, latest - loop.time())
            try:
                message = await asyncio.wait_for(receive(), patience)
            except TimeoutError:
                raise TransferError("body-too-slow", f"The {length} bytes of the body do not come.", "Send it again.") from None
            whole = not message.get("more_body", False)
            return message

        return watched
