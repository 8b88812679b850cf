"""What people do with packages."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import NO_VERSION, GroupName, PackageId, Place, VersionNumber, make_package_id, owner_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package, Source, Version
from haulage.domain.catalog.publish import package_state, stream_policy
from haulage.domain.estate import records as estate
from haulage.domain.groups.model import assigned
from haulage.domain.groups.records import members_of
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Kind
from haulage.engine.protocol.fields import NAME_MAX
from haulage.engine.status import on_packages, on_requests
from haulage.operations.desk import Desk, require_below, require_group, require_package

KEEP_MAX = 1000


def create_package(
    desk: Desk,
    actor: str,
    *,
    name: str,
    source: str,
    streams: str = "keep",
    keep: int = 2,
    keep_special_bits: bool = False,
    places: Sequence[Place] = (),
    groups: Sequence[GroupName] = (),
) -> Package:
    """A new package of this site, assigned or not. Its source is only looked at; it is read when the package is published."""
    if not name or len(name) > NAME_MAX:
        raise UsageError("bad-name", f"A package name has 1 to {NAME_MAX} characters.", "Choose another name.")
    if not 1 <= keep <= KEEP_MAX:
        raise UsageError("bad-keep", f"keep is the number of newest versions to hold: 1 to {KEEP_MAX}.", "")
    stream_policy(streams)
    with desk.database.writing() as tx:
        desk.check_source(tx, source)
        require_below(desk, tx, places)
        for group in groups:
            require_group(desk, tx, group)
        package_id = make_package_id(desk.code, estate.next_number(tx, "package"))
        package = Package(id=package_id, name=name, revision=0, version=NO_VERSION, keep=keep, assignments=(), streams=streams)
        catalog.put_source(tx, Source.of(package_id, source, streams=streams, keep_special_bits=keep_special_bits))
        package = _assigned(desk, tx, package, places, groups)
        desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(package))
        desk.journal.record(tx, on_requests.PACKAGE_CREATED, package=package_id, actor=actor, source=source)
        if places or groups:
            named = _named(places, groups)
            desk.journal.record(tx, on_requests.PACKAGE_ASSIGNED, package=package_id, actor=actor, places=named)
        return require_package(tx, package_id)


def publish_package(desk: Desk, actor: str, package_id: PackageId, *, full: bool = False) -> int:
    """Ask for a capture. Returns the number of the request: it is answered when the source's ``done`` reaches it."""
    with desk.database.writing() as tx:
        _require_own(desk, tx, package_id)
        number = desk.publisher.request(tx, package_id, full=full)
        desk.journal.record(tx, on_requests.PUBLISH_ASKED, package=package_id, actor=actor)
        return number


def assign_package(
    desk: Desk, actor: str, package_id: PackageId, places: Sequence[Place], groups: Sequence[GroupName] = ()
) -> Package:
    """Assign a package to more places and groups; those it is assigned to already are left as they are."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        require_below(desk, tx, places)
        for name in groups:
            require_group(desk, tx, name)
        becomes = _assigned(desk, tx, package, {*package.direct, *places}, {*package.groups, *groups})
        if becomes == package:
            return package
        desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(becomes))
        named = _named(places, groups)
        desk.journal.record(tx, on_requests.PACKAGE_ASSIGNED, package=package_id, actor=actor, places=named)
        return require_package(tx, package_id)


def unassign_package(
    desk: Desk, actor: str, package_id: PackageId, places: Sequence[Place], groups: Sequence[GroupName] = ()
) -> Package:
    """Withdraw a package from places and groups; it is removed where nothing else brings it. An empty list withdraws nothing
    (I11). A place that a group brings it to leaves with the group only."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        _refuse_absent(package, places, groups)
        direct = [where for where in package.direct if where not in places]
        becomes = _assigned(desk, tx, package, direct, [name for name in package.groups if name not in groups])
        desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(becomes))
        named = _named(places, groups)
        desk.journal.record(tx, on_requests.PACKAGE_UNASSIGNED, package=package_id, actor=actor, places=named)
        return require_package(tx, package_id)


def _refuse_absent(package: Package, places: Sequence[Place], groups: Sequence[GroupName]) -> None:
    if not places and not groups:
        raise UsageError("no-places", "No place was named.", "Name the places to withdraw the package from.")
    by_group = [where for where in places if where in package.assignments and where not in package.direct]
    if by_group:
        raise ConflictError(
            "assigned-by-group",
            f"{package.id} is at {', '.join(by_group)} because of its groups {_named((), package.groups)} alone.",
            "Withdraw it from the group, or take the place out of the group: haulage group drop NAME PLACE",
        )
    absent = [*(one for one in places if one not in package.direct), *_marked(set(groups) - set(package.groups))]
    if absent:
        raise ConflictError("not-assigned", f"{package.id} is not assigned to {', '.join(absent)}.", "haulage package show ID")


