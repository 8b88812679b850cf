"""The stream of envelopes to and from each neighbour: gapless, in order, twice is harmless, the latest state wins.

What is to be told is a set of (kind, key); it is rendered when an envelope is sealed, so a neighbour that was away for a month
costs what changed, not what happened. Knows no noun: renderers and appliers are registered by kind.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from haulage.base.clock import Clock, iso, parse_iso
from haulage.base.errors import FormatError, HaulageError, NotAllowedError, Remedy, TransferError
from haulage.base.files import acknowledge
from haulage.base.ids import SiteCode
from haulage.domain.replication import records
from haulage.domain.replication.records import Stream
from haulage.domain.replication.seal import Seal
from haulage.domain.replication.twins import Twins
from haulage.engine.database.transaction import Database, Transaction, savepoint
from haulage.engine.protocol.asks import Position
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import ENVELOPE_MAX_BYTES, Envelope, Message, decode_envelope, weight

_log = logging.getLogger("haulage.replication")

MESSAGES_PER_ENVELOPE = 500
ENVELOPES_PER_ANSWER = 8
LATE_ENVELOPE_BYTES = 512 * 1024
"""Of an envelope with things that may come late: what must be told soon waits behind eight of them at most."""
EPOCH_LEAP_MOST = 2**32
"""A neighbour that remembers a later epoch of ours than this beyond the present one does not remember: it made it up. An epoch
begun by a restore names its second, so one that was forgotten may lie far ahead."""
_LIFE = dt.timedelta(days=400)
"""Envelopes must outlive the longest absence; on a live link the request itself is fresh, so this only bounds media."""

Renderer = Callable[[Transaction, SiteCode, str, int], "bytes | None"]
"""(transaction, neighbour, key, sequence) to the message's body; None if there is nothing to tell any more."""

Applier = Callable[[Transaction, SiteCode, Message], None]
"""(transaction, neighbour, message): take it in. Raises HaulageError if it is refused."""


class Events(Protocol):
    """What the streams have to tell a manager; said in the status journal by whoever wires this."""

    def message_refused(self, tx: Transaction, peer: SiteCode, message: Message, error: HaulageError) -> None:
        """One message was refused; the others go on (I14)."""
        ...

    def gap(self, tx: Transaction, peer: SiteCode, first: int, last: int) -> None:
        """Messages of a neighbour are missing; it will send them again."""
        ...

    def acknowledged(self, tx: Transaction, peer: SiteCode, after: int, through: int) -> None:
        """A neighbour has stored our messages behind ``after`` up to ``through``."""
        ...

    def resynced(self, tx: Transaction, peer: SiteCode, why: str) -> None:
        """A stream begins anew with the full state."""
        ...

    def epoch_raised(self, tx: Transaction, epoch: int, peer: SiteCode) -> None:
        """A neighbour remembers more of us than we do: this site was restored from a backup (I16)."""
        ...

    def runs_twice(self, tx: Transaction, peer: SiteCode, rises: int) -> None:
        """That happens again and again: two servers act as this site (F50)."""
        ...


class Neighbourhood(Protocol):
    """What the streams must know about sites."""

    def epoch(self, tx: Transaction) -> int:
        """This site's epoch."""
        ...

    def raise_epoch(self, tx: Transaction, above: int) -> int:
        """Raise it past ``above``, durably with this transaction."""
        ...

    def peer_restored(self, tx: Transaction, peer: SiteCode, epoch: int) -> None:
        """A neighbour began a new epoch; what it said in those before counts no more."""
        ...

    def keys_of(self, tx: Transaction, peer: SiteCode) -> Sequence[str]:
        """The keys with which a neighbour signs envelopes; empty if it is none."""
        ...

    def neighbours(self, tx: Transaction) -> Sequence[SiteCode]:
        """Parent and children that have joined."""
        ...

    def snapshot(self, tx: Transaction, peer: SiteCode) -> Iterable[tuple[str, str]]:
        """Every (kind, key) a neighbour needs who knows nothing, in an order that makes sense."""
        ...


