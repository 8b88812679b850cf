"""What API and console show of shipments."""

from __future__ import annotations

import datetime as dt

from haulage.base.clock import iso
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point
from haulage.domain.catalog.model import Package
from haulage.domain.estate import records as estate
from haulage.domain.transit import records, route
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

View = dict[str, object]
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def package_status(tx: Transaction, package: Package) -> list[View]:
    """One row per place that must hold the package: assigned sites and points, the sites on the way, the owner.

    ``wanted`` is what the definitions say; a place whose site has not reported that it knows so waits for its report."""
    rows = {row.place: row for row in records.list_shipments(tx, package=package.id)}
    expected = expected_places(tx, package) if package.version != NO_VERSION else set()
    out = []
    for where in sorted(expected | set(rows)):
        row = rows.get(where)
        if row is not None and (where not in expected or row.wanted == package.version):
            if row.state is not ShipmentState.REMOVED:
                out.append(shipment_view(row))
        else:
            out.append(_not_reported(package, where, row))
    return out


def leftovers(tx: Transaction, package_id: str) -> list[View]:
    """Places from which a deleted package is not gone yet."""
    rows = records.list_shipments(tx, package=PackageId(package_id))
    return [shipment_view(row) for row in rows if row.state is not ShipmentState.REMOVED]


def expected_places(tx: Transaction, package: Package) -> set[Place]:
    """Every place that must hold a package, by the definitions known here."""
    points = estate.known_points(tx, [where for where in package.assignments if is_point(where)])
    return route.expected_places(package.id, package.assignments, estate.hierarchy(tx), points)


def shipment_view(row: Shipment) -> View:
    """One shipment, in the stable form scripts rely on."""
    error = {"code": row.error_code, "message": row.error_message, "hint": row.error_hint, "family": row.error_family}
    return {
        "package": row.package,
        "place": row.place,
        "kind": row.kind,
        "wanted": row.wanted,
        "present": row.present,
        "state": row.state.value,
        "reason": row.reason.value,
        "tries": row.tries,
        "due": None if row.due is None else iso(row.due),
        "generation": row.generation,
        "bytes_planned": row.bytes_planned,
        "bytes_done": row.bytes_done,
        "bytes_total": row.bytes_total,
        "bytes_reused": row.bytes_reused,
        "bytes_new": row.bytes_new,
        "bytes_wire": row.bytes_wire,
        "verified": None if row.verified is None else iso(row.verified),
        "updated": iso(row.updated),
        "error": error if row.error_code else None,
    }


def _not_reported(package: Package, where: Place, row: Shipment | None) -> View:
    known = row or Shipment(package=package.id, place=where, owner=SiteCode(where[:3]), updated=_NEVER)
    view = shipment_view(known)
    present = known.present if row is not None else VersionNumber(0)
    waiting = {"wanted": package.version, "present": present, "state": ShipmentState.WAITING.value, "reason": Reason.REPORT.value}
    return view | waiting | {"updated": None if row is None else view["updated"]}
