"""Opening a database: which settings make SQLite durable and PostgreSQL behave like it. Must not know tables."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from haulage.base.errors import UsageError
from haulage.engine.database import checkpoint
from haulage.engine.database.faults import translated

WRITING = "haulage_writing"
"""Execution option of a connection that is about to write; without it a transaction can only read."""

_SECRETS = ("password", "sslpassword")
"""What a URL may hold behind its question mark and nobody should read."""

_WRITER_KEY = 0x4841554C
"""One writer at a time in PostgreSQL too: the key of the advisory lock every writing transaction takes first."""


def open_engine(url: str, *, busy_seconds: float = 30) -> sa.Engine:
    """An engine for ``sqlite:///PATH`` (WAL, every commit on disk) or ``postgresql://…``.

    Raises UsageError ``bad-database-url``. Nothing is connected to yet, but a SQLite file is made, readable by its owner only."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed, busy_seconds)
    return _open_postgres(parsed, busy_seconds)


def location(engine: sa.Engine) -> str:
    """The database's name for people: a path, or a URL without its password."""
    url = engine.url
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.difference_update_query(_SECRETS).render_as_string(hide_password=True)


def file_of(url: str) -> str | None:
    """The path of a SQLite database; None for PostgreSQL. Raises UsageError ``bad-database-url``."""
    parsed = _parsed(url)
    return parsed.database if parsed.get_backend_name() == "sqlite" else None


def has_password(url: str) -> bool:
    """Whether a URL holds a secret. Raises UsageError ``bad-database-url``."""
    parsed = _parsed(url)
    return parsed.password is not None or any(name in parsed.query for name in _SECRETS)


def with_password(url: str, password: str) -> str:
    """The URL with a password in it. Raises UsageError ``bad-database-url``, also for SQLite, which knows no passwords."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "postgresql":
        raise _bad_url(url)
    return parsed.set(password=password).render_as_string(hide_password=False)


def memory_engine(image: bytes | None = None) -> sa.Engine:
    """A SQLite database in memory, for tests and the simulation: one connection, shared by all threads in turn. ``image`` is
    what ``sqlite3.Connection.serialize`` gave."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    if image is not None:
        connection.deserialize(image)
    connection.execute("PRAGMA foreign_keys=ON")
    engine = sa.create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise _bad_url("the given text") from None
    backend = parsed.get_backend_name()
    if backend == "postgresql" or (backend == "sqlite" and parsed.database and parsed.database != ":memory:"):
        return parsed
    raise _bad_url(parsed.difference_update_query(_SECRETS).render_as_string(hide_password=True))


def _bad_url(shown: str) -> UsageError:
    return UsageError(
        "bad-database-url",
        f"{shown} is not a database Haulage can use.",
        "Write sqlite:////ABSOLUTE/PATH/site.db or postgresql://USER@HOST/NAME.",
    )


def _open_sqlite(url: sa.URL, busy_seconds: float) -> sa.Engine:
    path = url.database or ""
    engine = sa.create_engine(url, pool_size=24, max_overflow=40, pool_timeout=busy_seconds)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # The driver's own transaction handling would begin late and as a reader; ours begins at once, see _begin_sqlite.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={int(busy_seconds * 1000)}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            *checkpoint.PRAGMAS,
        ):
            connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "begin", _begin_sqlite)
    with translated(path):
        _make_private(url, path)
    return engine


def _make_private(url: sa.URL, path: str) -> None:
    """SQLite would make the file by the umask; its companions (-wal, -shm) take over its mode. One that is there is not opened:
    closing it would drop the locks another connection of this process holds on it, as POSIX will have it."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as cause:
        raise sa.exc.OperationalError(f"open {url.database}", {}, _cannot_open(cause)) from cause


def _cannot_open(cause: OSError) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(cause.strerror or "cannot open")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return error


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    try:
        # IMMEDIATE: a transaction that reads first and writes later would otherwise fail with "locked" without any wait.
        driver.execute("PRAGMA query_only=OFF" if writing else "PRAGMA query_only=ON")
        driver.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
    except sqlite3.Error as cause:
        raise sa.exc.OperationalError("BEGIN", {}, cause) from cause


def _open_postgres(url: sa.URL, busy_seconds: float) -> sa.Engine:
    options = f"-c timezone=UTC -c lock_timeout={int(busy_seconds * 1000)}"
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=24,
        max_overflow=40,
        pool_timeout=busy_seconds,
        pool_pre_ping=True,
        # The encoding by name: what the environment or a database in SQL_ASCII says otherwise is of no use to us.
        connect_args={"connect_timeout": 10, "options": options, "application_name": "haulage", "client_encoding": "UTF8"},
    )
    event.listen(engine, "begin", _begin_postgres)
    return engine


def _begin_postgres(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(WRITING, False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_KEY})")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
