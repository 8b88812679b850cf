"""The child's end of the hop: fetch what the parent has to tell, hand over what it must hear. Each call is one step that can fail
and be repeated without harm; who calls it when is the server's business."""

from __future__ import annotations

import threading

from haulage.base.errors import TransferError
from haulage.base.ids import SiteCode
from haulage.domain.replication.streams import Streams
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import Position


class Uplink:
    """The streams to and from the parent."""

    def __init__(self, parent: SiteCode, streams: Streams, link: Link) -> None:
        self._parent = parent
        self._streams = streams
        self._link = link
        self._known: Position | None = None
        self._one_push = threading.Lock()

    def pull(self, wait_seconds: float) -> int:
        """Ask for envelopes, waiting for the first one, and take them in. Returns how many came."""
        if self._known is None:
            self.push()
        try:
            documents = self._link.feed(self._streams.position(self._parent), wait_seconds)
        except TransferError:
            # Behind a broken line the parent may have been put back to an older state: ask before telling it more.
            self._known = None
            raise
        if documents:
            self._streams.incoming(self._parent, documents)
        return len(documents)

    def push(self) -> int:
        """Hand over what the parent lacks, and note what it has stored. Returns how many envelopes went."""
        # One at a time: an older position beside a newer one would look as if the parent had lost something.
        with self._one_push:
            known = self._known or self._link.report([])
            # Until the next answer is here nothing is known: the parent may have stored them and the answer may be lost.
            self._known = None
            documents = self._streams.outgoing(self._parent, known)
            if documents:
                known = self._link.report(documents)
                self._streams.acknowledge(self._parent, known)
            self._known = known
            return len(documents)
