"""From definitions to duties: which shipments this site has, given the packages, assignments, sites and points it knows."""

from __future__ import annotations

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, is_point
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.transit import records
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.route import expected_places, wanted_places
from haulage.engine.database.transaction import Transaction


class Duties:
    """Brings this site's shipments in line with the definitions; running it twice is harmless."""

    def __init__(self, code: SiteCode, ledger: Ledger) -> None:
        self._code = code
        self._ledger = ledger

    def refresh(self, tx: Transaction, package_id: PackageId) -> None:
        """After a change of one package, or of one of its versions: only shipments of this package are touched."""
        package = catalog.find_package(tx, package_id)
        wanted: set[Place] = set()
        below: set[Place] = set()
        if package is not None and package.version != NO_VERSION:
            points, tree = (
                estate.known_points(tx, [where for where in package.assignments if is_point(where)]),
                estate.hierarchy(tx),
            )
            wanted = wanted_places(package_id, package.assignments, self._code, tree, points)
            expected = expected_places(package_id, package.assignments, tree, points)
            below = {where for where in expected if where[:3] != self._code and tree.holds_place(where, self._code)}
        known = {row.place for row in records.list_shipments(tx, package=package_id, owner=self._code)}
        for where in sorted(wanted | known):
            version = package.version if package is not None and where in wanted else NO_VERSION
            self._ledger.arm(tx, package_id, where, version)
        self._ledger.wake(tx, package_id, sorted(wanted))
        self._ledger.announce(tx, package_id, dict.fromkeys(below, package.version) if package is not None else {})

    def refresh_place(self, tx: Transaction, where: Place) -> None:
        """After a change of one point here or below: the packages assigned to it."""
        for package in catalog.list_packages(tx):
            if where in package.assignments or records.find_shipment(tx, package.id, where) is not None:
                self.refresh(tx, package.id)

    def refresh_site(self, tx: Transaction, code: SiteCode) -> None:
        """After a site came or went: the packages assigned at it."""
        for package in catalog.list_packages(tx):
            if any(where[:3] == code for where in package.assignments):
                self.refresh(tx, package.id)
