"""Groups of places as values, and what packages are assigned to by them. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haulage.base.ids import GroupName, PackageId, Place, SiteCode
from haulage.domain.catalog.model import Package

Members = Mapping[GroupName, Sequence[Place]]
"""The groups of one site. One that is not in it holds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Some places of a site and those below it."""

    owner: SiteCode
    name: GroupName
    revision: int
    places: tuple[Place, ...]
    """Sorted, each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where one package comes and goes by a change."""

    package: PackageId
    gained: tuple[Place, ...]
    lost: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a change of a group means."""

    name: GroupName
    gained: tuple[Place, ...]
    """Places that come to the group."""
    lost: tuple[Place, ...]
    packages: int
    """How many are assigned to it."""
    moved: tuple[Moved, ...]
    """Those that come to places, or leave some; who is assigned to a place by itself as well stays there."""

    @property
    def removals(self) -> int:
        """How many packages are taken from how many places."""
        return sum(len(one.lost) for one in self.moved)

    @property
    def additions(self) -> int:
        """How many packages come to how many places."""
        return sum(len(one.gained) for one in self.moved)


def expanded(direct: Iterable[Place], groups: Iterable[GroupName], members: Members) -> tuple[Place, ...]:
    """Every place that is named by itself or by one of the groups; sorted, each once."""
    return tuple(sorted({*direct, *(where for name in groups for where in members.get(name, ()))}))


def assigned(package: Package, direct: Iterable[Place], groups: Iterable[GroupName], members: Members) -> Package:
    """The package as it is assigned to these places and groups."""
    named, through = tuple(sorted(set(direct))), tuple(sorted(set(groups)))
    places = expanded(named, through, members)
    return dataclasses.replace(package, assignments=places, groups=through, named=named if through else ())


def moved(before: Package, after: Package) -> Moved:
    """Where a package comes and goes."""
    was, becomes = set(before.assignments), set(after.assignments)
    return Moved(package=before.id, gained=tuple(sorted(becomes - was)), lost=tuple(sorted(was - becomes)))
