"""Built parcels that are kept for whoever can use them: found by what they turn into what, evicted by size, never while they are
being read. Must not know who asks."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Sequence

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.files import clear_unfinished, make_folder, remove_durable, rename, unlink
from haulage.domain.transit import records
from haulage.domain.transit.levels import at_least
from haulage.domain.transit.records import ParcelRecord
from haulage.engine.content.model import ManifestId
from haulage.engine.database.transaction import Database
from haulage.engine.delta.level import Level

SERVED_SECONDS = 600.0
"""A parcel of which a piece was asked for so recently is not evicted: two that do not fit together would throw each other out for
ever, and rather more space is used for a while."""

Check = Callable[[str, bytes], None]
"""(path, id): read a whole parcel and raise IntegrityError or FormatError if it is not what its name and head say."""


class Parcels:
    """The folder in which built parcels lie."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.work = os.path.join(folder, "work")
        """Where builders and receivers put aside what they cannot hold in memory; empty whenever nobody works."""
        make_folder(folder)
        make_folder(self.work)

    def path(self, parcel: str) -> str:
        """The file of a parcel."""
        return os.path.join(self._folder, f"{parcel}.parcel")

    def names(self) -> list[str]:
        """Ids of the parcels whose file is there."""
        return [name.removesuffix(".parcel") for name in os.listdir(self._folder) if name.endswith(".parcel")]

    def clear_unfinished(self) -> None:
        """Remove what builders and receivers that were killed left; nobody may be working."""
        clear_unfinished(self._folder)
        for name in os.listdir(self.work):
            unlink(os.path.join(self.work, name))

    def keep(self, built: str, parcel: str) -> None:
        """Give a freshly built file its name."""
        rename(built, self.path(parcel))

    def discard(self, parcel: str) -> None:
        """Remove a parcel; no error if it is gone."""
        remove_durable(self.path(parcel))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What a parcel must be for somebody: from what, to what, and what may be leaned on."""

    target: ManifestId
    bases: tuple[ManifestId, ...]
    abilities: frozenset[str]

    @property
    def manifests(self) -> tuple[ManifestId, ...]:
        """Everything that is read to make it."""
        return (self.target, *self.bases)


class ParcelCache:
    """The parcels of one site, in files and in the table of them."""

    def __init__(self, parcels: Parcels, *, database: Database, clock: Clock, check: Check, cache_bytes: int) -> None:
        self.parcels = parcels
        self._database = database
        self._clock = clock
        self.check = check
        self.room = cache_bytes
        """For all of them, in bytes."""
        self._lock = threading.Lock()
        self._opened: dict[str, float] = {}
        """When a piece of a parcel was last asked for."""

    def along(self, way: Way) -> list[ParcelRecord]:
        """Parcels from these bases that the receiver can read, and that were made with all it can do, at whatever level; the
        smallest first."""
        named = tuple(base.hex() for base in way.bases)
        with self._database.reading() as tx:
            known = [one for one in records.list_parcels(tx, way.target) if one.bases == named]
        fit = [one for one in known if set(one.needs) <= way.abilities <= set(one.abilities) and os.path.exists(self.path(one.id))]
        return sorted(fit, key=lambda one: one.size)

    def find(self, way: Way, level: Level) -> ParcelRecord | None:
        """A parcel that will do for whoever wants this level; it counts as used now."""
        fit = next((one for one in self.along(way) if at_least(Level(one.level), level)), None)
        if fit is None:
            return None
        with self._database.writing() as tx:
            records.put_parcel(tx, dataclasses.replace(fit, used=self._clock.now()))
        return fit

    def path(self, parcel: str) -> str:
        """The file of a parcel."""
        return self.parcels.path(parcel)

    def put(self, record: ParcelRecord) -> None:
        """A parcel's file is there now; others go if there is no room for all. One that came out the same as another, made at
        another level or for other abilities, is as good for either."""
        with self._database.writing() as tx:
            same = next((one for one in records.list_parcels(tx, record.target) if one.id == record.id), None)
            records.put_parcel(tx, record if same is None else _as_good_as(record, same))
        self.evict(keep=record.id)

    def opened(self, parcel: str) -> None:
        """A piece of it is read: it stays for a while."""
        with self._lock:
            self._opened[parcel] = self._clock.monotonic()

    def evict(self, *, keep: str = "") -> None:
        """Drop beyond the cache's size, least used first, but none that is being read."""
        with self._database.reading() as tx:
            known = list(records.list_parcels(tx))
        excess = sum(record.size for record in known) - self.room
        with self._lock:
            recent = self._clock.monotonic() - SERVED_SECONDS
            self._opened = {parcel: when for parcel, when in self._opened.items() if when > recent}
            served = set(self._opened)
        for record in known:
            if excess <= 0:
                return
            if record.id != keep and record.id not in served:
                self.drop(record.id)
                excess -= record.size

    def drop(self, parcel: str) -> None:
        """Let go of a parcel; it is built again when somebody asks."""
        with self._database.writing() as tx:
            records.remove_parcel(tx, parcel)
        self.parcels.discard(parcel)

    def tidy(self) -> None:
        """Before a fresh process begins any work: bring files and records in line after a crash."""
        self.parcels.clear_unfinished()
        with self._database.reading() as tx:
            known = {record.id: record for record in records.list_parcels(tx)}
        files = set(self.parcels.names())
        for stray in files - set(known):
            self.parcels.discard(stray)
        with self._database.writing() as tx:
            for gone in set(known) - files:
                records.remove_parcel(tx, gone)
        self.evict()

    def retired(self) -> Sequence[str]:
        """Parcels for what is not held here any more: what a deleted package held must not live on in them (Q244405)."""
        with self._database.reading() as tx:
            held = {bytes(manifest) for _package, _number, manifest in records.all_holdings(tx)}
            return [record.id for record in records.list_parcels(tx) if bytes(record.target) not in held]

    def is_sound(self, parcel: str) -> bool:
        """Read a whole parcel and see whether it is what its name and head say. Raises FileNotFoundError if it is gone."""
        try:
            self.check(self.path(parcel), bytes.fromhex(parcel))
        except FileNotFoundError:
            raise
        except (HaulageError, OSError, ValueError):
            return False
        return True


def _as_good_as(one: ParcelRecord, other: ParcelRecord) -> ParcelRecord:
    return dataclasses.replace(
        one,
        level=one.level if at_least(Level(one.level), Level(other.level)) else other.level,
        needs=tuple(sorted(set(one.needs) & set(other.needs))),
        abilities=tuple(sorted(set(one.abilities) | set(other.abilities))),
    )
