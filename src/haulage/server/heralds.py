"""What the domain's rooms have to tell, said as numbered status messages in the caller's transaction. The only place that pairs the
two; must not decide anything."""

from __future__ import annotations

from haulage.base.clock import iso
from haulage.base.errors import HaulageError, IntegrityError, NotAllowedError, Remedy
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package, Source, Version
from haulage.domain.estate import records as estate
from haulage.domain.replication import records as replication
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.content.capture_report import CaptureReport
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.restore import RestoreReport
from haulage.engine.database.transaction import Transaction
from haulage.engine.parcels.receive import ReceiveReport
from haulage.engine.protocol.asks import Offer
from haulage.engine.protocol.definitions import Definition, Kind, OrderState, OrderTarget
from haulage.engine.protocol.envelopes import Message, MessageKind
from haulage.engine.status import on_packages, on_places, on_sites, on_transfers
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Message as StatusMessage
from haulage.engine.trees.model import TreeDifference


class PressHerald:
    """Captures and publications."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def started(self, tx: Transaction, source: Source) -> None:
        self._journal.record(tx, on_packages.CAPTURE_STARTED, package=source.package, source=source.spec)

    def published(self, tx: Transaction, version: Version, report: CaptureReport) -> None:
        self._journal.record(
            tx,
            on_packages.VERSION_PUBLISHED,
            package=version.package,
            version=version.number,
            files=version.files,
            streams=version.streams,
            bytes=version.bytes,
            new_bytes=version.new_bytes,
        )
        for message, words in ((on_packages.STREAMS_DROPPED, ("stream",)), (on_packages.SPECIAL_BITS_DROPPED, ("mode-bits",))):
            left_out = [item for item in report.dropped if item.what in words]
            if left_out:
                first = f"{shown(left_out[0].path)} {left_out[0].detail}".strip()
                self._journal.record(tx, message, package=version.package, version=version.number, count=len(left_out), first=first)
        if report.tries > 1:
            self._journal.record(
                tx, on_packages.CAPTURE_RETRIED, package=version.package, version=version.number, tries=report.tries
            )
        if report.warnings:
            self._journal.record(
                tx,
                on_packages.SUSPICIOUS_NAMES,
                package=version.package,
                version=version.number,
                count=len(report.warnings) + report.warnings_more,
                first=f"{shown(report.warnings[0].path)} ({report.warnings[0].kind.value})",
            )

    def unchanged(self, tx: Transaction, package: Package) -> None:
        self._journal.record(tx, on_packages.UNCHANGED, package=package.id, version=package.version)

    def failed(self, tx: Transaction, source: Source, error: HaulageError) -> None:
        if error.code == "source-overlaps":
            self._journal.record(tx, on_packages.SOURCE_OVERLAP, package=source.package, source=source.spec, other=error.message)
        self._journal.record(
            tx,
            on_packages.CAPTURE_FAILED,
            package=source.package,
            cause=error.message,
            code=error.code,
            path=error.facts.get("path", source.spec),
            stream=error.facts.get("stream") or "none",
        )

    def rolled_back(self, tx: Transaction, version: Version, old: VersionNumber) -> None:
        self._journal.record(tx, on_packages.VERSION_ROLLED_BACK, package=version.package, version=version.number, old=old)


class SiteHerald:
    """Transfers into this site's store."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def started(self, tx: Transaction, shipment: Shipment, offer: Offer) -> None:
        self._journal.record(
            tx,
            on_places.TRANSFER_STARTED,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            parent=offer.sender,
            bytes_total=offer.bytes_total,
            bytes_new=offer.bytes_new,
        )

    def resumed(self, tx: Transaction, shipment: Shipment, offer: Offer) -> None:
        self._journal.record(
            tx,
            on_places.TRANSFER_RESUMED,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            bytes_done=shipment.bytes_done,
            bytes_planned=offer.size,
        )

    def superseded(self, tx: Transaction, before: Shipment, now: Shipment) -> None:
        """Of a withdrawn package its removal tells."""
        if before.wanted not in (now.wanted, NO_VERSION) and now.wanted != NO_VERSION:
            self._journal.record(
                tx,
                on_places.TRANSFER_SUPERSEDED,
                package=now.package,
                place=now.place,
                version=before.wanted,
                newer=now.wanted,
            )

    def finished(self, tx: Transaction, shipment: Shipment, report: ReceiveReport | None) -> None:
        if report is not None:
            self._journal.record(
                tx,
                on_places.TRANSFER_FINISHED,
                package=shipment.package,
                place=shipment.place,
                version=shipment.wanted,
                bytes_total=shipment.bytes_total,
                bytes_reused=shipment.bytes_reused,
                bytes_wire=shipment.bytes_wire,
            )
        self._journal.record(tx, on_places.PRESENT_AT_SITE, package=shipment.package, place=shipment.place, version=shipment.wanted)

    def waiting(self, tx: Transaction, shipment: Shipment, reason: Reason) -> None:
        self._journal.record(
            tx,
            on_places.CONTENT_WAITING,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            reason=reason.value,
        )

    def no_space(self, tx: Transaction, shipment: Shipment, needed: int, free: int) -> None:
        self._journal.record(
            tx,
            on_places.SPACE_MISSING,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            bytes_needed=needed,
            bytes_free=free,
        )

    def verified(self, tx: Transaction, shipment: Shipment) -> None:
        _say_verified(self._journal, tx, shipment)

    def removed(self, tx: Transaction, shipment: Shipment) -> None:
        self._journal.record(tx, on_places.REMOVED_FROM_SITE, package=shipment.package, place=shipment.place)


