"""What API and console show of groups."""

from __future__ import annotations

from collections.abc import Sequence

from haulage.base.ids import SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.groups import records
from haulage.domain.groups.model import Group, Reach
from haulage.engine.database.transaction import Transaction

View = dict[str, object]
SHOWN = 200
"""Packages of a reach that are named; the others are counted."""


def list_groups(tx: Transaction) -> list[View]:
    """All groups known here, by owner and name."""
    return [_group(tx, group) | {"places": len(group.places)} for group in records.list_groups(tx)]


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
