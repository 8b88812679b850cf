"""The tables of users, tokens and sessions. They are of this site alone: nothing of them is told to any other."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from haulage.domain.people.model import SessionRecord, Token, User
from haulage.domain.people.roles import Role
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import UtcTime

users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("signed_in", UtcTime),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("created", UtcTime, nullable=False),
    sa.Column("expires", UtcTime, nullable=False),
    sa.Column("used", UtcTime),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("digest", sa.String(64), primary_key=True),
    sa.Column("session", sa.String(16), nullable=False, index=True),
    sa.Column("user", sa.String(64), nullable=False, index=True),
    sa.Column("proof", sa.String(64), nullable=False),
    sa.Column("token", sa.String(64), nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("browser", sa.Text, nullable=False),
    sa.Column("began", UtcTime, nullable=False),
    sa.Column("seen", UtcTime, nullable=False),
    sa.Column("issued", UtcTime, nullable=False),
    sa.Column("until", UtcTime),
)


def put_user(tx: Transaction, user: User) -> None:
    """Write a user as it is now."""
    values = {**_values(user), "role": user.role.value}
    if tx.execute(users.update().where(users.c.name == user.name).values(values)).rowcount == 0:
        tx.execute(users.insert().values(values))


def find_user(tx: Transaction, name: str) -> User | None:
    """One user; None if there is none."""
    row = tx.execute(sa.select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _user(row)


def list_users(tx: Transaction) -> Sequence[User]:
    """All users, by name."""
    return [_user(row) for row in tx.execute(sa.select(users).order_by(users.c.name))]


def count_users(tx: Transaction) -> int:
    """How many users there are."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(users)).scalar_one())


def remove_user(tx: Transaction, name: str) -> None:
    """Forget a user."""
    tx.execute(users.delete().where(users.c.name == name))


def add_token(tx: Transaction, token: Token) -> None:
    """Keep a new token's digest."""
    tx.execute(tokens.insert().values({**_values(token), "role": token.role.value}))


def find_token(tx: Transaction, token_id: str) -> Token | None:
    """One token by its id."""
    row = tx.execute(sa.select(tokens).where(tokens.c.id == token_id)).one_or_none()
    return None if row is None else _token(row)


def token_of_digest(tx: Transaction, digest: str) -> Token | None:
    """The token somebody shows."""
    row = tx.execute(sa.select(tokens).where(tokens.c.digest == digest)).one_or_none()
    return None if row is None else _token(row)


def list_tokens(tx: Transaction, owner: str | None = None) -> Sequence[Token]:
    """All tokens, or those of one user, oldest first."""
    query = sa.select(tokens).order_by(tokens.c.created, tokens.c.id)
    if owner is not None:
        query = query.where(tokens.c.owner == owner)
    return [_token(row) for row in tx.execute(query)]


def count_tokens(tx: Transaction) -> int:
    """How many tokens there are."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(tokens)).scalar_one())


def count_tokens_by_owner(tx: Transaction) -> dict[str, int]:
    """How many tokens each user has."""
    query = sa.select(tokens.c.owner, sa.func.count()).group_by(tokens.c.owner)
    return {str(owner): int(count) for owner, count in tx.execute(query)}


def remove_token(tx: Transaction, token_id: str) -> None:
    """Forget a token."""
    tx.execute(tokens.delete().where(tokens.c.id == token_id))


def remove_tokens_of(tx: Transaction, owner: str) -> int:
    """Forget all tokens of a user; how many there were."""
    return tx.execute(tokens.delete().where(tokens.c.owner == owner)).rowcount


def note_used(tx: Transaction, token_id: str, now: dt.datetime) -> None:
    """A token was shown."""
    tx.execute(tokens.update().where(tokens.c.id == token_id).values(used=now))


def put_session(tx: Transaction, record: SessionRecord) -> None:
    """Write a session's secret as it is now."""
    values = _values(record)
    if tx.execute(sessions.update().where(sessions.c.digest == record.digest).values(values)).rowcount == 0:
        tx.execute(sessions.insert().values(values))


def find_session(tx: Transaction, digest: str) -> SessionRecord | None:
    """What a secret belongs to."""
    row = tx.execute(sa.select(sessions).where(sessions.c.digest == digest)).one_or_none()
    return None if row is None else _session(row)


def list_sessions(tx: Transaction, user: str) -> Sequence[SessionRecord]:
    """The sessions of a user, each by the secret in use, newest first."""
    query = sa.select(sessions).where(sessions.c.user == user, sessions.c.until.is_(None))
    return [_session(row) for row in tx.execute(query.order_by(sessions.c.began.desc(), sessions.c.session))]


def count_sessions(tx: Transaction) -> dict[str, int]:
    """How many sessions each user has."""
    query = sa.select(sessions.c.user, sa.func.count()).where(sessions.c.until.is_(None)).group_by(sessions.c.user)
    return {str(user): int(count) for user, count in tx.execute(query)}


def remove_session(tx: Transaction, session: str) -> None:
    """End a session: every secret of it goes."""
    tx.execute(sessions.delete().where(sessions.c.session == session))


def remove_sessions_of(tx: Transaction, user: str) -> int:
    """End all sessions of a user; how many there were."""
    count = len(list_sessions(tx, user))
    tx.execute(sessions.delete().where(sessions.c.user == user))
    return count


def remove_all_sessions(tx: Transaction) -> None:
    """Nobody is signed in."""
    tx.execute(sessions.delete())


def remove_old_sessions(tx: Transaction, *, now: dt.datetime, seen_by: dt.datetime, began_by: dt.datetime) -> None:
    """Forget the secrets that count no more."""
    over = sa.or_(sessions.c.until <= now, sessions.c.seen <= seen_by, sessions.c.began <= began_by)
    tx.execute(sessions.delete().where(over))


def _values(record: User | Token | SessionRecord) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _user(row: sa.Row[Any]) -> User:
    values = dict(row._mapping)
    return User(**(values | {"role": Role(values["role"])}))


def _token(row: sa.Row[Any]) -> Token:
    values = dict(row._mapping)
    return Token(**(values | {"role": Role(values["role"])}))


def _session(row: sa.Row[Any]) -> SessionRecord:
    return SessionRecord(**dict(row._mapping))
