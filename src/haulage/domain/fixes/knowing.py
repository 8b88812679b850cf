"""Which owner's word on a fix counts, the fixes as definitions for the rules about sets, and whether a bundle is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haulage.base.errors import NotFoundError
from haulage.base.ids import SiteCode, is_point, make_place, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.fixes import records
from haulage.domain.fixes.model import Fix, outline
from haulage.domain.transit import records as transit
from haulage.engine.database.transaction import Transaction
from haulage.engine.servicing.definition import FixDefinition
from haulage.engine.servicing.document import from_bytes
from haulage.engine.servicing.errors import DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """Where the bundle of a fix is, as far as this site knows."""

    version: int = 0
    here: bool = False
    """This site holds it, whole."""
    places: tuple[str, ...] = ()
    """Every place that has it."""
    folder: str = ""
    """Where it lies at a point of this very site; "" if it must be extracted first."""


def foremost(tx: Transaction, code: SiteCode, fixes: Iterable[Fix]) -> dict[str, Fix]:
    """For each fix the word that counts: this site's own, its parent's, and so on up; then any other's. A bundle beats hearsay."""
    upwards = list(estate.hierarchy(tx).upwards(code)) or [code]
    rank = {owner: place for place, owner in enumerate(upwards)}
    chosen: dict[str, Fix] = {}
    for fix in fixes:
        key = (not fix.bundle, rank.get(SiteCode(fix.owner), len(rank)), fix.owner)
        before = chosen.get(fix.fix)
        if before is None or key < (not before.bundle, rank.get(SiteCode(before.owner), len(rank)), before.owner):
            chosen[fix.fix] = fix
    return chosen


def require_fix(tx: Transaction, code: SiteCode, name: str) -> Fix:
    """Raises NotFoundError ``no-such-fix``."""
    chosen = foremost(tx, code, records.find_fixes(tx, name)).get(name)
    if chosen is None:
        raise NotFoundError("no-such-fix", f"Fix {name} is not known here.", "haulage fix import BUNDLE makes one known.")
    return chosen


def definition_of(fix: Fix) -> FixDefinition:
    """As the bundle defines it, or its outline."""
    if fix.document:
        try:
            return from_bytes(fix.document)
        except DocumentError:
            # A newer format: what is said beside it is still good for order.
            return outline(fix)
    return outline(fix)


def definitions(tx: Transaction, code: SiteCode) -> Mapping[str, FixDefinition]:
    """Every known fix as a definition."""
    return {name: definition_of(fix) for name, fix in foremost(tx, code, records.list_fixes(tx)).items()}


def availability(tx: Transaction, code: SiteCode, fix: Fix) -> Availability:
    """Where its bundle is."""
    package = None if fix.package is None else catalog.find_package(tx, fix.package)
    if package is None or not package.version:
        return Availability()
    rows = [row for row in transit.list_shipments(tx, package=package.id) if row.present == package.version]
    mine = [row.place for row in rows if is_point(row.place) and site_of(row.place) == code]
    folders = _folders(tx, mine, f"{package.id}/{package.version}/{fix.fix}.pyz")
    return Availability(
        version=package.version,
        here=any(row.place == make_place(code) for row in rows),
        places=tuple(sorted(row.place for row in rows)),
        folder=folders[0] if folders else "",
    )


def _folders(tx: Transaction, places: Sequence[str], below: str) -> list[str]:
    points = {point.place: point for point in estate.list_points(tx)}
    urls = [points[place].url for place in sorted(places) if place in points]  # type: ignore[index]
    return [f"{url.removeprefix('folder:')}/{below}" for url in urls if url.startswith("folder:")]
