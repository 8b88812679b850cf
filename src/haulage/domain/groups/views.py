"""What API and console show of groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.ids import Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.groups import records
from haulage.domain.groups.model import Group, Reach
from haulage.engine.database.transaction import Transaction

View = dict[str, object]
SHOWN = 200
"""Packages of a reach that are named; the others are counted."""


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group in a list; ``places`` and ``packages`` are counts."""

    id: str
    name: str
    owner: str
    places: int
    packages: int


class GroupsView(msgspec.Struct, frozen=True, kw_only=True):
    """Groups, a page of them."""

    rows: Sequence[GroupRow]
    groups: int
    """How many there are."""
    query: Mapping[str, str]
    next: str = ""


class GroupPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A package that is assigned to a group."""

    id: str
    name: str


class GroupView(msgspec.Struct, frozen=True, kw_only=True):
    """One group: a page of its places, and of the packages assigned to it."""

    id: str
    name: str
    owner: str
    own: bool
    """It is this site's, and can be changed and assigned to here."""
    places: Sequence[Place]
    all_places: int
    packages: Sequence[GroupPackage]
    all_packages: int
    query: Mapping[str, str]
    next: str = ""
    next_package: str = ""


def groups_view(tx: Transaction, *, words: str, after: str, limit: int) -> GroupsView:
    """Groups whose name holds these words."""
    users = catalog.users_of_groups(tx)
    rows = [
        GroupRow(id=f"{owner}.{name}", name=name, owner=owner, places=places, packages=users.get((owner, name), 0))
        for owner, name, _revision, places in records.outlines(tx)
    ]
    wanted = words.strip().lower().removeprefix("@")
    found = [row for row in rows if wanted in row.name and row.id > after]
    query = {"q": words, "after": after}
    return GroupsView(
        rows=found[:limit],
        groups=len(rows),
        query={name: value for name, value in query.items() if value},
        next=found[limit - 1].id if len(found) > limit else "",
    )


def group_view(
    tx: Transaction, here: SiteCode, group: Group, *, words: str, after: str, package_after: str, limit: int
) -> GroupView:
    """One group; its places that hold these words."""
    places = [where for where in group.places if words.strip().upper() in where.upper() and where > after]
    packages = [package for package in catalog.in_group(tx, group.owner, group.name) if package > package_after]
    names = catalog.names_of(tx, packages[:limit])
    query = {"q": words, "after": after, "package_after": package_after}
    return GroupView(
        id=f"{group.owner}.{group.name}",
        name=group.name,
        owner=group.owner,
        own=group.owner == here,
        places=places[:limit],
        all_places=len(group.places),
        packages=[GroupPackage(id=package, name=names.get(package, "")) for package in packages[:limit]],
        all_packages=catalog.count_in_group(tx, group.owner, group.name),
        query={name: value for name, value in query.items() if value},
        next=places[limit - 1] if len(places) > limit else "",
        next_package=packages[limit - 1] if len(packages) > limit else "",
    )


def list_groups(tx: Transaction) -> list[View]:
    """All groups known here, by owner and name."""
    users = catalog.users_of_groups(tx)
    return [
        {
            "id": f"{owner}.{name}",
            "name": name,
            "owner": owner,
            "revision": revision,
            "packages": users.get((owner, name), 0),
            "places": places,
        }
        for owner, name, revision, places in records.outlines(tx)
    ]


def show_group(tx: Transaction, owner: SiteCode, group: Group) -> View:
    """One group with its places and the packages assigned to it."""
    packages = catalog.in_group(tx, owner, group.name)
    return _group(tx, group) | {"places": list(group.places), "assigned": list(packages)}


def _group(tx: Transaction, group: Group) -> View:
    return {
        "id": f"{group.owner}.{group.name}",
        "name": group.name,
        "owner": group.owner,
        "revision": group.revision,
        "packages": catalog.count_in_group(tx, group.owner, group.name),
    }


def reach_view(reach: Reach) -> View:
    """What a change of a group means; of very many packages the first ones are named."""
    return {
        "name": reach.name,
        "gained": list(reach.gained),
        "lost": list(reach.lost),
        "packages": reach.packages,
        "additions": reach.additions,
        "removals": reach.removals,
        "moved": _moved(reach),
        "not_shown": max(0, len(reach.moved) - SHOWN),
    }


def _moved(reach: Reach) -> Sequence[View]:
    return [{"package": one.package, "gained": list(one.gained), "lost": list(one.lost)} for one in reach.moved[:SHOWN]]
