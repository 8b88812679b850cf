"""What this site does for its children: offer parcels and hand them out. Built once, shared by all who can use them, evicted by
size."""

from __future__ import annotations

import dataclasses
import functools
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.files import acknowledge, clear_unfinished, make_folder, remove_durable, rename, unlink
from haulage.base.ids import SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.replication.seal import Seal
from haulage.domain.transit import records
from haulage.domain.transit.records import ParcelRecord
from haulage.domain.transit.route import concerned_children
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkStore, ManifestId, Pin
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.parcels.head import MAX_BASES, ParcelHead
from haulage.engine.protocol.asks import Offer, Pending, Want
from haulage.engine.protocol.codec import encode

CANDIDATES = 16
"""Held manifests looked at as possible bases."""
PATIENCE_SECONDS = 5.0
"""How long a child's question waits for a parcel before it is told to come back."""
RETRY_SECONDS = 3
SERVED_SECONDS = 600.0
"""A parcel of which a piece was asked for so recently is not evicted: two that do not fit together would throw each other out for
ever, and rather more space is used for a while."""


class Parcels:
    """Where built parcels lie; the interface the simulation replaces."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        make_folder(folder)

    def path(self, parcel: str) -> str:
        """The file of a parcel."""
        return os.path.join(self._folder, f"{parcel}.parcel")

    def names(self) -> list[str]:
        """Ids of the parcels whose file is there."""
        return [name.removesuffix(".parcel") for name in os.listdir(self._folder) if name.endswith(".parcel")]

    def clear_unfinished(self) -> None:
        """Remove what builders that were killed left; nobody may be building."""
        clear_unfinished(self._folder)

    def keep(self, built: str, parcel: str) -> None:
        """Give a freshly built file its name."""
        rename(built, self.path(parcel))

    def discard(self, parcel: str) -> None:
        """Remove a parcel; no error if it is gone."""
        remove_durable(self.path(parcel))


Check = Callable[[str, bytes], None]
"""(path, id): read a whole parcel and raise IntegrityError or FormatError if it is not what its name and head say."""

Build = Callable[[ManifestId, Sequence[ManifestId], str], ParcelHead]


class Provider:
    """Serves children with parcels."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        store: ChunkStore,
        clock: Clock,
        seal: Seal,
        parcels: Parcels,
        build: Build,
        check: Check,
        executor: Executor,
        cache_bytes: int,
    ) -> None:
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._seal = seal
        self._parcels = parcels
        self._build = build
        self._check = check
        self._executor = executor
        self._cache_bytes = cache_bytes
        # Reentrant: an executor may build at once, in the thread that asks.
        self._lock = threading.RLock()
        self._building: dict[tuple[bytes, tuple[str, ...]], Future[ParcelRecord]] = {}
        self._offered: set[tuple[SiteCode, str]] = set()
        """What was offered to whom since this server started: a parcel is read in many pieces."""
        self._opened: dict[str, float] = {}
        """When a piece of a parcel was last asked for."""
        self.served_bytes: dict[SiteCode, int] = {}
        """Bytes of parcels handed to each child since this server started."""

    def want(self, child: SiteCode, want: Want) -> bytes | Pending:
        """Answer a child: a signed offer, or why not now. Raises NotFoundError for what is not for this child (B71)."""
        with self._database.reading() as tx:
            package = catalog.find_package(tx, want.package)
            tree = estate.hierarchy(tx)
            held = records.held_versions(tx, want.package)
            pinned = {bytes(manifest) for _package, _number, manifest in records.all_holdings(tx)}
        if package is None or child not in concerned_children(package.assignments, self._code, tree):
            raise NotFoundError("not-for-you", f"Package {want.package} is not assigned at or below site {child}.", "")
        manifest = held.get(want.version)
        if manifest is None or manifest.hex() != want.target:
            return Pending(reason="not-held", retry_after_seconds=60)
        target = ManifestId(manifest)
        if want.damaged is not None:
            self._inspect(want.damaged)
        try:
            record = self._parcel(target, self._bases(target, want, pinned))
        except HaulageError:
            if self._all_held(pinned):
                raise
            # A version was retired while a parcel was made of it or on top of it; the next question finds what is held then.
            record = None
        if record is None:
            return Pending(reason="building", retry_after_seconds=RETRY_SECONDS)
        self._offered.add((child, record.id))
        acknowledge()
        return self._offer(want, record)

    def open(self, child: SiteCode, parcel: str) -> str:
        """The file of a parcel towards something this child may want (B71). Raises NotFoundError ``parcel-gone``: the child asks
        again, and hears more then."""
        path = self._parcels.path(parcel)
        with self._database.reading() as tx:
            record = next((record for record in records.list_parcels(tx) if record.id == parcel), None)
            allowed = record is not None and ((child, parcel) in self._offered or self._concerns(tx, child, record.target))
        if not allowed or not os.path.exists(path):
            raise NotFoundError("parcel-gone", f"Parcel {parcel} is not kept here any more.", "Ask for the version again.")
        with self._lock:
            self._opened[parcel] = self._clock.monotonic()
        return path

    def _concerns(self, tx: Transaction, child: SiteCode, target: bytes) -> bool:
        """Whether a version with this manifest is assigned at or below a child."""
        holding = {package for package, _number, manifest in records.all_holdings(tx) if bytes(manifest) == bytes(target)}
        known = [catalog.find_package(tx, package) for package in holding]
        tree = estate.hierarchy(tx)
        return any(child in concerned_children(one.assignments, self._code, tree) for one in known if one is not None)

    def count_served(self, child: SiteCode, size_bytes: int) -> None:
        """Bytes of a parcel went to a child."""
        with self._lock:
            self.served_bytes[child] = self.served_bytes.get(child, 0) + size_bytes

    def tidy(self) -> None:
        """Before a fresh process begins any work: bring files and records of parcels in line after a crash, and evict beyond the
        cache's size, least used first."""
        self._parcels.clear_unfinished()
        with self._database.reading() as tx:
            known = {record.id: record for record in records.list_parcels(tx)}
        files = set(self._parcels.names())
        for stray in files - set(known):
            self._parcels.discard(stray)
        with self._database.writing() as tx:
            for gone in set(known) - files:
                records.remove_parcel(tx, gone)
        self._evict(keep="")

    def retire(self) -> None:
        """Parcels for what is not held here any more go: what a deleted package held must not live on in them (Q244405)."""
        with self._database.reading() as tx:
            held = {bytes(manifest) for _package, _number, manifest in records.all_holdings(tx)}
            gone = [record.id for record in records.list_parcels(tx) if bytes(record.target) not in held]
        for parcel in gone:
            self._drop(parcel)

    def _all_held(self, manifests: set[bytes]) -> bool:
        with self._database.reading() as tx:
            return manifests <= {bytes(manifest) for _package, _number, manifest in records.all_holdings(tx)}

    def _inspect(self, parcel: str) -> None:
        """A child says a parcel arrived damaged. If the file here is, it is built anew; if it is sound, the line was not."""
        try:
            self._check(self._parcels.path(parcel), bytes.fromhex(parcel))
        except (HaulageError, OSError):
            self._drop(parcel)

    def inspect_all(self) -> list[str]:
        """Read every parcel that is kept; those that are not what they should be go, and their files are named."""
        damaged = []
        for parcel in self._parcels.names():
            path = self._parcels.path(parcel)
            try:
                self._check(path, bytes.fromhex(parcel))
            except FileNotFoundError:
                continue  # evicted just now
            except (HaulageError, OSError, ValueError):
                damaged.append(path)
                self.discard(parcel)
        return damaged

    def discard(self, parcel: str) -> None:
        """A parcel was found damaged here: it is built again when somebody asks."""
        self._drop(parcel)

    def _drop(self, parcel: str) -> None:
        with self._database.writing() as tx:
            records.remove_parcel(tx, parcel)
        self._parcels.discard(parcel)
        self._offered = {one for one in self._offered if one[1] != parcel}

    def _bases(self, target: ManifestId, want: Want, pinned: set[bytes]) -> tuple[ManifestId, ...]:
        """Of what the child says it holds, the few held here, too, that save most. What only happens to lie in the store may be
        swept while the parcel is built."""
        named = [bytes.fromhex(text) for text in dict.fromkeys(want.held) if text != want.target]
        candidates = [ManifestId(one) for one in named if one in pinned][:CANDIDATES]
        if not candidates:
            return ()
        left = set(live_chunks(target, self._store))
        chosen: list[ManifestId] = []
        while candidates and left and len(chosen) < MAX_BASES:
            shares = {one: len(left.intersection(live_chunks(one, self._store))) for one in candidates}
            best = max(candidates, key=lambda one: shares[one])
            if not shares[best]:
                break
            chosen.append(best)
            candidates.remove(best)
            left.difference_update(live_chunks(best, self._store))
        return tuple(sorted(chosen))

    def _parcel(self, target: ManifestId, bases: tuple[ManifestId, ...]) -> ParcelRecord | None:
        """The parcel for these bases, built at most once; None while it is being built."""
        named = tuple(base.hex() for base in bases)
        with self._database.reading() as tx:
            known = [record for record in records.list_parcels(tx, target) if record.bases == named]
        if known and os.path.exists(self._parcels.path(known[0].id)):
            with self._database.writing() as tx:
                records.put_parcel(tx, dataclasses.replace(known[0], used=self._clock.now()))
            return known[0]
        key = (bytes(target), named)
        with self._lock:
            future = self._building.get(key)
            if future is None:
                future = self._building[key] = self._executor.submit(self._make, target, bases)
        # However it ends, the next question begins anew: a failure must not be the answer for ever.
        future.add_done_callback(functools.partial(self._forget, key))
        done, _pending = wait([future], timeout=PATIENCE_SECONDS)
        return future.result() if done else None

    def _forget(self, key: tuple[bytes, tuple[str, ...]], ended: Future[ParcelRecord]) -> None:
        with self._lock:
            if self._building.get(key) is ended:
                del self._building[key]

    def _make(self, target: ManifestId, bases: tuple[ManifestId, ...]) -> ParcelRecord:
        pins = [f"serve:{one.hex()}:{threading.get_ident()}" for one in (target, *bases)]
        for pin, manifest in zip(pins, (target, *bases), strict=True):
            self._store.pin(Pin(owner=pin, manifest=manifest))
        building = self._parcels.path(f"building-{target.hex()[:16]}-{threading.get_ident()}")
        try:
            head = self._build(target, bases, building)
            self._parcels.keep(building, head.id.hex())
        finally:
            for pin in pins:
                self._store.unpin(pin)
            unlink(building)
        record = ParcelRecord(
            id=head.id.hex(),
            target=target,
            bases=tuple(base.hex() for base in bases),
            size=head.bytes_wire,
            head_size=head.sections[0].offset if head.sections else head.bytes_wire,
            figures={"bytes_total": head.bytes_total, "bytes_reused": head.bytes_reused, "bytes_new": head.bytes_new},
            used=self._clock.now(),
        )
        with self._database.writing() as tx:
            records.put_parcel(tx, record)
        self._evict(keep=record.id)
        return record

    def _evict(self, *, keep: str) -> None:
        with self._database.reading() as tx:
            known = list(records.list_parcels(tx))
        excess = sum(record.size for record in known) - self._cache_bytes
        with self._lock:
            recent = self._clock.monotonic() - SERVED_SECONDS
            self._opened = {parcel: when for parcel, when in self._opened.items() if when > recent}
            served = set(self._opened)
        for record in known:
            if excess <= 0:
                return
            if record.id != keep and record.id not in served:
                self._drop(record.id)
                excess -= record.size

    def _offer(self, want: Want, record: ParcelRecord) -> bytes:
        offer = Offer(
            sender=self._code,
            package=want.package,
            version=want.version,
            target=want.target,
            parcel=record.id,
            size=record.size,
            head_size=record.head_size,
            bases=record.bases,
            bytes_total=record.figures["bytes_total"],
            bytes_reused=record.figures["bytes_reused"],
            bytes_new=record.figures["bytes_new"],
        )
        return self._seal.sign(Offer.PAYLOAD_TYPE, encode(offer))
