"""Sites: the table, the tree, invitations, removal."""

from __future__ import annotations

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import site_code
from haulage.domain.estate import views
from haulage.domain.reporting.hierarchy_view import Estate, SitesWanted, after, listed_sites
from haulage.operations import sites
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, Search, check_limit, cut, desk_for, read_page
from haulage.server.place_looks import look_at_site
from haulage.server.service import Service, View
from haulage.server.sight import sight_of


class Invitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to come in where."""

    code: str
    parent: str | None = None
    name: str = ""
    hours: float = sites.LIFE_HOURS
    dry_run: bool = False


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


class Sites(Search, frozen=True, forbid_unknown_fields=True):
    """Which sites: with these words in code or name, right below one."""

    parent: str | None = None


def _list(call: Call) -> Answer:
    asked: Sites = call.query
    parent = None if asked.parent is None else site_code(asked.parent)
    with call.service.core.database.reading() as tx:
        rows = views.list_sites(tx, call.service.code, parent=parent, **asked.reach)
    return read_page(_seen(call.service, rows), asked, "code")


def _tree(call: Call) -> Answer:
    page: Page = call.query
    with call.service.core.database.reading() as tx:
        rows = views.site_tree(tx, call.service.code)
    return cut(_seen(call.service, rows), limit=page.limit, cursor=page.cursor, key=lambda row: str(row["code"]))


def _seen(service: Service, rows: list[View]) -> list[View]:
    """What was heard since this server started is newer than what the tables say."""
    heard = {str(code): iso(moment) for code, moment in service.presence.heard().items()}
    return [row | {"id": row["code"], "last_seen": heard.get(str(row["code"]), row["last_seen"])} for row in rows]


class Looking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the packages at a place: of a group (failed, stuck, late, held, busy, leaving, present, gone), with words in id or
    name, behind one."""

    group: str = ""
    q: str = ""
    after: str = ""


class HealthQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which sites: words in code or name, of one health, with a problem, right below one, at or below one."""

    q: str = ""
    health: str = ""
    problems: bool = False
    parent: str = ""
    top: str = ""
    limit: int | None = None
    cursor: str | None = None


def _health(call: Call) -> Answer:
    asked: HealthQuery = call.query
    check_limit(asked.limit)
    with call.service.core.database.reading() as tx:
        whole = Estate(tx, sight_of(call.service))
    found = listed_sites(
        whole, SitesWanted(q=asked.q, health=asked.health, problems=asked.problems, parent=asked.parent, top=asked.top)
    )
    codes, behind = after(found, asked.cursor or "", asked.limit or len(found) or 1)
    rows = [{"id": code, **msgspec.to_builtins(whole.row(code))} for code in codes]
    return Answer(value=rows if asked.limit is None else {"items": rows, "cursor": behind or None})


def _one(call: Call) -> Answer:
    asked: Looking = call.query
    view = look_at_site(call.service, site_code(call.path["code"]), group=asked.group, words=asked.q, after=asked.after)
    return Answer(value={"id": view.code, **msgspec.to_builtins(view)})


def _invite(call: Call) -> Answer:
    asked: Invitation = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        invited = sites.invite_site(
            desk,
            call.actor,
            site_code(asked.code),
            parent=None if asked.parent is None else site_code(asked.parent),
            name=asked.name,
            hours=asked.hours,
        )
    told = {"id": invited.code, "code": invited.code, "parent": invited.parent, "expires": iso(invited.expires)}
    return Answer(value=told | {"join": "" if asked.dry_run else invited.join, "dry_run": asked.dry_run}, status=201)


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    code = site_code(call.path["code"])
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        sites.remove_site(desk, call.actor, code)
    return Answer(value={"id": code, "code": code, "removed": not asked.dry_run, "dry_run": asked.dry_run})


ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/sites", permission=Permission.READ, act=_list, query=Sites, summary="All sites"),
    Endpoint(
        method="GET",
        path="/api/v1/sites/tree",
        permission=Permission.READ,
        act=_tree,
        query=Page,
        summary="All sites in tree order",
    ),
    Endpoint(
        method="GET",
        path="/api/v1/sites/health",
        permission=Permission.READ,
        act=_health,
        query=HealthQuery,
        summary="How every site stands, and how it is reached",
    ),
    Endpoint(
        method="GET",
        path="/api/v1/sites/{code}",
        permission=Permission.READ,
        act=_one,
        query=Looking,
        summary="One site: what it is, its link, what it holds and should hold",
    ),
    Endpoint(
        method="POST",
        path="/api/v1/sites/invitations",
        permission=Permission.ADMIN,
        act=_invite,
        body=Invitation,
        summary="Invite a site; the join string is told once",
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/sites/{code}",
        permission=Permission.ADMIN,
        act=_remove,
        query=Removal,
        summary="Remove a site without children",
    ),
)
