"""From a source to a version: capture it, and publish a new version only if it differs from the newest one.

A failed capture changes nothing: the version before stays served, and the error names the file, the stream and the cause (Q316316).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from haulage.base.clock import Clock, iso
from haulage.base.errors import ConflictError, HaulageError, IntegrityError, NotFoundError, TransferError, UsageError
from haulage.base.ids import NO_VERSION, PackageId, SiteCode, VersionNumber
from haulage.base.text import shown_bytes
from haulage.domain.catalog import records
from haulage.domain.catalog.captured import noted
from haulage.domain.catalog.model import CaptureState, Package, Source, Version
from haulage.domain.estate import records as estate
from haulage.domain.replication.definitions import Definitions
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.capture_rules import CaptureRules
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.manifest_model import ManifestRef
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin, WriteSession
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.protocol.definitions import Kind, PackageState, VersionState
from haulage.engine.trees.model import ReadPolicy, StreamAction, TreeReader

_log = logging.getLogger("haulage.catalog")

ROOM_BYTES = 64 * 1024 * 1024
"""So much must have become free before a capture that found the disk full is tried again…"""
LOOK_AGAIN = dt.timedelta(minutes=15)
"""…or so much time have passed."""
LISTED = 100
"""Names listed in a stored capture report; more are counted."""


class Sources(Protocol):
    """Where trees to capture come from; which kinds there are is wiring's choice."""

    def open(self, spec: str, policy: ReadPolicy) -> AbstractContextManager[TreeReader]:
        """The tree of a source, refused if it overlaps a store, point or backup (Q263376)."""
        ...


class Press(Protocol):
    """What publishing has to tell a manager."""

    def started(self, tx: Transaction, source: Source) -> None: ...

    def published(self, tx: Transaction, version: Version, report: CaptureReport) -> None: ...

    def unchanged(self, tx: Transaction, package: Package) -> None: ...

    def failed(self, tx: Transaction, source: Source, error: HaulageError) -> None: ...

    def rolled_back(self, tx: Transaction, version: Version, old: VersionNumber) -> None: ...


Hold = Callable[[Transaction, Version], None]
"""Record, pinned before the commit, that this site holds a version."""


