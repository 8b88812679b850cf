"""A parcel as an HTTP answer: ranges, conditions, pieces of 1 MiB read off the event loop, every byte counted."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.responses import Response, StreamingResponse

from haulage.base.errors import FormatError, HaulageError, IntegrityError, NotFoundError, UsageError
from haulage.base.ids import SiteCode
from haulage.engine.content.model import Damage
from haulage.engine.content.store_errors import is_medium_fault
from haulage.engine.parcels.file import ParcelFile
from haulage.server.endpoint import Call
from haulage.server.service import Service

PIECE_BYTES = 1024 * 1024
_PARCEL = re.compile(r"[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes ``first`` to ``last``, both included."""

    first: int
    last: int


def span_of(header: str | None, size: int) -> Span | None:
    """The one range asked for; None for all of it, also where the header cannot be followed (RFC 9110). Raises ValueError when no
    byte of it is there."""
    found = _RANGE.fullmatch(header.strip()) if header else None
    if found is None or (not found[1] and not found[2]):
        return None
    if not found[1]:
        length = min(int(found[2]), size)
        first, last = size - length, size - 1
        if length == 0:
            raise ValueError("empty suffix")
        return Span(first=first, last=last)
    first, last = int(found[1]), int(found[2] or size)
    if found[2] and last < first:
        return None
    if first >= size:
        raise ValueError("beyond the end")
    return Span(first=first, last=min(last, size - 1))


async def answer_parcel(call: Call, child: SiteCode, parcel: str) -> Response:
    """The parcel or the part of it that was asked for. Raises NotFoundError ``parcel-gone``, UsageError ``bad-digest``."""
    if not _PARCEL.fullmatch(parcel):
        raise UsageError("bad-digest", f"{parcel[:80]!r} is not the id of a parcel.", "This is a defect of the asking site.")
    path = await asyncio.to_thread(call.service.core.provider.open, child, parcel)
    try:
        file = await asyncio.to_thread(ParcelFile.open, path, bytes.fromhex(parcel))
    except FileNotFoundError:
        # It was evicted just now.
        raise _gone(parcel) from None
    except (IntegrityError, FormatError, OSError) as error:
        await asyncio.to_thread(_damaged, call.service, parcel, path, error)
        raise _gone(parcel) from None
    size = file.size
    headers = {"ETag": f'"{parcel}"', "Accept-Ranges": "bytes", "Cache-Control": "private, max-age=31536000, immutable"}
    asked = call.request.headers.get("range")
    if call.request.headers.get("if-range", f'"{parcel}"') != f'"{parcel}"':
        asked = None
    try:
        span = span_of(asked, size)
    except ValueError:
        file.close()
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    chosen = span or Span(first=0, last=size - 1)
    headers["Content-Length"] = str(chosen.last - chosen.first + 1)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{size}"
    pieces = _pieces(call.service, child, file, path, chosen)
    return StreamingResponse(
        pieces, status_code=200 if span is None else 206, headers=headers, media_type="application/octet-stream"
    )


async def _pieces(service: Service, child: SiteCode, file: ParcelFile, path: str, span: Span) -> AsyncIterator[bytes]:
    """Each verified before it goes. Ends early when the server stops: the child goes on from there; and at a damage: then the
    parcel goes, and is built again when the child asks."""
    try:
        parts = file.verified(span.first, span.last + 1 - span.first)
        while not service.bells.closed:
            data = await asyncio.to_thread(next, parts, None)
            if data is None:
                return
            for start in range(0, len(data), PIECE_BYTES):
                piece = data[start : start + PIECE_BYTES]
                yield piece
                service.core.provider.count_served(child, len(piece))
    except (IntegrityError, FormatError, OSError) as error:
        await asyncio.to_thread(_damaged, service, file.head.id.hex(), path, error)
    finally:
        with contextlib.suppress(OSError):
            file.close()


def _gone(parcel: str) -> NotFoundError:
    return NotFoundError("parcel-gone", f"Parcel {parcel} is not kept here any more.", "Ask for the version again.")


def _damaged(service: Service, parcel: str, path: str, error: HaulageError | OSError) -> None:
    if isinstance(error, OSError) and not is_medium_fault(error):
        return  # this try failed; the child asks again
    cause = error.message if isinstance(error, HaulageError) else f"it cannot be read ({error.strerror})"
    service.care.tell([Damage(where=path, chunks=(), cause=cause)])
    service.core.provider.discard(parcel)
