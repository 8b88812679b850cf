"""What sites below report of their shipments: a read-only mirror, ordered by the owner's (epoch, observation), never by value."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable

from haulage.base.clock import Clock, iso, parse_iso
from haulage.base.errors import NotAllowedError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, site_of
from haulage.domain.estate import records as estate
from haulage.domain.transit import asked, hourly, records
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind, ShipmentReport, body_of
from haulage.engine.protocol.fields import NAME_MAX

TellParent = Callable[[Transaction, str], None]


class Mirror:
    """Renders this site's shipments and those below for the parent, and takes in what children report."""

    def __init__(self, code: SiteCode, tell_parent: TellParent, clock: Clock) -> None:
        self._code = code
        self._clock = clock
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
            records.unsay_shipments(tx, SiteCode(report.owner))
        before = records.find_shipment(tx, PackageId(report.package), where)
        if before is not None and before.observation >= report.observation:
            return
        after = shipment_of(report)
        if before is not None or report.epoch == owner.first_epoch:
            # One that was restored says again what was counted when it said it first.
            hourly.count(tx, before, after, min(after.updated, self._clock.now()))
        records.put_shipment(tx, after)
        asked.answered(tx, after)
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
        due=_iso(shipment.due),
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
        verified=_iso(shipment.verified),
        word=shipment.word.value,
        word_by=shipment.word_by[:NAME_MAX],
        word_time=_iso(shipment.word_time),
        armed=_iso(shipment.armed),
        expected=_iso(shipment.expected),
        rate=shipment.rate,
        wire_ever=shipment.wire_ever,
        reused_ever=shipment.reused_ever,
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
        due=_moment(report.due),
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
        verified=_moment(report.verified),
        word=Word(report.word),
        word_by=report.word_by,
        word_time=_moment(report.word_time),
        armed=_moment(report.armed),
        expected=_moment(report.expected),
        rate=report.rate,
        wire_ever=report.wire_ever,
        reused_ever=report.reused_ever,
        epoch=report.epoch,
        observation=report.observation,
    )


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else parse_iso(text)
