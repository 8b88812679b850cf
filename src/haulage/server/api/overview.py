"""What needs a person, what moves, what changed today: what the console shows first."""

from __future__ import annotations

import msgspec

from haulage.domain.people.roles import Role
from haulage.domain.reporting.overview.view import overview
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.sight import sight_of


def _overview(call: Call) -> Answer:
    service, core = call.service, call.service.core
    # What is wrong with the server names its files.
    may = call.caller is not None and call.caller.role >= Role.ADMINISTRATOR
    wrong = service.troubles() if may else ()
    with core.database.reading() as tx:
        return Answer(value=msgspec.to_builtins(overview(tx, sight_of(service), core.journal, wrong)))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/overview",
        permission=Permission.READ,
        act=_overview,
        summary="What needs somebody, what moves, what changed today",
    ),
)
