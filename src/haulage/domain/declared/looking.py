"""What there is, from the tables, as far as a file may speak of it."""

from __future__ import annotations

from haulage.base.ids import GroupName, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Source
from haulage.domain.declared.model import Present, PresentPackage, PresentPoint, PresentSite
from haulage.domain.estate import records as estate
from haulage.domain.groups import records as groups
from haulage.engine.database.transaction import Transaction


def look(tx: Transaction, code: SiteCode) -> Present:
    """Everything. Of packages that are assigned to groups only the groups are read, not the thousands of places these hold."""
    sources = {source.package: source for source in catalog.list_sources(tx)}
    known: dict[Place, Place] = {}
    named = {package: frozenset(map(known.setdefault, places, places)) for package, places in catalog.direct_assignments(tx, code)}
    shared: dict[tuple[GroupName, ...], frozenset[GroupName]] = {}
    through = catalog.assigned_groups(tx, code)
    packages = {}
    for row in catalog.own_packages(tx, code):
        source = sources.get(row.id)
        names = tuple(through.get(row.id, ()))
        packages[row.id] = PresentPackage(
            id=row.id,
            name=row.name,
            source="" if source is None else source.spec,
            streams=row.streams,
            keep=row.keep,
            keep_special_bits=source is not None and source.keep_special_bits,
            direct=named.get(row.id, frozenset()),
            groups=shared.setdefault(names, frozenset(names)),
            captured=row.version > 0 or (source is not None and _is_asked(source)),
        )
    return Present(
        code=code,
        tree=estate.hierarchy(tx),
        sites={site.code: PresentSite(name=site.name, parent=site.parent, joined=bool(site.key)) for site in estate.list_sites(tx)},
        points={point.place: PresentPoint(url=point.url, owner=point.owner) for point in estate.list_points(tx)},
        groups={group.name: frozenset(group.places) for group in groups.list_groups(tx, code)},
        packages=packages,
    )


def _is_asked(source: Source) -> bool:
    return source.requested > source.done
