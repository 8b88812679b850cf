"""What people do with packages."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import NO_VERSION, PackageId, Place, VersionNumber, make_package_id, owner_of, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package, Source, Version
from haulage.domain.catalog.publish import package_state, stream_policy
from haulage.domain.estate import records as estate
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import Kind
from haulage.engine.protocol.fields import NAME_MAX
from haulage.engine.status import on_packages, on_requests
from haulage.operations.desk import Desk, require_package, require_place

KEEP_MAX = 1000


def create_package(
    desk: Desk, actor: str, *, name: str, source: str, streams: str = "keep", keep: int = 2, keep_special_bits: bool = False
) -> Package:
    """A new package of this site. Its source is only looked at; it is read when the package is published."""
    if not name or len(name) > NAME_MAX:
        raise UsageError("bad-name", f"A package name has 1 to {NAME_MAX} characters.", "Choose another name.")
    if not 1 <= keep <= KEEP_MAX:
        raise UsageError("bad-keep", f"keep is the number of newest versions to hold: 1 to {KEEP_MAX}.", "")
    stream_policy(streams)
    with desk.database.writing() as tx:
        desk.check_source(tx, source)
        package_id = make_package_id(desk.code, estate.next_number(tx, "package"))
        package = Package(id=package_id, name=name, revision=0, version=NO_VERSION, keep=keep, assignments=(), streams=streams)
        catalog.put_source(tx, Source.of(package_id, source, streams=streams, keep_special_bits=keep_special_bits))
        desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(package))
        desk.journal.record(tx, on_requests.PACKAGE_CREATED, package=package_id, actor=actor, source=source)
        return require_package(tx, package_id)


def publish_package(desk: Desk, actor: str, package_id: PackageId, *, full: bool = False) -> int:
    """Ask for a capture. Returns the number of the request: it is answered when the source's ``done`` reaches it."""
    with desk.database.writing() as tx:
        _require_own(desk, tx, package_id)
        number = desk.publisher.request(tx, package_id, full=full)
        desk.journal.record(tx, on_requests.PUBLISH_ASKED, package=package_id, actor=actor)
        return number


def assign_package(desk: Desk, actor: str, package_id: PackageId, places: Sequence[Place]) -> Package:
    """Assign a package to more places; those it is assigned to already are left as they are."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        tree = estate.hierarchy(tx)
        for where in places:
            require_place(tx, where)
            if not tree.is_within(site_of(where), desk.code):
                raise UsageError(
                    "out-of-scope",
                    f"{where} is not at or below site {desk.code}, which owns {package_id}.",
                    "Assign downwards only.",
                )
        wanted = tuple(sorted({*package.assignments, *places}))
        if wanted == package.assignments:
            return package
        _reassign(desk, tx, package, wanted)
        desk.journal.record(tx, on_requests.PACKAGE_ASSIGNED, package=package_id, actor=actor, places=", ".join(places))
        return require_package(tx, package_id)


def unassign_package(desk: Desk, actor: str, package_id: PackageId, places: Sequence[Place]) -> Package:
    """Withdraw a package from places; it is removed there. An empty list withdraws nothing (I11)."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        absent = [where for where in places if where not in package.assignments]
        if absent:
            raise ConflictError("not-assigned", f"{package_id} is not assigned to {', '.join(absent)}.", "haulage package show ID")
        if not places:
            raise UsageError("no-places", "No place was named.", "Name the places to withdraw the package from.")
        _reassign(desk, tx, package, tuple(where for where in package.assignments if where not in places))
        desk.journal.record(tx, on_requests.PACKAGE_UNASSIGNED, package=package_id, actor=actor, places=", ".join(places))
        return require_package(tx, package_id)


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


def change_package(
    desk: Desk, actor: str, package_id: PackageId, *, name: str | None = None, keep: int | None = None, source: str | None = None
) -> Package:
    """Change what is said of a package. What is said already changes nothing: no revision, no message (Q281754)."""
    with desk.database.writing() as tx:
        package = _require_own(desk, tx, package_id)
        changed = dataclasses.replace(package, name=name or package.name, keep=keep or package.keep)
        was = catalog.find_source(tx, package_id)
        what = [
            word for word, differs in (("name", changed.name != package.name), ("keep", changed.keep != package.keep)) if differs
        ]
        if source is not None and was is not None and source != was.spec:
            desk.check_source(tx, source)
            catalog.put_source(tx, dataclasses.replace(was, spec=source, full=True))
            what.append("source")
        if changed != package:
            desk.definitions.issue(tx, Kind.PACKAGE, package_id, package_state(changed))
        if what:
            desk.journal.record(tx, on_requests.PACKAGE_CHANGED, package=package_id, actor=actor, what=", ".join(what))
        return require_package(tx, package_id)


def _reassign(desk: Desk, tx: Transaction, package: Package, places: tuple[Place, ...]) -> None:
    desk.definitions.issue(tx, Kind.PACKAGE, package.id, package_state(dataclasses.replace(package, assignments=places)))


def _require_own(desk: Desk, tx: Transaction, package_id: PackageId) -> Package:
    package = require_package(tx, package_id)
    if owner_of(package_id) != desk.code:
        raise ConflictError(
            "owned-elsewhere", f"Package {package_id} belongs to site {owner_of(package_id)}.", f"Do it at {owner_of(package_id)}."
        )
    return package
