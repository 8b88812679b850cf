"""What a file declares, what there is, and one step between them, as values. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from haulage.base.ids import GroupName, PackageId, Place, SiteCode
from haulage.domain.estate.hierarchy import Hierarchy


class Kind(enum.Enum):
    """What may be removed if the file says so. Sites never are."""

    ASSIGNMENTS = "assignments"
    MEMBERS = "members"
    POINTS = "points"
    GROUPS = "groups"
    PACKAGES = "packages"


REMOVES: dict[Kind, str] = {
    Kind.ASSIGNMENTS: "A declared package is withdrawn from places and groups that its `to` does not name.",
    Kind.MEMBERS: "Places that a declared group does not name leave it.",
    Kind.POINTS: "Points that are not declared are withdrawn; nothing in their folders is touched.",
    Kind.GROUPS: "Groups that are not declared are removed.",
    Kind.PACKAGES: "Packages that are not declared are deleted everywhere.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSite:
    """A site; None leaves open what it is."""

    name: str | None = None
    parent: SiteCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPackage:
    """A package by its key, which is its id or its name; None leaves open what is said."""

    key: str
    id: PackageId | None = None
    name: str | None = None
    source: str | None = None
    streams: str | None = None
    keep: int | None = None
    keep_special_bits: bool | None = None
    places: frozenset[Place] | None = None
    groups: frozenset[GroupName] = frozenset()
    """With places: what ``to`` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Everything one file says."""

    sites: Mapping[SiteCode, DeclaredSite] = field(default_factory=dict)
    points: Mapping[Place, str] = field(default_factory=dict)
    """To their URLs."""
    groups: Mapping[GroupName, frozenset[Place]] = field(default_factory=dict)
    packages: Mapping[str, DeclaredPackage] = field(default_factory=dict)
    remove: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentSite:
    """A site that is known."""

    name: str
    parent: SiteCode | None
    joined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentPoint:
    """A point that is known."""

    url: str
    owner: SiteCode


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentPackage:
    """A package of this site."""

    id: PackageId
    name: str
    source: str
    streams: str
    keep: int
    keep_special_bits: bool
    direct: frozenset[Place]
    groups: frozenset[GroupName]
    captured: bool
    """It has a version, or a capture was asked for that is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What there is, as far as a file may speak of it: the sites known here, and what is this site's own."""

    code: SiteCode
    tree: Hierarchy
    sites: Mapping[SiteCode, PresentSite]
    points: Mapping[Place, PresentPoint]
    groups: Mapping[GroupName, frozenset[Place]]
    packages: Mapping[PackageId, PresentPackage]


class Act(enum.Enum):
    """What one step does. They are done in this order: whatever brings something comes before what takes something away, so that
    nothing is removed somewhere to be sent there again."""

    INVITE_SITE = "invite-site"
    ADD_POINT = "add-point"
    FILL_GROUP = "fill-group"
    CREATE_PACKAGE = "create-package"
    CHANGE_PACKAGE = "change-package"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    DROP_FROM_GROUP = "drop-from-group"
    REMOVE_GROUP = "remove-group"
    REMOVE_PACKAGE = "remove-package"
    REMOVE_POINT = "remove-point"
    PUBLISH = "publish"


ORDER = tuple(Act)


class Standing(enum.Enum):
    """What becomes of a step."""

    READY = "ready"
    LATER = "later"
    IMPOSSIBLE = "impossible"


STANDING_MEANING: dict[Standing, str] = {
    Standing.READY: "It is done when the file is applied.",
    Standing.LATER: "Something else must come first, such as a site that joins; apply the file again then.",
    Standing.IMPOSSIBLE: "The file says what no command can bring about; change the file, or what there is.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Where one package, by its key or id, comes to and leaves by a step."""

    package: str
    gained: tuple[Place, ...] = ()
    lost: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One difference, and how it is closed."""

    act: Act
    name: str
    """The site, point, group or package it is about, as people call it."""
    package: PackageId | None = None
    site: DeclaredSite | None = None
    url: str = ""
    group: GroupName | None = None
    places: tuple[Place, ...] = ()
    groups: tuple[GroupName, ...] = ()
    changes: tuple[tuple[str, str | int | bool], ...] = ()
    """What is said of a package that is made or changed."""
    was: tuple[tuple[str, str | int | bool], ...] = ()
    standing: Standing = Standing.READY
    why: str = ""
    moves: tuple[Move, ...] = ()

    @property
    def gained(self) -> int:
        """To how many places packages come by it."""
        return sum(len(move.gained) for move in self.moves)

    @property
    def lost(self) -> int:
        """From how many places packages are taken by it."""
        return sum(len(move.lost) for move in self.moves)
