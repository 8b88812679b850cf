"""What endpoints answer, for the API's description: the stable parts, by which scripts may go. An answer may say more than its type
does; a test holds the answers of a real site against them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec


class Failure(msgspec.Struct, frozen=True):
    """What went wrong, and what to do."""

    code: str
    message: str
    hint: str


class Site(msgspec.Struct, frozen=True):
    """A site."""

    code: str
    name: str
    parent: str | None
    url: str
    state: str
    last_seen: str | None


class Invited(msgspec.Struct, frozen=True):
    """An invitation; the join string is told once."""

    id: str
    code: str
    parent: str
    expires: str
    join: str
    dry_run: bool


class Point(msgspec.Struct, frozen=True):
    """A distribution point."""

    id: str
    place: str
    site: str
    kind: str
    url: str
    owner: str


class Package(msgspec.Struct, frozen=True):
    """A package. ``assignments`` are all its places; ``groups`` and ``direct`` say through what."""

    id: str
    name: str
    owner: str
    revision: int
    version: int
    keep: int
    streams: str
    assignments: list[str]
    groups: list[str]
    direct: list[str]


class Version(msgspec.Struct, frozen=True):
    """A captured version."""

    id: str
    version: int
    manifest: str
    files: int
    bytes: int
    new_bytes: int
    captured: str


class Shipment(msgspec.Struct, frozen=True):
    """One package at one place."""

    package: str
    place: str
    kind: str
    wanted: int
    present: int
    state: str
    reason: str
    tries: int
    due: str | None
    bytes_planned: int
    bytes_done: int
    error: Failure | None


class Planned(msgspec.Struct, frozen=True):
    """What bringing the newest version to a place takes; sizes in bytes."""

    id: str
    package: str
    place: str
    bytes_total: int
    bytes_reused: int
    bytes_new: int
    bytes_wire: int
    seconds: float | None


class Plan(msgspec.Struct, frozen=True):
    """One row per place."""

    items: list[Planned]
    cursor: str | None


class Group(msgspec.Struct, frozen=True):
    """A group in a list; ``places`` and ``packages`` are counts."""

    id: str
    name: str
    owner: str
    revision: int
    packages: int
    places: int


class WholeGroup(msgspec.Struct, frozen=True):
    """One group with its places and the packages assigned to it."""

    id: str
    name: str
    owner: str
    revision: int
    packages: int
    places: list[str]
    assigned: list[str]


class GroupMove(msgspec.Struct, frozen=True):
    """Where a package comes and goes by a change of a group."""

    package: str
    gained: list[str]
    lost: list[str]


class Reach(msgspec.Struct, frozen=True):
    """What a change of a group means; of very many packages some are named and the others counted."""

    id: str
    name: str
    gained: list[str]
    lost: list[str]
    packages: int
    additions: int
    removals: int
    moved: list[GroupMove]
    not_shown: int
    dry_run: bool


class Text(msgspec.Struct, frozen=True):
    """A file."""

    id: str
    text: str


class Step(msgspec.Struct, frozen=True):
    """One difference. ``standing``: ready, later or impossible; ``why`` says why not now."""

    number: int
    act: str
    name: str
    package: str | None
    sentence: str
    standing: str
    why: str
    places: list[str]
    groups: list[str]
    gained: int
    lost: int


class CountedStep(Step, frozen=True):
    """With what it would send."""

    bytes_wire: int
    at_most: bool
    unknown: int
    costs: list[dict[str, Any]]


class Comparison(msgspec.Struct, frozen=True):
    """What a file would change. ``id`` names exactly this; ``must_allow``: so many removals must be allowed by their number."""

    id: str
    differs: bool
    steps: list[CountedStep]
    ready: int
    gained: int
    lost: int
    bytes_wire: int
    at_most: bool
    unknown: int
    kept: dict[str, int]
    removals: dict[str, int]
    must_allow: int


class StepOutcome(Step, frozen=True):
    """With what came of it: done, failed or left."""

    outcome: str
    error: Failure | None


class Applied(msgspec.Struct, frozen=True):
    """What came of a file."""

    id: str
    steps: list[StepOutcome]
    done: int
    failed: int
    left: int
    joins: list[dict[str, str]]
    dry_run: bool


class Message(msgspec.Struct, frozen=True):
    """A status message."""

    sequence: int
    number: int
    severity: str
    type: str
    site: str
    component: str
    package: str | None
    place: str | None
    time: str
    text: str
    fields: dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """What was asked for; it is under way."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The answer of one endpoint."""

    status: int = 200
    value: type[Any] | None = None
    each: bool = False
    """A list of values: an array, or with ``limit`` a page with a cursor."""
    media_type: str = "application/json"


