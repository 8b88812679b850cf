"""Transfers: what is on its way, where, how fast; and holding, releasing, cancelling it. Traffic by the hour."""

from __future__ import annotations

from typing import Literal

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, SiteCode, package_id, place, site_code
from haulage.domain.reporting.moving.records import pairs_of
from haulage.domain.reporting.moving.wanted import Wanted
from haulage.domain.reporting.transfer_files import files_of
from haulage.domain.reporting.transfer_reach import reach
from haulage.domain.reporting.transfers import LIMIT, TransferRow, transfer, transfers
from haulage.domain.transit.hourly import traffic_view
from haulage.operations import orders
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import check_limit, desk_for


class Which(Wanted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A page of them. ``state``: ``open`` (not done yet), ``all``, ``held``, ``cancelled``, ``late``, ``asked`` (an order is not
    answered yet), or one state."""

    limit: int = LIMIT
    cursor: str | None = None

    @property
    def filter(self) -> Wanted:
        """Checked. Raises UsageError."""
        return checked(self)


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place."""

    at: str


class FilesAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place, and which page."""

    at: str
    limit: int = LIMIT
    cursor: str | None = None


class Since(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many hours up to now; with ``site`` only the lines that site is on."""

    hours: int = 24
    site: str = ""


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of which transfers: one (``package`` and ``place``), or all that a filter leaves, or ``all``."""

    package: str = ""
    place: str = ""
    site: str = ""
    state: str = ""
    reason: str = ""
    all: bool = False
    dry_run: bool = False


def checked(asked: Wanted) -> Wanted:
    """The filter with its codes checked. Raises UsageError."""
    return Wanted(
        package=package_id(asked.package) if asked.package else "",
        site=site_code(asked.site) if asked.site else "",
        place=place(asked.place) if asked.place else "",
        state=asked.state,
        reason=asked.reason,
    )


def _list(call: Call) -> Answer:
    asked: Which = call.query
    check_limit(asked.limit)
    core = call.service.core
    with core.database.reading() as tx:
        now = call.service.clock.now()
        found = transfers(tx, asked.filter, now=now, here=core.code, limit=asked.limit, cursor=asked.cursor)
    return Answer(value=msgspec.to_builtins(found))


def _show(call: Call) -> Answer:
    asked: At = call.query
    return Answer(value=msgspec.to_builtins(_one(call, package_id(call.path["id"]), place(asked.at))))


def _one(call: Call, package: PackageId, where: Place) -> TransferRow:
    core = call.service.core
    with core.database.reading() as tx:
        found = transfer(tx, package, where, now=call.service.clock.now(), here=core.code)
    if found is None:
        raise NotFoundError(
            "not-assigned", f"{package} is not meant for {where}.", f"haulage package assign {package} --to {where}"
        )
    return found


def _files(call: Call) -> Answer:
    asked: FilesAt = call.query
    check_limit(asked.limit)
    core = call.service.core
    package, where = package_id(call.path["id"]), place(asked.at)
    found = files_of(core.database, call.service.store, package, where, limit=asked.limit, cursor=asked.cursor)
    return Answer(value=msgspec.to_builtins(found))


def _traffic(call: Call) -> Answer:
    asked: Since = call.query
    site: SiteCode | None = site_code(asked.site) if asked.site else None
    with call.service.core.database.reading() as tx:
        return Answer(value=traffic_view(tx, now=call.service.clock.now(), site=site, hours=asked.hours))


def _hold(call: Call) -> Answer:
    return _say(call, "hold")


def _release(call: Call) -> Answer:
    return _say(call, "release")


def _cancel(call: Call) -> Answer:
    return _say(call, "cancel")


def _say(call: Call, word: orders.Word) -> Answer:
    asked: Saying = call.body
    if asked.package and asked.place:
        return _say_of_one(call, word, asked)
    if not (asked.package or asked.place or asked.site or asked.state or asked.reason or asked.all):
        raise UsageError("which-transfers", "It was not said which transfers are meant.", "Name a package and a place, or all.")
    state: Literal["open", "all"] = "open" if word == "cancel" else "all"
    wanted = checked(
        Wanted(package=asked.package, site=asked.site, place=asked.place, state=asked.state or state, reason=asked.reason)
    )
    core, now = call.service.core, call.service.clock.now()
    with core.database.reading() as tx:
        told = reach(tx, word, wanted, now=now)
        pairs = [] if asked.dry_run else pairs_of(tx, word, wanted, now=now, limit=orders.TOGETHER_MAX + 1)
    issued = orders.say_of_transfers(call.service.desk, call.actor, word, pairs, wanted.words)
    view = msgspec.to_builtins(told) | {"id": word, "issued": None if issued is None else iso(issued), "dry_run": asked.dry_run}
    return Answer(value=view, status=200 if asked.dry_run else 202)


def _say_of_one(call: Call, word: orders.Word, asked: Saying) -> Answer:
    package, where = package_id(asked.package), place(asked.place)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        issued = orders.say_of_transfer(desk, call.actor, word, package, where)
    with call.service.core.database.reading() as tx:
        row = transfer(tx, package, where, now=call.service.clock.now(), here=call.service.core.code)
    view = {"id": f"{package}@{where}", "package": package, "place": where, "word": word, "transfers": 1}
    more = {"issued": None if asked.dry_run else iso(issued), "dry_run": asked.dry_run, "transfer": msgspec.to_builtins(row)}
    return Answer(value=view | more, status=200 if asked.dry_run else 202)


_ALL = "/api/v1/transfers"

ENDPOINTS = (
    Endpoint(method="GET", path=_ALL, permission=Permission.READ, act=_list, query=Which, summary="What is on its way"),
    Endpoint(
        method="GET", path="/api/v1/traffic", permission=Permission.READ, act=_traffic, query=Since, summary="Bytes by the hour"
    ),
    Endpoint(method="POST", path=f"{_ALL}/hold", permission=Permission.OPERATE, act=_hold, body=Saying, summary="Until released"),
    Endpoint(
        method="POST",
        path=f"{_ALL}/release",
        permission=Permission.OPERATE,
        act=_release,
        body=Saying,
        summary="They go on at once",
    ),
    Endpoint(
        method="POST",
        path=f"{_ALL}/cancel",
        permission=Permission.OPERATE,
        act=_cancel,
        body=Saying,
        summary="The version under way does not come; what is present stays",
    ),
    Endpoint(method="GET", path=f"{_ALL}/{{id}}", permission=Permission.READ, act=_show, query=At, summary="One of them"),
    Endpoint(
        method="GET",
        path=f"{_ALL}/{{id}}/files",
        permission=Permission.READ,
        act=_files,
        query=FilesAt,
        summary="Which files of the version are there, changed and new",
    ),
)
