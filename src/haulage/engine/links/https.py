"""The link to the parent over HTTPS: signed requests, TLS by the hierarchy's own authority, parcels by range. A blocking face on a
private event loop. Must not know what is done with envelopes and parcels, nor any retry policy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

import aiohttp

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.base.ids import SiteCode
from haulage.engine.links import answers
from haulage.engine.links.exchange import Ask, Exchange, Identity, Patience
from haulage.engine.links.joining import CLAIM_MEDIA_TYPE
from haulage.engine.links.loop import LoopThread
from haulage.engine.parcels.parts import MAX_PARTS_BYTES, decode_parts, encode_parts
from haulage.engine.protocol import lines
from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want
from haulage.engine.protocol.codec import decode, encode
from haulage.engine.trust.certificates import client_context
from haulage.engine.trust.keys import PublicKey, SigningKey

OFFER_MAX_BYTES = 65_536
JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": lines.MEDIA_TYPE}
_PIECE_BYTES = 256 * 1024


class HttpsLink:
    """A Link (see link.py) to the server at ``url``. Several may share one LoopThread; closing a link leaves that running."""

    def __init__(
        self,
        *,
        url: str,
        site: SiteCode,
        peer: SiteCode,
        key: SigningKey,
        peer_keys: Callable[[], Sequence[PublicKey]],
        authority_pem: str,
        clock: Clock,
        loop: LoopThread,
        patience: Patience | None = None,
    ) -> None:
        self._clock = clock
        self._loop = loop
        self._exchange = Exchange(
            url=url,
            context=client_context(authority_pem),
            clock=clock,
            identity=Identity(site=site, peer=peer, key=key, peer_keys=peer_keys),
            patience=patience or Patience(),
        )

    @property
    def clock_offset_seconds(self) -> float:
        """How far the peer's clock was ahead of ours when it last refused a request for its time; 0 if it never did."""
        return self._exchange.clock_offset.total_seconds()

    @property
    def peer_version(self) -> str:
        """The version of Haulage at the peer, as it said it last; empty if it never did."""
        return self._exchange.peer_version

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:
        """Sealed envelopes after ``position``; none if nothing came within ``wait_seconds`` (rounded down)."""
        where = f"epoch={position.epoch}&stream={position.stream}&sequence={position.sequence}&wait={int(wait_seconds)}"
        ask = Ask(
            method="GET",
            target=f"/hop/v1/feed?{where}",
            good=frozenset({200, 204}),
            limit_bytes=lines.BODY_MAX_BYTES,
            wait_seconds=wait_seconds,
        )
        return lines.split_lines(self._loop.run(self._exchange.ask(ask)).body)

    def report(self, envelopes: Sequence[bytes]) -> Position:
        """Hand over sealed envelopes; the peer's position in our stream."""
        ask = Ask(method="POST", target="/hop/v1/report", body=lines.join_lines(envelopes), headers=LINES)
        return decode(self._loop.run(self._exchange.ask(ask)).body, Position)

    def want(self, want: Want) -> bytes | Pending:
        """A signed Offer, not verified yet; or why not now."""
        ask = Ask(
            method="POST",
            target="/hop/v1/want",
            body=encode(want),
            headers=JSON,
            good=frozenset({200, 202}),
            limit_bytes=OFFER_MAX_BYTES,
        )
        answer = self._loop.run(self._exchange.ask(ask))
        return answer.body if answer.status == 200 else decode(answer.body, Pending)

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:
        """Bytes ``offset`` up to ``end`` of a parcel of ``size`` bytes; see link.py."""
        if offset >= end:
            return
        ask = Ask(
            method="GET",
            target=f"/hop/v1/parcels/{quote(parcel, safe='')}",
            headers={"Range": f"bytes={offset}-{end - 1}", "If-Range": f'"{parcel}"'},
            good=frozenset({200, 206, 416}),
        )
        response = self._loop.run(self._exchange.start(ask))
        try:
            answers.check_part(
                response.status,
                response.headers,
                parcel=parcel,
                part=range(offset, end),
                size=size,
                speaker=self._exchange.speaker,
            )
            reading = _Reading(self._exchange, response, due=end - offset, clock=self._clock)
            while piece := self._loop.run(reading.next()):
                yield piece
        finally:
            self._loop.call_soon(response.close)

    def ask_chunks(self, want: ChunkWant) -> list[bytes]:
        """Chunks of a version; see link.py. Raises FormatError ``bad-parcel`` for what is no list of chunks."""
        ask = Ask(method="POST", target="/hop/v1/chunks", body=encode(want), headers=JSON, limit_bytes=MAX_PARTS_BYTES)
        return decode_parts(self._loop.run(self._exchange.ask(ask)).body)

    def give_chunks(self, parts: Sequence[bytes]) -> None:
        """Hand over chunks; see link.py."""
        ask = Ask(
            method="PUT", target="/hop/v1/chunks", body=encode_parts(parts), headers={"Content-Type": answers.CHUNKS_MEDIA_TYPE}
        )
        self._loop.run(self._exchange.ask(ask))

    def claim(self, document: bytes) -> None:
        """Hand in this site's claim once more. The definitions in the answer are not looked at: the feed brings them."""
        ask = Ask(
            method="POST",
            target="/hop/v1/claim",
            body=document,
            headers={"Content-Type": CLAIM_MEDIA_TYPE},
            good=frozenset({200, 202}),
            limit_bytes=lines.BODY_MAX_BYTES,
        )
        self._loop.run(self._exchange.ask(ask))

    def close(self) -> None:
        """End what is under way (it raises TransferError ``link-closed``) and release everything; safe to repeat."""
        with contextlib.suppress(TransferError):
            self._loop.run(self._exchange.close())


class _Reading:
    """The body of a parcel answer: exactly ``due`` bytes, and moving."""

    def __init__(self, exchange: Exchange, response: aiohttp.ClientResponse, *, due: int, clock: Clock) -> None:
        self._exchange = exchange
        self._content = response.content
        self._due = due
        self._got = 0
        self._clock = clock
        self._waited_seconds = 0.0
        self._moved_bytes = 0

    async def next(self) -> bytes:
        """The next piece; empty after the last. Raises TransferError ``cut``, ``answer-too-large``, ``stalled``."""
        with self._exchange.guarded():
            before = self._clock.monotonic()
            piece = await self._content.read(_PIECE_BYTES)
            self._watch(len(piece), self._clock.monotonic() - before)
        self._got += len(piece)
        if self._got > self._due:
            raise answers.too_large(self._exchange.speaker, self._due)
        if not piece and self._got < self._due:
            raise answers.cut(self._exchange.speaker, self._got, self._due)
        return piece

    def _watch(self, moved_bytes: int, waited_seconds: float) -> None:
        """Only waiting for the peer counts: a caller may take its time between two pieces (a rate limit does)."""
        patience = self._exchange.patience
        self._waited_seconds += waited_seconds
        self._moved_bytes += moved_bytes
        if self._waited_seconds < patience.drip_seconds:
            return
        if self._moved_bytes < patience.drip_bytes:
            raise answers.stalled(self._exchange.speaker)
        self._waited_seconds, self._moved_bytes = 0.0, 0
