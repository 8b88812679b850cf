"""What goes wrong in a database, said in our own words. Only faults of the place are translated; a violated constraint is the
caller's business and passes through as it is."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import psycopg
import sqlalchemy as sa

from haulage.base.errors import HaulageError, IntegrityError, Remedy, TransferError

_BUSY_STATES = {"55P03", "40P01", "40001", "53300"}
_UNREACHABLE_STATES = {"57P01", "57P02", "57P03"}
_FORBIDDEN_STATES = {"42501", "25006"}
"""Not granted (since PostgreSQL 15 strangers may make no tables); a standby, or default_transaction_read_only."""


@contextlib.contextmanager
def translated(where: str, *, writing: bool = True) -> Iterator[None]:
    """Turn the driver's faults into TransferError ``database-busy``, ``disk-full``, ``database-unreachable`` or IntegrityError
    ``database-damaged``, each naming ``where``. A write tried in a reading transaction is a defect and passes through."""
    try:
        yield
    except sa.exc.TimeoutError as cause:
        raise busy(where) from cause
    except sa.exc.DBAPIError as cause:
        error = _translate(cause, where)
        if error is None or (not writing and _refused_write(cause)):
            raise
        raise error from cause


def _refused_write(error: sa.exc.DBAPIError) -> bool:
    return (
        getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
        or getattr(error.orig, "sqlstate", None) == "25006"
    )


def busy(where: str) -> TransferError:
    """Nobody let us write in time."""
    return TransferError("database-busy", f"The database {where} is busy.", "It is tried again by itself; look for a long backup.")


def _translate(error: sa.exc.DBAPIError, where: str) -> HaulageError | None:
    if isinstance(error.orig, sqlite3.Error):
        return _from_sqlite(error.orig, where)
    if isinstance(error.orig, psycopg.Error):
        return _from_postgres(error.orig, where)
    return None


def _from_sqlite(cause: sqlite3.Error, where: str) -> HaulageError | None:
    primary = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(where)
    if primary == sqlite3.SQLITE_FULL:
        return _full(where)
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return _unreachable(where, str(cause))
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return IntegrityError(
            "database-damaged",
            f"The database {where} is damaged: {cause}.",
            "Stop the server, move its home away, and: haulage restore BACKUP --home DIR",
            remedy=Remedy.WAIT_FOR_PERSON,
        )
    return None


def _from_postgres(cause: psycopg.Error, where: str) -> HaulageError | None:
    state = cause.sqlstate
    if state in _BUSY_STATES:
        return busy(where)
    if state == "53100":
        return _full(where)
    if state in _FORBIDDEN_STATES:
        return TransferError(
            "database-forbidden",
            f"The database {where} does not let this user in, or lets it only read: {_first_line(cause)}.",
            "Make the user the owner of the database, and name the server that may be written to.",
        )
    if isinstance(cause, psycopg.OperationalError) and (state is None or state[:2] == "08" or state in _UNREACHABLE_STATES):
        return _unreachable(where, _first_line(cause))
    return None


def _first_line(cause: psycopg.Error) -> str:
    return str(cause).strip().partition("\n")[0].rstrip(".")


def _full(where: str) -> TransferError:
    return TransferError("disk-full", f"The disk under the database {where} is full.", "Free some space; work goes on by itself.")


def _unreachable(where: str, cause: str) -> TransferError:
    return TransferError(
        "database-unreachable",
        f"The database {where} cannot be used: {cause}.",
        "Check that its folder or server is there and that this user may write to it.",
    )
