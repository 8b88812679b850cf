"""Whether a database can be a site's at all: one that others use, or that cannot hold every name, is refused untouched."""

from __future__ import annotations

import sqlalchemy as sa

from haulage.base.errors import ConflictError, UsageError
from haulage.engine.database.transaction import Database, Transaction

_SHOWN = 3


def tables_in(tx: Transaction) -> frozenset[str]:
    """The names of the tables a database has now."""
    return frozenset(sa.inspect(tx).get_table_names())


def check_fit(database: Database, ours: str) -> bool:
    """Whether it has our tables already; ``ours`` is one that only we make. Writes nothing.

    Raises ConflictError ``database-not-ours`` if it holds other tables, UsageError ``database-encoding`` for a PostgreSQL database
    that is not in UTF-8; and like :meth:`Database.reading`."""
    with database.reading() as tx:
        if database.engine.dialect.name == "postgresql":
            _check_encoding(tx, database.where)
        present = tables_in(tx)
    if present and ours not in present:
        named = ", ".join(sorted(present)[:_SHOWN])
        raise ConflictError(
            "database-not-ours",
            f"The database {database.where} holds the tables of something else ({named}); nothing was changed.",
            "Give the site an empty database of its own.",
        )
    return bool(present)


def _check_encoding(tx: Transaction, where: str) -> None:
    found = str(tx.exec_driver_sql("SHOW server_encoding").scalar_one())
    if found != "UTF8":
        raise UsageError(
            "database-encoding",
            f"The database {where} is in {found}, which cannot hold every name; nothing was changed.",
            "CREATE DATABASE haulage ENCODING 'UTF8' TEMPLATE template0;",
        )