class Publisher:
    """Captures and publishes this site's own packages."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        store: ChunkStore,
        clock: Clock,
        definitions: Definitions,
        sources: Sources,
        hints_folder: str | None,
        hold: Hold,
        press: Press,
        wake_jobs: Callable[[], None],
        threads: int = 2,
        rules: CaptureRules | None = None,
    ) -> None:
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._definitions = definitions
        self._sources = sources
        self._hints_folder = hints_folder
        self._hold = hold
        self._press = press
        self._wake_jobs = wake_jobs
        self._threads = threads
        self._rules = rules or CaptureRules()
        self._under_way: dict[PackageId, tuple[int, int]] = {}
        """Entries and bytes gone through by each capture that runs."""
        self._free_then: dict[tuple[PackageId, int], int] = {}
        """The least that was seen free since a capture failed for want of space."""

    def request(self, tx: Transaction, package: PackageId, *, full: bool = False) -> int:
        """Ask for a capture; returns its number. It is done when the source's ``done`` reached it."""
        source = self._source(tx, package)
        asked = dataclasses.replace(
            source,
            requested=source.requested + 1,
            full=source.full or full,
            state=source.state if source.state is CaptureState.RUNNING else CaptureState.REQUESTED,
        )
        records.put_source(tx, asked)
        self._database.after_commit(tx, self._wake_jobs)
        return asked.requested

    def due(self, tx: Transaction) -> Sequence[Source]:
        """Sources somebody wants captured."""
        return [source for source in records.list_sources(tx) if source.requested > source.done]

    def resume(self, free_bytes: int) -> int:
        """Captures that failed because a disk of this site was full are asked for again once somebody has made room, and now and
        then in any case (a quota shows no room). Returns how many."""
        with self._database.reading() as tx:
            failed = [source for source in records.list_sources(tx) if source.error_code == "disk-full"]
        stopped = {(source.package, source.done): source for source in failed if source.requested <= source.done}
        least = {key: min(free_bytes, self._free_then.get(key, free_bytes)) for key in stopped}
        self._free_then = least
        late = self._clock.now() - LOOK_AGAIN
        due = [
            source
            for key, source in stopped.items()
            if free_bytes >= least[key] + ROOM_BYTES or (free_bytes >= ROOM_BYTES and source.finished and source.finished < late)
        ]
        for source in due:
            with self._database.writing() as tx:
                if records.find_source(tx, source.package) is not None:
                    self.request(tx, source.package, full=source.full)
        return len(due)

    def again(self, package: PackageId) -> None:
        """The job engine says the capture is over, the source does not: ask anew, so that it runs under a new number."""
        with self._database.writing() as tx:
            source = records.find_source(tx, package)
            if source is not None and source.requested > source.done:
                records.put_source(tx, dataclasses.replace(source, requested=source.requested + 1))

    def run(self, package: PackageId) -> None:
        """Capture a source now, and publish what is new."""
        with self._database.writing() as tx:
            source = records.find_source(tx, package)
            if source is None or source.requested <= source.done:
                return
            running = dataclasses.replace(source, state=CaptureState.RUNNING, started=self._clock.now())
            records.put_source(tx, running)
            self._press.started(tx, running)
        pin = f"capture:{package}"
        try:
            with self._sources.open(source.spec, read_policy(source)) as reader:
                report = capture(
                    reader,
                    self._store,
                    self._clock,
                    owner=pin,
                    options=self._options(source),
                    on_progress=lambda entries, size: self._under_way.__setitem__(package, (entries, size)),
                    on_manifest=lambda manifest: self._store.pin(Pin(owner=pin, manifest=manifest)),
                )
                self._publish(running, report)
        except HaulageError as error:
            self._fail(running, error)
        except OSError as error:
            self._fail(running, TransferError("source-unreadable", f"{source.spec}: {error.strerror or error}", "Is it there?"))
        except Exception as defect:
            # Said where people look; a capture that ends without a word would be begun again for ever.
            _log.exception("defect in the capture of %s", package)
            sentence = f"The capture of {package} ended unexpectedly: {type(defect).__name__}: {defect}"[:500]
            self._fail(running, TransferError("defect", sentence, "Please report it with the server's log."))
        finally:
            self._under_way.pop(package, None)
            self._store.unpin(pin)

    def under_way(self, package: PackageId) -> tuple[int, int] | None:
        """Entries and bytes that the capture of a package has gone through; None if none runs in this process."""
        return self._under_way.get(package)

    def rollback(self, tx: Transaction, package_id: PackageId, number: VersionNumber) -> Version:
        """Publish the content of an old version as a new one; no byte is new."""
        package, old, new = self._returning(tx, package_id, number)
        version = dataclasses.replace(old, number=new, captured=self._clock.now(), new_bytes=0)
        # What the session has seen no sweep takes until the new version's own pin is there.
        with self._store.session(f"rollback:{package_id}") as session:
            self._refuse_gone(old, session)
            self._announce(tx, package, version)
            seen = records.find_capture(tx, package_id, number)
            if seen is not None:
                records.put_capture(tx, package_id, new, seen)
        self._press.rolled_back(tx, version, number)
        return version

    def rollback_number(self, tx: Transaction, package_id: PackageId, number: VersionNumber) -> VersionNumber:
        """The version that rolling back now would make; writes nothing. Raises what rolling back would raise."""
        _package, old, new = self._returning(tx, package_id, number)
        with self._store.session(f"rollback:{package_id}") as session:
            self._refuse_gone(old, session)
        return new

    def _returning(self, tx: Transaction, package_id: PackageId, number: VersionNumber) -> tuple[Package, Version, VersionNumber]:
        """(the package, the old version, the number of the new one)"""
        package, old = self._package(tx, package_id), records.find_version(tx, package_id, number)
        if old is None:
            raise NotFoundError("no-such-version", f"Package {package_id} has no version {number}.", "haulage package versions ID")
        newest = records.find_version(tx, package_id, package.version)
        if newest is not None and newest.manifest == old.manifest:
            raise ConflictError("already-newest", f"Version {package.version} of {package_id} has that content already.", "")
        return package, old, self._next_version(tx, package)

    def _refuse_gone(self, old: Version, session: WriteSession) -> None:
        if not self._whole(ManifestId(old.manifest), session):
            raise ConflictError(
                "version-not-held",
                f"The content of version {old.number} of {old.package} is no longer kept at {self._code}.",
                "Publish it again from a source; raise the package's keep to hold more versions.",
            )

    def _whole(self, manifest: ManifestId, session: WriteSession) -> bool:
        """Whether all of a version is still there: what was retired goes piece by piece."""
        try:
            return session.has(ChunkId(manifest)) and all(session.has(chunk) for chunk in live_chunks(manifest, self._store))
        except (NotFoundError, IntegrityError):
            return False

    def _publish(self, source: Source, report: CaptureReport) -> None:
        # Judged before the transaction: a large tree takes a second.
        seen = None if self._is_newest(source.package, report) else noted(report, NO_VERSION, self._clock.now(), self._store)
        with self._database.writing() as tx:
            current = records.find_source(tx, source.package)
            package = records.find_package(tx, source.package)
            if current is None or package is None:
                return
            newest = records.find_version(tx, package.id, package.version)
            if newest is not None and newest.manifest == report.manifest.id:
                self._press.unchanged(tx, package)
                self._done(tx, current, source, "unchanged", report)
                return
            version = _version(package.id, self._next_version(tx, package), report.manifest, report.bytes_new, self._clock)
            self._announce(tx, package, version)
            if seen is not None:
                records.put_capture(tx, package.id, version.number, dataclasses.replace(seen, of_version=version.number))
            self._press.published(tx, version, report)
            self._done(tx, current, source, "published", report)

    def _is_newest(self, package: PackageId, report: CaptureReport) -> bool:
        with self._database.reading() as tx:
            known = records.find_package(tx, package)
            newest = None if known is None else records.find_version(tx, package, known.version)
        return newest is not None and newest.manifest == report.manifest.id

    def _next_version(self, tx: Transaction, package: Package) -> VersionNumber:
        """One more, or beyond every number that may have been given and lost: a number is one content for ever."""
        newest = self._definitions.find(tx, Kind.VERSION, f"{package.id}:{package.version}") if package.version else None
        lost = estate.versions_to_leave_out(tx, int(package.id[3:], 16), newest.revision if newest is not None else 0)
        return VersionNumber(package.version + lost + 1)

    def _announce(self, tx: Transaction, package: Package, version: Version) -> None:
        """Package first, then version: the version goes where the package's newest number says."""
        records.put_version(tx, version)
        self._hold(tx, version)
        self._definitions.issue(tx, Kind.PACKAGE, package.id, package_state(package, version=version.number))
        self._definitions.issue(tx, Kind.VERSION, f"{package.id}:{version.number}", version_state(version))

    def _done(self, tx: Transaction, current: Source, asked: Source, outcome: str, report: CaptureReport) -> None:
        more = current.requested > asked.requested
        records.put_source(
            tx,
            dataclasses.replace(
                current,
                state=CaptureState.REQUESTED if more else CaptureState.IDLE,
                done=asked.requested,
                full=current.full and (more or not asked.full or current.spec != asked.spec),
                finished=self._clock.now(),
                outcome=outcome,
                report=report_record(report),
                error_code="",
                error_message="",
                error_hint="",
                error_family="",
            ),
        )

    def _fail(self, asked: Source, error: HaulageError) -> None:
        with self._database.writing() as tx:
            current = records.find_source(tx, asked.package)
            if current is None:
                return
            failed = dataclasses.replace(
                current,
                state=CaptureState.REQUESTED if current.requested > asked.requested else CaptureState.FAILED,
                done=asked.requested,
                finished=self._clock.now(),
                outcome="",
                error_code=error.code,
                error_message=error.message,
                error_hint=error.hint,
                error_family=error.family,
            )
            records.put_source(tx, failed)
            self._press.failed(tx, failed, error)

    def _options(self, source: Source) -> CaptureOptions:
        hints = None if self._hints_folder is None else os.path.join(self._hints_folder, f"{source.package}.hints")
        rules = self._rules
        return CaptureOptions(
            hints=hints,
            full=source.full,
            threads=self._threads,
            max_bytes=rules.max_bytes,
            refuse=rules.refuse,
            secrets=rules.secrets(),
        )

    def _source(self, tx: Transaction, package: PackageId) -> Source:
        source = records.find_source(tx, package)
        if source is None:
            raise NotFoundError(
                "no-source", f"Package {package} has no source at site {self._code}.", f"Publish it at its owner, {package[:3]}."
            )
        return source

    def _package(self, tx: Transaction, package: PackageId) -> Package:
        found = records.find_package(tx, package)
        if found is None:
            raise NotFoundError("no-such-package", f"There is no package {package}.", "haulage package list")
        return found


