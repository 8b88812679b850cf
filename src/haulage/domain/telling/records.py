"""The table of how far each receiver of status messages was told, and every statement on it."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from haulage.domain.telling.notifier import Progress
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import UtcTime

notifier = sa.Table(
    "notifier",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("through", sa.BigInteger, nullable=False),
    sa.Column("batch", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", UtcTime),
    sa.Column("failing_since", UtcTime),
    sa.Column("failure", sa.Text, nullable=False),
    sa.Column("said", sa.Boolean, nullable=False),
    sa.Column("gone", sa.Boolean, nullable=False),
    sa.Column("told", sa.BigInteger, nullable=False),
    sa.Column("skipped", sa.BigInteger, nullable=False),
    sa.Column("told_at", UtcTime),
)


def find(tx: Transaction, name: str) -> Progress | None:
    """One receiver's row."""
    row = tx.execute(sa.select(notifier).where(notifier.c.name == name)).one_or_none()
    return None if row is None else Progress(**row._mapping)


def put(tx: Transaction, row: Progress) -> None:
    """Write it, new or not."""
    values = dataclasses.asdict(row)
    if not tx.execute(sa.update(notifier).where(notifier.c.name == row.name).values(values)).rowcount:
        tx.execute(sa.insert(notifier).values(values))


def keep_only(tx: Transaction, names: list[str]) -> None:
    """Forget the receivers that are told no more."""
    tx.execute(sa.delete(notifier).where(notifier.c.name.not_in(names)))
