"""Who asks, and what is known of users, their tokens and their sessions. Pure; knows no way of proving anything."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from haulage.domain.people.roles import Role, require_role

LOCAL_ADMINISTRATOR = "administrator"
"""Whoever can read the token in the home: the way in when no user can, and the name its acts are told under. No user has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose proof was checked."""

    name: str
    """The user, for the audit messages of what is done."""
    role: Role
    local: bool = False
    """Whether it is the local administrator, who may name any path of the server's machine."""
    token: str = ""
    """The id of the token that was shown; "" for a session and for the local administrator."""

    @property
    def is_user(self) -> bool:
        """Whether there is a user of that name: neither the local administrator nor a token of the site itself."""
        return not self.local and not self.name.startswith(TOKEN_OF_SITE)

    def require(self, needed: Role) -> None:
        """Raises NotAllowedError ``role-too-low``."""
        require_role(self.role, needed, self.name)


LOCAL = Caller(name=LOCAL_ADMINISTRATOR, role=Role.ADMINISTRATOR, local=True)

TOKEN_OF_SITE = "token:"  # noqa: S105  (the name a token without a user acts under begins with it)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in here."""

    name: str
    display_name: str
    role: Role
    password_hash: str
    """Argon2id with salt and cost; "" for one who has no password: only tokens act for it."""
    disabled: bool
    created: dt.datetime
    signed_in: dt.datetime | None = None
    """When it last did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a program shows instead of a name and a password."""

    id: str
    name: str
    digest: str
    """SHA-256 of the token, which nobody has but whoever it was told to."""
    role: Role
    owner: str
    """The user it acts for; "" for the site's own."""
    made_by: str
    created: dt.datetime
    expires: dt.datetime
    used: dt.datetime | None = None
    """When it was last seen, to the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """One secret of one browser that signed in. A session whose secret was replaced has two for a moment."""

    digest: str
    """SHA-256 of the secret."""
    session: str
    """The session it belongs to."""
    user: str
    proof: str
    """What was shown that is no password: the digest of the local administrator's token."""
    token: str
    """What every form of this session must bring back."""
    address: str
    browser: str
    """What it called itself."""
    began: dt.datetime
    seen: dt.datetime
    issued: dt.datetime
    """When the secret was made."""
    until: dt.datetime | None = None
    """Set on a secret that was replaced: the end of its grace."""
