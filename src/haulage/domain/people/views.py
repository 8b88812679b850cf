"""Users, tokens and sessions as plain values, for API and console alike. Nothing secret is in them, digests neither."""

from __future__ import annotations

import datetime as dt

from haulage.base.clock import iso
from haulage.domain.people import records
from haulage.domain.people.model import Caller, SessionRecord, Token, User
from haulage.engine.database.transaction import Transaction

View = dict[str, object]


def user_view(user: User, *, sessions: int = 0, tokens: int = 0) -> View:
    """One user."""
    return {
        "id": user.name,
        "name": user.name,
        "display_name": user.display_name,
        "role": user.role.value,
        "disabled": user.disabled,
        "has_password": bool(user.password_hash),
        "created": iso(user.created),
        "signed_in": _iso(user.signed_in),
        "sessions": sessions,
        "tokens": tokens,
    }


def list_users(tx: Transaction) -> list[View]:
    """All users, by name, with how many sessions and tokens each has."""
    signed_in, owned = records.count_sessions(tx), records.count_tokens_by_owner(tx)
    return [
        user_view(user, sessions=signed_in.get(user.name, 0), tokens=owned.get(user.name, 0)) for user in records.list_users(tx)
    ]


def show_user(tx: Transaction, user: User) -> View:
    """One user with its tokens."""
    tokens = records.list_tokens(tx, user.name)
    view = user_view(user, sessions=len(records.list_sessions(tx, user.name)), tokens=len(tokens))
    return view | {"role_words": user.role.words, "token_list": [token_view(token) for token in tokens]}


def token_view(token: Token) -> View:
    """One token; never what it is."""
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "owner": token.owner,
        "made_by": token.made_by,
        "created": iso(token.created),
        "expires": iso(token.expires),
        "used": _iso(token.used),
    }


def session_view(record: SessionRecord, own: str = "") -> View:
    """One session of somebody; ``own`` is the one who asks is in."""
    return {
        "id": record.session,
        "address": record.address,
        "browser": record.browser,
        "began": iso(record.began),
        "seen": iso(record.seen),
        "is_this": record.session == own,
    }


def me_view(tx: Transaction, caller: Caller) -> View:
    """Who asks, with what is theirs."""
    user = records.find_user(tx, caller.name) if caller.is_user else None
    tokens = [] if user is None else records.list_tokens(tx, user.name)
    return {
        "id": caller.name,
        "name": caller.name,
        "display_name": user.display_name if user is not None else "",
        "role": caller.role.value,
        "role_words": caller.role.words,
        "local": caller.local,
        "token": caller.token or None,
        "tokens": [token_view(token) for token in tokens],
    }


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else iso(moment)
