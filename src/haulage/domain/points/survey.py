"""Looking now and then what really lies at a point of this site. A site put back to an older state, and a folder somebody meddled
with, agree with no table; what the tables do not explain is taken away, put again, or named. Must not write to a point."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Callable
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.points.backend import PointBackend
from haulage.domain.transit import records
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.engine.database.transaction import Database, Transaction

AFTER_SECONDS = 3600.0
"""After its start a site first hears from its neighbours: what seems to be nobody's may be somebody's by then."""

IsDeleted = Callable[[Transaction, PackageId], bool]


class Herald(Protocol):
    """What a survey has to tell a manager."""

    def foreign(self, tx: Transaction, where: Place, package: PackageId) -> None:
        """Something lies there as if it were a package, of which nothing is known here."""
        ...


class Survey:
    """Plans and does the surveys of this site's points: once in the life of a server, and once for a point that becomes known. What
    is planned is not kept: the next start plans all of them."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        open_point: Callable[[Point], PointBackend],
        is_deleted: IsDeleted,
        herald: Herald,
        after_seconds: float = AFTER_SECONDS,
    ) -> None:
        self._code = code
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._open_point = open_point
        self._is_deleted = is_deleted
        self._herald = herald
        self._after_seconds = after_seconds
        self._lock = threading.Lock()
        self._planned: dict[Place, dt.datetime] = {}

    def plan_all(self) -> None:
        """Every point of this site; called when a server starts."""
        with self._database.reading() as tx:
            places = [point.place for point in estate.list_points(tx, self._code)]
        for where in places:
            self.plan(where)

    def plan(self, where: Place) -> None:
        """Look at one point a while from now."""
        with self._lock:
            self._planned[where] = self._clock.now() + dt.timedelta(seconds=self._after_seconds)

    def due(self, now: dt.datetime) -> list[tuple[Place, dt.datetime]]:
        """Points to be looked at now, each with the time it was planned for."""
        with self._lock:
            return sorted((where, when) for where, when in self._planned.items() if when <= now)

    def next_due(self) -> dt.datetime | None:
        """When the next one is due."""
        with self._lock:
            return min(self._planned.values(), default=None)

    def run(self, where: Place) -> None:
        """Look at one point. One that cannot be read now is looked at again later."""
        with self._lock:
            when = self._planned.pop(where, None)
        if when is None:
            return
        with self._database.reading() as tx:
            point = estate.find_point(tx, where)
        if point is None:
            return
        try:
            backend = self._open_point(point)
            backend.probe()
            shown = {package: backend.current(package) for package in backend.packages()}
        except HaulageError:
            # The work at the point itself says what is wrong with it.
            self.plan(where)
            return
        with self._database.writing() as tx:
            rows = {row.package: row for row in records.list_shipments(tx, owner=self._code) if row.place == where}
            for package in shown.keys() - rows.keys():
                self._stray(tx, where, package)
            for row in rows.values():
                wrong = shown.get(row.package, NO_VERSION) != row.present
                if row.settled and (wrong or (row.wanted == NO_VERSION and row.package in shown)):
                    self._look_again(tx, row)

    def _stray(self, tx: Transaction, where: Place, package: PackageId) -> None:
        """Of a package that is known not to belong there every trace goes; of an unknown one nobody can say."""
        if catalog.find_package(tx, package) is None and not self._is_deleted(tx, package):
            self._herald.foreign(tx, where, package)
            return
        now = self._clock.now()
        row = Shipment(package=package, place=where, owner=self._code, updated=now, state=ShipmentState.REMOVED)
        self._ledger.save(tx, row.moved(ShipmentState.REMOVING, now, due=now))

    def _look_again(self, tx: Transaction, row: Shipment) -> None:
        now = self._clock.now()
        if row.wanted == NO_VERSION:
            self._ledger.save(tx, row.moved(ShipmentState.REMOVING, now, due=now, generation=row.generation + 1))
        else:
            self._ledger.save(tx, dataclasses.replace(row, due=now))
