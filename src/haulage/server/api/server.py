"""This server itself: health, identity, findings, description."""

from __future__ import annotations

from typing import Any, cast

from haulage.base.clock import iso
from haulage.domain.estate import records as estate
from haulage.domain.people.roles import Role
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, cut
from haulage.server.settings_told import rows


def _health(_call: Call) -> Answer:
    return Answer(value={"status": "ok"})


def _site(call: Call) -> Answer:
    service = call.service
    with service.core.database.reading() as tx:
        me = estate.find_site(tx, service.code)
        identity = estate.read_identity(tx)
    return Answer(
        value={
            "id": service.code,
            "code": service.code,
            "name": me.name if me else "",
            "url": service.url(),
            "parent": identity.parent if identity else None,
            "epoch": identity.epoch if identity else 0,
            "state": me.status.value if me else "",
            "version": service.version,
            "home": service.home if call.caller is not None and call.caller.role is Role.ADMINISTRATOR else "",
            "started": iso(service.started),
            "served": {code: {"bytes": size} for code, size in sorted(service.core.provider.served_bytes.items())},
            "neighbours": {code: iso(moment) for code, moment in sorted(service.presence.heard().items())},
        }
    )


def _doctor(call: Call) -> Answer:
    page: Page = call.query
    rows = [{"number": index, **finding} for index, finding in enumerate(call.service.findings(), 1)]
    return cut(rows, limit=page.limit, cursor=page.cursor, key=lambda row: f"{row['number']:06}")


def _settings(call: Call) -> Answer:
    assert call.caller is not None
    return Answer(value=rows(call.service.settings(call.caller.role)))


def _description(call: Call) -> Answer:
    return Answer(value=cast("Any", call.request.app).state.description())


ENDPOINTS = (
    Endpoint(method="GET", path="/healthz", permission=Permission.OPEN, act=_health, summary="Whether the server answers"),
    Endpoint(method="GET", path="/api/v1/site", permission=Permission.READ, act=_site, summary="This server"),
    Endpoint(
        method="GET",
        path="/api/v1/doctor",
        permission=Permission.OPERATE,
        act=_doctor,
        query=Page,
        summary="What is wrong, and what to do",
    ),
    Endpoint(
        method="GET", path="/api/v1/settings", permission=Permission.READ, act=_settings, summary="What this server runs with"
    ),
    Endpoint(
        method="GET", path="/api/v1/openapi.json", permission=Permission.READ, act=_description, summary="The API's description"
    ),
)
