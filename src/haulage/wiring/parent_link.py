"""The link to the parent that follows it: when the parent's URL changes, later calls go to the new one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from haulage.engine.links.https import HttpsLink
from haulage.engine.protocol.asks import ChunkWant, Pending, Position, Want

OpenLink = Callable[[str], HttpsLink]


class ParentLink:
    """Implements :class:`~haulage.engine.links.link.Link`."""

    def __init__(self, url: str, open_link: OpenLink) -> None:
        self._open_link = open_link
        self._lock = threading.Lock()
        self._url = url
        self._link = open_link(url)

    @property
    def clock_offset_seconds(self) -> float:
        """How far the parent's clock was ahead of ours when it last refused a request for its time."""
        return self._link.clock_offset_seconds

    @property
    def peer_version(self) -> str:
        """The version of Haulage at the parent, as it said it last; empty if it never did."""
        return self._link.peer_version

    def follow(self, url: str) -> None:
        """From now on the parent is at ``url``; what is under way at the old one ends."""
        with self._lock:
            if not url or url == self._url:
                return
            old, self._url, self._link = self._link, url, self._open_link(url)
        old.close()

    def feed(self, position: Position, wait_seconds: float) -> list[bytes]:
        return self._link.feed(position, wait_seconds)

    def report(self, envelopes: Sequence[bytes]) -> Position:
        return self._link.report(envelopes)

    def want(self, want: Want) -> bytes | Pending:
        return self._link.want(want)

    def read_parcel(self, parcel: str, offset: int, end: int, size: int) -> Iterator[bytes]:
        return self._link.read_parcel(parcel, offset, end, size)

    def ask_chunks(self, want: ChunkWant) -> list[bytes]:
        return self._link.ask_chunks(want)

    def give_chunks(self, parts: Sequence[bytes]) -> None:
        self._link.give_chunks(parts)

    def claim(self, document: bytes) -> None:
        self._link.claim(document)

    def close(self) -> None:
        self._link.close()
