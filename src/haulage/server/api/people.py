"""Users of this site, their tokens, and who asks."""

from __future__ import annotations

import msgspec

from haulage.base.errors import ConflictError
from haulage.domain.people import records, views
from haulage.domain.people.model import Caller
from haulage.domain.people.roles import Role, role_of
from haulage.operations import people
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.listing import Page, desk_for, page_of


class NewUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to come. Without a password only tokens act for it."""

    name: str
    role: str
    display_name: str = ""
    password: str = ""
    dry_run: bool = False


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different."""

    role: str | None = None
    display_name: str | None = None
    disabled: bool | None = None
    dry_run: bool = False


class Password(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A password to be; who changes their own shows the ``old`` one."""

    password: str
    old: str = ""
    dry_run: bool = False


class AskedToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to be: ``owner`` is the user it acts for; without one it is the site's own."""

    name: str
    role: str
    owner: str = ""
    days: float = people.DAYS
    dry_run: bool = False


class Removal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of a removal."""

    dry_run: bool = False


def _caller(call: Call) -> Caller:
    assert call.caller is not None
    return call.caller


def _users(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return page_of(views.list_users(tx), call.query, "id")


def _show(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=views.show_user(tx, people.require_user(tx, call.path["name"])))


def _create(call: Call) -> Answer:
    asked: NewUser = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = people.create_user(
            desk, call.actor, name=asked.name, role=role_of(asked.role), display_name=asked.display_name, password=asked.password
        )
    return Answer(value=views.user_view(made) | {"dry_run": asked.dry_run}, status=201)


def _change(call: Call) -> Answer:
    asked: UserChange = call.body
    role = None if asked.role is None else role_of(asked.role)
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made, reach = people.change_user(
            desk, call.actor, call.path["name"], role=role, display_name=asked.display_name, disabled=asked.disabled
        )
    return Answer(value=views.user_view(made) | {"sessions_ended": reach.sessions, "dry_run": asked.dry_run})


def _remove(call: Call) -> Answer:
    asked: Removal = call.query
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        reach = people.remove_user(desk, call.actor, call.path["name"])
    done = {"id": call.path["name"], "removed": not asked.dry_run, "dry_run": asked.dry_run}
    return Answer(value=done | {"sessions_ended": reach.sessions, "tokens_withdrawn": reach.tokens})


def _set_password(call: Call) -> Answer:
    return _password_set(call, call.path["name"])


def _set_own_password(call: Call) -> Answer:
    asked: Password = call.body
    caller = _caller(call)
    if not caller.is_user:
        raise ConflictError("no-password", f"{caller.name} is no user and has no password.", "haulage user password NAME")
    call.service.reception.check(caller.name, asked.old, call.request.client.host if call.request.client else "")
    return _password_set(call, caller.name)


def _password_set(call: Call, name: str) -> Answer:
    asked: Password = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        reach = people.set_password(desk, call.actor, name, asked.password)
    return Answer(value={"id": name, "sessions_ended": reach.sessions, "dry_run": asked.dry_run})


def _tokens(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        rows = [views.token_view(token) for token in records.list_tokens(tx)]
    return page_of(sorted(rows, key=lambda row: str(row["id"])), call.query, "id")


def _create_token(call: Call) -> Answer:
    asked: AskedToken = call.body
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        made = people.create_token(
            desk, _caller(call), name=asked.name, role=role_of(asked.role), owner=asked.owner, days=asked.days
        )
    told = {"token": "" if asked.dry_run else made.secret, "dry_run": asked.dry_run}
    return Answer(value=views.token_view(made.token) | told, status=201)


def _withdraw(call: Call) -> Answer:
    asked: Removal = call.query
    with desk_for(call.service, dry_run=asked.dry_run) as desk:
        token = people.withdraw_token(desk, _caller(call), call.path["id"])
    return Answer(value=views.token_view(token) | {"removed": not asked.dry_run, "dry_run": asked.dry_run})


def _me(call: Call) -> Answer:
    with call.service.core.database.reading() as tx:
        return Answer(value=views.me_view(tx, _caller(call)))


def _roles(_call: Call) -> Answer:
    return Answer(value=[{"id": role.value, "role": role.value, "words": role.words} for role in Role])


_USER = "/api/v1/users/{name}"

ENDPOINTS = (
    Endpoint(method="GET", path="/api/v1/users", permission=Permission.ADMIN, act=_users, query=Page, summary="Users of this site"),
    Endpoint(
        method="POST", path="/api/v1/users", permission=Permission.ADMIN, act=_create, body=NewUser, summary="Let somebody sign in"
    ),
    Endpoint(method="GET", path=_USER, permission=Permission.ADMIN, act=_show, summary="One user, with its tokens"),
    Endpoint(
        method="PATCH", path=_USER, permission=Permission.ADMIN, act=_change, body=UserChange, summary="Role, name, or disable it"
    ),
    Endpoint(method="DELETE", path=_USER, permission=Permission.ADMIN, act=_remove, query=Removal, summary="Remove a user"),
    Endpoint(
        method="PUT",
        path=f"{_USER}/password",
        permission=Permission.ADMIN,
        act=_set_password,
        body=Password,
        summary="Give a user another password; its sessions end",
    ),
    Endpoint(method="GET", path="/api/v1/tokens", permission=Permission.ADMIN, act=_tokens, query=Page, summary="All tokens"),
    Endpoint(
        method="POST",
        path="/api/v1/tokens",
        permission=Permission.ADMIN,
        act=_create_token,
        body=AskedToken,
        summary="Make a token; it is told once",
    ),
    Endpoint(
        method="DELETE",
        path="/api/v1/tokens/{id}",
        permission=Permission.READ,
        act=_withdraw,
        query=Removal,
        summary="Withdraw a token of one's own; as an administrator any",
    ),
    Endpoint(method="GET", path="/api/v1/me", permission=Permission.READ, act=_me, summary="Who asks, with what role"),
    Endpoint(
        method="PUT",
        path="/api/v1/me/password",
        permission=Permission.READ,
        act=_set_own_password,
        body=Password,
        summary="Change one's own password; one's sessions end",
    ),
    Endpoint(method="GET", path="/api/v1/roles", permission=Permission.READ, act=_roles, summary="What each role may do"),
)
