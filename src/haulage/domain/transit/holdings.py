"""The versions this site holds: pinned before they are recorded, unpinned after they are forgotten; no crash loses one (I5)."""

from __future__ import annotations

from haulage.base.clock import Clock
from haulage.base.errors import IntegrityError, NotFoundError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.transit import records
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin
from haulage.engine.database.transaction import Database, Transaction

HELD = "held:"
"""Owner prefix of the pins that stand for holdings."""

RECEIVING = "receiving:"
"""Begins the owner of the pin that keeps what arrived of a package's unfinished parcel."""


class Holdings:
    """What the store of this site keeps, and why."""

    def __init__(self, code: SiteCode, *, database: Database, store: ChunkStore, clock: Clock) -> None:
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock

    def hold(self, tx: Transaction, version: Version) -> None:
        """Keep a version that is whole in the store."""
        self._store.pin(Pin(owner=_owner(version.package, version.number), manifest=ManifestId(version.manifest)))
        records.put_holding(tx, version.package, version.number, version.manifest, self._clock.now())

    def let_go(self, package: PackageId, number: VersionNumber) -> None:
        """Take back the pin of a version that was only tried. Within a transaction, of which there is one at a time: what another
        one holds under that number meanwhile stays."""
        with self._database.writing() as tx:
            if number not in records.held_versions(tx, package):
                self._store.unpin(_owner(package, number))

    def drop(self, tx: Transaction, package: PackageId, number: VersionNumber) -> None:
        """Stop keeping a version."""
        records.remove_holding(tx, package, number)
        self._database.after_commit(tx, lambda: self._unpin(package, number))

    def retire(self, tx: Transaction, package: PackageId) -> list[VersionNumber]:
        """Drop versions beyond the package's ``keep`` that no place here or below shows or wants; returns them."""
        held = records.held_versions(tx, package)
        known = catalog.find_package(tx, package)
        keep = known.keep if known is not None else 0
        rows = records.list_shipments(tx, package=package)
        needed = {row.present for row in rows} | {row.wanted for row in rows}
        old = [number for number in sorted(held, reverse=True)[keep:] if number not in needed]
        for number in old:
            self.drop(tx, package, number)
        return old

    def drop_all(self, tx: Transaction, package: PackageId) -> None:
        """Stop keeping anything of a package."""
        for number in records.held_versions(tx, package):
            self.drop(tx, package, number)

    def _unpin(self, package: PackageId, number: VersionNumber) -> None:
        # In the writer's turn, for somebody may have taken the version up again since it was dropped.
        with self._database.writing() as tx:
            if number not in records.held_versions(tx, package):
                self._store.unpin(_owner(package, number))

    def forget_lost(self, tx: Transaction) -> list[tuple[PackageId, VersionNumber]]:
        """After a restore: what the store does not hold whole (any more) counts as held no longer; returns those versions. What it
        holds whole, the disk of the store having survived, is kept without a byte over the line."""
        lost = [
            (package, number) for package, number, manifest in records.all_holdings(tx) if not self._is_whole(ManifestId(manifest))
        ]
        for package, number in lost:
            self.drop(tx, package, number)
        return lost

    def _is_whole(self, manifest: ManifestId) -> bool:
        try:
            return not self._store.missing([ChunkId(manifest)]) and not self._store.missing(live_chunks(manifest, self._store))
        except (NotFoundError, IntegrityError):
            return False

    def mend_pins(self) -> int:
        """Write the pins of holdings again if any pin cannot be read; returns how many there were. What else cannot be read belongs
        to work that runs, and goes with it."""
        try:
            self._store.pins()
        except IntegrityError:
            with self._database.reading() as tx:
                held = records.all_holdings(tx)
            for package, number, manifest in held:
                self._store.pin(Pin(owner=_owner(package, number), manifest=ManifestId(manifest)))
            return len(held)
        return 0

    def reconcile(self) -> tuple[int, int]:
        """Before a fresh process begins any work: pins without a holding go, those of work that died with the process before
        included; holdings without a pin are pinned again. Returns both counts."""
        with self._database.reading() as tx:
            held = {_owner(package, number): manifest for package, number, manifest in records.all_holdings(tx)}
            rows = records.list_shipments(tx, owner=self._code)
            arriving = {f"{RECEIVING}{row.package}" for row in rows if row.kind == "site" and row.wanted and not row.settled}
        if self.mend_pins():
            self._store.drop_unreadable_pins()
        now = self._clock.now()
        # A lease that runs keeps what arrived of an unfinished parcel, as long as it is wanted.
        leased = {pin.owner for pin in self._store.pins() if pin.expires is not None and pin.expires > now}
        leased -= {owner for owner in leased if owner.startswith(RECEIVING) and owner not in arriving}
        pinned = {pin.owner: pin.manifest for pin in self._store.pins() if pin.owner not in leased}
        lost = [owner for owner, manifest in held.items() if pinned.get(owner) != manifest]
        for owner in lost:
            self._store.pin(Pin(owner=owner, manifest=ManifestId(held[owner])))
        stray = [owner for owner in pinned if owner not in held]
        for owner in stray:
            self._store.unpin(owner)
        return len(stray), len(lost)


def _owner(package: PackageId, number: VersionNumber) -> str:
    return f"{HELD}{package}:{number}"
