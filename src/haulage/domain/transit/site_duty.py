"""The duty of this site's own store: hold the wanted version, whole and verified, or hold nothing of the package.

Fetches from the parent only what the store lacks; a killed transfer goes on where the store is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, IntegrityError, NotFoundError, Remedy
from haulage.base.ids import NO_VERSION, PackageId, SiteCode, owner_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.transit import records
from haulage.domain.transit.asking import Asking
from haulage.domain.transit.attempt import Attempts, Outcome
from haulage.domain.transit.holdings import RECEIVING, Holdings
from haulage.domain.transit.relay import Relay
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.domain.transit.traffic import Traffic
from haulage.domain.transit.watching import Watched, expected_at
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.links.link import Link
from haulage.engine.parcels.head import ParcelHead
from haulage.engine.parcels.receive import ReceiveReport, fetch_head, receive
from haulage.engine.protocol.asks import Offer, Pending

FALLBACK_SECONDS = 300.0
"""How long a shipment that waits to be woken waits at most before it looks by itself."""
SPARE_BYTES = 64 * 1024 * 1024
"""Kept free beside what a parcel needs: the database and the logs live on the same disk."""
KEPT = dt.timedelta(days=30)
"""How long that is kept without another try."""


class Herald(Protocol):
    """What a transfer has to tell a manager."""

    def started(self, tx: Transaction, shipment: Shipment, offer: Offer) -> None: ...

    def resumed(self, tx: Transaction, shipment: Shipment, offer: Offer) -> None: ...

    def finished(self, tx: Transaction, shipment: Shipment, report: ReceiveReport | None) -> None: ...

    def waiting(self, tx: Transaction, shipment: Shipment, reason: Reason) -> None: ...

    def no_space(self, tx: Transaction, shipment: Shipment, needed: int, free: int) -> None: ...

    def verified(self, tx: Transaction, shipment: Shipment) -> None: ...

    def removed(self, tx: Transaction, shipment: Shipment) -> None: ...


Announce = Callable[[Transaction, Version], None]
"""A version is here now: wake this site's points, tell the children that wait."""


