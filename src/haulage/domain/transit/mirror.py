"""What sites below report of their shipments: a read-only mirror, ordered by the owner's (epoch, observation), never by value."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from haulage.base.clock import iso, parse_iso
from haulage.base.errors import NotAllowedError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, site_of
from haulage.domain.estate import records as estate
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind, ShipmentReport, body_of

TellParent = Callable[[Transaction, str], None]


class Mirror:
    """Renders this site's shipments and those below for the parent, and takes in what children report."""

    def __init__(self, code: SiteCode, tell_parent: TellParent) -> None:
        self._code = code
        self._tell_parent = tell_parent

    def render(self, tx: Transaction, _peer: SiteCode, key: str, _sequence: int) -> bytes | None:
        """The report of one shipment (key: ``PACKAGE/PLACE``) as it is now."""
        package, _slash, where = key.partition("/")
        shipment = records.find_shipment(tx, PackageId(package), Place(where))
        return None if shipment is None else encode(report_of(shipment))

    def take(self, tx: Transaction, peer: SiteCode, message: Message) -> None:
        """A child's report. Late and repeated ones have no effect (Q318834)."""
        report = body_of(message, ShipmentReport)
        where = Place(report.place)
        if site_of(where) != report.owner or not estate.hierarchy(tx).is_within(SiteCode(report.owner), peer):
            raise NotAllowedError(
                "out-of-scope",
                f"Site {peer} reported about {report.place}, which is not below it.",
                f"It was refused; look at site {peer}.",
            )
        owner = estate.find_site(tx, SiteCode(report.owner))
        newest = records.newest_epoch(tx, SiteCode(report.owner))
        if owner is None or report.epoch < max(newest, owner.first_epoch):
            return
        if report.epoch > newest:
            # The owner was restored or replaced, and says everything again: what it said before counts no more (I16).
            records.remove_shipments(tx, SiteCode(report.owner))
        before = records.find_shipment(tx, PackageId(report.package), where)
        if before is not None and before.observation >= report.observation:
            return
        records.put_shipment(tx, shipment_of(report))
        self._tell_parent(tx, f"{report.package}/{report.place}")

    def void(self, tx: Transaction, owner: SiteCode, epoch: int) -> None:
        """A neighbour was restored. Rows it has not said again in its new epoch are of a time it does not remember."""
        for row in records.list_shipments(tx, owner=owner):
            if row.epoch < epoch and owner != self._code:
                gone = dataclasses.replace(
                    row, wanted=NO_VERSION, present=NO_VERSION, state=ShipmentState.REMOVED, reason=Reason.NONE, tries=0, due=None
                )
                records.put_shipment(tx, dataclasses.replace(gone, epoch=epoch, observation=0))
                self._tell_parent(tx, f"{row.package}/{row.place}")

    def snapshot(self, tx: Transaction) -> list[tuple[str, str]]:
        """Every shipment, for a parent that knows nothing."""
        return [(MessageKind.SHIPMENT, f"{row.package}/{row.place}") for row in records.list_shipments(tx)]


def report_of(shipment: Shipment) -> ShipmentReport:
    """The wire form of a shipment."""
    return ShipmentReport(
        package=shipment.package,
        place=shipment.place,
        kind=shipment.kind,
        owner=shipment.owner,
        epoch=shipment.epoch,
        observation=shipment.observation,
        wanted=shipment.wanted,
        present=shipment.present,
        state=shipment.state.value,
        reason=shipment.reason.value,
        generation=shipment.generation,
        tries=shipment.tries,
        due=None if shipment.due is None else iso(shipment.due),
        bytes_planned=shipment.bytes_planned,
        bytes_done=shipment.bytes_done,
        bytes_total=shipment.bytes_total,
        bytes_reused=shipment.bytes_reused,
        bytes_new=shipment.bytes_new,
        bytes_wire=shipment.bytes_wire,
        error_code=shipment.error_code,
        error_message=shipment.error_message[:4000],
        error_hint=shipment.error_hint[:4000],
        error_family=shipment.error_family,
        updated=iso(shipment.updated),
        verified=None if shipment.verified is None else iso(shipment.verified),
        removed=shipment.wanted == NO_VERSION and shipment.state is ShipmentState.REMOVED,
    )


def shipment_of(report: ShipmentReport) -> Shipment:
    """A mirrored shipment. Raises ValueError for states this version does not know."""
    return Shipment(
        package=PackageId(report.package),
        place=Place(report.place),
        owner=SiteCode(report.owner),
        wanted=report.wanted,
        present=report.present,
        state=ShipmentState(report.state),
        reason=Reason(report.reason),
        generation=report.generation,
        tries=report.tries,
        due=None if report.due is None else parse_iso(report.due),
        error_code=report.error_code,
        error_message=report.error_message,
        error_hint=report.error_hint,
        error_family=report.error_family,
        bytes_planned=report.bytes_planned,
        bytes_done=report.bytes_done,
        bytes_total=report.bytes_total,
        bytes_reused=report.bytes_reused,
        bytes_new=report.bytes_new,
        bytes_wire=report.bytes_wire,
        updated=parse_iso(report.updated),
        verified=None if report.verified is None else parse_iso(report.verified),
        epoch=report.epoch,
        observation=report.observation,
    )
