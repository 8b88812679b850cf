"""Which places of a site owe a package, given where it is assigned. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from haulage.base.ids import PackageId, Place, SiteCode, is_point, make_place, owner_of, site_of
from haulage.domain.estate.hierarchy import Hierarchy


def wanted_places(
    package: PackageId, assigned: Iterable[Place], here: SiteCode, hierarchy: Hierarchy, points: Iterable[Place]
) -> set[Place]:
    """The places of site ``here`` that must hold the package.

    The site itself, when any assigned place lies here or below (one copy per link, fed by the parent), or when it owns the package;
    and those of its own points that are assigned. ``points`` are all points known here: places of removed sites and points do not
    count, and sites above the owner are on nobody's way.
    """
    if not hierarchy.is_within(here, owner_of(package)):
        return set()
    known_points = set(points)
    out: set[Place] = set()
    if owner_of(package) == here:
        out.add(make_place(here))
    for where in assigned:
        site = site_of(where)
        if not hierarchy.is_within(site, here):
            continue
        if is_point(where):
            if where not in known_points:
                continue
            if site == here:
                out.add(where)
        out.add(make_place(here))
    return out


def expected_places(package: PackageId, assigned: Iterable[Place], hierarchy: Hierarchy, points: Collection[Place]) -> set[Place]:
    """Every place of the hierarchy that must hold the package: its owner, where it is assigned, and the sites on the way there."""
    owner = owner_of(package)
    out = {make_place(owner)}
    for where in assigned:
        site = site_of(where)
        if site not in hierarchy or (is_point(where) and where not in points):
            continue
        out.add(where)
        for above in hierarchy.upwards(site):
            if make_place(above) in out and above != site:
                break
            out.add(make_place(above))
            if above == owner:
                break
    return out


def concerned_children(assigned: Iterable[Place], here: SiteCode, hierarchy: Hierarchy) -> set[SiteCode]:
    """The direct children of ``here`` in whose subtree the package is assigned."""
    hops = (hierarchy.next_hop(here, site_of(where)) for where in assigned)
    return {hop for hop in hops if hop is not None}