_V1 = "/api/v1"
_PACKAGE = f"{_V1}/packages/{{id}}"
_GROUP = f"{_V1}/groups/{{name}}"

ANSWERS: dict[tuple[str, str], Says] = {
    ("GET", f"{_V1}/sites"): Says(value=Site, each=True),
    ("GET", f"{_V1}/sites/tree"): Says(value=Site, each=True),
    ("POST", f"{_V1}/sites/invitations"): Says(status=201, value=Invited),
    ("GET", f"{_V1}/packages"): Says(value=Package, each=True),
    ("POST", f"{_V1}/packages"): Says(status=201, value=Package),
    ("GET", _PACKAGE): Says(value=Package),
    ("PATCH", _PACKAGE): Says(value=Package),
    ("POST", f"{_PACKAGE}/publish"): Says(status=202, value=Asked),
    ("PUT", f"{_PACKAGE}/places"): Says(value=Package),
    ("DELETE", f"{_PACKAGE}/places"): Says(value=Package),
    ("GET", f"{_PACKAGE}/versions"): Says(value=Version, each=True),
    ("GET", f"{_PACKAGE}/status"): Says(value=Shipment, each=True),
    ("POST", f"{_PACKAGE}/orders"): Says(status=202, value=Asked),
    ("POST", f"{_PACKAGE}/rollback"): Says(status=201, value=Version),
    ("GET", f"{_PACKAGE}/plan"): Says(value=Plan),
    ("GET", f"{_V1}/points"): Says(value=Point, each=True),
    ("POST", f"{_V1}/points"): Says(status=201, value=Point),
    ("GET", f"{_V1}/groups"): Says(value=Group, each=True),
    ("GET", _GROUP): Says(value=WholeGroup),
    ("PUT", _GROUP): Says(value=Reach),
    ("DELETE", _GROUP): Says(value=Reach),
    ("PUT", f"{_GROUP}/places"): Says(value=Reach),
    ("DELETE", f"{_GROUP}/places"): Says(value=Reach),
    ("GET", f"{_V1}/declared"): Says(value=Text),
    ("POST", f"{_V1}/declared/compare"): Says(value=Comparison),
    ("POST", f"{_V1}/declared/apply"): Says(value=Applied),
    ("GET", f"{_V1}/status"): Says(value=Message, each=True),
    ("GET", f"{_V1}/status/stream"): Says(media_type="text/event-stream"),
    ("POST", f"{_V1}/article-imports"): Says(status=202, value=Asked),
    ("PUT", f"{_V1}/article-imports/upload"): Says(status=202, value=Asked),
    ("POST", f"{_V1}/articles/{{id}}/fix"): Says(status=201),
    ("POST", f"{_V1}/fixes"): Says(status=201),
    ("PUT", f"{_V1}/fixes/upload"): Says(status=201),
    ("POST", f"{_V1}/backups"): Says(status=201),
    ("POST", f"{_V1}/users"): Says(status=201),
    ("POST", f"{_V1}/tokens"): Says(status=201),
    ("POST", f"{_V1}/transfers/hold"): Says(status=202),
    ("POST", f"{_V1}/transfers/release"): Says(status=202),
    ("POST", f"{_V1}/transfers/cancel"): Says(status=202),
    ("GET", "/metrics"): Says(media_type="text/plain"),
}
"""Endpoints that answer with another status than 200, or whose answer has a type."""
