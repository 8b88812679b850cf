"""Packages: definition, publication, places."""

from __future__ import annotations

import msgspec

from haulage.base.ids import PackageId, package_id, parted, site_code
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog import views
from haulage.operations import packages
from haulage.operations.desk import require_package
from haulage.server.api import package_content, package_plan, package_report
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, Search, desk_for, page_of, read_page


class NewPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package to make."""

    name: str
    source: str
    streams: str = "keep"
    keep: int = 2
    keep_special_bits: bool = False
    places: list[str] = []
    """Where it is assigned: CODE, CODE/POINT or @GROUP."""
    dry_run: bool = False


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be said differently; None leaves it."""

    name: str | None = None
    keep: int | None = None
    source: str | None = None
    streams: str | None = None
    keep_special_bits: bool | None = None
    dry_run: bool = False


class Publication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to capture."""

    full: bool = False
    dry_run: bool = False


class Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places to add or withdraw, each CODE, CODE/POINT or @GROUP. Never "all": an empty list changes nothing (I11)."""

    places: list[str]
    dry_run: bool = False


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


def package_of(call: Call) -> PackageId:
    """The package in the path. Raises UsageError ``bad-package-id`` (B63)."""
    return package_id(call.path["id"])


class Packages(Search, frozen=True, forbid_unknown_fields=True):
    """Which packages: with these words in id or name, of one owner."""

    owner: str | None = None


def _list(call: Call) -> Answer:
    asked: Packages = call.query
    owner = "" if asked.owner is None else site_code(asked.owner)
    with call.service.core.database.reading() as tx:
        return read_page(views.list_packages(tx, owner=owner, **asked.reach), asked, "id")


def _create(call: Call) -> Answer:
    asked: NewPackage = call.body
    places, groups = parted(asked.places)
    with desk_for(call.service, caller=call.caller, dry_run=asked.dry_run) as desk:
        made = packages.create_package(
            desk,
            call.actor,
            name=asked.name,
            source=asked.source,
            streams=asked.streams,
            keep=asked.keep,
            keep_special_bits=asked.keep_special_bits,
            places=places,
            groups=groups,
        )
    return Answer(value=views.package_view(made) | {"dry_run": asked.dry_run}, status=201)


def _show(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=views.show_package(tx, require_package(tx, package_of(call))))


def _change(call: Call) -> Answer:
    asked: Change = call.body
    with desk_for(call.service, caller=call.caller, dry_run=asked.dry_run) as desk:
        made = packages.change_package(
            desk,
            call.actor,
            package_of(call),
            name=asked.name,
            keep=asked.keep,
            source=asked.source,
            streams=asked.streams,
            keep_special_bits=asked.keep_special_bits,
        )
    return Answer(value=views.package_view(made) | {"dry_run": asked.dry_run})


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    package = package_of(call)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        packages.remove_package(desk, call.actor, package)
    return Answer(value={"id": package, "removed": not asked.dry_run, "dry_run": asked.dry_run})


def _publish(call: Call) -> Answer:
    asked: Publication = call.body
    package = package_of(call)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        number = packages.publish_package(desk, call.actor, package, full=asked.full)
    return Answer(value={"id": package, "request": number, "dry_run": asked.dry_run}, status=202)


def _assign(call: Call) -> Answer:
    asked: Places = call.body
    places, groups = parted(asked.places)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = packages.assign_package(desk, call.actor, package_of(call), places, groups)
    return Answer(value=views.package_view(made) | {"dry_run": asked.dry_run})


def _unassign(call: Call) -> Answer:
    asked: Places = call.body
    places, groups = parted(asked.places)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = packages.unassign_package(desk, call.actor, package_of(call), places, groups)
    return Answer(value=views.package_view(made) | {"dry_run": asked.dry_run})


def _versions(call: Call) -> Answer:
    package = package_of(call)
    with call.service.core.database.reading() as tx:
        if catalog.find_package(tx, package) is None:
            require_package(tx, package)
        return page_of(views.list_versions(tx, package), call.query, "id")


_ONE = "/api/v1/packages/{id}"

ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/packages", permission=Permission.READ, act=_list, query=Packages, summary="All packages"),
    Endpoint(
        method="POST", path="/api/v1/packages", permission=Permission.OPERATE, act=_create, body=NewPackage, summary="Make one"
    ),
    Endpoint(method="GET", path=_ONE, permission=Permission.READ, act=_show, summary="One package"),
    Endpoint(
        method="PATCH", path=_ONE, permission=Permission.OPERATE, act=_change, body=Change, summary="Change what is said of it"
    ),
    Endpoint(method="DELETE", path=_ONE, permission=Permission.OPERATE, act=_remove, query=Removal, summary="Delete it everywhere"),
    Endpoint(
        method="POST",
        path=f"{_ONE}/publish",
        permission=Permission.OPERATE,
        act=_publish,
        body=Publication,
        summary="Ask for a capture; answered when the package's source.done reaches the number",
    ),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/places",
        permission=Permission.OPERATE,
        act=_assign,
        body=Places,
        summary="Assign to more places",
    ),
    Endpoint(
        method="DELETE",
        path=f"{_ONE}/places",
        permission=Permission.OPERATE,
        act=_unassign,
        body=Places,
        summary="Withdraw from places",
    ),
    Endpoint(method="GET", path=f"{_ONE}/versions", permission=Permission.READ, act=_versions, query=Page, summary="Its versions"),
    *package_content.ENDPOINTS,
    *package_plan.ENDPOINTS,
    *package_report.ENDPOINTS,
)
