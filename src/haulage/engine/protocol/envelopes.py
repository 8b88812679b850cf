"""Envelopes and the messages in them: what one site tells its neighbour, numbered without gaps. Pure; knows neither how an envelope
is signed nor what a message brings about."""

from __future__ import annotations

import enum
from typing import Annotated, ClassVar, TypeVar

from msgspec import Meta, field

from haulage.base.errors import FormatError
from haulage.engine.protocol.asks import CHUNKS_MAX
from haulage.engine.protocol.codec import Body, Document, decode, encode
from haulage.engine.protocol.fields import (
    Count,
    Digest,
    Label,
    Moment,
    Name,
    Package,
    RealVersion,
    Site,
    Text,
    Token,
    Version,
    Where,
    Word,
)

ENVELOPE_MAX_BYTES = 8 * 1024 * 1024
"""Of the payload, before it is sealed."""
MESSAGE_MAX_BYTES = 4 * 1024 * 1024
"""Of one body. Leave room for base64: a body this large travels alone."""
MESSAGES_MAX = 1000


class MessageKind(enum.StrEnum):
    """The kinds of messages known to this version."""

    DEFINITION = "definition"
    SHIPMENT = "shipment"
    STATUS = "status"
    AVAILABLE = "available"
    CLAIM = "claim"
    LACKING = "lacking"


class Message(Body, frozen=True, kw_only=True):
    """One message. A later one with the same (kind, key) replaces an earlier one. ``body`` is a signed document as it came
    (definition, claim) or the canonical bytes of a body type of this module."""

    kind: Word
    key: Token
    body: Annotated[bytes, Meta(max_length=MESSAGE_MAX_BYTES)]


class Envelope(Document, frozen=True, kw_only=True):
    """Messages ``first``, ``first + 1``, … of the stream from ``sender`` to ``receiver``. ``epoch`` is the sender's and rises
    when it was restored; ``stream`` is the incarnation of this stream within the epoch. Signed by the sender's site key."""

    PAYLOAD_TYPE: ClassVar[str] = "application/vnd.haulage.envelope+json"

    sender: Site
    receiver: Site
    epoch: Count
    stream: Count
    first: Annotated[int, Meta(ge=1, le=2**62)]
    messages: Annotated[tuple[Message, ...], Meta(min_length=1, max_length=MESSAGES_MAX)]
    not_after: Moment

    @property
    def last(self) -> int:
        """Sequence of the last message."""
        return self.first + len(self.messages) - 1


class ShipmentReport(Body, frozen=True, kw_only=True):
    """The state of one (package, place), as its owning site sees it. Ordered by (epoch, observation), never by value."""

    package: Package
    place: Where
    kind: Word
    """``site`` or ``point``."""
    owner: Site
    epoch: Count
    observation: Count
    wanted: Version
    present: Version
    state: Word
    reason: Label
    generation: Count
    tries: Count
    due: Moment | None
    bytes_planned: Count
    bytes_done: Count
    bytes_total: Count
    bytes_reused: Count
    bytes_new: Count
    bytes_wire: Count
    error_code: Label
    error_message: Text
    error_hint: Text
    updated: Moment
    verified: Moment | None = None
    """When every byte there was last read and found right."""
    error_family: Label = ""
    word: Label = ""
    """What somebody said last of this transfer: ``held``, ``cancelled`` or nothing that counts."""
    word_by: Name = ""
    word_time: Moment | None = None
    armed: Moment | None = None
    """Since when what is wanted is wanted."""
    expected: Moment | None = None
    """When it should have arrived, as reckoned when it began to move."""
    rate: Count = 0
    """Bytes per second, as the receiver measured last."""
    wire_ever: Count = 0
    reused_ever: Count = 0
    """Bytes that crossed the line for this duty, and bytes that were there already, in all: they never fall within an epoch."""
    removed: bool = False
    """The row is gone at its owner; whoever mirrors it forgets it."""


class StatusReport(Body, frozen=True, kw_only=True):
    """One status message; (site, epoch, sequence) names it for ever."""

    site: Site
    epoch: Count
    sequence: Count
    number: Count
    severity: Word
    type: Word
    component: Name
    package: Package | None
    place: Where | None
    time: Moment
    fields: dict[Name, Text] = field(default_factory=dict)


class AvailableNotice(Body, frozen=True, kw_only=True):
    """The sender now holds a version: whoever wants it may ask."""

    package: Package
    version: Version
    manifest: Digest


class LackNotice(Body, frozen=True, kw_only=True):
    """The sender lost chunks of a version that the receiver, its child, says it holds: the child is asked to hand them over."""

    package: Package
    version: RealVersion
    manifest: Digest
    chunks: Annotated[tuple[Digest, ...], Meta(min_length=1, max_length=CHUNKS_MAX)]


B = TypeVar("B", bound=Body)

BODIES: dict[str, type[Body]] = {
    MessageKind.SHIPMENT: ShipmentReport,
    MessageKind.STATUS: StatusReport,
    MessageKind.AVAILABLE: AvailableNotice,
    MessageKind.LACKING: LackNotice,
}


def message(kind: MessageKind, key: str, body: Body) -> Message:
    """A message with a typed body. Raises FormatError ``bad-document``."""
    return Message(kind=kind, key=key, body=encode(body))


def signed_message(kind: MessageKind, key: str, signed: bytes) -> Message:
    """A message that carries a signed document unchanged."""
    return Message(kind=kind, key=key, body=signed)


def body_of(received: Message, kind: type[B]) -> B:
    """The typed body of a message. Raises FormatError ``bad-document``, ``format-too-new``, ``wrong-message``."""
    if BODIES.get(received.kind) is not kind:
        raise FormatError(
            "wrong-message", f"A {received.kind} message holds no {kind.__name__}.", "This is a defect; please report it."
        )
    return decode(received.body, kind, max_bytes=MESSAGE_MAX_BYTES)


def decode_envelope(payload: bytes) -> Envelope:
    """Read the payload of an envelope. Raises FormatError ``bad-document``, ``format-too-new``."""
    return decode(payload, Envelope, max_bytes=2 * ENVELOPE_MAX_BYTES)


def weight(item: Message) -> int:
    """Bytes this message adds to an envelope, at most: for filling envelopes up to ENVELOPE_MAX_BYTES."""
    return len(item.body) * 4 // 3 + len(item.key) + len(item.kind) + 64
