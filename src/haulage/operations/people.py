"""What people do with users, their passwords, tokens and sessions of this site. Hashing takes its time before a transaction begins,
never inside one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import secrets
from dataclasses import dataclass

from haulage.base.clock import iso
from haulage.base.errors import ConflictError, NotFoundError, UsageError
from haulage.domain.people import records
from haulage.domain.people.model import Caller, Token, User
from haulage.domain.people.names import check_password, shown_name, sought_name, user_name
from haulage.domain.people.roles import Role
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_people
from haulage.engine.trust.tokens import new_token, token_digest
from haulage.operations.desk import Desk

DAYS = 365
DAYS_MAX = 3650
_TOKEN_ID = re.compile(r"[0-9a-f]{8}")
MOST_TOKENS = 100
"""Of one user; whoever needs more forgets to withdraw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What ends with a change."""

    sessions: int
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token as it is told once."""

    token: Token
    secret: str


def create_user(desk: Desk, actor: str, *, name: str, role: Role, display_name: str = "", password: str = "") -> User:
    """A new user of this site. Without a password only tokens act for it. Raises UsageError ``bad-user-name``, ``bad-name``,
    ``bad-password``, ConflictError ``user-exists``."""
    name, shown = user_name(name), shown_name(display_name, "A name for people")
    hashed = _hashed(desk, password, name) if password else ""
    with desk.database.writing() as tx:
        if records.find_user(tx, name) is not None:
            raise ConflictError("user-exists", f"There is a user {name} already.", f"haulage user show {name}")
        user = User(name=name, display_name=shown, role=role, password_hash=hashed, disabled=False, created=desk.clock.now())
        records.put_user(tx, user)
        desk.journal.record(tx, on_people.USER_CREATED, actor=actor, user=name, role=role.value)
        return user


def change_user(
    desk: Desk, actor: str, name: str, *, role: Role | None = None, display_name: str | None = None, disabled: bool | None = None
) -> tuple[User, Reach]:
    """Change what is said of a user. Another role, and disabling, end its sessions at once. What is so already changes nothing.
    Raises ConflictError ``own-user`` for one's own role."""
    shown = None if display_name is None else shown_name(display_name, "A name for people")
    with desk.database.writing() as tx:
        user = require_user(tx, name)
        changed = dataclasses.replace(
            user,
            role=user.role if role is None else role,
            display_name=user.display_name if shown is None else shown,
            disabled=user.disabled if disabled is None else disabled,
        )
        if changed == user:
            return user, Reach(sessions=0)
        ends = changed.role is not user.role or changed.disabled != user.disabled
        if ends:
            _refuse_own(actor, user.name)
        records.put_user(tx, changed)
        reach = Reach(sessions=records.remove_sessions_of(tx, user.name) if ends else 0)
        desk.journal.record(
            tx, on_people.USER_CHANGED, actor=actor, user=user.name, what=_what(user, changed), sessions=reach.sessions
        )
        return changed, reach


def remove_user(desk: Desk, actor: str, name: str) -> Reach:
    """Forget a user: its sessions and tokens end at once. What it did stays in the status messages under its name."""
    with desk.database.writing() as tx:
        user = require_user(tx, name)
        _refuse_own(actor, user.name)
        reach = Reach(sessions=records.remove_sessions_of(tx, user.name), tokens=records.remove_tokens_of(tx, user.name))
        records.remove_user(tx, user.name)
        desk.journal.record(tx, on_people.USER_REMOVED, actor=actor, user=user.name, sessions=reach.sessions, tokens=reach.tokens)
        return reach


def set_password(desk: Desk, actor: str, name: str, password: str) -> Reach:
    """Give a user another password; its sessions end at once, its tokens stay. Whoever asks for its own must have shown the old one
    before. Raises UsageError ``bad-password``."""
    with desk.database.reading() as tx:
        known = require_user(tx, name).name
    hashed = _hashed(desk, password, known)
    with desk.database.writing() as tx:
        user = require_user(tx, known)
        records.put_user(tx, dataclasses.replace(user, password_hash=hashed))
        reach = Reach(sessions=records.remove_sessions_of(tx, known))
        desk.journal.record(tx, on_people.PASSWORD_SET, actor=actor, user=known, sessions=reach.sessions)
        return reach


