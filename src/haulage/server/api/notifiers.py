"""Who is told of status messages by webhook and mail: how they stand, and trying one."""

from __future__ import annotations

import asyncio

import msgspec

from haulage.operations.notifiers import ask_test
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, page_of
from haulage.server.telling.teller import outcome_view


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be chosen: the message of the test says who asked for it."""


def _list(call: Call) -> Answer:
    rows = sorted(call.service.teller.views(), key=lambda one: one.name)
    return page_of([msgspec.structs.asdict(one) for one in rows], call.query, "name")


async def _test(call: Call) -> Answer:
    service, name = call.service, call.path["name"]
    service.teller.find(name)
    said = await asyncio.to_thread(ask_test, service.desk, call.actor, name)
    began = service.clock.now()
    answer = await service.teller.test(name, said)
    return Answer(value=outcome_view(name, answer, began, service.clock.now()))


ENDPOINTS = (
    Endpoint(
        method="GET",
        path="/api/v1/notifiers",
        permission=Permission.ADMIN,
        act=_list,
        query=Page,
        summary="Who is told of status messages, and how that stands",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/notifiers/{name}/test",
        permission=Permission.ADMIN,
        act=_test,
        body=Test,
        summary="Send a message now and say what the receiver answered",
    ),
)
