"""Distribution points."""

from __future__ import annotations

import msgspec

from haulage.base.ids import Place, make_place, place, point_name, site_code
from haulage.domain.estate import views
from haulage.operations import points
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Search, desk_for, read_page
from haulage.server.place_looks import look_at_point


class NewPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point to define."""

    place: str
    url: str
    dry_run: bool = False


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


class Points(Search, frozen=True, forbid_unknown_fields=True):
    """Which points: with these words in place or URL, of one site."""

    site: str | None = None


def _list(call: Call) -> Answer:
    asked: Points = call.query
    site = None if asked.site is None else site_code(asked.site)
    with call.service.core.database.reading() as tx:
        return read_page(views.list_points(tx, site, **asked.reach), asked, "place")


class Looking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the packages at a point: of a group (failed, stuck, late, held, busy, leaving, present, gone), with words in id or
    name, behind one."""

    group: str = ""
    q: str = ""
    after: str = ""


def _one(call: Call) -> Answer:
    asked: Looking = call.query
    view = look_at_point(call.service, _where(call), group=asked.group, words=asked.q, after=asked.after)
    return Answer(value={"id": view.place, **msgspec.to_builtins(view)})


def _add(call: Call) -> Answer:
    asked: NewPoint = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = points.add_point(desk, call.actor, place(asked.place), asked.url)
    return Answer(value=views.point_view(made) | {"dry_run": asked.dry_run}, status=201)


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    where = _where(call)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        still = points.remove_point(desk, call.actor, where)
    done = {"id": where, "place": where, "removed": not asked.dry_run, "dry_run": asked.dry_run}
    return Answer(value=done | {"still_assigned": list(still)})


def _where(call: Call) -> Place:
    return make_place(site_code(call.path["code"]), point_name(call.path["name"]))


ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/points", permission=Permission.READ, act=_list, query=Points, summary="All points"),
    Endpoint(
        method="POST", path="/api/v1/points", permission=Permission.OPERATE, act=_add, body=NewPoint, summary="Define a point"
    ),
    Endpoint(
        method="GET",
        path="/api/v1/points/{code}/{name}",
        permission=Permission.READ,
        act=_one,
        query=Looking,
        summary="One point: what it holds and should hold, what is stuck and why",
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/points/{code}/{name}",
        permission=Permission.OPERATE,
        act=_remove,
        query=Removal,
        summary="Withdraw a point; nothing there is touched",
    ),
)