def read_policy(source: Source) -> ReadPolicy:
    """The policy a source's ``streams`` word stands for. Raises UsageError ``bad-streams``."""
    return stream_policy(source.streams, keep_special_bits=source.keep_special_bits)


def stream_policy(word: str, *, keep_special_bits: bool = False) -> ReadPolicy:
    """``keep``, ``refuse`` or ``drop:PATTERN[,PATTERN…]``."""
    if word in ("keep", "refuse"):
        return ReadPolicy(streams=StreamAction(word), keep_special_bits=keep_special_bits)
    action, _colon, patterns = word.partition(":")
    wanted = tuple(pattern for pattern in patterns.split(",") if pattern)
    if action != "drop" or not wanted:
        raise UsageError("bad-streams", f"{word!r} is not a stream policy.", "Use keep, refuse, or drop:PATTERN.")
    return ReadPolicy(streams=StreamAction.DROP, drop_patterns=wanted, keep_special_bits=keep_special_bits)


def package_state(package: Package, *, version: VersionNumber | None = None) -> PackageState:
    """The wire state of a package."""
    return PackageState(
        name=package.name,
        version=package.version if version is None else version,
        assignments=tuple(sorted(set(package.assignments))),
        groups=package.groups,
        direct=package.named,
        keep=package.keep,
        streams=package.streams,
    )


