"""Users of this site: who they are, what they may do, and letting them in or out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.errors import HaulageError, UsageError
from haulage.console.frame.asking import CONFIRM, Asked, Reach
from haulage.console.frame.page import Done, Page, Shown, Visit, Write
from haulage.console.frame.rendering import segment
from haulage.console.pages.settings import PLACE
from haulage.domain.people import records, views
from haulage.domain.people.roles import Role, role_of
from haulage.operations import people

LIST, ADD, ONE = "/settings/users", "/settings/users/add", "/settings/users/{user}"
ROLES: Sequence[tuple[str, str]] = tuple((role.value, role.words) for role in Role)


class UsersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The list's address."""

    q: str = ""
    role: str = ""
    state: str = ""


class UsersPage(msgspec.Struct, frozen=True, kw_only=True):
    """The list with its filter."""

    users: Sequence[Mapping[str, object]]
    known: int
    """How many there are, whatever the filter."""
    query: Mapping[str, object]
    roles: Sequence[tuple[str, str]] = ROLES


class AddPage(msgspec.Struct, frozen=True, kw_only=True):
    """The form: what was typed, but no password, and what is wrong with it."""

    name: str = ""
    display_name: str = ""
    role: str = Role.READER.value
    no_password: bool = False
    roles: Sequence[tuple[str, str]] = ROLES
    error: Mapping[str, str] | None = None


class UserPage(msgspec.Struct, frozen=True, kw_only=True):
    """One user."""

    user: Mapping[str, object]
    sessions: Sequence[Mapping[str, object]]
    is_you: bool
    roles: Sequence[tuple[str, str]] = ROLES


def user_pages() -> tuple[Page, ...]:
    """The form before the user: their addresses are alike."""
    admin = Role.ADMINISTRATOR
    return (
        Page(path=ADD, template="user_add.html", show=_add, place=PLACE, role=admin, takes_form=True, has_json=False),
        Page(path=f"{ONE}/remove", template=CONFIRM, show=_ask_remove, place=PLACE, role=admin),
        Page(path=f"{ONE}/disable", template=CONFIRM, show=_ask_disable, place=PLACE, role=admin),
        Page(path=ONE, template="user.html", show=_show, place=PLACE, role=admin),
        Page(path=LIST, template="users.html", show=_list, query=UsersQuery, place=PLACE, role=admin, rows=_rows),
    )


def user_writes() -> tuple[Write, ...]:
    """What is done with one."""
    admin = Role.ADMINISTRATOR
    return (
        Write(path=f"{ONE}/set", act=_set, role=admin),
        Write(path=f"{ONE}/password", act=_password, role=admin),
        Write(path=f"{ONE}/enable", act=_enable, role=admin),
        Write(path=f"{ONE}/disable", act=_disable, role=admin),
        Write(path=f"{ONE}/sessions", act=_end_sessions, role=admin),
        Write(path=f"{ONE}/remove", act=_remove, role=admin),
    )


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    with visit.service.core.database.reading() as tx:
        found = views.list_users(tx)
    return iter([row for row in found if _fits(row, visit.query)])


def _list(visit: Visit) -> Shown:
    asked: UsersQuery = visit.query
    with visit.service.core.database.reading() as tx:
        found = views.list_users(tx)
    query = {name: value for name, value in msgspec.to_builtins(asked).items() if value}
    shown = [row for row in found if _fits(row, asked)]
    return Shown(title="Users", view=UsersPage(users=shown, known=len(found), query=query))


def _fits(row: Mapping[str, object], asked: UsersQuery) -> bool:
    named = f"{row['name']} {row['display_name']}".casefold()
    states = {"": True, "disabled": bool(row["disabled"]), "never": row["signed_in"] is None}
    return asked.q.strip().casefold() in named and asked.role in ("", row["role"]) and states.get(asked.state, True)


def _add(visit: Visit) -> Shown:
    form = visit.form
    if not form:
        return Shown(title="Let somebody in", view=AddPage())
    no_password = form.get("no_password") == "true"
    try:
        if not no_password and form.get("password", "") != form.get("again", ""):
            raise passwords_differ()
        made = people.create_user(
            visit.desk,
            visit.actor,
            name=form.get("name", ""),
            role=role_of(form.get("role", "")),
            display_name=form.get("display_name", ""),
            password="" if no_password else form.get("password", "") or " ",
        )
    except HaulageError as error:
        view = AddPage(
            name=form.get("name", "")[:200],
            display_name=form.get("display_name", "")[:400],
            role=form.get("role", "") if form.get("role") in dict(ROLES) else Role.READER.value,
            no_password=no_password,
            error=trouble(error),
        )
        return Shown(title="Let somebody in", view=view, status=400)
    return Shown(title=made.name, view=AddPage(), to=_address(made.name))


