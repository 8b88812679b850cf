"""Forgetting tombstones: only those that every neighbour who was ever sent the object has acknowledged (I10)."""

from __future__ import annotations

import datetime as dt

from haulage.domain.replication import records
from haulage.domain.replication.records import Named
from haulage.engine.database.transaction import Transaction

KEPT = dt.timedelta(days=30)
"""A tombstone stays at least this long: a neighbour that was restored may tell of the object again."""
BATCH = 1000


def purge_tombstones(tx: Transaction, now: dt.datetime) -> int:
    """Forget what nobody has to hear of any more, at most 1,000 of them; returns how many. Ids are counted elsewhere and never used
    again, and a later definition of the same id has a higher revision, so nothing comes back to life by this."""
    old = [
        stored for stored in records.list_names(tx) if stored.deleted and stored.stored < now - KEPT and _acknowledged(tx, stored)
    ][:BATCH]
    for stored in old:
        records.forget_definition(tx, stored.kind, stored.id)
    return len(old)


def _acknowledged(tx: Transaction, stored: Named) -> bool:
    """Whether every neighbour that was ever sent the object has stored its removal. One that is to be told still has it among its
    dirty keys; after a resynchronisation it has it there again."""
    key = f"{stored.kind}/{stored.id}"
    for peer, (revision, sequence) in records.told_peers(tx, stored.kind, stored.id).items():
        if records.is_dirty(tx, peer, "definition", key):
            return False
        if revision != stored.revision or sequence > records.find_stream(tx, peer).out_acknowledged:
            return False
    return not records.dirty_peers(tx, "definition", key)
