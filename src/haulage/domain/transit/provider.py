"""What this site does for its children: offer parcels and hand them out. Built once, shared by all who can use them, at a level
that the lines to them are worth."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.files import acknowledge, unlink
from haulage.base.ids import PackageId, SiteCode, VersionNumber, make_place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.estate import records as estate
from haulage.domain.replication.seal import Seal
from haulage.domain.transit import records
from haulage.domain.transit.bases import BaseChoice, Candidate, by_nearness, choose_bases
from haulage.domain.transit.levels import AUTO, Choice, at_least, choose_level
from haulage.domain.transit.parcel_cache import ParcelCache, Way
from haulage.domain.transit.records import ParcelRecord, Receiver
from haulage.domain.transit.route import concerned_children
from haulage.engine.content.model import ChunkStore, ManifestId, Pin
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.delta.level import Level
from haulage.engine.parcels.head import ParcelHead
from haulage.engine.protocol.asks import Offer, Pending, Want
from haulage.engine.protocol.codec import encode

PATIENCE_SECONDS = 5.0
"""How long a child's question waits for a parcel before it is told to come back."""
RETRY_SECONDS = 3
CHOICES_KEPT = 256
"""Choices of bases that are remembered: a child asks every few seconds while its parcel is built."""
RATE_CHANGED = 0.1
"""A rate that differs by a smaller share is not written down."""


class Build(Protocol):
    """Makes a parcel at a path, durably."""

    def __call__(
        self, target: ManifestId, bases: Sequence[ManifestId], path: str, *, level: Level, abilities: frozenset[str]
    ) -> ParcelHead: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A child's question, and what this site knows of it."""

    child: SiteCode
    want: Want
    package: Package
    target: ManifestId
    candidates: tuple[Candidate, ...]
    """What both sides hold, nearest first."""
    lines: tuple[int, ...]
    """Bytes per second to each child that has not got the version yet, 0 for not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What an update would be made from and how, before it is."""

    bases: tuple[ManifestId, ...]
    level: Choice
    abilities: frozenset[str]
    made: ParcelRecord | None
    """Where it has been made already."""


