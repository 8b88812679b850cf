"""The line between a child and its parent within one process: a parent that dies while it answers says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from haulage.base.errors import TransferError
from haulage.base.files import acknowledge
from haulage.base.ids import SiteCode
from haulage.engine.protocol.asks import Pending, Position, Want
from haulage.server.core import SiteCore

PIECE_BYTES = 16_384
Answer = TypeVar("Answer")


class Exchange(Protocol):
    """Has the other site do something; raises TransferError if it is not up or dies of it."""

    def __call__(self, parent: SiteCode, effect: Callable[[SiteCore], Answer], /) -> Answer: ...


class Line:
    """Implements Link."""

    clock_offset_seconds = 0.0

    def __init__(self, child: SiteCode, parent: SiteCode, exchange: Exchange, on_piece: Callable[[], None] = lambda: None) -> None:
        """``on_piece`` is called at the child after each piece of a parcel."""
        self._on_piece = on_piece
        self._child = child
        self._parent = parent
        self._exchange = exchange

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:  # noqa: ARG002  (nobody waits here)
        return self._exchange(self._parent, lambda core: core.streams.outgoing(self._child, position))

    def report(self, envelopes: Sequence[bytes]) -> Position:
        return self._exchange(self._parent, lambda core: core.streams.incoming(self._child, list(envelopes)))

    def want(self, want: Want) -> bytes | Pending:
        return self._exchange(self._parent, lambda core: core.provider.want(self._child, want))

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:  # noqa: ARG002  (the file knows)
        path = self._exchange(self._parent, lambda core: core.provider.open(self._child, parcel))
        with open(path, "rb") as file:
            file.seek(offset)
            while piece := file.read(min(PIECE_BYTES, end - file.tell())):
                yield piece
                self._on_piece()

    def claim(self, document: bytes) -> None:
        self._exchange(self._parent, lambda core: take_claim(core, document))

    def close(self) -> None:
        """Nothing is ever open between two steps."""


def take_claim(core: SiteCore, document: bytes) -> list[bytes]:
    """As the server answers a claim."""
    with core.database.writing() as tx:
        answers = list(core.enrolment.claim(tx, document))
    acknowledge()
    return answers


def no_answer(parent: SiteCode) -> TransferError:
    """What a child hears of a dead parent."""
    return TransferError("no-answer", f"Site {parent} did not answer.", "It is tried again by itself.")
