"""What is wrong with an HTTP answer: pure checks, and the one place where failures of the way become errors. Opens nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

import aiohttp
from multidict import CIMultiDictProxy

from haulage.base.errors import HaulageError, TransferError

VERSION_HEADER = "Haulage-Version"
"""Of Haulage at the answering site: a child is not serviced to a higher one than its parent's."""
CHUNKS_MEDIA_TYPE = "application/vnd.haulage.chunks"
_RETRIED = "It is tried again."


def check_plain(headers: CIMultiDictProxy[str], speaker: str) -> None:
    """No coding may stand between what was sent and what is read (B55), and nothing may be said in two ways. Raises TransferError
    ``encoded-answer``, ``bad-answer``."""
    coding = ", ".join(headers.getall("Content-Encoding", ["identity"]))
    if any(one.strip().lower() != "identity" for one in coding.split(",")):
        raise TransferError(
            "encoded-answer",
            f"{speaker} answered in the coding {coding[:60]!r}, which was not asked for.",
            "Look for a proxy in between.",
        )
    for name in ("ETag", "Content-Range", "Content-Type", "Content-Length"):
        if len(set(headers.getall(name, []))) > 1:
            raise TransferError("bad-answer", f"{speaker} gave two fields {name} that differ.", "Look for a proxy in between.")


def check_part(status: int, headers: Mapping[str, str], *, parcel: str, part: range, size: int, speaker: str) -> None:
    """Whether an answer is this very part of this very parcel of ``size`` bytes (B52, B53). Raises TransferError
    ``parcel-changed``, ``range-ignored``, ``wrong-range``."""
    offset = part.start
    if headers.get("ETag", f'"{parcel}"') != f'"{parcel}"':
        raise _part("parcel-changed", speaker, f"has something else under the name of parcel {parcel[:16]}…")
    if status == 416:
        raise _part("wrong-range", speaker, f"has no byte {offset} of parcel {parcel[:16]}…")
    if status != 206:
        raise _part("range-ignored", speaker, f"sent parcel {parcel[:16]}… from its start though byte {offset} was asked for")
    if headers.get("Content-Type", "").lower().startswith("multipart/"):
        raise _part("wrong-range", speaker, f"sent parcel {parcel[:16]}… in several parts")
    if headers.get("Content-Range") != f"bytes {offset}-{part.stop - 1}/{size}":
        found = headers.get("Content-Range", "no range")[:80]
        raise _part("wrong-range", speaker, f"sent {found!r} of parcel {parcel[:16]}… where byte {offset} of {size} was asked for")
    length = headers.get("Content-Length")
    if length is not None and length != str(len(part)):
        raise _part("wrong-range", speaker, f"announced {length[:20]} bytes of parcel {parcel[:16]}… where {len(part)} are due")


def too_large(speaker: str, limit_bytes: int) -> TransferError:
    """The error of an answer without end (B51)."""
    return TransferError("answer-too-large", f"{speaker} answered with more than the {limit_bytes} bytes allowed.", _RETRIED)


def cut(speaker: str, got: int, due: int) -> TransferError:
    """The error of an answer that ended early (B51)."""
    return TransferError("cut", f"{speaker} sent {got} bytes of {due} and ended.", "It goes on where it stopped.")


def stalled(speaker: str) -> TransferError:
    """The error of a transfer that does not move."""
    return TransferError("stalled", f"{speaker} sends nothing, or next to nothing, any more.", "It goes on where it stopped.")


def failure(error: BaseException, speaker: str) -> HaulageError | None:
    """The error for an exception of the way; None if it is none of those: then it is a defect."""
    if isinstance(error, HaulageError):
        return error
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return TransferError(
            "tls-refused",
            f"{speaker} could not be reached safely: {_cause(error)}.",
            "Somebody may be in between, the clock may be wrong, or the server has another certificate: run haulage doctor there.",
        )
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TransferError("unreachable", f"{speaker} did not take the connection in time.", _RETRIED)
    if isinstance(error, aiohttp.ClientConnectorError):
        return TransferError("unreachable", f"{speaker} could not be reached: {_cause(error)}.", _RETRIED)
    if isinstance(error, asyncio.TimeoutError):
        return stalled(speaker)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.ClientResponseError):
        return TransferError("bad-answer", f"{speaker} gave an answer that is no HTTP: {_cause(error)}.", "Check the URL.")
    if isinstance(error, aiohttp.ClientError | OSError):
        return TransferError("cut", f"The connection to {speaker} broke: {_cause(error)}.", _RETRIED)
    return None


def _part(code: str, speaker: str, deed: str) -> TransferError:
    return TransferError(code, f"{speaker} {deed}.", "It was refused; look for a cache or proxy in between if it happens again.")


def _cause(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:300].rstrip(".")
