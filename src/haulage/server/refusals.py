"""Errors as HTTP answers: the one table from error to status. An unexpected error tells nothing but that it was one."""

from __future__ import annotations

import logging

from starlette.responses import Response

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
    "body-too-large": 413,
    "wrong-media-type": 415,
    "too-many-requests": 429,
}
"""Where HTTP has a more exact word than the family."""

RETRY_AFTER_SECONDS = 5

_log = logging.getLogger("haulage.server")


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
        "token-wrong", "The token is not one of this server.", "It stands in keys/admin.token of the server's home."
    )
