"""Who this site's neighbours are, what a new one must be told: the estate's answer to what the streams ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from haulage.base.ids import SiteCode
from haulage.domain.estate import records
from haulage.domain.estate.model import Identity
from haulage.domain.estate.rules import joined_children, keys_of
from haulage.engine.database.transaction import Transaction

Snapshot = Callable[[Transaction, SiteCode], Iterable[tuple[str, str]]]


class EstateNeighbourhood:
    """Parent and children, from the tables of sites."""

    def __init__(
        self,
        code: SiteCode,
        snapshots: Sequence[Snapshot],
        *,
        epoch_risen: Callable[[Transaction], None],
        peer_restored: Callable[[Transaction, SiteCode, int], None],
    ) -> None:
        self._code = code
        self._snapshots = snapshots
        self._epoch_risen = epoch_risen
        self._peer_restored = peer_restored
        self._identity: Identity | None = None

    def epoch(self, tx: Transaction) -> int:
        return records.epoch(tx)

    def raise_epoch(self, tx: Transaction, above: int) -> int:
        value = records.raise_epoch(tx, above)
        self._epoch_risen(tx)
        return value

    def peer_restored(self, tx: Transaction, peer: SiteCode, epoch: int) -> None:
        self._peer_restored(tx, peer, epoch)

    def parent(self, tx: Transaction) -> SiteCode | None:
        """The parent site; None at the central one. Asked all the time, and for ever the same once this site has joined."""
        if self._identity is None:
            self._identity = records.read_identity(tx)
        return self._identity.parent if self._identity else None

    def is_mine_or_below(self, tx: Transaction, code: SiteCode) -> bool:
        """Whether a site is this one or below it."""
        return records.hierarchy(tx).is_within(code, self._code)

    def keys_of(self, tx: Transaction, peer: SiteCode) -> Sequence[str]:
        if peer == self.parent(tx) or peer in joined_children(tx, self._code):
            return keys_of(tx, peer)
        return []

    def neighbours(self, tx: Transaction) -> Sequence[SiteCode]:
        parent = self.parent(tx)
        return sorted(joined_children(tx, self._code) | ({parent} if parent else set()))

    def snapshot(self, tx: Transaction, peer: SiteCode) -> Iterable[tuple[str, str]]:
        for one in self._snapshots:
            yield from one(tx, peer)