R = TypeVar("R")


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
        cache: ParcelCache,
        build: Build,
        executor: Executor,
        abilities: frozenset[str] = frozenset(),
        level: str = AUTO,
    ) -> None:
        """``abilities``: what this site makes again exactly. ``level``: the setting ``updates.level``."""
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._seal = seal
        self.cache = cache
        self._build = build
        self._executor = executor
        self.abilities = abilities
        self._level = level
        # Reentrant: an executor may build at once, in the thread that asks.
        self._lock = threading.RLock()
        self._working: dict[Hashable, Future[object]] = {}
        """What is being chosen or built, by what it is."""
        self._choices: dict[Hashable, BaseChoice] = {}
        self._offered: set[tuple[SiteCode, str]] = set()
        """What was offered to whom since this server started: a parcel is read in many pieces."""
        self.served_bytes: dict[SiteCode, int] = {}
        """Bytes of parcels handed to each child since this server started."""

    def want(self, child: SiteCode, want: Want) -> bytes | Pending:
        """Answer a child: a signed offer, or why not now. Raises NotFoundError for what is not for this child (B71)."""
        self._hear(child, want)
        with self._database.reading() as tx:
            package = catalog.find_package(tx, want.package)
            tree = estate.hierarchy(tx)
            manifest = records.held_versions(tx, want.package).get(want.version)
            holdings = records.all_holdings(tx)
            concerned = set() if package is None else concerned_children(package.assignments, self._code, tree)
            lines = self._lines(tx, want, concerned)
        if package is None or child not in concerned:
            raise NotFoundError("not-for-you", f"Package {want.package} is not assigned at or below site {child}.", "")
        if manifest is None or manifest.hex() != want.target:
            return Pending(reason="not-held", retry_after_seconds=60)
        if want.damaged is not None:
            self._inspect(want.damaged)
        pinned = {bytes(one) for _package, _number, one in holdings}
        candidates = _candidates(want, holdings)
        ask = Ask(
            child=child, want=want, package=package, target=ManifestId(manifest), candidates=tuple(candidates), lines=tuple(lines)
        )
        try:
            record = self._parcel(ask)
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
        path = self.cache.path(parcel)
        with self._database.reading() as tx:
            record = next((record for record in records.list_parcels(tx) if record.id == parcel), None)
            allowed = record is not None and ((child, parcel) in self._offered or self._concerns(tx, child, record.target))
        if not allowed or not os.path.exists(path):
            raise NotFoundError("parcel-gone", f"Parcel {parcel} is not kept here any more.", "Ask for the version again.")
        self.cache.opened(parcel)
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
        """Before a fresh process begins any work: bring files and records of parcels in line after a crash."""
        self.cache.tidy()

    def retire(self) -> None:
        """Parcels for what is not held here any more go."""
        for parcel in self.cache.retired():
            self.discard(parcel)

    def inspect_all(self) -> list[str]:
        """Read every parcel that is kept; those that are not what they should be go, and their files are named."""
        damaged = []
        for parcel in self.cache.parcels.names():
            try:
                if not self.cache.is_sound(parcel):
                    damaged.append(self.cache.path(parcel))
                    self.discard(parcel)
            except FileNotFoundError:
                continue  # evicted just now
        return damaged

    def discard(self, parcel: str) -> None:
        """A parcel was found damaged here: it is built again when somebody asks."""
        self.cache.drop(parcel)
        self._offered = {one for one in self._offered if one[1] != parcel}

    def outlook(
        self, target: ManifestId, package: PackageId, candidates: Sequence[Candidate], receiver: Receiver, lines: Sequence[int]
    ) -> Outlook:
        """What a receiver that holds the candidates would be offered now; ``lines`` as for everybody who wants it. Takes as long as
        reading a few manifests does. Raises what reading the target's raises."""
        choice = choose_bases(target, package, candidates, self._store)
        way = Way(target=target, bases=choice.bases, abilities=self.abilities & set(receiver.abilities))
        level = self._level_for(way, choice, lines)
        made = next((one for one in self.cache.along(way) if at_least(Level(one.level), level.level)), None)
        return Outlook(bases=choice.bases, level=level, abilities=way.abilities, made=made)

    def _all_held(self, manifests: set[bytes]) -> bool:
        with self._database.reading() as tx:
            return manifests <= {bytes(manifest) for _package, _number, manifest in records.all_holdings(tx)}

    def _inspect(self, parcel: str) -> None:
        """A child says a parcel arrived damaged. If the file here is, it is built anew; if it is sound, the line was not."""
        try:
            sound = self.cache.is_sound(parcel)
        except FileNotFoundError:
            sound = False
        if not sound:
            self.discard(parcel)

    def _hear(self, child: SiteCode, want: Want) -> None:
        """Keep what a child says of itself: others are served by it, and people plan by it."""
        with self._database.reading() as tx:
            known = records.find_receiver(tx, child)
        said = Receiver(site=child, rate=want.rate or known.rate, abilities=tuple(sorted(set(want.abilities))))
        if said.abilities != known.abilities or abs(said.rate - known.rate) > RATE_CHANGED * known.rate:
            with self._database.writing() as tx:
                records.put_receiver(tx, said)

    def _lines(self, tx: Transaction, want: Want, concerned: set[SiteCode]) -> list[int]:
        shipments = records.list_shipments(tx, package=want.package, places=[make_place(child) for child in concerned])
        have = {row.owner for row in shipments if row.present == want.version}
        return [records.find_receiver(tx, child).rate for child in sorted(concerned - have)]

    def _parcel(self, ask: Ask) -> ParcelRecord | None:
        """The parcel for this question, built at most once; None while its bases are chosen or it is built."""
        choice = self._choice(ask)
        if choice is None:
            return None
        way = Way(target=ask.target, bases=choice.bases, abilities=self.abilities & set(ask.want.abilities))
        level = self._level_for(way, choice, ask.lines).level
        record = self.cache.find(way, level)
        return record or self._once((way, level), lambda: self._make(way, level))

    def _choice(self, ask: Ask) -> BaseChoice | None:
        key = (ask.target, tuple([one.manifest for one in ask.candidates]))
        known = self._choices.get(key)
        if known is not None:
            return known
        found = self._once(key, lambda: choose_bases(ask.target, ask.package.id, ask.candidates, self._store))
        if found is not None:
            with self._lock:
                while len(self._choices) >= CHOICES_KEPT:
                    self._choices.pop(next(iter(self._choices)))
                self._choices[key] = found
        return found

    def _level_for(self, way: Way, choice: BaseChoice, lines: Sequence[int]) -> Choice:
        made = {Level(record.level) for record in self.cache.along(way)}
        return choose_level(self._level, lines, choice.bytes_new, based=bool(choice.bases), made=made)

    def _once(self, key: Hashable, work: Callable[[], R]) -> R | None:
        """What the work gives, done once for all who ask meanwhile; None if it takes longer than a question should."""
        with self._lock:
            future: Future[R] | None = self._working.get(key)  # type: ignore[assignment]
            if future is None:
                future = self._executor.submit(work)
                self._working[key] = future  # type: ignore[assignment]
        # However it ends, the next question begins anew: a failure must not be the answer for ever.
        future.add_done_callback(functools.partial(self._forget, key))
        done, _pending = wait([future], timeout=PATIENCE_SECONDS)
        return future.result() if done else None

    def _forget(self, key: Hashable, ended: Future[R]) -> None:
        with self._lock:
            if self._working.get(key) is ended:
                del self._working[key]

    def _make(self, way: Way, level: Level) -> ParcelRecord:
        pins = [f"serve:{one.hex()}:{threading.get_ident()}" for one in way.manifests]
        for pin, manifest in zip(pins, way.manifests, strict=True):
            self._store.pin(Pin(owner=pin, manifest=manifest))
        building = self.cache.path(f"building-{way.target.hex()[:16]}-{threading.get_ident()}")
        try:
            head = self._build(way.target, way.bases, building, level=level, abilities=way.abilities)
            self.cache.parcels.keep(building, head.id.hex())
        finally:
            for pin in pins:
                self._store.unpin(pin)
            unlink(building)
        record = ParcelRecord(
            id=head.id.hex(),
            target=way.target,
            bases=tuple(base.hex() for base in way.bases),
            level=level.value,
            needs=tuple(sorted(way.abilities)),
            abilities=tuple(sorted(way.abilities)),
            size=head.bytes_wire,
            head_size=head.head_bytes,
            figures={"bytes_total": head.bytes_total, "bytes_reused": head.bytes_reused, "bytes_new": head.bytes_new},
            used=self._clock.now(),
        )
        self.cache.put(record)
        return record

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
            level=record.level,
            needs=record.needs,
            abilities=record.abilities,
        )
        return self._seal.sign(Offer.PAYLOAD_TYPE, encode(offer))


def _candidates(want: Want, holdings: Sequence[tuple[PackageId, VersionNumber, bytes]]) -> list[Candidate]:
    """Of what the child says it holds, what is held here, too. What only happens to lie in the store may be swept while the parcel
    is built."""
    here: dict[str, list[Candidate]] = {}
    for package, number, manifest in holdings:
        one = Candidate(package=package, number=number, manifest=ManifestId(manifest))
        here.setdefault(manifest.hex(), []).append(one)
    named = [one for text in dict.fromkeys(want.held) if text != want.target for one in here.get(text, [])]
    return by_nearness(want.package, want.version, named)