def _show(visit: Visit) -> Shown:
    with visit.service.core.database.reading() as tx:
        user = people.require_user(tx, visit.path["user"])
        shown = views.show_user(tx, user)
        sessions = [views.session_view(one) for one in records.list_sessions(tx, user.name)]
    return Shown(title=user.name, view=UserPage(user=shown, sessions=sessions, is_you=visit.caller.name == user.name))


def _set(visit: Visit) -> Done:
    user, reach = people.change_user(
        visit.desk,
        visit.actor,
        visit.path["user"],
        role=role_of(visit.form.get("role", "")),
        display_name=visit.form.get("display_name", ""),
    )
    return Done(to=_address(user.name), said=f"{user.name} is {user.role.value} now{_ended(reach.sessions)}.")


def _password(visit: Visit) -> Done:
    if visit.form.get("password", "") != visit.form.get("again", ""):
        raise passwords_differ()
    name = visit.path["user"]
    reach = people.set_password(visit.desk, visit.actor, name, visit.form.get("password", ""))
    return Done(to=_address(name), said=f"{name} has another password{_ended(reach.sessions)}.")


def _enable(visit: Visit) -> Done:
    user, _reach = people.change_user(visit.desk, visit.actor, visit.path["user"], disabled=False)
    return Done(to=_address(user.name), said=f"{user.name} may sign in again.")


def _disable(visit: Visit) -> Done:
    user, reach = people.change_user(visit.desk, visit.actor, visit.path["user"], disabled=True)
    return Done(to=_address(user.name), said=f"{user.name} may not sign in any more{_ended(reach.sessions)}.")


def _end_sessions(visit: Visit) -> Done:
    name = visit.path["user"]
    count = people.end_sessions(visit.desk, visit.caller, name, visit.form.get("session") or None)
    return Done(to=_address(name), said=f"Ended: {count} of the sessions of {name}.")


def _remove(visit: Visit) -> Done:
    name = visit.path["user"]
    reach = people.remove_user(visit.desk, visit.actor, name)
    return Done(to=LIST, said=f"{name} is removed, with {reach.sessions} sessions and {reach.tokens} tokens.")


def _ask_remove(visit: Visit) -> Shown:
    name, reach = _reach(visit)
    view = Asked(
        title=f"Remove user {name}",
        words="What it did stays in the status messages under its name.",
        reach=reach,
        action=f"{_address(name)}/remove",
        button="Remove this user",
        back=_address(name),
        dangerous=True,
    )
    return Shown(title=f"Remove {name}", view=view)


def _ask_disable(visit: Visit) -> Shown:
    name, reach = _reach(visit)
    view = Asked(
        title=f"Disable user {name}",
        words="Nobody signs in as this user, and its tokens are refused, until it is enabled again.",
        reach=reach,
        action=f"{_address(name)}/disable",
        button="Disable this user",
        back=_address(name),
        dangerous=True,
    )
    return Shown(title=f"Disable {name}", view=view)


def _reach(visit: Visit) -> tuple[str, list[Reach]]:
    with visit.service.core.database.reading() as tx:
        user = people.require_user(tx, visit.path["user"])
        sessions = len(records.list_sessions(tx, user.name))
        tokens = len(records.list_tokens(tx, user.name))
    there = f"{_address(user.name)}#sessions"
    return user.name, [
        Reach(text="of its sessions end at once", count=sessions, href=there),
        Reach(text="of its tokens are refused from now on", count=tokens, href=f"/settings/tokens?owner={segment(user.name)}"),
    ]


def passwords_differ() -> HaulageError:
    """A password that was not typed twice alike."""
    return UsageError("passwords-differ", "The two passwords are not the same.", "Nothing was changed; type it twice alike.")


def trouble(error: HaulageError) -> Mapping[str, str]:
    """An error beside the form it came of."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def _address(name: str) -> str:
    return f"{LIST}/{segment(name)}"


def _ended(sessions: int) -> str:
    return f"; {sessions} sessions ended" if sessions else ""
