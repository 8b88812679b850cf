"""Status messages on their way up: rendered from this site's journal, taken into the parent's. Each is told once and kept once."""

from __future__ import annotations

from haulage.base.clock import iso, parse_iso
from haulage.base.errors import NotAllowedError
from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.estate import records as estate
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import Message, MessageKind, StatusReport, body_of
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import MessageType, Severity, StatusFilter, StatusRecord

TEXT_CHARACTERS = 4000
"""A field longer than the wire allows is cut; the whole text stays at the site that said it."""
RETOLD = 1000
"""Newest messages told again to a parent that has lost everything."""


class StatusRelay:
    """Carries the journal upwards."""

    def __init__(self, code: SiteCode, journal: Journal) -> None:
        self._code = code
        self._journal = journal

    def render(self, tx: Transaction, _peer: SiteCode, key: str, _sequence: int) -> bytes | None:
        """One message of the journal (key: its local id); None if it has expired."""
        listed = self._journal.get(tx, int(key))
        return None if listed is None else encode(report_of(listed.record))

    def take(self, tx: Transaction, peer: SiteCode, message: Message) -> None:
        """A message of a child's journal; one it has no business relaying is refused (B79)."""
        report = body_of(message, StatusReport)
        if not estate.hierarchy(tx).is_within(SiteCode(report.site), peer):
            raise NotAllowedError("out-of-scope", f"Site {peer} brought a message of {report.site}, which is not below it.", "")
        self._journal.take(tx, record_of(report))

    def snapshot(self, tx: Transaction) -> list[tuple[str, str]]:
        """The newest messages, for a parent that knows nothing."""
        newest = self._journal.find(tx, StatusFilter(), limit=RETOLD, newest=True)
        return [(MessageKind.STATUS, str(listed.id)) for listed in newest]


def report_of(record: StatusRecord) -> StatusReport:
    """The wire form of a status message."""
    return StatusReport(
        site=record.site,
        epoch=record.epoch,
        sequence=record.sequence,
        number=record.number,
        severity=record.severity.value,
        type=record.type.value,
        component=record.component,
        package=record.package,
        place=record.place,
        time=iso(record.time),
        fields={name: str(value)[:TEXT_CHARACTERS] for name, value in record.fields.items()},
    )


def record_of(report: StatusReport) -> StatusRecord:
    """A status message from the wire. Raises ValueError for a severity or type this version does not know."""
    return StatusRecord(
        site=SiteCode(report.site),
        epoch=report.epoch,
        sequence=report.sequence,
        number=report.number,
        severity=Severity(report.severity),
        type=MessageType(report.type),
        component=report.component,
        package=None if report.package is None else PackageId(report.package),
        place=None if report.place is None else Place(report.place),
        time=parse_iso(report.time),
        fields=dict(report.fields),
    )
