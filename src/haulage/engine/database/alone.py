"""One process at a time uses a site's database: the lock on a home says nothing of another home that was copied from it and works
on the same PostgreSQL. Must not know tables."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psycopg

from haulage.base.errors import ConflictError
from haulage.engine.database.faults import translated
from haulage.engine.database.transaction import Database

WAIT_SECONDS = 10.0
"""PostgreSQL may take a moment to notice that a killed process is gone."""

_KEY = 0x48534954
_SILENT = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"
"""A machine that vanished without a word gives its site back after a minute; PostgreSQL by itself would wait for two hours."""


@contextlib.contextmanager
def alone(database: Database, *, wait_seconds: float | None = None) -> Iterator[None]:
    """Hold the database for this process, to the end of the block or of the process. A SQLite file has its home's own lock, and
    nothing is held here. Raises ConflictError ``database-in-use``, and what opening a database raises."""
    if database.engine.dialect.name != "postgresql":
        yield
        return
    with translated(database.where):
        pooled = database.engine.raw_connection()
    connection = pooled.driver_connection
    assert isinstance(connection, psycopg.Connection)
    pooled.detach()
    with contextlib.closing(connection):
        _lock(connection, database.where, WAIT_SECONDS if wait_seconds is None else wait_seconds)
        yield


def _lock(connection: psycopg.Connection[object], where: str, wait_seconds: float) -> None:
    connection.autocommit = True
    connection.execute(_SILENT)
    connection.execute(f"SET lock_timeout = {max(1, round(wait_seconds * 1000))}".encode())
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (_KEY,))
    except psycopg.errors.LockNotAvailable:
        raise ConflictError(
            "database-in-use",
            f"Another process is using the database {where} already.",
            "One site has one server, on one machine; stop the other.",
        ) from None
