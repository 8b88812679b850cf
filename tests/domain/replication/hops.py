"""Two ends of a hop that carry notes: streams without any noun of the domain."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence

from haulage.base.errors import FormatError, HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.replication.streams import Streams
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.envelopes import Message
from haulage.testing import scratch
from haulage.testing.clock import HandClock
from haulage.testing.simulation.seal import PlainSeal


class Neighbours:
    """One neighbour, and an epoch that is kept beside the database."""

    def __init__(self, end: End, peer: SiteCode) -> None:
        self.end = end
        self.peer = peer
        self.value = 1

    def epoch(self, _tx: Transaction) -> int:
        return self.value

    def raise_epoch(self, _tx: Transaction, above: int) -> int:
        self.value = max(self.value, above) + 1
        return self.value

    def peer_restored(self, _tx: Transaction, _peer: SiteCode, _epoch: int) -> None:
        return None

    def keys_of(self, _tx: Transaction, peer: SiteCode) -> Sequence[str]:
        return [f"key of {peer}"] if peer == self.peer else []

    def neighbours(self, _tx: Transaction) -> Sequence[SiteCode]:
        return [self.peer]

    def snapshot(self, _tx: Transaction, _peer: SiteCode) -> Iterable[tuple[str, str]]:
        return [("note", key) for key in sorted(self.end.notes)]


class Told:
    """What a manager would hear."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.gaps: list[tuple[int, int]] = []
        self.resyncs: list[str] = []
        self.epochs: list[int] = []
        self.twice: list[int] = []

    def message_refused(self, _tx: Transaction, _peer: SiteCode, message: Message, _error: HaulageError) -> None:
        self.refused.append(message.key)

    def gap(self, _tx: Transaction, _peer: SiteCode, first: int, last: int) -> None:
        self.gaps.append((first, last))

    def acknowledged(self, _tx: Transaction, _peer: SiteCode, after: int, through: int) -> None:
        assert after < through

    def resynced(self, _tx: Transaction, _peer: SiteCode, why: str) -> None:
        self.resyncs.append(why)

    def epoch_raised(self, _tx: Transaction, epoch: int, _peer: SiteCode) -> None:
        self.epochs.append(epoch)

    def runs_twice(self, _tx: Transaction, _peer: SiteCode, rises: int) -> None:
        self.twice.append(rises)


class End:
    """One end: notes it tells, notes it heard."""

    def __init__(self, code: str, peer: str) -> None:
        self.code, self.peer = SiteCode(code), SiteCode(peer)
        self.notes: dict[str, bytes] = {}
        self.heard: dict[str, bytes] = {}
        self.applied: list[tuple[str, bytes]] = []
        self.poison: set[str] = set()
        self.told = Told()
        self.sites = Neighbours(self, self.peer)
        self.clock = HandClock()
        self._scratch, give_back = scratch.take()
        # Of many examples each has its own; a server has only so many connections.
        weakref.finalize(self, give_back)
        self.open()

    def open(self, image: bytes | None = None) -> None:
        """Begin on the database as it is, or on this copy of it."""
        if image is not None:
            self._scratch.load(image)
        self.database = self._scratch.open()
        self.streams = Streams(
            self.code,
            database=self.database,
            seal=PlainSeal(f"key of {self.code}", ""),
            clock=self.clock,
            neighbourhood=self.sites,
            events=self.told,
            renderers={"note": lambda _tx, _peer, key, _sequence: self.notes.get(key)},
            appliers={"note": self._apply},
            wake=lambda _peer: None,
        )

    def say(self, key: str, text: str) -> None:
        """A note changes and is to be told."""
        self.notes[key] = text.encode()
        with self.database.writing() as tx:
            self.streams.mark(tx, self.peer, "note", key)

    def image(self) -> bytes:
        """A backup."""
        return self._scratch.image()

    def _apply(self, _tx: Transaction, _peer: SiteCode, message: Message) -> None:
        if message.key in self.poison:
            raise FormatError("poison", "This note cannot be taken.")
        self.applied.append((message.key, message.body))
        self.heard[message.key] = message.body


def carry(sender: End, receiver: End) -> list[bytes]:
    """One exchange: what the receiver lacks, taken in, and acknowledged. Returns the envelopes."""
    envelopes = sender.streams.outgoing(receiver.code, receiver.streams.position(sender.code))
    if envelopes:
        sender.streams.acknowledge(receiver.code, receiver.streams.incoming(sender.code, envelopes))
    return envelopes


def settle(sender: End, receiver: End) -> None:
    """Exchange until there is nothing more."""
    for _turn in range(20):
        if not carry(sender, receiver):
            return
    raise AssertionError("the hop does not come to rest")
