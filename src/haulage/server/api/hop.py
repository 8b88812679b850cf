"""What a child site asks of this one: the root, its claim, the feed, its reports, wants, parcels."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.responses import Response

from haulage.base.errors import ConflictError, NotAllowedError, NotFoundError, UsageError
from haulage.base.files import acknowledge
from haulage.base.ids import SiteCode
from haulage.engine.links.answers import CHUNKS_MEDIA_TYPE, VERSION_HEADER
from haulage.engine.links.joining import CLAIM_MEDIA_TYPE
from haulage.engine.parcels.parts import MAX_PARTS_BYTES, decode_parts, encode_parts
from haulage.engine.protocol import lines
from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want
from haulage.engine.protocol.codec import decode, encode
from haulage.engine.protocol.fields import Count
from haulage.engine.status import on_sites
from haulage.engine.trust.enrolment import CLAIM_MAX_BYTES, peek_claim
from haulage.server.endpoint import JSON, Call, Endpoint, Permission
from haulage.server.parcel_answer import answer_parcel

WAIT_MAX_SECONDS = 300
WANT_MAX_BYTES = 256 * 1024


class Feed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the child has stored this site's stream, and how long it wants to wait."""

    epoch: Count
    stream: Count
    sequence: Count
    wait: Count = 0


def peer_bell(code: SiteCode) -> str:
    """The bell that rings when there is something to tell a neighbour."""
    return f"peer:{code}"


def sender_of(call: Call) -> SiteCode:
    """The proven child."""
    assert call.sender is not None
    return call.sender


def _root(call: Call) -> Response:
    return Response(call.service.root_document, media_type=JSON, headers={"Cache-Control": "no-cache"})


def _claim(call: Call) -> Response:
    core = call.service.core
    try:
        with core.database.reading() as tx:
            # Anybody may ask this: who proves nothing must not hold up those who write.
            core.enrolment.check(tx, call.raw)
        with core.database.writing() as tx:
            known = list(core.enrolment.claim(tx, call.raw))
    except (NotAllowedError, ConflictError, NotFoundError) as refused:
        claimed = peek_claim(call.raw).code
        if call.service.refused_joins.take(call.service.clock.monotonic()):
            with core.database.writing() as tx:
                core.journal.record(tx, on_sites.JOIN_REFUSED, child=claimed, cause=refused.message, code=refused.code)
        raise
    acknowledge()
    return Response(lines.join_lines(known), media_type=lines.MEDIA_TYPE)


async def _feed(call: Call) -> Response:
    """Envelopes at once, or as soon as there are any; holds no thread while it waits."""
    asked: Feed = call.query
    if asked.wait > WAIT_MAX_SECONDS:
        raise UsageError("bad-query", "The wait is out of bounds.", "This is a defect of the asking site.")
    service, child = call.service, sender_of(call)
    position = Position(epoch=asked.epoch, stream=asked.stream, sequence=asked.sequence)
    deadline = asyncio.get_running_loop().time() + asked.wait
    number = service.feeds[child] = service.feeds.get(child, 0) + 1
    with service.bells.in_loop(peer_bell(child)) as bell:
        while True:
            bell.clear()
            if service.feeds[child] != number:
                # The child has given this request up and asks anew: what it stood at then is history.
                documents = []
                break
            documents = await asyncio.to_thread(service.core.streams.outgoing, child, position)
            left = deadline - asyncio.get_running_loop().time()
            if documents or left <= 0 or service.bells.closed:
                break
            try:
                await asyncio.wait_for(bell.wait(), left)
            except TimeoutError:
                break
    service.presence.hear(child)
    if not documents:
        return Response(status_code=204, headers=_version(call))
    return Response(lines.join_lines(documents), media_type=lines.MEDIA_TYPE, headers=_version(call))


def _report(call: Call) -> Response:
    position = call.service.core.streams.incoming(sender_of(call), lines.split_lines(call.raw))
    return Response(encode(position), media_type=JSON, headers=_version(call))


def _version(call: Call) -> dict[str, str]:
    return {VERSION_HEADER: call.service.version}


def _want(call: Call) -> Response:
    answer = call.service.core.provider.want(sender_of(call), decode(call.raw, Want, max_bytes=WANT_MAX_BYTES))
    if isinstance(answer, Pending):
        return Response(encode(answer), status_code=202, media_type=JSON)
    return Response(answer, media_type=CLAIM_MEDIA_TYPE)


def _lend(call: Call) -> Response:
    want = decode(call.raw, ChunkWant, max_bytes=WANT_MAX_BYTES)
    return Response(encode_parts(call.service.core.lender.lend(sender_of(call), want)), media_type=CHUNKS_MEDIA_TYPE)


def _given(call: Call) -> Response:
    """A child hands over what this site asked it for."""
    count = call.service.core.healer.accept(sender_of(call), decode_parts(call.raw))
    call.service.care.hurry()
    return Response(b'{"kept":%d}' % count, media_type=JSON)


async def _parcel(call: Call) -> Response:
    return await answer_parcel(call, sender_of(call), call.path["parcel"])


ENDPOINTS = (
    Endpoint(method="GET", path="/trust/root", permission=Permission.OPEN, act=_root, summary="The root of trust"),
    Endpoint(
        method="POST",
        path="/hop/v1/claim",
        permission=Permission.OPEN,
        act=_claim,
        media_type=CLAIM_MEDIA_TYPE,
        body_max_bytes=2 * CLAIM_MAX_BYTES,
        summary="A new site claims its invitation",
    ),
    Endpoint(method="GET", path="/hop/v1/feed", permission=Permission.SITE, act=_feed, query=Feed, summary="Envelopes for a child"),
    Endpoint(
        method="POST",
        path="/hop/v1/report",
        permission=Permission.SITE,
        act=_report,
        media_type=lines.MEDIA_TYPE,
        body_max_bytes=lines.BODY_MAX_BYTES,
        summary="Envelopes of a child",
    ),
    Endpoint(
        method="POST",
        path="/hop/v1/want",
        permission=Permission.SITE,
        act=_want,
        media_type=JSON,
        body_max_bytes=WANT_MAX_BYTES,
        summary="A child asks for a version",
    ),
    Endpoint(
        method="POST",
        path="/hop/v1/chunks",
        permission=Permission.SITE,
        act=_lend,
        media_type=JSON,
        body_max_bytes=WANT_MAX_BYTES,
        summary="Chunks for a child that found its own damaged",
    ),
    Endpoint(
        method="PUT",
        path="/hop/v1/chunks",
        permission=Permission.SITE,
        act=_given,
        media_type=CHUNKS_MEDIA_TYPE,
        body_max_bytes=MAX_PARTS_BYTES,
        summary="Chunks this site asked a child for",
    ),
    Endpoint(method="GET", path="/hop/v1/parcels/{parcel}", permission=Permission.SITE, act=_parcel, summary="A parcel, by range"),
)
