"""Distribution points: the list, one point with what is the matter with it, and what is done with points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from haulage.base.errors import HaulageError, UsageError
from haulage.base.ids import Place, make_place, place, point_name, site_code
from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import size
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.people.roles import Role
from haulage.domain.points.space import Space
from haulage.domain.reporting import records
from haulage.domain.reporting.point_view import (
    PointReach,
    PointRow,
    PointsView,
    PointsWanted,
    PointView,
    all_points,
    point_reach,
    points_view,
)
from haulage.operations import points
from haulage.operations.orders import give_orders
from haulage.server.core import SiteCore
from haulage.server.listing import desk_for
from haulage.server.place_looks import look_at_point, require_point
from haulage.server.sight import sight_of

ROWS = 100
LIST, ADD, ONE = "/points", "/points/add", "/points/{site}/{point}"
PROBLEM_GROUPS = ("failed", "stuck", "late")
KINDS = (("folder", "A folder on the machine of the site"),)


class PointsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The list's address."""

    q: str = ""
    site: str = ""
    kind: str = ""
    health: str = ""
    problems: bool = False
    after: str = ""


class PointQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A point's address: which of its packages."""

    group: str = ""
    q: str = ""
    after: str = ""


class PointsPage(PointsView, frozen=True, kw_only=True):
    """The list with its filter, and the room of the points of this site that were looked at."""

    query: Mapping[str, object]
    spaces: Mapping[str, Space]


class PointPage(PointView, frozen=True, kw_only=True):
    """A point with the filter of its packages."""

    query: Mapping[str, object]


class AddPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form: what was typed, and what is wrong with it."""

    site: str = ""
    name: str = ""
    kind: str = "folder"
    path: str = ""
    kinds: Sequence[tuple[str, str]] = KINDS
    sites: Sequence[tuple[str, str]] = ()
    here: str = ""
    errors: Mapping[str, Mapping[str, str]] = {}
    """By field: message and hint."""
    fine: str = ""
    """What a look said, if all is well."""


def point_pages(_core: SiteCore) -> tuple[Page, ...]:
    """The form before the point: their addresses are alike."""
    return (
        Page(path=ADD, template="point_add.html", show=_add, place="points", role=Role.OPERATOR, takes_form=True, has_json=False),
        Page(path=f"{ONE}/repair", template=CONFIRM, show=_ask_repair, place="points", role=Role.OPERATOR),
        Page(path=f"{ONE}/empty", template=CONFIRM, show=_ask_empty, place="points", role=Role.OPERATOR),
        Page(path=f"{ONE}/remove", template=CONFIRM, show=_ask_remove, place="points", role=Role.OPERATOR),
        Page(path=ONE, template="point.html", show=_show, query=PointQuery, place="points", live=True),
        Page(path=LIST, template="points.html", show=_list, query=PointsQuery, place="points", live=True, rows=_rows),
    )


def point_writes(_core: SiteCore) -> tuple[Write, ...]:
    """What is done with one."""
    return (
        Write(path=f"{ONE}/verify", act=_verify),
        Write(path=f"{ONE}/retry", act=_retry),
        Write(path=f"{ONE}/repair", act=_repair),
        Write(path=f"{ONE}/empty", act=_empty),
        Write(path=f"{ONE}/remove", act=_remove),
    )


def _list(visit: Visit) -> Shown:
    asked: PointsQuery = visit.query
    service = visit.service
    with service.core.database.reading() as tx:
        view = points_view(tx, sight_of(service), _wanted(asked), limit=ROWS)
    mine = [row for row in view.rows if row.site == service.code]
    looked = {row.place: service.core.point_duty.space.known(_point_of(row)) for row in mine}
    spaces = {where: space for where, space in looked.items() if space is not None}
    return Shown(title="Points", view=_with(PointsPage, view, query=_words(asked), spaces=spaces))


def _point_of(row: PointRow) -> Point:
    return Point(place=row.place, kind=row.kind, url=row.url, owner=row.owner, options={})


def _wanted(asked: PointsQuery) -> PointsWanted:
    return PointsWanted(
        q=asked.q, site=asked.site, kind=asked.kind, health=asked.health, problems=asked.problems, after=asked.after
    )


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    with visit.service.core.database.reading() as tx:
        rows = list(all_points(tx, sight_of(visit.service), _wanted(visit.query)))
    for row in rows:
        standing = {name: getattr(row.standing, name) for name in ("failed", "stuck", "late", "busy", "held", "leaving")}
        facts = {"place": row.place, "kind": row.kind, "url": row.url, "owner": row.owner, "health": row.health.value}
        yield facts | {"wanted": row.wanted, "present": row.present} | standing


def _show(visit: Visit) -> Shown:
    asked: PointQuery = visit.query
    where = _where(visit)
    view = look_at_point(visit.service, where, group=asked.group, words=asked.q, after=asked.after)
    return Shown(title=f"Point {where}", view=_with(PointPage, view, query=_words(asked)))


def _verify(visit: Visit) -> Done:
    where = _where(visit)
    count = _order(visit, where, "verify", ("present",), f"everything at {where}")
    return Done(
        to=_address(where),
        said=f"Every byte of {_packages(count)} at {where} is being read again." if count else "Nothing lies there to verify.",
    )


def _retry(visit: Visit) -> Done:
    where = _where(visit)
    count = _order(visit, where, "retry", PROBLEM_GROUPS, f"what is stuck at {where}")
    return Done(to=_address(where), said=f"{_packages(count)} are tried again now." if count else "Nothing is stuck there.")


def _ask_repair(visit: Visit) -> Shown:
    where = _where(visit)
    reach = _reach(visit, where)
    return _asking(
        where,
        title=f"Repair {where}",
        words="Every file there is read and compared with what its owner signed. What differs, lacks or is not theirs is written "
        "anew from this site’s store; what is right stays as it is. The version before stays in place until the new one is whole.",
        reach=(
            Reach(text="packages are read", count=reach.packages, href=_address(where)),
            Reach(text=f"{size(reach.bytes)} are read; no more than that is written"),
            Reach(text="Nothing crosses a line between sites, and no other place is touched"),
        ),
        act="repair",
        button="Repair it",
    )


def _repair(visit: Visit) -> Done:
    where = _where(visit)
    count = _order(visit, where, "repair", ("present", *PROBLEM_GROUPS), f"everything at {where}")
    said = f"{_packages(count)} at {where} are read, and written anew where anything differs."
    return Done(to=_address(where), said=said if count else "Nothing lies there, and nothing should.")


def _ask_empty(visit: Visit) -> Shown:
    where = _where(visit)
    reach = _reach(visit, where)
    kept = [Reach(text="packages stay, because other sites or groups assign them", count=len(reach.foreign) + reach.grouped)]
    return _asking(
        where,
        title=f"Take all packages from {where}",
        words="Each package of this site that is assigned to the point by its name is withdrawn from it, and its files there are "
        "removed. The point stays, and gets nothing more until something is assigned to it again.",
        reach=(
            Reach(text="packages are withdrawn", count=len(reach.own), href=_address(where)),
            Reach(text="Files there that are not Haulage’s stay"),
            *(kept if kept[0].count else ()),
        ),
        act="empty",
        button="Take them away",
        dangerous=True,
        must_type=where,
    )


def _empty(visit: Visit) -> Done:
    where = _where(visit)
    _require_typed(visit, where)
    count = points.empty_point(visit.desk, visit.actor, where)
    return Done(to=_address(where), said=f"{_packages(count)} are being taken from {where}.")


def _ask_remove(visit: Visit) -> Shown:
    where = _where(visit)
    reach = _reach(visit, where)
    words = (
        f"Packages of this site are assigned to {where} by its name: take them away first, and their files are removed there; "
        "a point that is in use is not removed."
        if reach.own
        else "The point gets nothing more, and leaves its groups. Nothing in its folder is touched: what lies there stays, and "
        "whoever reads it goes on reading it."
    )
    lines = [
        Reach(
            text=f"packages lie there, {size(reach.bytes)} in all" + ("" if reach.own else "; their files stay"),
            count=reach.packages,
            href=_address(where),
        ),
        Reach(text="of them this site assigned by its name: withdrawn, and their files removed", count=len(reach.own)),
        Reach(text="packages of other sites are", count=len(reach.foreign)),
        Reach(text="packages come by a group it is in", count=reach.grouped, href="/groups"),
    ]
    return _asking(
        where,
        title=f"Remove the point {where}",
        words=words,
        reach=[line for line in lines if line.count],
        act="empty" if reach.own else "remove",
        button="Take the packages away first" if reach.own else "Remove it",
        dangerous=True,
        must_type=where,
    )


def _remove(visit: Visit) -> Done:
    where = _where(visit)
    _require_typed(visit, where)
    still = points.remove_point(visit.desk, visit.actor, where)
    more = f" Packages of other sites are still assigned to it: {', '.join(still[:5])}." if still else ""
    return Done(to=LIST, said=f"The point {where} is removed.{more}")


def _add(visit: Visit) -> Shown:
    service, form = visit.service, visit.form
    with service.core.database.reading() as tx:
        tree = estate.hierarchy(tx)
        below = set(tree.subtree(service.code))
        sites = [(code, name) for code, name, _parent, _status in records.site_outlines(tx) if code in below][:500]
    typed = AddPage(
        site=form.get("site", str(service.code)).strip().upper(),
        name=form.get("name", "").strip(),
        kind=form.get("kind", "folder"),
        path=form.get("path", "").strip(),
        sites=sites,
        here=service.code,
    )
    if not form:
        return Shown(title="Add a point", view=typed)
    try:
        where = make_place(site_code(typed.site), point_name(typed.name))
        url = typed.path if typed.path.startswith("folder:") else f"{typed.kind}:{typed.path}"
        with desk_for(service, dry_run="look" in form, caller=visit.caller) as desk:
            points.add_point(desk, visit.actor, where, url)
    except HaulageError as error:
        wrong = {_FIELD_OF.get(error.code, "path"): {"message": error.message, "hint": error.hint, "code": error.code}}
        return Shown(title="Add a point", view=msgspec.structs.replace(typed, errors=wrong), status=400)
    if "look" in form:
        fine = f"{where} can be added."
        fine += "" if where[:3] == service.code else f" Whether the folder can be used is seen by {where[:3]} when it hears of it."
        return Shown(title="Add a point", view=msgspec.structs.replace(typed, fine=fine))
    return Shown(title="Add a point", view=typed, to=_address(where))


_FIELD_OF = {
    "bad-site-code": "site",
    "no-such-place": "site",
    "out-of-scope": "site",
    "bad-point-name": "name",
    "bad-place": "name",
    "point-exists": "name",
}


def _order(visit: Visit, where: Place, action: Any, groups: Sequence[str], what: str) -> int:
    service = visit.service
    with service.core.database.reading() as tx:
        pairs = records.pairs_at(tx, where, groups, service.clock.now())
    return give_orders(visit.desk, visit.actor, action, pairs, what)


def _reach(visit: Visit, where: Place) -> PointReach:
    with visit.service.core.database.reading() as tx:
        require_point(tx, where)
        return point_reach(tx, sight_of(visit.service), where)


def _asking(where: Place, *, act: str, title: str, **rest: Any) -> Shown:
    asked = Asked(title=title, action=f"{_address(where)}/{act}", back=_address(where), **rest)
    return Shown(title=title, view=asked)


def _require_typed(visit: Visit, where: str) -> None:
    if visit.form.get("typed", "").strip() != where:
        raise UsageError("not-confirmed", f"{where} was not typed, so nothing was done.", "Go back and type it.")


def _where(visit: Visit) -> Place:
    return place(f"{visit.path['site']}/{visit.path['point']}")


def _address(where: Place) -> str:
    return f"/points/{where}"


def _packages(count: int) -> str:
    return "1 package" if count == 1 else f"{count} packages"


def _words(asked: msgspec.Struct) -> dict[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(asked).items() if value not in ("", False)}


def _with(shape: type[Any], view: msgspec.Struct, **more: object) -> Any:
    return shape(**{name: getattr(view, name) for name in view.__struct_fields__}, **more)