class PointHerald:
    """What happens at distribution points."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def foreign(self, tx: Transaction, where: Place, package: PackageId) -> None:
        self._journal.record(tx, on_places.FOREIGN_CONTENT, place=where, path=package)

    def started(self, tx: Transaction, shipment: Shipment) -> None:
        self._journal.record(
            tx, on_places.POINT_UPDATE_STARTED, package=shipment.package, place=shipment.place, version=shipment.wanted
        )

    def present(self, tx: Transaction, shipment: Shipment, report: RestoreReport) -> None:
        version = catalog.find_version(tx, shipment.package, shipment.wanted)
        self._journal.record(
            tx,
            on_places.PRESENT_AT_POINT,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            files=version.files if version else report.entries,
            streams=version.streams if version else 0,
            bytes=report.bytes_total,
        )

    def sidecar_used(self, tx: Transaction, shipment: Shipment, report: RestoreReport) -> None:
        first = report.omissions[0]
        self._journal.record(
            tx,
            on_places.SIDECAR_USED,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            count=len(report.omissions),
            first=f"{shown(first.path)}: {first.what} {first.detail}".strip(),
        )

    def verified(self, tx: Transaction, shipment: Shipment) -> None:
        _say_verified(self._journal, tx, shipment)

    def damaged(self, tx: Transaction, shipment: Shipment, differences: list[TreeDifference]) -> None:
        first = differences[0]
        self._journal.record(
            tx,
            on_places.VERIFY_FAILED,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            count=len(differences),
            first=f"{first.what} of {shown(first.path)}",
        )

    def repaired(self, tx: Transaction, shipment: Shipment, differences: list[TreeDifference]) -> None:
        self._journal.record(
            tx,
            on_places.POINT_REPAIRED,
            package=shipment.package,
            place=shipment.place,
            version=shipment.wanted,
            count=len(differences),
        )

    def removing(self, tx: Transaction, shipment: Shipment) -> None:
        self._journal.record(tx, on_places.REMOVAL_STARTED, package=shipment.package, place=shipment.place)

    def removed(self, tx: Transaction, shipment: Shipment) -> None:
        self._journal.record(tx, on_places.REMOVED_FROM_PLACE, package=shipment.package, place=shipment.place)


class FailureHerald:
    """Attempts that failed."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def failed(self, tx: Transaction, shipment: Shipment, error: HaulageError) -> None:
        """One failed attempt; the shipment is as it stands after it."""
        if shipment.wanted == NO_VERSION:
            self._say(tx, on_places.REMOVAL_FAILED, shipment, cause=error.message, code=error.code, tries=shipment.tries)
            return
        facts: dict[str, str | int] = {"cause": error.message, "code": error.code, "version": shipment.wanted}
        if shipment.reason is Reason.PERSON:
            point = shipment.kind == "point"
            message = on_places.POINT_WAITS_FOR_PERSON if point else on_places.TRANSFER_WAITS_FOR_PERSON
            self._say(tx, message, shipment, **facts)
            return
        self._say(tx, _failure(shipment, error), shipment, **facts, tries=shipment.tries)
        if isinstance(error, IntegrityError) and error.remedy is Remedy.RETRY and shipment.kind == "site":
            self._say(tx, on_places.BATCH_DAMAGED, shipment, cause=error.message, version=shipment.wanted)
        if shipment.state is ShipmentState.RETRYING and shipment.due is not None and shipment.kind == "point":
            planned: dict[str, str | int] = {"version": shipment.wanted, "tries": shipment.tries, "due": iso(shipment.due)}
            self._say(tx, on_places.POINT_RETRY_PLANNED, shipment, **planned)

    def _say(self, tx: Transaction, message: StatusMessage, shipment: Shipment, **fields: str | int) -> None:
        self._journal.record(tx, message, package=shipment.package, place=shipment.place, **fields)


_STOPPED = {
    Word.HELD: on_transfers.TRANSFER_HELD,
    Word.CANCELLED: on_transfers.TRANSFER_CANCELLED,
    Word.NONE: on_transfers.TRANSFER_RELEASED,
}


