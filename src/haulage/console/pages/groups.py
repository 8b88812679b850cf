"""Groups of places: the list, one group with its places and packages, and changing it after seeing what that means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.ids import GroupName, Place, SiteCode, group_name, is_group, place, site_code
from haulage.console.frame.asking import CONFIRM, Asked
from haulage.console.frame.asking import Reach as Line
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.domain.groups import records
from haulage.domain.groups.model import Group
from haulage.domain.groups.views import group_view, groups_view, list_groups, reach_view
from haulage.domain.people.roles import Role
from haulage.operations import groups
from haulage.operations.desk import require_group
from haulage.server.listing import desk_for

ROWS = 100
LIST, ADD, ONE = "/groups", "/groups/add", "/groups/{name}"


class GroupsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The list's address."""

    q: str = ""
    after: str = ""


class GroupQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A group's address; ``owner`` of one that another site made."""

    owner: str = ""
    q: str = ""
    after: str = ""
    package_after: str = ""


class PlacesPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a group's places: what was typed, what is wrong with it, and what it would mean."""

    name: str = ""
    is_new: bool = False
    places: str = ""
    error: Mapping[str, str] | None = None
    reach: Mapping[str, object] | None = None
    count: int = 0
    """Places that were typed."""


def group_pages() -> tuple[Page, ...]:
    """Forms before the group: their addresses are alike."""
    form = {"template": "group_places.html", "place": "groups", "role": Role.OPERATOR, "takes_form": True, "has_json": False}
    return (
        Page(path=ADD, show=_add, **form),  # type: ignore[arg-type]
        Page(path=f"{ONE}/places", show=_places, **form),  # type: ignore[arg-type]
        Page(path=f"{ONE}/remove", template=CONFIRM, show=_ask_remove, place="groups", role=Role.OPERATOR),
        Page(path=ONE, template="group.html", show=_show, query=GroupQuery, place="groups"),
        Page(path=LIST, template="groups.html", show=_list, query=GroupsQuery, place="groups", rows=_rows),
    )


def group_writes() -> tuple[Write, ...]:
    """What is done with one."""
    return (Write(path=f"{ONE}/set", act=_set), Write(path=f"{ONE}/remove", act=_remove))


def _list(visit: Visit) -> Shown:
    asked: GroupsQuery = visit.query
    with visit.service.core.database.reading() as tx:
        view = groups_view(tx, words=asked.q, after=asked.after, limit=ROWS)
    return Shown(title="Groups", view=view)


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    asked: GroupsQuery = visit.query
    with visit.service.core.database.reading() as tx:
        rows = list_groups(tx)
    yield from [row for row in rows if asked.q.strip().lower().removeprefix("@") in str(row["name"])]


def _show(visit: Visit) -> Shown:
    asked: GroupQuery = visit.query
    service, name = visit.service, group_name(visit.path["name"])
    group = _found(visit, site_code(asked.owner) if asked.owner else service.code, name)
    with service.core.database.reading() as tx:
        view = group_view(tx, service.code, group, words=asked.q, after=asked.after, package_after=asked.package_after, limit=ROWS)
    return Shown(title=f"Group {name}", view=view)


def _found(visit: Visit, owner: SiteCode, name: GroupName) -> Group:
    with visit.service.core.database.reading() as tx:
        group = records.find_group(tx, owner, name)
    if group is None:
        raise NotFoundError("no-such-group", f"Site {owner} has no group {name}.", "The list of groups shows those there are.")
    return group


def _add(visit: Visit) -> Shown:
    form = visit.form
    typed = PlacesPage(is_new=True, name=form.get("name", "").strip(), places=form.get("places", ""))
    if not form:
        return Shown(title="Make a group", view=typed)
    return _tried(visit, typed, "Make a group", lambda: group_name(typed.name))


def _places(visit: Visit) -> Shown:
    name = group_name(visit.path["name"])
    group = _found(visit, visit.service.code, name)
    if not visit.form:
        return Shown(title=f"Places of {name}", view=PlacesPage(name=name, places="\n".join(group.places), count=len(group.places)))
    typed = PlacesPage(name=name, places=visit.form.get("places", ""))
    return _tried(visit, typed, f"Places of {name}", lambda: name)


def _tried(visit: Visit, typed: PlacesPage, title: str, named: object) -> Shown:
    """What was typed, with what it would mean, or with what is wrong with it."""
    assert callable(named)
    try:
        name, places = named(), _parsed(typed.places)
        with desk_for(visit.service, dry_run=True, caller=visit.caller) as desk:
            reach = groups.set_group(desk, visit.actor, name, places)
    except HaulageError as error:
        wrong = {"message": error.message, "hint": error.hint, "code": error.code}
        return Shown(title=title, view=msgspec.structs.replace(typed, error=wrong), status=400)
    view = msgspec.structs.replace(typed, name=name, reach=reach_view(reach), count=len(places), places="\n".join(places))
    return Shown(title=title, view=view)


def _parsed(text: str) -> Sequence[Place]:
    """Places, one a line or with blanks or commas between."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    nested = [word for word in words if is_group(word)]
    if nested:
        raise NotFoundError("group-in-group", f"{nested[0][:80]} is a group; a group holds places only.", "Name the places.")
    return sorted({place(word) for word in words})


def _set(visit: Visit) -> Done:
    name = group_name(visit.path["name"])
    reach = groups.set_group(visit.desk, visit.actor, name, _parsed(visit.form.get("places", "")))
    said = f"Group {name}: {len(reach.gained)} places came, {len(reach.lost)} left."
    if reach.moved:
        said += f" Packages go to {reach.additions} more places and leave {reach.removals}."
    return Done(to=f"{LIST}/{name}", said=said)


def _ask_remove(visit: Visit) -> Shown:
    name = group_name(visit.path["name"])
    with desk_for(visit.service, dry_run=True, caller=visit.caller) as desk:
        reach = groups.remove_group(desk, visit.actor, name, even_used=True)
    words = "The group is forgotten. Packages assigned to it leave its places, unless something else brings them there."
    lines = [
        Line(text="places are in it", count=len(reach.lost), href=f"{LIST}/{name}"),
        Line(text="packages are assigned to it", count=reach.packages, href=f"{LIST}/{name}#packages"),
        Line(text="times a package is taken from a place", count=reach.removals),
    ]
    asked = Asked(
        title=f"Remove the group {name}",
        words=words,
        reach=lines,
        action=f"{LIST}/{name}/remove",
        button="Remove it",
        back=f"{LIST}/{name}",
        dangerous=True,
        must_type=str(name) if reach.removals else "",
    )
    return Shown(title=asked.title, view=asked)


def _remove(visit: Visit) -> Done:
    name = group_name(visit.path["name"])
    with visit.service.core.database.reading() as tx:
        require_group(visit.desk, tx, name)
    typed = visit.form.get("typed", "").strip() == name
    reach = groups.remove_group(visit.desk, visit.actor, name, even_used=typed)
    return Done(to=LIST, said=f"The group {name} is removed; packages leave {reach.removals} places.")