def version_state(version: Version) -> VersionState:
    """The wire state of a version: the statement that makes its manifest authentic."""
    return VersionState(
        package=version.package,
        version=version.number,
        manifest=version.manifest.hex(),
        sha256=version.sha256,
        files=version.files,
        folders=version.folders,
        symlinks=version.symlinks,
        streams=version.streams,
        bytes=version.bytes,
        captured=iso(version.captured),
    )


def _version(package: PackageId, number: VersionNumber, manifest: ManifestRef, new_bytes: int, clock: Clock) -> Version:
    totals = manifest.totals
    return Version(
        package=package,
        number=number,
        manifest=manifest.id,
        sha256=manifest.sha256.hex(),
        files=totals.files,
        folders=totals.folders,
        symlinks=totals.symlinks,
        streams=totals.streams,
        bytes=totals.bytes_total,
        new_bytes=new_bytes,
        captured=clock.now(),
    )


def report_record(report: CaptureReport) -> dict[str, object]:
    """A capture report as it is kept and shown."""
    return {
        "bytes_total": report.bytes_total,
        "bytes_new": report.bytes_new,
        "bytes_read": report.bytes_read,
        "files_read": report.files_read,
        "files_skipped": report.files_skipped,
        "streams": report.streams,
        "dropped": len(report.dropped),
        "dropped_names": [
            {"path": _shown(item.path), "what": item.what, "detail": item.detail} for item in report.dropped[:LISTED]
        ],
        "warnings": len(report.warnings) + report.warnings_more,
        "warned_names": [{"path": _shown(item.path), "kind": item.kind.value} for item in report.warnings[:LISTED]],
    }


def _shown(path: bytes) -> str:
    return shown_bytes(path)
