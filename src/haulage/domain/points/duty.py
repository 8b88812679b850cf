"""The duty of one distribution point: put a version there, prove it, keep it proven, take it away.

Reads the store and the point and nothing else: whatever happens here, no other place hears of it (Q319207).
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError, IntegrityError, NotFoundError, TransferError
from haulage.base.ids import NO_VERSION, PackageId, VersionNumber
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.points.backend import PointBackend
from haulage.domain.points.space import PointSpace
from haulage.domain.transit import records
from haulage.domain.transit.attempt import Attempts, Outcome
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.domain.transit.watching import Pace
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.content.restore import RestoreReport, restore
from haulage.engine.content.verify import verify_tree
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.trees.model import TreeDifference
from haulage.engine.trees.trouble import FULL, NOT_DURABLE

SHOWN_DIFFERENCES = 20
STATEMENT, PAGES = "version.json", "manifest/"
NEWER_SECONDS = 300.0
"""After so long a point that shows a newer version than is wanted is looked at again; the statement of that version wakes it."""
_SHARE_OF_PROGRESS = 64
"""Progress is written this many times at most."""


class Herald(Protocol):
    """What a point has to tell a manager."""

    def started(self, tx: Transaction, shipment: Shipment) -> None: ...

    def present(self, tx: Transaction, shipment: Shipment, report: RestoreReport) -> None: ...

    def sidecar_used(self, tx: Transaction, shipment: Shipment, report: RestoreReport) -> None: ...

    def verified(self, tx: Transaction, shipment: Shipment) -> None: ...

    def damaged(self, tx: Transaction, shipment: Shipment, differences: list[TreeDifference]) -> None: ...

    def repaired(self, tx: Transaction, shipment: Shipment, differences: list[TreeDifference]) -> None: ...

    def removing(self, tx: Transaction, shipment: Shipment) -> None: ...

    def removed(self, tx: Transaction, shipment: Shipment) -> None: ...


OpenPoint = Callable[[Point], PointBackend]
Found = Callable[[PackageId, VersionNumber, PointBackend], None]
"""A point shows a newer version than is wanted: whoever is told may learn of it from the documents beside it."""
Older = tuple[VersionNumber, Manifest]
Documents = Callable[[Transaction, PackageId, VersionNumber], Mapping[str, bytes]]
"""The signed documents that go with a version, so that whoever reads the point can check it."""


class PointDuty:
    """Works off the shipments of this site's points."""

    def __init__(
        self,
        *,
        database: Database,
        store: ChunkStore,
        clock: Clock,
        attempts: Attempts,
        open_point: OpenPoint,
        documents: Documents,
        herald: Herald,
        grace_seconds: float,
        found: Found,
        threads: int = 2,
    ) -> None:
        self._database = database
        self._store = store
        self._clock = clock
        self._attempts = attempts
        self._open_point = open_point
        self.space = PointSpace(open_point, clock)
        self._documents = documents
        self._herald = herald
        self._grace_seconds = grace_seconds
        self._found = found
        self._threads = threads

    def work(self, shipment: Shipment) -> Outcome:
        """One attempt at whatever the shipment needs."""
        with self._database.reading() as tx:
            point = estate.find_point(tx, shipment.place)
            held = records.held_versions(tx, shipment.package)
            restored = estate.was_restored(tx)
        if shipment.wanted == NO_VERSION:
            return self._remove(shipment, point)
        if point is None:
            raise NotFoundError("no-such-point", f"There is no point {shipment.place} any more.", "haulage point list")
        if restored and self._shows_newer(shipment, point):
            return Outcome(state=ShipmentState.WAITING, reason=Reason.DEFINITION, due_after_seconds=NEWER_SECONDS)
        manifest_id = held.get(shipment.wanted)
        if manifest_id is None:
            return Outcome(state=ShipmentState.WAITING, reason=Reason.CONTENT, due_after_seconds=self._grace_seconds)
        backend = self._open_point(point)
        if shipment.stopped:
            return self._clear(shipment, backend)
        backend.probe()
        manifest = Manifest.open(ManifestId(manifest_id), self._store.read)
        if shipment.verify and shipment.present == shipment.wanted:
            return self._verify(shipment, backend, manifest, held)
        if shipment.present == shipment.wanted == backend.current(shipment.package):
            return self._prune(shipment, backend)
        return self._put(shipment, backend, manifest, held)

    def _clear(self, shipment: Shipment, backend: PointBackend) -> Outcome:
        """It was cancelled: what was staged goes, as far as the place can be reached; the rest goes with the next version."""
        with contextlib.suppress(HaulageError, OSError):
            backend.discard(shipment.package, shipment.wanted)
        return Outcome(state=ShipmentState.FAILED)

    def _shows_newer(self, shipment: Shipment, point: Point) -> bool:
        """This site was put back to an older state, the point was not: clients must not see a version go back (I6). The owner's
        statement of it comes from the neighbours, or from the point itself."""
        backend = self._open_point(point)
        backend.probe()
        current = backend.current(shipment.package)
        if current > shipment.wanted:
            self._found(shipment.package, current, backend)
        return current > shipment.wanted

    def _put(self, shipment: Shipment, backend: PointBackend, manifest: Manifest, held: Mapping[VersionNumber, bytes]) -> Outcome:
        """Stage beside, verify all of it, then switch."""
        package, version = shipment.package, shipment.wanted
        total = manifest.totals.bytes_total
        self._check_space(shipment, backend, total)
        self._attempts.show(shipment, ShipmentState.MOVING, bytes_planned=total, bytes_total=total, bytes_done=0)
        with self._database.writing() as tx:
            self._herald.started(tx, shipment)
        with self._as_transfer(shipment):
            report = self._stage(shipment, backend, manifest, self._older(shipment, backend, held))
            with self._database.reading() as tx:
                documents = self._documents(tx, package, version)
                self._attempts.check_wanted(shipment)(tx)
            backend.publish(package, version, documents)
        return Outcome(
            state=ShipmentState.PRESENT,
            due_after_seconds=self._grace_seconds,
            changes={"present": version, "bytes_done": total, "verified": self._clock.now(), "verify": False, "repair": False},
            effect=functools.partial(self._tell_present, report),
        )

    def _older(self, shipment: Shipment, backend: PointBackend, held: Mapping[VersionNumber, bytes]) -> Older | None:
        """The version clients see now, and what it should be, if the new one may share bytes with it."""
        version = backend.current(shipment.package)
        manifest_id = held.get(version)
        if version in (NO_VERSION, shipment.wanted) or manifest_id is None:
            return None
        with contextlib.suppress(HaulageError):  # its content may be gone from the store
            return version, Manifest.open(ManifestId(manifest_id), self._store.read)
        return None

    def _stage(self, shipment: Shipment, backend: PointBackend, manifest: Manifest, older: Older | None) -> RestoreReport:
        """Write it and read it again. If what is shared with an older version is not right, that version is damaged: then once more
        without it."""
        report = self._restore(shipment, backend, manifest, older)
        self._attempts.show(shipment, ShipmentState.VERIFYING, bytes_done=manifest.totals.bytes_total)
        try:
            self._prove(shipment, backend, manifest)
        except IntegrityError:
            if not report.bytes_shared:
                raise
            report = self._restore(shipment, backend, manifest, None)
            self._attempts.show(shipment, ShipmentState.VERIFYING, bytes_done=manifest.totals.bytes_total)
            self._prove(shipment, backend, manifest)
        return report

    def _restore(self, shipment: Shipment, backend: PointBackend, manifest: Manifest, older: Older | None) -> RestoreReport:
        total = manifest.totals.bytes_total
        pace = Pace(self._clock)
        shown = last = 0
        wanted = self._attempts.check_wanted(shipment)

        def progress(_entries: int, done: int) -> None:
            nonlocal shown, last
            pace.add(done - last)
            last = done
            if done - shown >= max(total // _SHARE_OF_PROGRESS, 1 << 24):
                shown = done
                self._attempts.show(shipment, ShipmentState.MOVING, bytes_done=done, rate=pace.rate)
            else:
                with self._database.reading() as tx:
                    wanted(tx)

        like, old = older or (NO_VERSION, None)
        writer = backend.stage(shipment.package, shipment.wanted, like=like)
        try:
            return restore(manifest, self._store, writer, threads=self._threads, on_progress=progress, older=old)
        except TransferError as error:
            if NOT_DURABLE in error.facts:
                # Only memory holds what was staged: the next try must not find it finished.
                with contextlib.suppress(HaulageError, OSError):
                    backend.discard(shipment.package, shipment.wanted)
            raise

    def _prove(self, shipment: Shipment, backend: PointBackend, manifest: Manifest) -> None:
        """All that was staged is right; or none of it may be taken for finished by the next try."""
        try:
            self._require_equal(shipment, backend, manifest)
        except (HaulageError, OSError):
            with contextlib.suppress(HaulageError, OSError):  # a place that fails even here is found wrong once more
                backend.discard(shipment.package, shipment.wanted)
            raise

    def _require_equal(self, shipment: Shipment, backend: PointBackend, manifest: Manifest) -> None:
        reader = backend.staged(shipment.package, shipment.wanted)
        with contextlib.closing(reader):
            differences = list(islice(verify_tree(manifest, reader, threads=self._threads), SHOWN_DIFFERENCES))
        if differences:
            first = differences[0]
            raise IntegrityError(
                "point-does-not-keep",
                f"{shipment.place} does not give back what was written: {first.what} of {shown(first.path)} "
                f"(expected {first.expected}, found {first.found}).",
                "Look at the file system of the point; the version before stays in place.",
            )

    def _verify(
        self, shipment: Shipment, backend: PointBackend, manifest: Manifest, held: Mapping[VersionNumber, bytes]
    ) -> Outcome:
        """Read everything there again; with ``repair`` write it anew if anything differs."""
        self._attempts.show(shipment, ShipmentState.VERIFYING)
        differences = self._differences(shipment, backend, manifest)
        if not differences:
            backend.tidy(shipment.package)
            # The order took the place of the look at the end of the grace period.
            old = any(version != shipment.wanted for version in backend.versions(shipment.package))
            return Outcome(
                state=ShipmentState.PRESENT,
                due_after_seconds=self._grace_seconds if old else None,
                changes={"present": shipment.wanted, "verify": False, "repair": False, "verified": self._clock.now()},
                effect=self._herald.verified,
            )
        with self._database.writing() as tx:
            self._herald.damaged(tx, shipment, differences)
        if not shipment.repair:
            return self._damaged(shipment, differences)
        outcome = self._put(shipment, backend, manifest, held)
        return Outcome(
            state=outcome.state,
            due_after_seconds=outcome.due_after_seconds,
            changes=outcome.changes,
            effect=lambda tx, now: self._herald.repaired(tx, now, differences),
        )

    def _damaged(self, shipment: Shipment, differences: list[TreeDifference]) -> Outcome:
        """Only looking was asked for: the place does not count as present, and a person says what is done about it."""
        first = differences[0]
        return Outcome(
            state=ShipmentState.WAITING,
            reason=Reason.PERSON,
            due_after_seconds=self._grace_seconds,
            changes={
                "present": NO_VERSION,
                "verified": None,
                "tries": shipment.tries + 1,
                "error_code": "point-damaged",
                "error_message": f"{shipment.package}:{shipment.wanted} at {shipment.place} is damaged: {first.what} of "
                f"{shown(first.path)}{f', {len(differences)} differences' if len(differences) > 1 else ''}.",
                "error_hint": f"haulage package verify {shipment.package} --at {shipment.place} --repair",
                "error_family": IntegrityError.family,
            },
        )

    def _differences(self, shipment: Shipment, backend: PointBackend, manifest: Manifest) -> list[TreeDifference]:
        if shipment.wanted not in backend.versions(shipment.package):
            return [TreeDifference(path=b"", what="missing", expected=f"version {shipment.wanted}")]
        reader = backend.reader(shipment.package, shipment.wanted)
        with contextlib.closing(reader):
            differences = list(islice(verify_tree(manifest, reader, threads=self._threads), SHOWN_DIFFERENCES))
        if not differences and backend.current(shipment.package) != shipment.wanted:
            return [TreeDifference(path=b"", what="pointer", expected=str(shipment.wanted))]
        return differences or list(islice(self._document_differences(shipment, backend), SHOWN_DIFFERENCES))

    def _document_differences(self, shipment: Shipment, backend: PointBackend) -> Iterator[TreeDifference]:
        """The signed statement of the version and the pages of its manifest never change; other documents may be of another day."""
        with self._database.reading() as tx:
            documents = self._documents(tx, shipment.package, shipment.wanted)
        for name in documents:
            if name == STATEMENT or name.startswith(PAGES):
                found = backend.document(shipment.package, shipment.wanted, name)
                if found != documents[name]:
                    what = "missing" if found is None else "document"
                    yield TreeDifference(path=f".haulage/{shipment.wanted}/{name}".encode(), what=what, expected="as published")

    def _prune(self, shipment: Shipment, backend: PointBackend) -> Outcome:
        """The grace period is over: versions that nobody should read any more go."""
        for version in backend.versions(shipment.package):
            if version != shipment.wanted:
                backend.remove_version(shipment.package, version)
        backend.tidy(shipment.package)
        return Outcome(state=ShipmentState.PRESENT)

    def _remove(self, shipment: Shipment, point: Point | None) -> Outcome:
        """Take the package away. Success is said only after the place was looked at (Q244405)."""
        if point is not None:
            backend = self._open_point(point)
            backend.probe()
            if not shipment.tries:
                with self._database.writing() as tx:
                    self._herald.removing(tx, shipment)
            with self._as_transfer(shipment):
                backend.remove_package(shipment.package)
                if shipment.package in backend.packages():
                    raise TransferError(
                        "not-removed", f"{shipment.package} is still at {shipment.place} after its removal.", "Who writes there?"
                    )
        return Outcome(state=ShipmentState.REMOVED, changes={"present": NO_VERSION, "verified": None}, effect=self._herald.removed)

    def _check_space(self, shipment: Shipment, backend: PointBackend, needed: int) -> None:
        free = backend.free_bytes()
        if free is not None and free < needed:
            free += backend.left_bytes(shipment.package, shipment.wanted)
        if free is not None and free < needed:
            raise TransferError(
                "no-space-at-point",
                f"{shipment.place} needs {needed} bytes for {shipment.package}:{shipment.wanted}, {free} are free.",
                "Free space there, or move the point; it goes on by itself.",
            )

    def _tell_present(self, report: RestoreReport, tx: Transaction, now: Shipment) -> None:
        self._herald.present(tx, now, report)
        if report.omissions:
            self._herald.sidecar_used(tx, now, report)

    @contextlib.contextmanager
    def _as_transfer(self, shipment: Shipment) -> Iterator[None]:
        """A system error becomes one that names the place."""
        try:
            yield
        except HaulageError:
            raise
        except OSError as error:
            if error.errno in FULL:
                raise TransferError(
                    "no-space-at-point",
                    f"{shipment.place}: {error.filename}: {error.strerror}",
                    "Free space there; it goes on by itself.",
                ) from error
            where = error.filename if isinstance(error.filename, str) else ""
            raise TransferError(
                "point-unwritable", f"{shipment.place}: {where}: {error.strerror or error}", "Look at the folder of the point."
            ) from error
