"""Packages, looked into: how they stand, proof of where one is, what a capture noticed, the files of a version."""

from __future__ import annotations

import msgspec

from haulage.base.errors import UsageError
from haulage.base.ids import VersionNumber, package_id
from haulage.domain.reporting.packages.capture import capture_view
from haulage.domain.reporting.packages.listing import package_list, read_cursor
from haulage.domain.reporting.packages.paths import path_of
from haulage.domain.reporting.packages.proof import proof
from haulage.domain.reporting.packages.records import SHOWS, SORTS, Wanted
from haulage.operations.desk import require_package
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import check_limit

LIMIT = 200
LINES_MAX = 1_000_000


class Standing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which packages, in which order."""

    q: str = ""
    owner: str = ""
    show: str = ""
    """One of failed, retrying, waiting, moving, report, present, unpublished, unassigned, capture-failed."""
    sort: str = "id"
    down: bool = False
    limit: int = 50
    cursor: str = ""


class Lines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines of a capture's report."""

    kind: str = ""
    q: str = ""
    limit: int | None = None
    cursor: str = ""


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"folder": "in"}):
    """One folder of a version, or a name to look for."""

    folder: str = ""
    q: str = ""
    limit: int = LIMIT
    cursor: str = ""


def _standing(call: Call) -> Answer:
    asked: Standing = call.query
    check_limit(asked.limit)
    wanted = wanted_of(asked.q, asked.owner, asked.show, asked.sort, down=asked.down, cursor=asked.cursor, limit=asked.limit)
    with call.service.core.database.reading() as tx:
        return Answer(value=package_list(tx, wanted))


def wanted_of(q: str, owner: str, show: str, sort: str, *, down: bool, cursor: str, limit: int) -> Wanted:
    """The filter an address says. Raises UsageError ``bad-filter``, ``bad-cursor``."""
    if show and show not in SHOWS:
        raise UsageError("bad-filter", f"{show[:40]!r} is no way packages can stand.", f"Use one of {', '.join(SHOWS)}.")
    if sort not in SORTS:
        raise UsageError("bad-filter", f"Packages are not sorted by {sort[:40]!r}.", f"Use one of {', '.join(SORTS)}.")
    after = read_cursor(cursor) if cursor else None
    return Wanted(words=q, owner=owner, show=show, sort=sort, down=down, after=after, limit=limit)


def _proof(call: Call) -> Answer:
    core = call.service.core
    with core.database.reading() as tx:
        package = require_package(tx, package_id(call.path["id"]))
        return Answer(value=proof(tx, core.journal, package, core.code, call.service.clock.now()))


def _capture(call: Call) -> Answer:
    asked: Lines = call.query
    check_limit(asked.limit)
    package, number = package_id(call.path["id"]), version_number(call.path["number"])
    with call.service.core.database.reading() as tx:
        require_package(tx, package)
        start, limit = offset(asked.cursor), asked.limit or LINES_MAX
        return Answer(value=capture_view(tx, package, number, kind=asked.kind, words=asked.q, start=start, limit=limit))


def _files(call: Call) -> Answer:
    asked: Files = call.query
    check_limit(asked.limit)
    package, number = package_id(call.path["id"]), version_number(call.path["number"])
    contents, after = call.service.core.contents, path_of(asked.cursor)
    if asked.q:
        return Answer(value=contents.search(package, number, asked.q, after=after, limit=asked.limit))
    return Answer(value=contents.folder(package, number, path_of(asked.folder), after=after, limit=asked.limit))


def version_number(text: str) -> VersionNumber:
    """A version in a path. Raises UsageError ``bad-version``."""
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise UsageError("bad-version", f"{text[:40]!r} is not the number of a version.", "Versions are 1, 2, 3 and so on.")
    return VersionNumber(int(text))


def offset(cursor: str) -> int:
    """A cursor that counts. Raises UsageError ``bad-cursor``."""
    if cursor and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 10):
        raise UsageError("bad-cursor", f"{cursor[:40]!r} is not a cursor of this list.", "Begin without one.")
    return int(cursor or 0)


_ONE = "/api/v1/packages/{id}"

ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/standing/packages",
        permission=Permission.READ,
        act=_standing,
        query=Standing,
        summary="Packages with how they stand everywhere",
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/report",
        permission=Permission.READ,
        act=_proof,
        summary="Where it is, with proof",
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/versions/{{number}}/capture",
        permission=Permission.READ,
        act=_capture,
        query=Lines,
        summary="What was noticed while it was captured",
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/versions/{{number}}/files",
        permission=Permission.READ,
        act=_files,
        query=Files,
        summary="What is in it: one folder, or a name everywhere",
    ),
)
