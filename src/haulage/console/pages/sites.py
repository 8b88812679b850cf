"""One site: what it is, how it is reached, what it holds; inviting one, and taking one out of the hierarchy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from haulage.base.clock import iso, parse_iso
from haulage.base.errors import HaulageError, NotFoundError, UsageError
from haulage.base.ids import Place, SiteCode, make_place, site_code
from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.moments import moment
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import size
from haulage.domain.estate.model import Site, SiteStatus
from haulage.domain.people.roles import Role
from haulage.domain.reporting import records
from haulage.domain.reporting.hierarchy_view import Estate
from haulage.domain.reporting.place_view import PackageAt, at_place
from haulage.domain.reporting.site_view import SiteView, find_site, site_reach
from haulage.engine.database.transaction import Transaction
from haulage.operations import sites
from haulage.operations.orders import give_orders
from haulage.server.core import SiteCore
from haulage.server.place_looks import look_at_site
from haulage.server.sight import sight_of

SLICE = 1000
ONE, INVITE = "/sites/{code}", "/sites/invite"
PROBLEM_GROUPS = ("failed", "stuck", "late")


class SiteQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A site's address: which of its packages."""

    group: str = ""
    q: str = ""
    after: str = ""


class InviteQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Below which site."""

    parent: str = ""


class SitePage(SiteView, frozen=True, kw_only=True):
    """A site with the filter of its packages, and its traffic as a chart draws it."""

    query: Mapping[str, object]
    chart: Sequence[Mapping[str, object]]


class InvitePage(msgspec.Struct, frozen=True, kw_only=True):
    """The form, or (``join``) what it made: told once, kept nowhere."""

    code: str = ""
    name: str = ""
    parent: str = ""
    hours: str = f"{sites.LIFE_HOURS:g}"
    parents: Sequence[tuple[str, str]] = ()
    errors: Mapping[str, Mapping[str, str]] = {}
    join: str = ""
    expires: str = ""


def site_pages(_core: SiteCore) -> tuple[Page, ...]:
    """The form before the site: their addresses are alike."""
    return (
        Page(
            path=INVITE,
            template="site_invite.html",
            show=_invite,
            query=InviteQuery,
            place="hierarchy",
            role=Role.ADMINISTRATOR,
            takes_form=True,
            has_json=False,
        ),
        Page(path=f"{ONE}/remove", template=CONFIRM, show=_ask_remove, place="hierarchy", role=Role.ADMINISTRATOR),
        Page(path=ONE, template="site.html", show=_show, query=SiteQuery, place="hierarchy", live=True, rows=_rows),
    )


def site_writes(_core: SiteCore) -> tuple[Write, ...]:
    """What is done with one."""
    return (
        Write(path=f"{ONE}/verify", act=_verify),
        Write(path=f"{ONE}/retry", act=_retry),
        Write(path=f"{ONE}/remove", act=_remove, role=Role.ADMINISTRATOR),
    )


def _show(visit: Visit) -> Shown:
    asked: SiteQuery = visit.query
    view = look_at_site(visit.service, visit.path["code"], group=asked.group, words=asked.q, after=asked.after)
    query = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    page = SitePage(**{name: getattr(view, name) for name in view.__struct_fields__}, query=query, chart=_chart(view))
    return Shown(title=f"Site {view.code}", view=page)


def _chart(view: SiteView) -> list[Mapping[str, object]]:
    rows: Any = view.traffic["rows"] if view.traffic["bytes_wire"] else ()
    return [
        {
            "label": moment(row["hour"]),
            "value": row["bytes_wire"],
            "words": size(row["bytes_wire"]),
            "seconds": int(parse_iso(row["hour"]).timestamp()),
        }
        for row in rows
    ]


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    """The packages at it."""
    asked: SiteQuery = visit.query
    place, after = make_place(site_code(visit.path["code"])), asked.after
    while True:
        with visit.service.core.database.reading() as tx:
            now = visit.service.clock.now()
            page = at_place(tx, place, now, group=asked.group, words=asked.q, after=after, limit=SLICE)
        yield from (_cells(row) for row in page.rows)
        if not page.next:
            return
        after = page.next


def _cells(row: PackageAt) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}


def _verify(visit: Visit) -> Done:
    code = _code(visit)
    count = _order(visit, code, "verify", ("present",), f"everything at {code} and its points")
    said = f"Every byte of {count} packages at {code} and its points is being read again."
    return Done(to=f"/sites/{code}", said=said if count else "Nothing lies there to verify.")


def _retry(visit: Visit) -> Done:
    code = _code(visit)
    count = _order(visit, code, "retry", PROBLEM_GROUPS, f"what is stuck at {code} and its points")
    said = f"{count} packages at {code} and its points are tried again now."
    return Done(to=f"/sites/{code}", said=said if count else "Nothing is stuck there.")


def _order(visit: Visit, code: SiteCode, action: Any, groups: Sequence[str], what: str) -> int:
    with visit.service.core.database.reading() as tx:
        pairs = records.pairs_at(tx, Place(code), groups, visit.service.clock.now())
    return give_orders(visit.desk, visit.actor, action, pairs, what)


def _ask_remove(visit: Visit) -> Shown:
    code = _code(visit)
    with visit.service.core.database.reading() as tx:
        whole = Estate(tx, sight_of(visit.service))
        site = _require(tx, whole, code)
        reach = site_reach(tx, whole, site)
    invited = site.status is SiteStatus.INVITED
    lines = [
        Reach(text="sites are below it: move or remove them first", count=len(reach.children), href=f"/hierarchy?top={code}"),
        Reach(text="packages are at it and its points; nothing more is brought there", count=reach.packages, href=f"/sites/{code}"),
        Reach(text="points are its; they leave every group", count=reach.points, href=f"/points?site={code}"),
        Reach(text="packages are its own; nobody can publish them any more", count=reach.own_packages, href=f"/packages?q={code}"),
        Reach(text="messages wait for it and are never told", count=reach.backlog),
    ]
    words = (
        "Nobody has joined with this invitation yet. Its join string works no more."
        if invited
        else "It leaves the hierarchy for good, at every site. Its server goes on holding what it holds, and is served no more. "
        "A site of the same code can be invited again."
    )
    asked = Asked(
        title=f"Withdraw the invitation of {code}" if invited else f"Remove site {code}",
        words=words,
        reach=[line for line in lines if line.count],
        action=f"/sites/{code}/remove",
        button="Withdraw it" if invited else "Remove it",
        back=f"/sites/{code}",
        dangerous=True,
        must_type="" if invited else code,
    )
    return Shown(title=asked.title, view=asked)


def _remove(visit: Visit) -> Done:
    code = _code(visit)
    with visit.service.core.database.reading() as tx:
        invited = _require(tx, Estate(tx, sight_of(visit.service)), code).status is SiteStatus.INVITED
    if not invited and visit.form.get("typed", "").strip() != code:
        raise UsageError("not-confirmed", f"{code} was not typed, so nothing was done.", "Go back and type it.")
    sites.remove_site(visit.desk, visit.actor, code)
    return Done(to="/hierarchy", said=f"The invitation of {code} is withdrawn." if invited else f"Site {code} is removed.")


def _invite(visit: Visit) -> Shown:
    service, form = visit.service, visit.form
    with service.core.database.reading() as tx:
        parents = [(code, name) for code, name, _up, status in records.site_outlines(tx) if status == SiteStatus.ACTIVE.value][:500]
    parent = visit.query.parent if visit.query is not None else ""
    typed = InvitePage(
        code=form.get("code", "").strip().upper(),
        name=form.get("name", "").strip(),
        parent=form.get("parent", parent or str(service.code)).strip().upper(),
        hours=form.get("hours", f"{sites.LIFE_HOURS:g}").strip(),
        parents=parents,
    )
    if not form:
        return Shown(title="Invite a site", view=typed)
    try:
        made = sites.invite_site(
            visit.desk,
            visit.actor,
            site_code(typed.code),
            parent=site_code(typed.parent) if typed.parent else None,
            name=typed.name,
            hours=_hours(typed.hours),
        )
    except HaulageError as error:
        wrong = {_FIELD_OF.get(error.code, "code"): {"message": error.message, "hint": error.hint, "code": error.code}}
        return Shown(title="Invite a site", view=msgspec.structs.replace(typed, errors=wrong), status=400)
    done = msgspec.structs.replace(typed, join=made.join, expires=iso(made.expires), code=made.code, parent=made.parent)
    return Shown(title=f"{made.code} is invited", view=done)


_FIELD_OF = {"bad-life": "hours", "no-such-site": "parent", "not-central": "parent"}


def _hours(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError("bad-life", f"{text!r} is not a number of hours.", "Write 24 for a day.") from None


def _require(tx: Transaction, whole: Estate, code: str) -> Site:
    found = find_site(tx, whole, code)
    if found is None:
        raise NotFoundError("no-such-site", f"There is no site {code}.", "The hierarchy shows those there are.")
    return found


def _code(visit: Visit) -> SiteCode:
    return site_code(visit.path["code"])
