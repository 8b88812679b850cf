"""What the store's own state has to tell a manager: damage, healing, the scrub, a full disk. Must not decide anything."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.base.ids import SiteCode
from haulage.domain.repair.lacks import Lack
from haulage.engine.content.model import Damage
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_server
from haulage.engine.status.journal import Journal


class StoreHerald:
    """Implements :class:`~haulage.domain.repair.healing.Herald`, and more."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def found(self, tx: Transaction, damages: Sequence[Damage]) -> None:
        """New damage was met."""
        first = damages[0]
        self._journal.record(tx, on_server.STORE_DAMAGE_FOUND, count=len(damages), first=first.where, cause=first.cause)

    def healed(self, tx: Transaction, count: int, other: str) -> None:
        """Good bytes stand in place of bad ones."""
        self._journal.record(tx, on_server.STORE_HEALED, count=count, other=other)

    def remains(self, tx: Transaction, lacks: Sequence[Lack], asked: Sequence[SiteCode]) -> None:
        """Nobody near had the right bytes."""
        first = lacks[0]
        self._journal.record(
            tx,
            on_server.STORE_DAMAGE_REMAINS,
            count=len({chunk for lack in lacks for chunk in lack.chunks}),
            versions=", ".join(f"{lack.package}:{lack.version}" for lack in lacks[:20]),
            first=f"{first.paths[0]} of {first.package}:{first.version}" if first.paths else f"{first.package}:{first.version}",
            asked=", ".join(asked) or "none",
        )

    def checked(self, tx: Transaction, chunks: int, size_bytes: int, damages: int) -> None:
        """Somebody asked to read the whole store, and it was."""
        self._journal.record(tx, on_server.STORE_CHECK_FINISHED, chunks=chunks, bytes=size_bytes, damages=damages)

    def late(self, tx: Transaction, days: int) -> None:
        """The scrub does not come round."""
        self._journal.record(tx, on_server.SCRUB_LATE, days=days)

    def full(self, tx: Transaction, path: str, needed: int, free: int) -> None:
        """A disk is full."""
        self._journal.record(tx, on_server.DISK_FULL, path=path, needed=needed, free=free)
