"""What people do with distribution points."""

from __future__ import annotations

from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import PackageId, Place, is_point, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.engine.protocol.definitions import Kind, PointState
from haulage.engine.status import on_requests
from haulage.operations.desk import Desk, require_place
from haulage.operations.packages import unassign_package

FOLDER = "folder:"
URL_CHARACTERS = 2048


def add_point(desk: Desk, actor: str, where: Place, url: str) -> Point:
    """Define a point at this site or one below it. A folder at this site is marked as this point's own at once; elsewhere the site
    that owns the folder does so when the definition arrives."""
    if not is_point(where):
        raise UsageError("bad-place", f"{where} is a site, not a point.", "Write CODE/NAME.")
    if not url.startswith(FOLDER + "/") or "\0" in url or len(url) > URL_CHARACTERS:
        raise UsageError("bad-point-url", f"{url!r} is not a point this version can serve.", "Write folder:/ABSOLUTE/PATH.")
    with desk.database.writing() as tx:
        require_place(tx, Place(site_of(where)))
        if not estate.hierarchy(tx).is_within(site_of(where), desk.code):
            raise UsageError("out-of-scope", f"{where} is not at or below site {desk.code}.", "Define it at its own site.")
        known = estate.find_point(tx, where)
        if known is not None and known.url == url:
            return known
        if known is not None:
            raise ConflictError(
                "point-exists", f"Point {where} is at {known.url} already.", "Remove it first, or choose another name."
            )
        if site_of(where) == desk.code:
            desk.establish_point(tx, Point(place=where, kind="folder", url=url, owner=desk.code, options={}))
        desk.definitions.issue(tx, Kind.POINT, where, PointState(place=where, kind="folder", url=url))
        desk.journal.record(tx, on_requests.POINT_ADDED, place=where, actor=actor, url=url)
        point = estate.find_point(tx, where)
        assert point is not None
        return point


def empty_point(desk: Desk, actor: str, where: Place) -> int:
    """Withdraw every package of this site that is assigned to a point by the point's own name: each is removed there once it is
    not wanted any more. What groups and other sites assign stays. Returns how many were withdrawn."""
    with desk.database.reading() as tx:
        require_place(tx, where)
        packages = [one.id for one in catalog.list_packages(tx) if where in one.direct and one.id[:3] == desk.code]
    for package in packages:
        unassign_package(desk, actor, package, [where])
    return len(packages)


def remove_point(desk: Desk, actor: str, where: Place) -> list[PackageId]:
    """Withdraw a point: it gets nothing more, and nothing there is touched; it leaves every group. Refused while packages of this
    site are assigned to it by its own name; returns those of other sites that still are."""
    with desk.database.writing() as tx:
        require_place(tx, where)
        assigned = [package for package in catalog.list_packages(tx) if where in package.assignments]
        own = [package.id for package in assigned if package.id[:3] == desk.code and where in package.direct]
        if own:
            raise ConflictError(
                "point-in-use",
                f"Packages are assigned to {where}: {', '.join(own)}.",
                "haulage package unassign ID --to PLACE first.",
            )
        desk.definitions.issue(tx, Kind.POINT, where, None)
        desk.journal.record(tx, on_requests.POINT_REMOVED, place=where, actor=actor)
        return [package.id for package in assigned if package.id[:3] != desk.code]
