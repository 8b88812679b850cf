"""Packages: where they are, what changed in them, orders about them, getting one out."""

from __future__ import annotations

import base64
import itertools
import os
from collections.abc import Iterator
from typing import Literal

import msgspec

from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.base.ids import PackageId, VersionNumber, package_id, place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog import views as catalog_views
from haulage.domain.transit import records as transit
from haulage.domain.transit import views
from haulage.engine.content.compare import Row, What
from haulage.engine.content.diff import Change
from haulage.engine.content.manifest_model import shown
from haulage.engine.status import on_requests
from haulage.operations import orders, packages
from haulage.operations.desk import require_package
from haulage.server.api.package_report import offset
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, check_limit, cut, desk_for
from haulage.server.service import Service, View


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two versions to compare."""

    old: int
    new: int
    limit: int | None = None
    cursor: str | None = None


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to do once at one place."""

    action: Literal["verify", "repair", "retry"]
    place: str


class Rollback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version's content is to be the newest again."""

    version: int
    dry_run: bool = False


class Extraction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to, on the server's machine; the newest version held unless one is named."""

    to: str
    version: int | None = None
    dry_run: bool = False


def _status(call: Call) -> Answer:
    page: Page = call.query
    package = package_id(call.path["id"])
    with call.service.core.database.reading() as tx:
        known = catalog.find_package(tx, package)
        rows = views.leftovers(tx, package) if known is None else views.package_status(tx, known)
        if known is None and not rows:
            require_package(tx, package)
    rows = [row | {"id": f"{package}@{row['place']}"} for row in rows]
    return cut(rows, limit=page.limit, cursor=page.cursor, key=lambda row: str(row["place"]))


def _order(call: Call) -> Answer:
    asked: Order = call.body
    package, where = package_id(call.path["id"]), place(asked.place)
    before = orders.give_order(call.service.desk, call.actor, asked.action, package, where)
    return Answer(value={"id": f"{package}@{where}", "generation": before}, status=202)


def _rollback(call: Call) -> Answer:
    asked: Rollback = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = packages.rollback_package(desk, call.actor, package_id(call.path["id"]), VersionNumber(asked.version))
    if asked.dry_run:
        call.service.core.holdings.let_go(made.package, made.number)
    return Answer(value=catalog_views.version_view(made) | {"dry_run": asked.dry_run}, status=201)


def _diff(call: Call) -> Answer:
    """Changes in path order; the cursor counts them, because a version never changes."""
    asked: Span = call.query
    check_limit(asked.limit)
    package, start, contents = package_id(call.path["id"]), offset(asked.cursor or ""), call.service.core.contents
    with call.service.core.database.reading() as tx:
        require_package(tx, package)
    try:
        rows: Iterator[View] = map(_row_view, contents.compared(package, asked.old, asked.new)[0].rows)
    except ConflictError as error:
        if error.code != "too-many-differences":
            raise
        rows = map(_change_view, contents.changes(package, asked.old, asked.new))
    if asked.limit is None:
        return Answer(value=list(itertools.islice(rows, start, None)))
    some = list(itertools.islice(rows, start, start + asked.limit + 1))
    more = len(some) > asked.limit
    return Answer(value={"items": some[: asked.limit], "cursor": str(start + asked.limit) if more else None})


def _extract(call: Call) -> Answer:
    asked: Extraction = call.body
    package, target = package_id(call.path["id"]), asked.to
    if not target.startswith("/") or "\0" in target or os.path.normpath(target) == "/":
        raise UsageError("bad-target", f"{target!r} is not a folder to write into.", "Give an absolute path on the server.")
    if os.path.lexists(target) and (not os.path.isdir(target) or os.listdir(target)):
        raise ConflictError("target-not-empty", f"{target} is not an empty folder.", "Name one that is empty or not there yet.")
    if not os.path.isdir(os.path.dirname(os.path.abspath(target))):
        raise NotFoundError("target-missing", f"The folder above {target} is not there.", "Make it first.")
    number = VersionNumber(asked.version) if asked.version is not None else _newest_held(call.service, package)
    with call.service.core.database.reading() as tx:
        require_package(tx, package)
    manifest = call.service.core.contents.manifest(package, number)
    figures: View = {} if asked.dry_run else call.service.extract(manifest.ref.id, os.path.abspath(target))
    if not asked.dry_run:
        core = call.service.core
        with core.database.writing() as tx:
            core.journal.record(
                tx, on_requests.CONTENT_EXTRACTED, actor=call.actor, package=package, version=number, target=os.path.abspath(target)
            )
    return Answer(value={"id": f"{package}:{number}", "version": number, "to": target, "dry_run": asked.dry_run, **figures})


def _newest_held(service: Service, package: PackageId) -> VersionNumber:
    with service.core.database.reading() as tx:
        require_package(tx, package)
        held = transit.held_versions(tx, package)
    if not held:
        raise ConflictError("no-version-here", f"No version of {package} is held at {service.code}.", "haulage package status ID")
    return next(iter(held))


_CHANGED = {What.STREAMS: "changed", What.ATTRIBUTES: "changed", What.TIMES: "changed"}


def _row_view(row: Row) -> View:
    """``change`` says what became of the path, ``kind`` the same more finely."""
    view: View = {
        "change": _CHANGED.get(row.what, row.what.value),
        "kind": row.what.value,
        "path": shown(row.path),
        "was": shown(row.was) if row.was else None,
        "what": list(row.facets),
        "streams": [shown(name) for name in row.streams],
        "bytes_old": row.old_bytes,
        "bytes_new": row.new_bytes,
    }
    return view | _raw(row.path)


def _change_view(change: Change) -> View:
    view: View = {
        "change": change.kind.value,
        "path": shown(change.path),
        "what": list(change.what),
        "streams": [shown(name) for name in change.streams],
    }
    return view | _raw(change.path)


def _raw(path: bytes) -> View:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return {"path_b64": base64.b64encode(path).decode()}
    return {}


_ONE = "/api/v1/packages/{id}"

ENDPOINTS = (
    Endpoint(method="GET", path=f"{_ONE}/status", permission=Permission.READ, act=_status, query=Page, summary="One row per place"),
    Endpoint(
        method="POST", path=f"{_ONE}/orders", permission=Permission.OPERATE, act=_order, body=Order, summary="Verify, repair, retry"
    ),
    Endpoint(
        method="POST",
        path=f"{_ONE}/rollback",
        permission=Permission.OPERATE,
        act=_rollback,
        body=Rollback,
        summary="Old content, anew",
    ),
    Endpoint(method="GET", path=f"{_ONE}/diff", permission=Permission.READ, act=_diff, query=Span, summary="What changed"),
    Endpoint(
        method="POST",
        path=f"{_ONE}/extract",
        permission=Permission.ADMIN,
        act=_extract,
        body=Extraction,
        summary="Write a version out",
    ),
)
