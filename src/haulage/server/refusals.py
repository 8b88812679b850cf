"""Errors as HTTP answers: the one table from error to status, and one line in the log for each. An unexpected error tells nothing
but that it was one."""

from __future__ import annotations

import logging
import threading

from starlette.responses import Response
from starlette.types import Scope

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, NotAllowedError, NotFoundError, TransferError, UsageError
from haulage.engine.protocol.problems import MEDIA_TYPE, encode_problem, problem_of

STATUS_OF_FAMILY = {
    "usage": 400,
    "not-found": 404,
    "conflict": 409,
    "not-allowed": 403,
    "format": 422,
    "integrity": 500,
    "transfer": 503,
}
STATUS_OF_CODE = {
    "token-missing": 401,
    "token-wrong": 401,
    "method-not-allowed": 405,
    "body-too-slow": 408,
    "length-required": 411,
    "body-too-large": 413,
    "target-too-long": 414,
    "wrong-media-type": 415,
    "too-many-requests": 429,
    "too-many-tries": 429,
    "head-too-large": 431,
}
"""Where HTTP has a more exact word than the family."""

RETRY_AFTER_SECONDS = 5

_MINUTE = 60.0

_log = logging.getLogger("haulage.server")


class Refuser:
    """Refuses requests, each with one line in the log; of very many in one minute the rest is only counted, so that whoever is
    refused cannot push out of the log what else happened. Any thread may use it."""

    def __init__(self, clock: Clock, *, lines_per_minute: int) -> None:
        self._clock = clock
        self._most = lines_per_minute
        self._lock = threading.Lock()
        self._begun = clock.monotonic()
        self._refused = 0

    def refuse(self, scope: Scope, error: HaulageError, *, signed_time: bytes = b"") -> Response:
        """The problem document of an expected error, which is logged."""
        before, told = self._count()
        if before:
            _log.warning("%d more requests were refused in a minute", before)
        if told:
            level = logging.WARNING if error.family in ("not-allowed", "integrity", "transfer") else logging.INFO
            client = (scope.get("client") or ("?",))[0]
            target = target_of(scope).decode("latin-1")[:500]
            _log.log(level, "refused %s %s from %s: %s [%s]", scope["method"][:20], target, client, error.message, error.code)
        return refusal(error, signed_time=signed_time)

    def _count(self) -> tuple[int, bool]:
        """How many of the minute that just ended were not logged, and whether this one is."""
        with self._lock:
            untold = 0
            now = self._clock.monotonic()
            if now - self._begun >= _MINUTE:
                untold = max(0, self._refused - self._most)
                self._begun, self._refused = now, 0
            self._refused += 1
            return untold, self._refused <= self._most


def target_of(scope: Scope) -> bytes:
    """Path and query exactly as they were sent and signed."""
    path: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogateescape")
    query: bytes = scope.get("query_string", b"")
    return path.split(b"?")[0] + (b"?" + query if query else b"")


def refusal(error: HaulageError, *, signed_time: bytes = b"") -> Response:
    """The problem document of an expected error."""
    status = STATUS_OF_CODE.get(error.code) or STATUS_OF_FAMILY[error.family]
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="haulage"'
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Response(
        encode_problem(problem_of(error, status, signed_time=signed_time)),
        status_code=status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def defect(method: str, path: str, cause: BaseException) -> Response:
    """The answer to an error nobody thought of; what it was stands in the log alone (I19)."""
    _log.error("defect while answering %s %s", method, path, exc_info=cause)
    problem = TransferError(
        "defect", "The server met an unexpected error.", "Please report it with the server's log of this moment."
    )
    return Response(encode_problem(problem_of(problem, 500)), status_code=500, media_type=MEDIA_TYPE)


def no_such_resource(path: str) -> HaulageError:
    """Nothing has this URL."""
    return NotFoundError("no-such-resource", f"There is nothing at {path[:200]!r} here.", "See the API's description.")


def no_such_method(method: str, path: str) -> HaulageError:
    """The URL is right, the method is not."""
    return UsageError("method-not-allowed", f"{method[:20]!r} is not possible at {path[:200]!r}.", "See the API's description.")


def token_missing() -> HaulageError:
    """An administrator's endpoint was called without a token."""
    return NotAllowedError("token-missing", "This needs an administrator's token.", "Send it as: Authorization: Bearer TOKEN.")


def token_wrong() -> HaulageError:
    """The token is not this server's."""
    return NotAllowedError(
        "token-wrong", "The token is not one of this server, or counts no more.", "haulage token list shows those there are."
    )
