"""What a child can ask of its parent, whatever carries it. Wrappers (rate, calendar, faults) implement the same interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want


class Link(Protocol):
    """The way from a site to its parent. Every call blocks and may be made from several threads. Raises TransferError when the way
    does not work this time (worth a retry), and whatever error the peer itself answered with, its hop named in the sentence."""

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:
        """Sealed envelopes after ``position`` (which tells the parent what is stored); waits up to ``wait_seconds`` for the first.
        Not verified yet."""
        ...

    def report(self, envelopes: Sequence[bytes]) -> Position:
        """Hand over sealed envelopes; returns how far the parent has stored our stream. With none: just asks."""
        ...

    def want(self, want: Want) -> bytes | Pending:
        """A signed Offer, not verified yet; or why not now."""
        ...

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:
        """Bytes ``offset`` up to, not including, ``end`` of a parcel of ``size`` bytes, in pieces of any length, exactly that many
        or an error: a cut raises TransferError after what came. Not verified yet. Closing the iterator ends the transfer."""
        ...

    def ask_chunks(self, want: ChunkWant) -> list[bytes]:
        """Chunks of a version that were found damaged here, as many as the parent can give in one answer. Not verified yet."""
        ...

    def give_chunks(self, parts: Sequence[bytes]) -> None:
        """Hand the parent chunks it asked for; a few megabytes."""
        ...

    def claim(self, document: bytes) -> None:
        """Hand in this site's claim once more, to a parent that does not know it (any more)."""
        ...

    def close(self) -> None:
        """End what is under way (it raises TransferError ``link-closed``) and release everything; safe to repeat."""
        ...
