"""Notices from parent to child: a version is here now, whoever waits may ask. A hint; without it the child looks by itself."""

from __future__ import annotations

from haulage.base.ids import PackageId, SiteCode, VersionNumber, make_place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.catalog.rules import children_for
from haulage.domain.replication.streams import Streams
from haulage.domain.transit import records
from haulage.domain.transit.ledger import Ledger
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import AvailableNotice, Message, MessageKind, body_of


class Notices:
    """Tells the children that wait, and wakes this site's own shipment."""

    def __init__(self, code: SiteCode, *, streams: Streams, ledger: Ledger) -> None:
        self._code = code
        self._streams = streams
        self._ledger = ledger

    def announce(self, tx: Transaction, version: Version) -> None:
        """A version is in this site's store: tell the children that need it."""
        package = catalog.find_package(tx, version.package)
        if package is not None and package.version == version.number:
            needing = children_for(tx, self._code, package.assignments)
            self._streams.mark_all(tx, sorted(needing), MessageKind.AVAILABLE, f"{version.package}:{version.number}")

    def render(self, tx: Transaction, _peer: SiteCode, key: str, _sequence: int) -> bytes | None:
        """The notice of one version; None if it is not held any more."""
        package, _colon, number = key.partition(":")
        held = records.held_versions(tx, PackageId(package)).get(VersionNumber(int(number)))
        if held is None:
            return None
        return encode(AvailableNotice(package=PackageId(package), version=VersionNumber(int(number)), manifest=held.hex()))

    def take(self, tx: Transaction, _peer: SiteCode, message: Message) -> None:
        """The parent holds a version: this site's shipment need not wait."""
        notice = body_of(message, AvailableNotice)
        self._ledger.wake(tx, PackageId(notice.package), [make_place(self._code)])

    def snapshot(self, tx: Transaction, peer: SiteCode) -> list[tuple[str, str]]:
        """What a child that knows nothing may ask for."""
        out: list[tuple[str, str]] = []
        for package in catalog.list_packages(tx):
            if peer in children_for(tx, self._code, package.assignments) and package.version in records.held_versions(
                tx, package.id
            ):
                out.append((MessageKind.AVAILABLE, f"{package.id}:{package.version}"))
        return out