class Streams:
    """All streams of one site."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        seal: Seal,
        clock: Clock,
        neighbourhood: Neighbourhood,
        events: Events,
        renderers: Mapping[str, Renderer],
        appliers: Mapping[str, Applier],
        wake: Callable[[SiteCode], None],
        is_late: Callable[[str, str], bool] = lambda _kind, _key: False,
    ) -> None:
        """``is_late`` says of a (kind, key) that everything else is told before it."""
        self._code = code
        self._is_late = is_late
        self._database = database
        self._seal = seal
        self._clock = clock
        self._sites = neighbourhood
        self._events = events
        self._renderers = renderers
        self._appliers = appliers
        self._wake = wake
        self._twins = Twins()

    def mark(self, tx: Transaction, peer: SiteCode, kind: str, key: str) -> None:
        """A neighbour is to be told the present state of something."""
        records.add_dirty(tx, peer, kind, key, late=self._is_late(kind, key))
        self._database.after_commit(tx, lambda: self._wake(peer))

    def mark_all(self, tx: Transaction, peers: Iterable[SiteCode], kind: str, key: str) -> None:
        """Several neighbours are."""
        for peer in peers:
            self.mark(tx, peer, kind, key)

    def position(self, peer: SiteCode) -> Position:
        """How far a neighbour's stream is stored here."""
        with self._database.reading() as tx:
            return _position(records.find_stream(tx, peer))

    def outgoing(self, peer: SiteCode, position: Position) -> list[bytes]:
        """The envelopes a neighbour lacks that stands at ``position``; what lies before it is acknowledged and dropped."""
        with self._database.reading() as tx:
            stream = records.find_stream(tx, peer)
            epoch = self._sites.epoch(tx)
            if not records.has_dirty(tx, peer) and (_caught_up(stream, epoch, position) or _silent(stream, epoch, position)):
                return []
        self._refuse_twin(peer, position)
        with self._database.writing() as tx:
            if not self._sites.keys_of(tx, peer):
                raise NotAllowedError("not-a-neighbour", f"Site {peer} is not a neighbour of {self._code}.", "Was it removed?")
            self._settle(tx, peer, position)
            after = records.find_stream(tx, peer).out_acknowledged
            # No more is sealed than is sent: what waits stays a set of things, also if answers are lost for a month (F30).
            waiting = records.list_sealed(tx, peer, after, ENVELOPES_PER_ANSWER)
            if waiting and self._past(decode_envelope(self._seal.peek(waiting[0], Envelope.PAYLOAD_TYPE))):
                self.resync(tx, peer, f"what {peer} was to be told became too old to be believed")
                waiting, after = [], 0
            for _turn in range(ENVELOPES_PER_ANSWER - len(waiting)):
                if not self._seal_next(tx, peer):
                    break
            return list(records.list_sealed(tx, peer, after, ENVELOPES_PER_ANSWER))

    def acknowledge(self, peer: SiteCode, position: Position) -> None:
        """A neighbour has stored everything up to ``position``."""
        with self._database.writing() as tx:
            self._settle(tx, peer, position)

    def incoming(self, peer: SiteCode, documents: Iterable[bytes]) -> Position:
        """Take envelopes in, in order; returns how far the neighbour's stream is stored now. At a gap it stops: the neighbour sees
        where, and sends from there."""
        for document in documents:
            with self._database.reading() as tx:
                keys = self._sites.keys_of(tx, peer)
            envelope = decode_envelope(self._seal.open(document, Envelope.PAYLOAD_TYPE, keys))
            if envelope.sender != peer or envelope.receiver != self._code:
                raise NotAllowedError(
                    "wrong-addressee",
                    f"An envelope from {envelope.sender} to {envelope.receiver} reached {self._code} by way of {peer}.",
                    "It was refused; look at the site that sent it.",
                )
            if self._past(envelope):
                raise NotAllowedError(
                    "envelope-expired",
                    f"An envelope from {peer} was good until {envelope.not_after} by its clock.",
                    f"It was refused; {peer} says everything anew by itself. Look at the clocks of both sites.",
                    remedy=Remedy.RETRY,
                )
            with self._database.writing() as tx:
                if not self._take(tx, peer, envelope):
                    break
        acknowledge()
        return self.position(peer)

    def _past(self, envelope: Envelope) -> bool:
        return parse_iso(envelope.not_after) < self._clock.now()

    def resync(self, tx: Transaction, peer: SiteCode, why: str) -> None:
        """Begin the stream to a neighbour anew, with everything it needs to know."""
        before = records.find_stream(tx, peer)
        records.remove_sealed(tx, peer, 2**62)
        fresh = dataclasses.replace(before, out_stream=before.out_stream + 1, out_next=1, out_acknowledged=0)
        records.put_stream(tx, fresh)
        wanted = list(self._sites.snapshot(tx, peer))
        known = [("definition", f"{kind}/{object_id}") for kind, object_id in records.told_objects(tx, peer)]
        records.clear_dirty(tx, peer)
        for kind, key in dict.fromkeys(wanted + known):
            self.mark(tx, peer, kind, key)
        self._events.resynced(tx, peer, why)

    def begin_anew(self, tx: Transaction, above: int) -> int:
        """This site was put back to an older state: an epoch beyond ``above``, durable before anything is sent, and every neighbour
        is told everything and asked for it (I16). Returns the epoch."""
        epoch = self._sites.raise_epoch(tx, above)
        for neighbour in self._sites.neighbours(tx):
            self.resync(tx, neighbour, "this site was restored")
        return epoch

    def _refuse_twin(self, peer: SiteCode, position: Position) -> None:
        """Before the epoch is raised once more: if that goes on, another server acts as this site, and both of them say so and hold
        still longer and longer, instead of outbidding each other."""
        wait = self._twins.wait_seconds(self._clock.monotonic())
        if not wait:
            return
        with self._database.reading() as tx:
            stream, epoch = records.find_stream(tx, peer), self._sites.epoch(tx)
        if (position.epoch, position.stream, position.sequence) < (epoch, stream.out_stream, stream.out_next):
            return
        with self._database.writing() as tx:
            self._events.runs_twice(tx, peer, self._twins.rises)
        raise TransferError(
            "site-runs-twice",
            f"Site {peer} hears of {self._code} from another server, too: {self._twins.rises} times within the hour it knew more.",
            f"Stop one of the two servers of {self._code}: a site that was restored or copied must not run beside the old one.",
        )

    def _settle(self, tx: Transaction, peer: SiteCode, position: Position) -> None:
        """Compare what the neighbour has with what we remember having sent; whoever forgot is helped (I16)."""
        stream, epoch = records.find_stream(tx, peer), self._sites.epoch(tx)
        theirs, ours = (position.epoch, position.stream), (epoch, stream.out_stream)
        if position.epoch > epoch + EPOCH_LEAP_MOST:
            raise NotAllowedError(
                "position-made-up",
                f"Site {peer} says it has stored epoch {position.epoch} of {self._code}, which is at {epoch}.",
                f"It was refused; look at the server of {peer}.",
            )
        if theirs > ours or (theirs == ours and position.sequence >= stream.out_next):
            self._events.epoch_raised(tx, self.begin_anew(tx, position.epoch), peer)
            self._twins.rose(self._clock.monotonic())
        elif theirs == ours and position.sequence >= stream.out_acknowledged:
            if position.sequence > stream.out_acknowledged:
                records.remove_sealed(tx, peer, position.sequence)
                self._events.acknowledged(tx, peer, stream.out_acknowledged, position.sequence)
                records.put_stream(tx, dataclasses.replace(stream, out_acknowledged=position.sequence))
        elif theirs == ours or stream.out_acknowledged > 0:
            self.resync(tx, peer, f"{peer} has lost what it was sent")
        elif stream.out_stream == 1 and stream.out_next == 1:
            self.resync(tx, peer, "first contact")

    def _seal_next(self, tx: Transaction, peer: SiteCode) -> bool:
        """Put the next dirty things into one envelope; False if there were none."""
        stream = records.find_stream(tx, peer)
        taken: list[int] = []
        messages: list[Message] = []
        size = 0
        for number, kind, key, late in records.first_dirty(tx, peer, MESSAGES_PER_ENVELOPE):
            body = self._renderers[kind](tx, peer, key, stream.out_next + len(messages))
            if body is not None:
                message = Message(kind=kind, key=key, body=body)
                size += weight(message)
                if messages and size > (LATE_ENVELOPE_BYTES if late else ENVELOPE_MAX_BYTES):
                    break
                messages.append(message)
            taken.append(number)
        records.remove_dirty(tx, taken)
        if not messages:
            return bool(taken)
        envelope = Envelope(
            sender=self._code,
            receiver=peer,
            epoch=self._sites.epoch(tx),
            stream=stream.out_stream,
            first=stream.out_next,
            messages=tuple(messages),
            not_after=iso(self._clock.now() + _LIFE),
        )
        document = self._seal.sign(Envelope.PAYLOAD_TYPE, encode(envelope))
        records.put_sealed(tx, peer, envelope.first, envelope.last, document)
        sent = stream.out_bytes + len(document)
        records.put_stream(tx, dataclasses.replace(stream, out_next=envelope.last + 1, out_bytes=sent))
        return True

    def _take(self, tx: Transaction, peer: SiteCode, envelope: Envelope) -> bool:
        """Apply what is new in an envelope; False at a gap."""
        stream = records.find_stream(tx, peer)
        here, theirs = (stream.in_epoch, stream.in_stream), (envelope.epoch, envelope.stream)
        done = stream.in_sequence if theirs == here else 0
        if theirs < here or (theirs == here and envelope.last <= done):
            return True
        if envelope.first > done + 1:
            self._events.gap(tx, peer, done + 1, envelope.first - 1)
            return False
        for message in envelope.messages[done + 1 - envelope.first :]:
            self._apply(tx, peer, message)
        # An applier may have touched the stream (a resync), so it is read again.
        stream = records.find_stream(tx, peer)
        now = dataclasses.replace(stream, in_epoch=envelope.epoch, in_stream=envelope.stream, in_sequence=envelope.last)
        records.put_stream(tx, dataclasses.replace(now, heard=self._clock.now()))
        if 0 < stream.in_epoch < envelope.epoch:
            # It was restored, so it may have lost what we told it, too: both ways (I16).
            self.resync(tx, peer, f"{peer} was restored")
            self._sites.peer_restored(tx, peer, envelope.epoch)
        return True

    def _apply(self, tx: Transaction, peer: SiteCode, message: Message) -> None:
        """One message; a refused one is told to a manager and does not stop the others (Q319189, I14)."""
        applier = self._appliers.get(message.kind)
        try:
            with savepoint(self._database, tx):
                if applier is None:
                    raise FormatError("message-kind-unknown", f"Messages of kind {message.kind!r} are not known here.", "Update.")
                applier(tx, peer, message)
        except HaulageError as error:
            if isinstance(error, TransferError) or error.code == "database-damaged":
                # Not the message's fault: the whole envelope is taken again when the place works.
                raise
            self._events.message_refused(tx, peer, message, error)
        except Exception as defect:
            _log.exception("defect while applying %s %s from %s", message.kind, message.key, peer)
            sentence = f"Applying it failed unexpectedly: {type(defect).__name__}."
            self._events.message_refused(tx, peer, message, FormatError("message-defect", sentence, "Please report it."))


def _position(stream: Stream) -> Position:
    return Position(epoch=stream.in_epoch, stream=stream.in_stream, sequence=stream.in_sequence)


def _silent(stream: Stream, epoch: int, position: Position) -> bool:
    """Whether there was a first contact, and nothing to say since; a neighbour that has heard more is another matter."""
    behind = (position.epoch, position.stream, position.sequence) <= (epoch, stream.out_stream, 0)
    return stream.out_stream > 1 and stream.out_next == 1 and behind


def _caught_up(stream: Stream, epoch: int, position: Position) -> bool:
    """Whether a neighbour has everything that was sealed, and we know it."""
    same = (position.epoch, position.stream) == (epoch, stream.out_stream)
    return same and position.sequence == stream.out_acknowledged == stream.out_next - 1
