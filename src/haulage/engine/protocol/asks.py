"""What a site asks its neighbour outside the streams, and the answers: a parcel, a place in the hierarchy. Pure."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from haulage.engine.protocol.codec import Body, Document
from haulage.engine.protocol.fields import Count, Digest, Key, Label, Name, Nonce, Package, Pem, RealVersion, Site, Token, Url, Word

BASES_MAX = 4
ABILITIES_MAX = 64
CHUNKS_MAX = 1000
"""Named in one question; who lacks more asks again."""


class Position(Body, frozen=True, kw_only=True):
    """How far a receiver has stored a sender's stream durably: everything up to ``sequence`` of incarnation ``stream`` of the
    sender's ``epoch``. All zero: nothing yet."""

    epoch: Count = 0
    stream: Count = 0
    sequence: Count = 0


class Want(Body, frozen=True, kw_only=True):
    """A child asks for a version, naming what it could use as bases (newest first)."""

    package: Package
    version: RealVersion
    target: Digest
    """BLAKE3 of the wanted manifest."""
    held: Annotated[tuple[Digest, ...], Meta(max_length=1000)] = ()
    damaged: Digest | None = None
    """A parcel of this sender that arrived, complete and over a sound line, with wrong bytes: it is looked at and built anew."""
    abilities: Annotated[tuple[Token, ...], Meta(max_length=ABILITIES_MAX)] = ()
    """Which compressed forms the asker makes again exactly, byte for byte, by the names its programs have for them. A sender uses
    what both have; names it does not know mean nothing to it."""
    rate: Count = 0
    """Bytes per second that came over this line in earlier transfers, as the asker measured them; 0: not known."""


class ChunkWant(Body, frozen=True, kw_only=True):
    """A child asks for chunks of a version that it holds, or is to hold: they were found damaged. The answer brings those that can
    be given, in this order, as many as fit; each proves itself by its id."""

    package: Package
    version: RealVersion
    target: Digest
    """BLAKE3 of the version's manifest."""
    chunks: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=CHUNKS_MAX)]


class Offer(Document, frozen=True, kw_only=True):
    """A parcel that is ready; signed by the sender's site key. What the parcel's own head says must agree with it."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.offer+json"

    sender: Site
    package: Package
    version: RealVersion
    target: Digest
    parcel: Digest
    """BLAKE3 of the parcel's head."""
    size: Count
    """Of the whole parcel, in bytes."""
    head_size: Count
    """Of its head and trailer, with which it ends."""
    bases: Annotated[tuple[Digest, ...], Meta(max_length=BASES_MAX)] = ()
    bytes_total: Count
    bytes_reused: Count
    bytes_new: Count
    level: Label = ""
    """The level it was made at; empty: who receives it cannot say whom it would suit, and does not hand it on."""
    needs: Annotated[tuple[Token, ...], Meta(max_length=ABILITIES_MAX)] = ()
    """Abilities a receiver must have, at most."""
    abilities: Annotated[tuple[Token, ...], Meta(max_length=ABILITIES_MAX)] = ()
    """Those that making it could lean on."""


class Pending(Body, frozen=True, kw_only=True):
    """Not now. ``reason``: ``not-held``, ``building`` or ``unknown`` for a want; ``waiting`` for a claim."""

    reason: Word
    retry_after_seconds: Annotated[int, Meta(ge=0, le=86_400)]


class Claim(Document, frozen=True, kw_only=True):
    """A joiner claims an invitation. Signed twice: by the key derived from the join string, and by the site key it brings."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.claim+json"

    code: Site
    parent: Site
    key: Key
    """The joiner's new site key."""
    token_key: Key
    """Names the invitation."""
    csr: Pem
    """Certificate signing request for the TLS key of its server."""
    url: Url
    """Where its server will be reached."""
    name: Name = ""
    nonce: Nonce
    root: Digest
    """SHA-256 of the root the joiner pinned."""


class ServerTime(Document, frozen=True, kw_only=True):
    """The answer to a request whose time is too far off: the server's clock, bound to the refused request's nonce."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.time+json"

    site: Site
    time: Token
    nonce: Nonce
