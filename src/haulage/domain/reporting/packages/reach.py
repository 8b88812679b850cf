"""How far an act on a package reaches, told before it is done. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from haulage.base.ids import GroupName, Place, SiteCode, owner_of
from haulage.domain.catalog.model import Package
from haulage.domain.estate import records as estate
from haulage.domain.groups.model import assigned
from haulage.domain.groups.records import list_groups, members_of
from haulage.domain.reporting.packages.standing import At, standing_of
from haulage.domain.transit.views import expected_places
from haulage.engine.database.transaction import Transaction

PLACES_OFFERED = 60


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A place or group that can be chosen."""

    word: str
    """As it is named: CODE, CODE/POINT or @GROUP."""
    name: str
    """Of its site, or how many places a group has."""
    assigned: bool


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the places and groups that fit a search."""

    items: Sequence[Choice]
    more: int
    """So many fit, too."""


def to_choose(tx: Transaction, package: Package, here: SiteCode, words: str, *, taken: bool) -> Choices:
    """Places and groups a package is assigned to by name (``taken``), or could be: those at and below its owner."""
    tree, direct = estate.hierarchy(tx), set(package.direct)
    names = {site.code: site.name for site in estate.list_sites(tx)}
    below = [code for code in tree.subtree(here) if code != here]
    groups = [
        Choice(word=f"@{one.name}", name=f"{len(one.places)} places", assigned=one.name in package.groups)
        for one in list_groups(tx, here)
    ]
    reached = {here, *below}
    points = [point.place for point in estate.list_points(tx) if point.site in reached]
    places = [Choice(word=word, name=names.get(SiteCode(word[:3]), ""), assigned=word in direct) for word in [*below, *points]]
    needles = words.casefold().split()
    fitting = [
        one
        for one in [*groups, *sorted(places, key=lambda one: one.word)]
        if one.assigned is taken and all(needle in f"{one.word} {one.name}".casefold() for needle in needles)
    ]
    return Choices(items=fitting[:PLACES_OFFERED], more=max(0, len(fitting) - PLACES_OFFERED))


def losing(tx: Transaction, package: Package, places: Iterable[Place], groups: Iterable[GroupName]) -> list[At]:
    """The places from which a package would be taken away if it were withdrawn from these."""
    gone, gone_groups = set(places), set(groups)
    direct = [where for where in package.direct if where not in gone]
    kept = [name for name in package.groups if name not in gone_groups]
    after = assigned(package, direct, kept, members_of(tx, owner_of(package.id), kept))
    left = expected_places(tx, after)
    return [one for one in standing_of(tx, [package.id])[package.id] if one.place not in left]
