"""The one place that writes shipments: every change gets an observation number, is told to the parent, and wakes the work it makes
due. Writing a row touches that row's place and nothing else (I25)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from haulage.base.clock import Clock
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, make_place
from haulage.domain.estate import records as estate
from haulage.domain.transit import hourly, records
from haulage.domain.transit.shipment import Shipment, arm, lost, obeying, wake
from haulage.domain.transit.states import ShipmentState
from haulage.engine.database.transaction import Database, Transaction


class Ledger:
    """The shipments of this site."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        clock: Clock,
        tell_parent: Callable[[Transaction, str], None],
        wake_jobs: Callable[[], None],
    ) -> None:
        self._code = code
        self._database = database
        self._clock = clock
        self._tell_parent = tell_parent
        self._wake_jobs = wake_jobs

    def save(self, tx: Transaction, shipment: Shipment) -> Shipment:
        """Write one of this site's shipments; nothing happens if it stands there just so. One that somebody stopped stays stopped,
        whatever comes of the work that was under way."""
        shipment = obeying(shipment)
        before = records.find_shipment(tx, shipment.package, shipment.place)
        if before == shipment:
            return shipment
        hourly.count(tx, before, shipment, self._clock.now())
        observed = dataclasses.replace(
            shipment, epoch=estate.epoch(tx), observation=estate.next_number(tx, "observation"), updated=self._clock.now()
        )
        records.put_shipment(tx, observed)
        self._tell_parent(tx, f"{shipment.package}/{shipment.place}")
        # A new due time is told even when it lies ahead: whoever waits for due times must not sleep past it.
        if observed.due is not None and (before is None or (before.due, before.run) != (observed.due, observed.run)):
            self._database.after_commit(tx, self._wake_jobs)
        return observed

    def restate(self, tx: Transaction) -> None:
        """The epoch has risen: every shipment of this site is observed anew, so that nobody takes the old for newer (I16)."""
        epoch = estate.epoch(tx)
        for row in records.list_shipments(tx, owner=self._code):
            records.put_shipment(tx, dataclasses.replace(row, epoch=epoch, observation=estate.next_number(tx, "observation")))
            self._tell_parent(tx, f"{row.package}/{row.place}")

    def arm(self, tx: Transaction, package: PackageId, where: Place, wanted: VersionNumber) -> None:
        """Point a place at the wanted version; 0 takes the package away from it. Told twice it does nothing."""
        now = self._clock.now()
        before = records.find_shipment(tx, package, where)
        if before is None:
            if wanted == NO_VERSION:
                return
            before = Shipment(package=package, place=where, owner=self._code, updated=now, state=ShipmentState.REMOVED)
        after = arm(before, wanted, now)
        if after is not before:
            self.save(tx, after)

    def announce(self, tx: Transaction, package: PackageId, wanted: Mapping[Place, VersionNumber]) -> None:
        """What the definitions want at places of sites below; whoever has not said that it knows so is shown to be awaited."""
        records.announce(tx, package, wanted, self._clock.now())

    def lose(self, tx: Transaction, packages: Iterable[PackageId]) -> None:
        """This site's own store does not hold these (any more): they are fetched again."""
        for package in packages:
            before = records.find_shipment(tx, package, make_place(self._code))
            if before is not None:
                self.save(tx, lost(before, self._clock.now()))

    def look_again(self, tx: Transaction) -> None:
        """After a restore: what the points of this site show may be newer than what is remembered."""
        for before in records.list_shipments(tx, owner=self._code):
            if before.kind == "point" and before.wanted:
                self.save(tx, dataclasses.replace(before, due=self._clock.now()))

    def wake(self, tx: Transaction, package: PackageId, places: Iterable[Place]) -> None:
        """What these places waited for is there now."""
        for where in places:
            before = records.find_shipment(tx, package, where)
            if before is not None and before.owner == self._code:
                after = wake(before, self._clock.now())
                if after.due != before.due:
                    self.save(tx, after)
                elif after is not before:
                    # Nothing anybody above needs to hear of.
                    records.put_shipment(tx, after)
