"""All tables as they are at one moment, in one SQLite file, whichever kind of database they are in; and back again. The database
goes on being written meanwhile. Must not know what any table means."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa

from haulage.base.errors import ConflictError, IntegrityError
from haulage.base.files import sync_path
from haulage.engine.database.faults import translated
from haulage.engine.database.metadata import metadata
from haulage.engine.database.schema import differences, newest_version, schema_version, upgrade
from haulage.engine.database.transaction import Database, Transaction, open_database

ROWS_AT_ONCE = 1000


def copy_out(database: Database, path: str) -> None:
    """Write a snapshot to the new file ``path``, for its owner alone, durable. Raises ConflictError ``schema-older``, TransferError
    ``disk-full``, ``database-unreachable``; IntegrityError ``database-damaged``."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    if database.engine.dialect.name == "sqlite":
        _copy_pages(database, path)
    else:
        _copy_rows_out(database, path)
    with _plain(path) as copy:
        # One file that says all: what is copied or burned later has no log beside it.
        copy.execute("PRAGMA journal_mode=DELETE")
    sync_path(path)


def copy_in(path: str, database: Database) -> None:
    """Put the snapshot ``path``, which is brought to this version's tables first, into an empty database of another kind. Raises
    ConflictError ``database-not-empty``, ``schema-newer``."""
    refuse_filled(database)
    source = open_database(f"sqlite:///{path}")
    try:
        upgrade(source)
        upgrade(database)
        with source.reading() as old, database.writing() as new:
            for table in metadata.sorted_tables:
                _copy_rows(old, new, table)
                _go_on_counting(new, table)
    finally:
        source.close()


def refuse_filled(database: Database) -> None:
    """Raises ConflictError ``database-not-empty`` for one with tables: what is there is never replaced."""
    with database.reading() as tx:
        names = sa.inspect(tx).get_table_names()
    if names:
        raise ConflictError(
            "database-not-empty",
            f"The database {database.where} holds tables already; nothing was changed.",
            "Make an empty database and name it with --database.",
        )


def prove(path: str) -> None:
    """Bring the snapshot ``path`` to this version's tables, and check it. Changes it, so give it a copy. Raises IntegrityError
    ``snapshot-damaged``, ConflictError ``schema-newer``."""
    with translated(path), _plain(path) as copy:
        damage = [row[0] for row in copy.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
        stray = copy.execute("PRAGMA foreign_key_check").fetchall()
    if damage or stray:
        raise _damaged(path, damage[0] if damage else f"{len(stray)} rows refer to nothing")
    database = open_database(f"sqlite:///{path}")
    try:
        upgrade(database)
        with database.reading() as tx:
            different = differences(tx)
    finally:
        database.close()
    if different:
        raise _damaged(path, different[0])


def count_rows(path: str) -> dict[str, int]:
    """Rows by table in a snapshot."""
    with translated(path), _plain(path) as copy:
        names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
        return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in sorted(names)}  # noqa: S608


def _copy_pages(database: Database, path: str) -> None:
    with database.reading() as tx:
        driver = tx.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        # The transaction must have begun to read: from here on the copy is of this moment.
        driver.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with _told(database.where), _plain(path) as copy:
            driver.backup(copy)


def _copy_rows_out(database: Database, path: str) -> None:
    copy = open_database(f"sqlite:///{path}")
    try:
        with database.reading() as old:
            present = schema_version(old)
            if present != newest_version():
                raise ConflictError(
                    "schema-older",
                    f"The database {database.where} has schema {present}.",
                    "Start the server once: it brings the database to the newest schema.",
                )
            upgrade(copy)
            with copy.writing() as new:
                for table in metadata.sorted_tables:
                    _copy_rows(old, new, table)
    finally:
        copy.close()


def _copy_rows(old: Transaction, new: Transaction, table: sa.Table) -> None:
    new.execute(table.delete())
    rows = old.execution_options(yield_per=ROWS_AT_ONCE).execute(sa.select(table))
    for part in rows.mappings().partitions():
        new.execute(table.insert(), [dict(row) for row in part])


def _go_on_counting(tx: Transaction, table: sa.Table) -> None:
    """Numbers the database gives out begin after those that were copied."""
    column = table.autoincrement_column
    if column is not None and tx.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        most = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
        tx.execute(sa.select(sa.func.setval(sequence, most, sa.false())).where(sequence.is_not(None)))


@contextlib.contextmanager
def _plain(path: str) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextlib.contextmanager
def _told(where: str) -> Iterator[None]:
    """The driver's own errors go the way of all others."""
    with translated(where):
        try:
            yield
        except sqlite3.Error as cause:
            raise sa.exc.OperationalError("backup", {}, cause) from cause


def _damaged(path: str, cause: str) -> IntegrityError:
    return IntegrityError("snapshot-damaged", f"The copy of the database in {path} is damaged: {cause}.", "Take another backup.")