def create_token(desk: Desk, caller: Caller, *, name: str, role: Role, owner: str | None = None, days: float = DAYS) -> NewToken:
    """A token with a role that neither who asks nor the user it acts for exceeds. ``owner`` None is who asks; "" is the site
    itself, of which only administrators make any. Raises NotAllowedError ``role-too-low``."""
    shown = shown_name(name, "The name of a token")
    if not shown:
        raise UsageError("bad-name", "A token needs a name that says what it is for.", "Give one, such as: nightly build.")
    if not 0 < days <= DAYS_MAX:
        raise UsageError("bad-days", f"A token lives for up to {DAYS_MAX} days.", "Make another one when it is over.")
    caller.require(role)
    owner = (caller.name if caller.is_user else "") if owner is None else owner
    if owner != caller.name:
        caller.require(Role.ADMINISTRATOR)
    now, secret = desk.clock.now(), new_token()
    with desk.database.writing() as tx:
        if owner:
            owner = _require_owner(tx, owner, role)
        token = Token(
            id=secrets.token_hex(4),
            name=shown,
            digest=token_digest(secret),
            role=role,
            owner=owner,
            made_by=caller.name,
            created=now,
            expires=now + dt.timedelta(days=days),
        )
        records.add_token(tx, token)
        desk.journal.record(
            tx,
            on_people.TOKEN_CREATED,
            actor=caller.name,
            token=token.id,
            name=shown,
            owner=owner or "the site",
            role=role.value,
            until=iso(token.expires),
        )
    return NewToken(token=token, secret=secret)


def withdraw_token(desk: Desk, caller: Caller, token_id: str) -> Token:
    """A token counts no more. Everybody may withdraw their own, administrators any. Raises NotFoundError ``no-such-token``."""
    with desk.database.writing() as tx:
        token = records.find_token(tx, token_id.lower()) if _TOKEN_ID.fullmatch(token_id.lower()) else None
        own = token is not None and caller.is_user and token.owner == caller.name
        if token is None or not (own or caller.role >= Role.ADMINISTRATOR):
            raise no_such_token(token_id)
        records.remove_token(tx, token.id)
        desk.journal.record(
            tx, on_people.TOKEN_WITHDRAWN, actor=caller.name, token=token.id, name=token.name, owner=token.owner or "the site"
        )
        return token


def end_sessions(desk: Desk, caller: Caller, user: str, session: str | None = None) -> int:
    """End one session of a user, or all of them; one's own, or as an administrator anybody's. Returns how many."""
    if user != caller.name:
        caller.require(Role.ADMINISTRATOR)
    with desk.database.writing() as tx:
        there = [one for one in records.list_sessions(tx, user) if session in (None, one.session)]
        for one in there:
            records.remove_session(tx, one.session)
        if there:
            desk.journal.record(tx, on_people.SESSIONS_ENDED, actor=caller.name, user=user, sessions=len(there))
        return len(there)


def require_user(tx: Transaction, name: str) -> User:
    """A user of this site. Raises NotFoundError ``no-such-user``."""
    sought = sought_name(name)
    found = records.find_user(tx, sought) if sought else None
    if found is None:
        raise NotFoundError("no-such-user", f"There is no user {name[:64]!r} here.", "haulage user list shows those there are.")
    return found


def no_such_token(token_id: str) -> NotFoundError:
    """None that whoever asks may know of."""
    return NotFoundError("no-such-token", f"There is no token {token_id[:16]!r} of yours here.", "haulage token list")


def _require_owner(tx: Transaction, owner: str, role: Role) -> str:
    user = require_user(tx, owner)
    if user.role < role:
        raise ConflictError(
            "role-too-high",
            f"User {user.name} has the role {user.role.value}, less than {role.value}.",
            f"Give the token the role {user.role.value}, or the user another one.",
        )
    if len(records.list_tokens(tx, user.name)) >= MOST_TOKENS:
        raise ConflictError(
            "too-many-tokens", f"User {user.name} has {MOST_TOKENS} tokens.", "Withdraw those nobody uses: haulage token list."
        )
    return user.name


def _refuse_own(actor: str, name: str) -> None:
    """Nobody shuts themselves out by mistake."""
    if actor == name:
        raise ConflictError("own-user", f"{name} is you.", "Let another administrator do it, or the one of the server's machine.")


def _hashed(desk: Desk, password: str, name: str) -> str:
    check_password(password, name)
    return desk.hasher.make(password)


def _what(before: User, after: User) -> str:
    said = []
    if before.role is not after.role:
        said.append(f"role {after.role.value}")
    if before.disabled != after.disabled:
        said.append("disabled" if after.disabled else "enabled")
    if before.display_name != after.display_name:
        said.append("name")
    return ", ".join(said)