def _failure(shipment: Shipment, error: HaulageError) -> StatusMessage:
    if shipment.kind == "point":
        return on_packages.POINT_COPY_FAILED
    if isinstance(error, IntegrityError):
        return on_packages.UNPACK_FAILED
    return on_places.SIGNATURE_REFUSED if isinstance(error, NotAllowedError) else on_places.TRANSFER_FAILED


class StreamHerald:
    """Streams, definitions, orders and joining."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def message_refused(self, tx: Transaction, peer: SiteCode, message: Message, error: HaulageError) -> None:
        if message.kind == MessageKind.DEFINITION:
            kind, _slash, about = message.key.partition("/")
            if error.code == "format-too-new":
                self._journal.record(tx, on_sites.DEFINITION_FROM_NEWER, kind=kind, object=about, other=peer, cause=error.message)
                return
            self._journal.record(
                tx, on_sites.DEFINITION_REFUSED, kind=kind, object=about, other=peer, cause=error.message, code=error.code
            )
            return
        self._journal.record(
            tx,
            on_sites.ENVELOPE_REFUSED,
            other=peer,
            cause=f"{message.kind} {message.key}: {error.message}",
            code=error.code,
        )

    def gap(self, tx: Transaction, peer: SiteCode, first: int, last: int) -> None:
        self._journal.record(tx, on_sites.GAP_FOUND, other=peer, first=first, last=last)

    def acknowledged(self, tx: Transaction, peer: SiteCode, after: int, through: int) -> None:
        """Of packages a manager wants to know which children have heard."""
        me = estate.read_identity(tx)
        if me is None or me.parent == peer:
            return
        for package, revision in replication.told_between(tx, peer, Kind.PACKAGE, after, through):
            self._journal.record(tx, on_packages.CHILD_TOLD, package=PackageId(package), child=peer, revision=revision)

    def resynced(self, tx: Transaction, peer: SiteCode, why: str) -> None:
        self._journal.record(tx, on_sites.RESYNC_STARTED, other=peer, cause=why)

    def epoch_raised(self, tx: Transaction, epoch: int, peer: SiteCode) -> None:
        cause = f"site {peer} remembers more of this site than it does itself"
        self._journal.record(tx, on_sites.EPOCH_RAISED, new_epoch=epoch, cause=cause)

    def runs_twice(self, tx: Transaction, peer: SiteCode, rises: int) -> None:
        self._journal.record(tx, on_sites.SITE_RUNS_TWICE, other=peer, rises=rises)

    def equivocation(self, tx: Transaction, definition: Definition) -> None:
        self._journal.record(
            tx,
            on_sites.EQUIVOCATING_DEFINITION,
            owner=definition.owner,
            kind=definition.kind,
            object=definition.id,
            revision=definition.revision,
        )

    def joined(self, tx: Transaction, code: SiteCode, parent: SiteCode) -> None:
        self._journal.record(tx, on_sites.SITE_JOINED, child=code, parent=parent)

    def left(self, tx: Transaction, code: SiteCode) -> None:
        """A site was removed from the hierarchy."""
        self._journal.record(tx, on_sites.SITE_REMOVED, child=code)

    def executed(self, tx: Transaction, definition: Definition, state: OrderState) -> None:
        first, many = state.targets[0], len(state.targets) > 1
        about = f"{state.action} {len(state.targets)} transfers" if many else f"{state.action} {first.package} at {first.place}"
        self._journal.record(
            tx,
            on_sites.ORDER_EXECUTED,
            package=None if many else first.package,
            place=None if many else first.place,
            order=definition.id,
            sender=definition.owner,
            object=about,
        )

    def refused(self, tx: Transaction, definition: Definition, state: OrderState, target: OrderTarget, cause: str) -> None:
        self._journal.record(
            tx,
            on_sites.ORDER_REFUSED,
            package=target.package,
            place=target.place,
            order=definition.id,
            sender=definition.owner,
            object=f"{state.action} {target.package} at {target.place}",
            cause=cause,
            code="order-refused",
        )

    def stopped(self, tx: Transaction, before: Shipment, after: Shipment) -> None:
        """A transfer was held, cancelled, or released from either."""
        message, more = _STOPPED[after.word], {}
        if after.word is Word.HELD:
            more = {"bytes_done": after.bytes_done, "bytes_planned": after.bytes_planned}
        self._journal.record(tx, message, package=after.package, place=after.place, version=before.wanted, by=after.word_by, **more)


def _say_verified(journal: Journal, tx: Transaction, shipment: Shipment) -> None:
    version = catalog.find_version(tx, shipment.package, shipment.wanted)
    journal.record(
        tx,
        on_places.VERIFY_SUCCEEDED,
        package=shipment.package,
        place=shipment.place,
        version=shipment.wanted,
        files=version.files if version else 0,
        streams=version.streams if version else 0,
        bytes=version.bytes if version else 0,
    )
