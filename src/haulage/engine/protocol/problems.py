"""Errors on the wire: RFC 9457 problem documents that carry a Haulage error whole. Pure; which family gets which HTTP status is the
server's business."""

from __future__ import annotations

import re

import msgspec

from haulage.base.errors import FAMILIES, HaulageError, NotAllowedError, NotFoundError, Remedy, TransferError, UsageError

MEDIA_TYPE = "application/problem+json"
PROBLEM_MAX_BYTES = 65_536

_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SENTENCE_MAX = 1000


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document. ``signed_time`` comes with ``clock-skew``: a signed ServerTime, as text."""

    title: str = ""
    status: int = 0
    detail: str = ""
    code: str = ""
    family: str = ""
    hint: str = ""
    remedy: str = ""
    signed_time: str = ""


def problem_of(error: HaulageError, status: int, *, signed_time: bytes = b"") -> Problem:
    """The document for an error."""
    return Problem(
        title=error.family,
        status=status,
        detail=error.message,
        code=error.code,
        family=error.family,
        hint=error.hint,
        remedy=error.remedy.value,
        signed_time=signed_time.decode(),
    )


def encode_problem(problem: Problem) -> bytes:
    """As JSON."""
    return msgspec.json.encode(problem)


def decode_problem(data: bytes) -> Problem:
    """Read what some server or something before it answered; an empty Problem if it is none."""
    try:
        return msgspec.json.decode(data[: PROBLEM_MAX_BYTES + 1], type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Problem()


def error_of(problem: Problem, status: int, speaker: str) -> HaulageError:
    """The error a peer answered with, ``speaker`` named in its sentence. What the peer says is bounded and made printable."""
    kind = FAMILIES.get(problem.family)
    if kind is None or not _CODE.fullmatch(problem.code):
        return _error_of_status(status, speaker)
    remedies = {remedy.value: remedy for remedy in Remedy}
    detail = _printable(problem.detail) or f"status {status}"
    return kind(problem.code, f"{speaker} answered: {detail}", _printable(problem.hint), remedy=remedies.get(problem.remedy))


def _error_of_status(status: int, speaker: str) -> HaulageError:
    """For answers of something that is not Haulage: a proxy, a captive portal, another server at that address."""
    sentence = f"{speaker} answered with status {status} and no reason."
    if status in (401, 403, 407):
        return NotAllowedError("refused-by-peer", sentence, "Something in between may have answered: check proxies and the URL.")
    if status in (404, 410):
        return NotFoundError("not-at-peer", sentence, "Check that the URL is the one of a Haulage server.", remedy=Remedy.RETRY)
    if 400 <= status < 500 and status not in (408, 425, 429):
        return UsageError("refused-by-peer", sentence, "The peer may be of another version.")
    return TransferError("peer-failed", sentence, "It is tried again.")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text[:_SENTENCE_MAX]).strip()
