"""Groups of places. Every change answers with its reach: which packages come to which places by it, and which leave some."""

from __future__ import annotations

import msgspec

from haulage.base.ids import group_name, place
from haulage.domain.groups import views
from haulage.domain.groups.model import Reach
from haulage.operations import groups
from haulage.operations.desk import require_group
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, desk_for, page_of


class Members(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places to let in or take out. Never "all": an empty list changes nothing (I11)."""

    places: list[str]
    dry_run: bool = False


class Exactly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The places a group holds from now on; ``empty`` if it is meant that there are none."""

    places: list[str]
    empty: bool = False
    dry_run: bool = False


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal; ``even_used``: while packages are assigned to it, too."""

    even_used: bool = False
    dry_run: bool = False


def _list(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return page_of(views.list_groups(tx), call.query, "id")


def _show(call: Call) -> Answer:
    service = call.service
    with service.core.database.reading() as tx:
        group = require_group(service.desk, tx, group_name(call.path["name"]))
        return Answer(value=views.show_group(tx, service.code, group))


def _add(call: Call) -> Answer:
    asked: Members = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        reach = groups.add_to_group(desk, call.actor, group_name(call.path["name"]), [place(one) for one in asked.places])
    return _told(call, reach, dry_run=asked.dry_run)


def _set(call: Call) -> Answer:
    asked: Exactly = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        name = group_name(call.path["name"])
        reach = groups.set_group(desk, call.actor, name, [place(one) for one in asked.places], empty=asked.empty)
    return _told(call, reach, dry_run=asked.dry_run)


def _drop(call: Call) -> Answer:
    asked: Members = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        reach = groups.drop_from_group(desk, call.actor, group_name(call.path["name"]), [place(one) for one in asked.places])
    return _told(call, reach, dry_run=asked.dry_run)


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        # What is only tried shows its reach whether it would be allowed or not.
        even_used = asked.even_used or asked.dry_run
        reach = groups.remove_group(desk, call.actor, group_name(call.path["name"]), even_used=even_used)
    return _told(call, reach, dry_run=asked.dry_run)


def _told(call: Call, reach: Reach, *, dry_run: bool) -> Answer:
    return Answer(value={"id": f"{call.service.code}.{reach.name}", "dry_run": dry_run} | views.reach_view(reach))


_ONE = "/api/v1/groups/{name}"
_CHANGE = Permission.OPERATE

ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/groups", permission=Permission.READ, act=_list, query=Page, summary="All groups"),
    Endpoint(method="GET", path=_ONE, permission=Permission.READ, act=_show, summary="One group, its places and packages"),
    Endpoint(method="PUT", path=_ONE, permission=_CHANGE, act=_set, body=Exactly, summary="Say which places it holds"),
    Endpoint(method="DELETE", path=_ONE, permission=_CHANGE, act=_remove, query=Removal, summary="Forget it"),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/places",
        permission=_CHANGE,
        act=_add,
        body=Members,
        summary="Make it, or let more places in",
    ),
    Endpoint(method="DELETE", path=f"{_ONE}/places", permission=_CHANGE, act=_drop, body=Members, summary="Take places out of it"),
)
