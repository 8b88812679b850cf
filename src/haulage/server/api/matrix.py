"""The matrix over the API: packages by sites, a page of packages at a time, every site of the filter in each."""

from __future__ import annotations

import msgspec

from haulage.base.errors import UsageError
from haulage.domain.reporting.matrix.records import SHOWS
from haulage.domain.reporting.matrix.window import Asked, Matrix, cells_of
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import check_limit

PAGE = 100
MOST = 500
"""Packages of one page, whatever is asked for: each may be at thousands of sites."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which packages and sites: words in ids or names; a site and all below it; only what has something like ``show``."""

    q: str = ""
    below: str = ""
    show: str = ""
    limit: int = PAGE
    cursor: str | None = None


def _matrix(call: Call) -> Answer:
    asked: Part = call.query
    check_limit(asked.limit)
    if asked.show and asked.show not in SHOWS:
        raise UsageError("bad-filter", f"{asked.show[:40]!r} is nothing to show.", f"Use one of {', '.join(SHOWS)}.")
    with call.service.core.database.reading() as tx:
        matrix = Matrix(tx, Asked(q=asked.q, below=asked.below, show=asked.show), call.service.clock.now())
        lines, following = matrix.lines_from(tx, asked.cursor or "", min(asked.limit, MOST))
    items = [
        {"id": line.package, "name": line.name, "version": line.version, "sites": cells_of(line, matrix.columns)} for line in lines
    ]
    return Answer(value={"items": items, "cursor": following or None})


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/matrix",
        permission=Permission.READ,
        act=_matrix,
        query=Part,
        summary="How each package stands at each site",
    ),
)
