"""A site at one glance, for whoever watches it in a terminal."""

from __future__ import annotations

import msgspec

from haulage.base.errors import UsageError
from haulage.domain.reporting.glance import ROWS_MAX, glance
from haulage.engine.status.message import Severity
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.sight import sight_of


class Extent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many rows of each list; messages from this severity on."""

    rows: int = 20
    severity: Severity = Severity.INFORMATION


def _glance(call: Call) -> Answer:
    asked: Extent = call.query
    if not 1 <= asked.rows <= ROWS_MAX:
        raise UsageError("bad-limit", f"rows must be from 1 to {ROWS_MAX}.", "The lists themselves have cursors.")
    core = call.service.core
    with core.database.reading() as tx:
        found = glance(tx, sight_of(call.service), core.journal, rows=asked.rows, least=asked.severity)
    return Answer(value=msgspec.to_builtins(found))


ENDPOINTS = (
    Endpoint(
        method="GET", path="/api/v1/glance", permission=Permission.READ, act=_glance, query=Extent, summary="A site at one glance"
    ),
)
