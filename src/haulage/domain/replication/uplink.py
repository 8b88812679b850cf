"""The child's end of the hop: fetch what the parent has to tell, hand over what it must hear. Each call is one step that can fail
and be repeated without harm; who calls it when is the server's business."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from haulage.base.errors import NotAllowedError, TransferError
from haulage.base.files import acknowledge
from haulage.base.ids import SiteCode
from haulage.domain.replication.streams import Streams
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import Position

UNKNOWN = "unknown-signer"
"""What a parent answers a site it does not know."""


class Uplink:
    """The streams to and from the parent."""

    def __init__(self, parent: SiteCode, streams: Streams, link: Link, *, claim: Callable[[], bytes | None]) -> None:
        """``claim`` gives the claim this site joined with, if it is kept."""
        self._parent = parent
        self._claim = claim
        self._streams = streams
        self._link = link
        self._known: Position | None = None
        self._one_push = threading.Lock()

    def pull(self, wait_seconds: float) -> int:
        """Ask for envelopes, waiting for the first one, and take them in. Returns how many came."""
        if self._known is None:
            self.push()
        try:
            with self._introducing():
                known = self._streams.position(self._parent)
                acknowledge()
                documents = self._link.feed(known, wait_seconds)
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
        with self._one_push, self._introducing():
            known = self._known or self._link.report([])
            # Until the next answer is here nothing is known: the parent may have stored them and the answer may be lost.
            self._known = None
            documents = self._streams.outgoing(self._parent, known)
            if documents:
                known = self._link.report(documents)
                self._streams.acknowledge(self._parent, known)
            self._known = known
            return len(documents)

    @contextlib.contextmanager
    def _introducing(self) -> Iterator[None]:
        """A parent that was put back to before this site joined knows nothing of it, and nobody above does yet: only the claim
        brings it in again. The call itself still fails; the next one is answered."""
        try:
            yield
        except NotAllowedError as refused:
            claim = self._claim() if refused.code == UNKNOWN else None
            if claim is not None:
                self._link.claim(claim)
            raise