def remove_package(desk: Desk, actor: str, package_id: PackageId) -> None:
    """Delete a package: a tombstone goes wherever it ever went, and its content with it. The source is not touched (I9)."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        for version in catalog.list_versions(tx, package_id):
            desk.definitions.issue(tx, Kind.VERSION, f"{package_id}:{version.number}", None)
        desk.definitions.issue(tx, Kind.PACKAGE, package.id, None)
        catalog.remove_source(tx, package_id)
        desk.journal.record(tx, on_requests.PACKAGE_REMOVAL_ASKED, package=package_id, actor=actor)
        desk.journal.record(tx, on_packages.PACKAGE_REMOVED, package=package_id)


def rollback_package(desk: Desk, actor: str, package_id: PackageId, number: VersionNumber) -> Version:
    """Publish the content of an old version as the newest one."""
    with desk.database.writing() as tx:
        _require_own(desk, tx, package_id)
        version = desk.publisher.rollback(tx, package_id, number)
        desk.journal.record(tx, on_requests.ROLLBACK_ASKED, package=package_id, actor=actor, version=number)
        return version


def rollback_number(desk: Desk, package_id: PackageId, number: VersionNumber) -> VersionNumber:
    """The version that rolling back now would make; nothing is written, and nobody who writes is kept waiting. Raises what rolling
    back would raise."""
    with desk.database.reading() as tx:
        _require_own(desk, tx, package_id)
        return desk.publisher.rollback_number(tx, package_id, number)


def change_package(
    desk: Desk,
    actor: str,
    package_id: PackageId,
    *,
    name: str | None = None,
    keep: int | None = None,
    source: str | None = None,
    streams: str | None = None,
    keep_special_bits: bool | None = None,
) -> Package:
    """Change what is said of a package. What is said already changes nothing: no revision, no message (Q281754). How it is captured
    counts from the next publication on, which reads everything again."""
    if streams is not None:
        stream_policy(streams)
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        changed = dataclasses.replace(
            package, name=name or package.name, keep=keep or package.keep, streams=streams or package.streams
        )
        what = [word for word in ("name", "keep", "streams") if getattr(changed, word) != getattr(package, word)]
        if source is not None or streams is not None or keep_special_bits is not None:
            what += _change_source(desk, tx, package_id, spec=source, streams=streams, keep_special_bits=keep_special_bits)
        if changed != package:
            desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(changed))
        if what:
            desk.journal.record(
                tx, on_requests.PACKAGE_CHANGED, package=package_id, actor=actor, what=", ".join(dict.fromkeys(what))
            )
        return require_package(tx, package_id)


def _change_source(desk: Desk, tx: Transaction, package_id: PackageId, **said: str | bool | None) -> list[str]:
    """Write what differs of how a package is captured; returns the words for it."""
    was = catalog.find_source(tx, package_id)
    if was is None:
        return []
    changes = {name: value for name, value in said.items() if value is not None and getattr(was, name) != value}
    if "spec" in changes:
        desk.check_source(tx, str(changes["spec"]))
    if changes:
        catalog.put_source(tx, dataclasses.replace(was, full=True, **changes))  # type: ignore[arg-type]
    return ["source" if name == "spec" else name.replace("_", " ") for name in changes]


def _assigned(desk: Desk, tx: Transaction, package: Package, direct: Iterable[Place], groups: Collection[GroupName]) -> Package:
    return assigned(package, direct, groups, members_of(tx, desk.code, groups))


def _marked(groups: Iterable[GroupName]) -> list[str]:
    return [f"@{name}" for name in sorted(groups)]


def _named(places: Sequence[Place], groups: Sequence[GroupName]) -> str:
    return ", ".join([*places, *_marked(groups)])


def _require_own(desk: Desk, tx: Transaction, package_id: PackageId) -> Package:
    package = require_package(tx, package_id)
    if owner_of(package_id) != desk.code:
        raise ConflictError(
            "owned-elsewhere", f"Package {package_id} belongs to site {owner_of(package_id)}.", f"Do it at {owner_of(package_id)}."
        )
    return package
