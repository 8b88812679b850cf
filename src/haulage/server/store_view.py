"""The content store of this site as people look at it: sizes, what was saved and how that is reckoned, how sound it is, backups.
Nothing of the store is read for it; figures stand in indexes and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.domain.repair.lacks import lack_view
from haulage.domain.reporting import records
from haulage.domain.telling.views import status_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_backups, on_server
from haulage.engine.status.message import Message, StatusFilter
from haulage.server.service import Service
from haulage.server.store_acts import StoreAct

View = Mapping[str, object]
TOLD = 6
_OF_STORE = (
    on_server.STORE_DAMAGE_FOUND,
    on_server.STORE_HEALED,
    on_server.STORE_SWEEP_FINISHED,
    on_server.STORE_SWEEP_REFUSED,
    on_server.STORE_CHECK_FINISHED,
    on_server.STORE_DAMAGE_REMAINS,
)
_OF_BACKUPS = (on_backups.BACKUP_DONE, on_backups.BACKUP_FAILED)


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What did not have to be kept or sent, in bytes."""

    versions: int
    """How many are held."""
    bytes_plain: int
    """What they would take as plain files."""
    bytes_raw: int
    """What is left when nothing is kept twice."""
    bytes_stored: int
    """What is left of that when it is compressed: what lies on disk."""
    by_deduplication: int
    by_compression: int
    received: int
    """Bytes that crossed the line to this site, and (``received_reused``) those of the same versions that were here already."""
    received_reused: int
    sent: int
    sent_reused: int


class StoreView(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Sizes in bytes."""

    free: int
    used: int
    chunks: int
    packs: int
    damaged_chunks: int
    unsound_packs: int
    left: Sequence[View]
    """Versions that could not be healed."""
    saved: Saved
    parcels: int
    bytes_parcels: int
    scrub: View
    act: StoreAct | None
    """What was asked for last since the server started, and how it went."""
    messages: Sequence[View]
    backups: Sequence[View]
    """What was told of the last ones, newest first."""


def store_view(service: Service) -> StoreView:
    """As it is now."""
    store, core = service.store, service.core
    stats = store.stats()
    with core.database.reading() as tx:
        versions, plain = records.held_sum(tx)
        parcels, parcel_bytes = records.parcel_sum(tx)
        traffic = records.traffic_sum(tx, service.code)
        messages, backups = _told(service, tx, _OF_STORE), _told(service, tx, _OF_BACKUPS)
    return StoreView(
        free=core.parts.free_bytes(),
        used=stats.bytes_stored,
        chunks=stats.chunks,
        packs=stats.packs,
        damaged_chunks=len(store.damaged()),
        unsound_packs=len(store.unsound()),
        left=[lack_view(lack) for lack in core.healer.lacks],
        saved=Saved(
            versions=versions,
            bytes_plain=plain,
            bytes_raw=stats.bytes_raw,
            bytes_stored=stats.bytes_stored,
            by_deduplication=max(0, plain - stats.bytes_raw),
            by_compression=max(0, stats.bytes_raw - stats.bytes_stored),
            received=traffic[0],
            received_reused=traffic[1],
            sent=traffic[2],
            sent_reused=traffic[3],
        ),
        parcels=parcels,
        bytes_parcels=parcel_bytes,
        scrub=service.care.scrub_view(),
        act=service.store_acts.last,
        messages=messages,
        backups=backups,
    )


def _told(service: Service, tx: Transaction, messages: Sequence[Message]) -> list[View]:
    wanted = StatusFilter(sites=(service.code,), numbers=tuple(message.number for message in messages))
    return [status_view(one) for one in reversed(service.core.journal.find(tx, wanted, limit=TOLD, newest=True))]
