"""What every operation works with: the rooms of this site, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from haulage.base.clock import Clock
from haulage.base.errors import NotFoundError, UsageError
from haulage.base.ids import GroupName, PackageId, Place, SiteCode, is_point, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.catalog.publish import Publisher
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.groups import records as group_records
from haulage.domain.groups.model import Group
from haulage.domain.groups.regrouping import Regrouping
from haulage.domain.replication.definitions import Definitions
from haulage.domain.transit.holdings import Holdings
from haulage.engine.content.model import ChunkStore
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.status.journal import Journal
from haulage.engine.trust.password_hashes import Hasher


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The site an operation acts on. ``root_sha256`` and ``url`` go into join strings; ``check_source`` and
    ``establish_point`` refuse overlaps before anything is written."""

    code: SiteCode
    url: Callable[[], str]
    root_sha256: str
    database: Database
    clock: Clock
    journal: Journal
    definitions: Definitions
    regrouping: Regrouping
    publisher: Publisher
    holdings: Holdings
    store: ChunkStore
    check_source: Callable[[Transaction, str], None]
    establish_point: Callable[[Transaction, Point], None]
    check_articles: Callable[[str], None]
    """Whether a path on this machine may be imported from. Raises HaulageError."""
    wake_jobs: Callable[[], None]
    hasher: Hasher = field(default_factory=Hasher)
    """Of passwords."""


def require_package(tx: Transaction, package_id: PackageId) -> Package:
    """A package that is known here. Raises NotFoundError ``no-such-package``."""
    package = catalog.find_package(tx, package_id)
    if package is None:
        raise NotFoundError("no-such-package", f"There is no package {package_id}.", "haulage package list shows those there are.")
    return package


def require_place(tx: Transaction, where: Place) -> None:
    """A site or point that is known here. Raises NotFoundError ``no-such-place``."""
    known = estate.find_point(tx, where) if is_point(where) else estate.find_site(tx, site_of(where))
    if known is None:
        raise NotFoundError(
            "no-such-place", f"There is no place {where}.", "haulage site list and haulage point list show those there are."
        )


def require_below(desk: Desk, tx: Transaction, places: Iterable[Place]) -> None:
    """Places that are known, at this site or below it: a site gives to its own subtree only (I4).
    Raises NotFoundError ``no-such-place``, UsageError ``out-of-scope``."""
    tree = estate.hierarchy(tx)
    for where in places:
        require_place(tx, where)
        if not tree.is_within(site_of(where), desk.code):
            raise UsageError(
                "out-of-scope", f"{where} is not at or below site {desk.code}, which would give to it.", "Assign downwards only."
            )


def require_group(desk: Desk, tx: Transaction, name: GroupName) -> Group:
    """A group of this site. Raises NotFoundError ``no-such-group``."""
    group = group_records.find_group(tx, desk.code, name)
    if group is None:
        raise NotFoundError(
            "no-such-group",
            f"Site {desk.code} has no group {name}.",
            "haulage group list shows those there are.",
        )
    return group
