"""A site leaves: everything that was owed to it, known of it or owned by it goes in the same transaction (Q215130, Q212937)."""

from __future__ import annotations

from collections.abc import Callable

from haulage.base.ids import PackageId, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.replication import records as replication
from haulage.domain.transit import records
from haulage.domain.transit.duties import Duties
from haulage.engine.database.transaction import Transaction


class Departure:
    """Takes a removed site out of this server's tables."""

    def __init__(self, duties: Duties, forget_claim: Callable[[Transaction, SiteCode], None]) -> None:
        self._duties = duties
        self._forget_claim = forget_claim

    def leave(self, tx: Transaction, code: SiteCode) -> None:
        """Nothing of the site stays but the tombstone of its definition."""
        replication.remove_peer(tx, code)
        records.remove_shipments(tx, code)
        records.remove_receiver(tx, code)
        self._forget_claim(tx, code)
        for point in estate.list_points(tx, code):
            estate.remove_point(tx, point.place)
        for stored in replication.list_names(tx):
            of_site = stored.kind == "point" and stored.id.startswith(f"{code}/")
            if stored.kind != "site" and (of_site or stored.owner == code):
                replication.forget_definition(tx, stored.kind, stored.id)
        for package in catalog.list_packages(tx):
            if package.id.startswith(code):
                catalog.remove_package(tx, package.id)
                numbers = [version.number for version in catalog.list_versions(tx, package.id)]
                catalog.remove_versions(tx, package.id, numbers)
                self._duties.refresh(tx, PackageId(package.id))
        self._duties.refresh_site(tx, code)
