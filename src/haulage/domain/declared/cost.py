"""What the steps of a comparison would send: the forecast that a plan shows, as far as reckoning it is cheap enough, and beyond
that what it takes at most. What it cannot know it does not guess."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, Place, SiteCode, make_place, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.declared.model import Act, Move, Standing, Step
from haulage.engine.database.transaction import Database, Transaction

View = dict[str, object]
Plan = Callable[[Package, Sequence[Place]], Sequence[Mapping[str, object]]]
"""What bringing a package's newest version to places would take. Raises HaulageError."""

SITES_RECKONED = 2000
PACKAGES_RECKONED = 60
"""Of all steps together: more of them are told by their size."""
ROWS_SHOWN = 200
"""Of each step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one step."""

    bytes_wire: int = 0
    """On the lines to all sites that gain something; a site with several places counts once."""
    at_most: bool = False
    """Some of it is the whole size of what is not held there for sure, because there is too much to reckon."""
    unknown: int = 0
    """Packages that come somewhere and have no version here, so that nobody knows."""
    rows: tuple[View, ...] = ()
    """The dearest sites."""


@dataclass(slots=True)
class _Left:
    """What may still be reckoned."""

    sites: int = SITES_RECKONED
    packages: int = PACKAGES_RECKONED

    def takes(self, sites: int) -> bool:
        if sites > self.sites or not self.packages:
            return False
        self.sites -= sites
        self.packages -= 1
        return True


def reckon(database: Database, steps: Iterable[Step], plan: Plan) -> list[Cost]:
    """One cost per step, in their order."""
    left = _Left()
    return [_of_step(database, step, plan, left) for step in steps]


def _of_step(database: Database, step: Step, plan: Plan, left: _Left) -> Cost:
    if step.standing is not Standing.READY or step.act in (Act.UNASSIGN, Act.DROP_FROM_GROUP):
        return Cost()
    wire, unknown, at_most, rows = 0, 0, False, list[View]()
    for move in step.moves:
        if not move.gained:
            continue
        sites = sorted({site_of(where) for where in move.gained})
        with database.reading() as tx:
            size = _size(tx, move)
            package = catalog.find_package(tx, PackageId(move.package)) if size is not None and left.takes(len(sites)) else None
        if size is None:
            unknown += 1
        elif package is None:
            at_most, wire = True, wire + size * len(sites)
        else:
            found = _planned(plan, package, sites)
            unknown += found is None
            rows += found or ()
            wire += sum(int(str(row["bytes_wire"])) for row in found or ())
    rows.sort(key=lambda row: (-int(str(row["bytes_wire"])), str(row["place"])))
    return Cost(bytes_wire=wire, at_most=at_most, unknown=unknown, rows=tuple(rows[:ROWS_SHOWN]))


def _planned(plan: Plan, package: Package, sites: Sequence[SiteCode]) -> list[View] | None:
    """None if its newest version is not held here."""
    try:
        rows = plan(package, [make_place(site) for site in sites])
    except HaulageError:
        return None
    return [{name: row[name] for name in ("package", "place", "bytes_new", "bytes_wire", "wire", "seconds")} for row in rows]


def _size(tx: Transaction, move: Move) -> int | None:
    """Bytes of the newest version; None if there is none."""
    number = catalog.newest_number(tx, PackageId(move.package))
    version = None if not number else catalog.find_version(tx, PackageId(move.package), number)
    return None if version is None else version.bytes
