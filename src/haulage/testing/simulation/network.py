"""The network of the simulation: requests from a child to its parent that may not arrive, arrive twice or late, or lose their
answer after the effect. Calls the parent's rooms directly; must not know what is in a request."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from haulage.base.errors import NotAllowedError, NotFoundError, TransferError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want
from haulage.server.core import SiteCore
from haulage.testing.simulation.crash import Fate, SimulatedCrash

Answer = TypeVar("Answer")
Effect = Callable[[SiteCore], Answer]

PIECE_BYTES = 512


class Trouble(enum.Enum):
    """What may happen to one request."""

    NONE = "none"
    REQUEST_LOST = "request-lost"
    ANSWER_LOST = "answer-lost"
    TWICE = "twice"
    LATE = "late"


class Host(Protocol):
    """A site as the network sees it."""

    code: SiteCode
    core: SiteCore | None
    key: str

    def kill(self) -> None:
        """Its process died."""
        ...


class Network:
    """All links. ``trouble`` is the share of requests that something happens to."""

    def __init__(self, chance: random.Random, fate: Fate) -> None:
        self.chance = chance
        self.fate = fate
        self.hosts: dict[SiteCode, Host] = {}
        self.cut: set[SiteCode] = set()
        """Children whose link is cut."""
        self.broken: set[SiteCode] = set()
        """Children whose open connection ended because the parent died; their next request finds out."""
        self.trouble = 0.0
        self.late: list[Callable[[], None]] = []
        """Requests that are still under way."""
        self.requests = 0
        self.on_piece: Callable[[Host], None] = lambda _child: None
        """Told after each piece of a parcel, so that things can happen in the middle of a transfer."""
        self.on_call: Callable[[Host, Host], None] = lambda _child, _parent: None

    def call(self, child: Host, parent: SiteCode, effect: Effect[Answer], *, known: bool = True) -> Answer:
        """One request and its answer; ``known`` if only a child that is known there may ask it. Raises TransferError, and what the
        parent answers with."""
        self.requests += 1
        happens = self._happens()
        if child.code in self.broken:
            self.broken.discard(child.code)
            raise _no_answer(child.code, parent)
        if child.code in self.cut or happens is Trouble.REQUEST_LOST:
            raise _no_answer(child.code, parent)
        if happens is Trouble.LATE:
            self.late.append(lambda: self._quietly(child, parent, effect, known))
            raise _no_answer(child.code, parent)
        if happens is Trouble.TWICE:
            self._quietly(child, parent, effect, known)
        answer = self._arrive(child, parent, effect, known)
        if happens is Trouble.ANSWER_LOST:
            raise _no_answer(child.code, parent)
        return answer

    def pieces(self, child: Host, parent: SiteCode, path: str, offset: int, end: int) -> Iterator[bytes]:
        """Part of a file at the parent, which may be cut anywhere."""
        with open(path, "rb") as file:
            file.seek(offset)
            while piece := file.read(min(PIECE_BYTES, end - file.tell())):
                if self._happens() is Trouble.REQUEST_LOST or child.code in self.cut or self.hosts[parent].core is None:
                    raise _no_answer(child.code, parent)
                yield piece
                self.on_piece(child)

    def deliver_late(self) -> bool:
        """One request that was under way arrives after all, its caller long gone."""
        if not self.late:
            return False
        self.late.pop(self.chance.randrange(len(self.late)))()
        return True

    def _happens(self) -> Trouble:
        if self.trouble and self.chance.random() < self.trouble:
            return self.chance.choice([Trouble.REQUEST_LOST, Trouble.ANSWER_LOST, Trouble.TWICE, Trouble.LATE])
        return Trouble.NONE

    def _quietly(self, child: Host, parent: SiteCode, effect: Effect[Answer], known: bool) -> None:
        try:
            self._arrive(child, parent, effect, known)
        except (TransferError, NotAllowedError, NotFoundError):
            return

    def _arrive(self, child: Host, parent: SiteCode, effect: Effect[Answer], known: bool) -> Answer:
        host = self.hosts.get(parent)
        if host is None or host.core is None:
            raise _no_answer(child.code, parent)
        self.on_call(child, host)
        try:
            with self.fate.running(parent):
                if known:
                    self._require_known(host.core, child)
                return effect(host.core)
        except SimulatedCrash as crash:
            if crash.code != parent:
                raise
            host.kill()
            raise _no_answer(child.code, parent) from None

    def _require_known(self, core: SiteCore, child: Host) -> None:
        """What the signature of a request proves in the real server."""
        with core.database.reading() as tx:
            site = estate.find_site(tx, child.code)
        if site is None or site.key != child.key or site.parent != core.code:
            raise NotAllowedError("unknown-signer", f"{core.code}: {child.code} is not known here.", "Was it removed?")


class SimLink:
    """Implements Link over the simulated network."""

    def __init__(self, network: Network, child: Host, parent: SiteCode) -> None:
        self._network = network
        self._child = child
        self._parent = parent

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:  # noqa: ARG002  (nobody waits here)
        code = self._child.code
        return self._network.call(self._child, self._parent, lambda core: core.streams.outgoing(code, position))

    def report(self, envelopes: Sequence[bytes]) -> Position:
        code, sent = self._child.code, list(envelopes)
        return self._network.call(self._child, self._parent, lambda core: core.streams.incoming(code, sent))

    def want(self, want: Want) -> bytes | Pending:
        code = self._child.code
        return self._network.call(self._child, self._parent, lambda core: core.provider.want(code, want))

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:  # noqa: ARG002  (the file knows)
        code = self._child.code
        path = self._network.call(self._child, self._parent, lambda core: core.provider.open(code, parcel))
        for piece in self._network.pieces(self._child, self._parent, path, offset, end):
            host = self._network.hosts[self._parent]
            if host.core is not None:
                host.core.provider.count_served(code, len(piece))
            yield piece

    def ask_chunks(self, want: ChunkWant) -> list[bytes]:
        code = self._child.code
        return self._network.call(self._child, self._parent, lambda core: core.lender.lend(code, want))

    def give_chunks(self, parts: Sequence[bytes]) -> None:
        code, given = self._child.code, list(parts)
        self._network.call(self._child, self._parent, lambda core: core.healer.accept(code, given))

    def claim(self, document: bytes) -> None:
        self._network.call(self._child, self._parent, lambda core: _claim(core, document), known=False)

    def close(self) -> None:
        """Nothing is ever open between two steps."""


def _claim(core: SiteCore, document: bytes) -> None:
    with core.database.writing() as tx:
        core.enrolment.claim(tx, document)


def _no_answer(child: SiteCode, parent: SiteCode) -> TransferError:
    return TransferError("no-answer", f"Site {parent} did not answer {child}.", "It is tried again by itself.")