class SiteDuty:
    """Works off this site's own shipments."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        store: ChunkStore,
        clock: Clock,
        attempts: Attempts,
        holdings: Holdings,
        link: Link | None,
        asking: Asking,
        relay: Relay,
        free_bytes: Callable[[], int],
        announce: Announce,
        herald: Herald,
        recall: Callable[[], None],
        work: str,
    ) -> None:
        """``recall`` is called when a version of this site's own is not here: it must return at once. ``work`` is a folder for
        temporary files."""
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._attempts = attempts
        self._holdings = holdings
        self._link = link
        self._asking = asking
        self._relay = relay
        self._free_bytes = free_bytes
        self._announce = announce
        self._herald = herald
        self._recall = recall
        self._work = work
        self.traffic = Traffic()
        self._reserving = threading.Lock()
        self._promised: dict[PackageId, int] = {}

    def work(self, shipment: Shipment) -> Outcome:
        """One attempt at whatever the shipment needs."""
        if shipment.wanted == NO_VERSION:
            gone = {"present": NO_VERSION, "verified": None}
            return Outcome(state=ShipmentState.REMOVED, changes=gone, effect=self._forget, by_effect=True)
        if shipment.stopped:
            return Outcome(state=ShipmentState.FAILED, effect=self._clear)
        with self._database.reading() as tx:
            version = catalog.find_version(tx, shipment.package, shipment.wanted)
            held = records.held_versions(tx, shipment.package)
        if version is None:
            return self._wait(shipment, Reason.DEFINITION, FALLBACK_SECONDS)
        if shipment.verify and shipment.wanted in held:
            return self._verify(shipment, version)
        if shipment.wanted in held:
            return self._present(shipment, version, None)
        if self._whole(version):
            return self._present(shipment, version, None)
        if self._link is None or owner_of(shipment.package) == self._code:
            # No parent ever had it before this site: it was lost here, and is looked for all around.
            self._recall()
            return self._wait(shipment, Reason.CONTENT, FALLBACK_SECONDS)
        return self._fetch(shipment, version, self._link)

    def _fetch(self, shipment: Shipment, version: Version, link: Link) -> Outcome:
        answer = self._asking.ask(shipment, version, link)
        if isinstance(answer, Pending):
            reason = Reason.PARCEL if answer.reason == "building" else Reason.CONTENT
            seconds = float(answer.retry_after_seconds) if reason is Reason.PARCEL else FALLBACK_SECONDS
            return self._wait(shipment, reason, seconds)
        offer = answer
        with self._reserved(shipment.package, offer.bytes_new) as free:
            if free < offer.bytes_new + SPARE_BYTES:
                return self._wait_for_space(shipment, offer, free)
            return self._bring(shipment, version, offer, link)

    @contextlib.contextmanager
    def _reserved(self, package: PackageId, size: int) -> Iterator[int]:
        """Set space aside for one transfer; gives what is free beside what others under way were promised (Q137610, B117)."""
        with self._reserving:
            free = self._free_bytes() - sum(self._promised.values())
            self._promised[package] = size
        try:
            yield free
        finally:
            with self._reserving:
                self._promised.pop(package, None)

    def _wait_for_space(self, shipment: Shipment, offer: Offer, free: int) -> Outcome:
        """Nothing has crossed the line yet; it is told once."""
        told = shipment.state is ShipmentState.WAITING and shipment.reason is Reason.SPACE
        needed = offer.bytes_new + SPARE_BYTES
        return Outcome(
            state=ShipmentState.WAITING,
            reason=Reason.SPACE,
            due_after_seconds=self._attempts.space_seconds,
            changes={"bytes_planned": offer.size},
            effect=None if told else lambda tx, now: self._herald.no_space(tx, now, needed, free),
        )

    def _bring(self, shipment: Shipment, version: Version, offer: Offer, link: Link) -> Outcome:
        again = shipment.parcel == offer.parcel
        done = shipment.bytes_done if again else 0
        begun = shipment.expected if again else None
        self._attempts.show(
            shipment,
            ShipmentState.MOVING,
            parcel=offer.parcel,
            bytes_planned=offer.size,
            bytes_total=offer.bytes_total,
            bytes_reused=offer.bytes_reused,
            bytes_new=offer.bytes_new,
            bytes_done=done,
            expected=begun or expected_at(self._clock.now(), offer.size - done, self._asking.line_rate),
            bytes_wire=shipment.bytes_wire if again else 0,
        )
        with self._database.writing() as tx:
            if not again:
                self._herald.started(tx, shipment, offer)
            elif shipment.bytes_done:
                self._herald.resumed(tx, shipment, offer)
        report = self._receive(shipment, version, offer, link)
        return self._present(shipment, version, report, reused=offer.bytes_reused)

    def _receive(self, shipment: Shipment, version: Version, offer: Offer, link: Link) -> ReceiveReport:
        owner = f"receive:{version.package}:{version.number}"
        arriving, measured = self._asking.fetch(link, offer)
        watched = Watched(shipment, offer.parcel, self._attempts, self._clock)
        fetch = self._relay.along(version, offer, watched.along(arriving))
        pins = [owner, *(f"{owner}:{index}" for index, _ in enumerate(offer.bases))]
        for pin, base in zip(pins[1:], offer.bases, strict=True):
            self._store.pin(Pin(owner=pin, manifest=ManifestId(bytes.fromhex(base))))
        try:
            head = fetch_head(fetch, bytes.fromhex(offer.parcel), offer.size)
            self._check_head(head, version, offer)
            with self._store.session(owner) as session:
                report = receive(
                    head,
                    fetch,
                    self._store,
                    session,
                    folder=self._work,
                    owner=f"{RECEIVING}{version.package}",
                    expires=self._clock.now() + KEPT,
                    on_batch=functools.partial(self._progress, watched),
                    on_manifest=lambda manifest: self._store.pin(Pin(owner=owner, manifest=manifest)),
                )
                session.checkpoint()
                self._check_page(version)
                # Pinned while the session still protects what it brought: no moment in which a sweep could take it.
                self._hold(version)
            self._relay.received(offer, head, arriving)
        except HaulageError as error:
            raise self._asking.failed(shipment, offer, error) from error
        finally:
            measured()
            for pin in pins:
                self._store.unpin(pin)
        self._asking.received(version.package)
        return report

    def _check_head(self, head: ParcelHead, version: Version, offer: Offer) -> None:
        if head.target != version.manifest or head.bytes_wire != offer.size:
            raise IntegrityError(
                "wrong-parcel",
                f"Parcel {offer.parcel} is not what was offered for {version.package}:{version.number}.",
                "Asked again.",
            )

    def _check_page(self, version: Version) -> None:
        """The owner signed two digests of the root page; both must fit."""
        manifest = Manifest.open(ManifestId(version.manifest), self._store.read)
        if manifest.ref.sha256.hex() != version.sha256:
            raise IntegrityError(
                "wrong-manifest",
                f"The manifest of {version.package}:{version.number} is not the one its owner signed.",
                "It was refused; look at the owner.",
                remedy=Remedy.GIVE_UP,
            )

    def _progress(self, watched: Watched, _section: int, wire_bytes: int) -> None:
        """One more batch is durable."""
        self.traffic.add(received_bytes=wire_bytes)
        watched.batch(wire_bytes)

    def _hold(self, version: Version) -> None:
        with self._database.writing() as tx:
            if catalog.find_version(tx, version.package, version.number) is not None:
                self._holdings.hold(tx, version)

    def _whole(self, version: Version) -> bool:
        """Whether all of the version is in the store already, whatever brought it (I23)."""
        manifest = ManifestId(version.manifest)
        with self._store.session(f"adopt:{version.package}") as session:
            if not session.has(ChunkId(manifest)):
                return False
            try:
                if not all(session.has(chunk) for chunk in live_chunks(manifest, self._store)):
                    return False
            except HaulageError:
                return False
            self._check_page(version)
            self._hold(version)
        return True

    def _verify(self, shipment: Shipment, version: Version) -> Outcome:
        """Read every chunk of the version again; with ``repair`` fetch the damaged ones from the parent."""
        self._attempts.show(shipment, ShipmentState.VERIFYING)
        damaged = self._damaged(version)
        if not damaged:
            return Outcome(
                state=ShipmentState.PRESENT,
                changes={"present": version.number, "verify": False, "repair": False, "verified": self._clock.now()},
                effect=self._herald.verified,
            )
        if not shipment.repair or self._link is None:
            raise IntegrityError(
                "store-damaged",
                f"{version.package}:{version.number} at {shipment.place} is damaged: {damaged} chunks are not what they should be.",
                f"haulage package verify {version.package} --at {shipment.place} --repair"
                if self._link is not None
                else "haulage store check --repair looks at points, source and children; or publish it again with --full.",
                remedy=Remedy.WAIT_FOR_PERSON,
            )
        outcome = self._fetch(shipment, version, self._link)
        if outcome.state is not ShipmentState.PRESENT:
            return outcome
        return dataclasses.replace(outcome, changes={**outcome.changes, "verify": False, "repair": False})

    def _damaged(self, version: Version) -> int:
        """How many chunks of a version cannot be read. The store counts each as missing from then on, so it is fetched again."""
        manifest = ManifestId(version.manifest)
        count = 0
        try:
            chunks = list(dict.fromkeys(live_chunks(manifest, self._store)))
        except (IntegrityError, NotFoundError):
            # Not even its list of contents can be read.
            return 1
        left = chunks
        while left:
            try:
                for _chunk, _data in self._store.read_many(left):
                    pass
                return count
            except (IntegrityError, NotFoundError):
                gone = self._store.missing(chunks)
                if len(gone) <= count:
                    raise
                count, left = len(gone), [chunk for chunk in left if chunk not in gone]
        return count

    def _present(self, shipment: Shipment, version: Version, report: ReceiveReport | None, reused: int = 0) -> Outcome:
        changes: dict[str, object] = {"present": version.number, "verified": self._clock.now(), "parcel": "", "expected": None}
        if report is not None:
            changes["reused_ever"] = shipment.reused_ever + reused
        if report is None and not shipment.parcel:
            changes |= {"bytes_total": version.bytes, "bytes_reused": version.bytes, "bytes_new": 0, "bytes_wire": 0}

        def effect(tx: Transaction, now: Shipment) -> None:
            self._announce(tx, version)
            self._holdings.retire(tx, version.package)
            if report is None:
                # It came another way: what had arrived of a parcel is of no use any more.
                self._let_go(tx, version.package)
            else:
                self._database.after_commit(tx, lambda: self.traffic.add(reused_bytes=now.bytes_reused))
            self._herald.finished(tx, now, report)

        return Outcome(state=ShipmentState.PRESENT, changes=changes, effect=effect)

    def _clear(self, tx: Transaction, now: Shipment) -> None:
        """It was cancelled: what had arrived is of no use any more."""
        self._let_go(tx, now.package)
        self._database.after_commit(tx, lambda: self._relay.drop(now.package))

    def _forget(self, tx: Transaction, now: Shipment) -> None:
        self._holdings.drop_all(tx, now.package)
        self._let_go(tx, now.package)
        self._herald.removed(tx, now)

    def _let_go(self, tx: Transaction, package: PackageId) -> None:
        self._database.after_commit(tx, lambda: self._store.unpin(f"{RECEIVING}{package}"))

    def _wait(self, shipment: Shipment, reason: Reason, seconds: float) -> Outcome:
        first = shipment.state is not ShipmentState.WAITING or shipment.reason is not reason
        return Outcome(
            state=ShipmentState.WAITING,
            reason=reason,
            due_after_seconds=seconds,
            effect=(lambda tx, now: self._herald.waiting(tx, now, reason)) if first else None,
        )
