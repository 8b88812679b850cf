"""Transactions: one writer at a time, readers beside it on a snapshot, and hooks that run only when a commit is durable.

Must not know tables. Every caller passes the transaction on; nobody opens a second one inside the first.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import TypeAlias

import sqlalchemy as sa

from haulage.base.errors import IntegrityError
from haulage.base.files import step
from haulage.engine.database.checkpoint import Checkpointer
from haulage.engine.database.connection import WRITING, location, memory_engine, open_engine
from haulage.engine.database.faults import busy, translated

Transaction: TypeAlias = sa.Connection
"""What :meth:`Database.writing` and :meth:`Database.reading` give; executes SQLAlchemy statements."""

Hook: TypeAlias = Callable[[], None]

_log = logging.getLogger("haulage.database")


class Database:
    """One database. Safe to use from any thread."""

    def __init__(self, engine: sa.Engine, *, busy_seconds: float = 30) -> None:
        self._engine = engine
        self._busy_seconds = busy_seconds
        self._one_connection = isinstance(engine.pool, sa.StaticPool)
        self._turn = threading.Lock()
        self._checkpointer = _checkpointer(engine)
        self._open = threading.local()
        self.where = location(engine)
        """Its name for people: a path, or a URL without password."""

    @property
    def engine(self) -> sa.Engine:
        """For the room's own machinery (schema, jobs) only."""
        return self._engine

    @contextlib.contextmanager
    def writing(self) -> Iterator[Transaction]:
        """One writing transaction: commits when the block ends, rolls back when it raises.

        Raises TransferError ``database-busy``, ``disk-full``, ``database-unreachable``; IntegrityError ``database-damaged``."""
        hooks: list[Hook] = []
        with translated(self.where), self._in_turn():
            with self._transaction(hooks, writing=True) as tx:
                yield tx
                step("commit")
                tx.commit()
            if self._checkpointer is not None:
                self._checkpointer.when_due()
        step("committed")
        for hook in hooks:
            _run(hook)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Transaction]:
        """One reading transaction on a snapshot; any attempt to write fails. Raises like :meth:`writing`."""
        turn = self._in_turn() if self._one_connection else contextlib.nullcontext()
        with translated(self.where, writing=False), turn, self._transaction([], writing=False) as tx:
            yield tx

    def after_commit(self, tx: Transaction, hook: Hook) -> None:
        """Run ``hook`` once ``tx`` is durable, outside of it; never if it rolls back. A hook is a hint: its failure is logged."""
        if getattr(self._open, "tx", None) is not tx:
            raise RuntimeError("after_commit needs the transaction this thread has open")
        self._open.hooks.append(hook)

    def close(self) -> None:
        """Close every connection; safe to repeat."""
        with self._turn:
            self._engine.dispose()

    def damages(self) -> tuple[str, ...]:
        """What SQLite's own integrity check finds wrong, in its words; empty for a sound database and for PostgreSQL."""
        if self._engine.dialect.name != "sqlite":
            return ()
        try:
            with self.reading() as tx:
                found = [str(row[0]) for row in tx.exec_driver_sql("PRAGMA integrity_check(100)")]
        except IntegrityError as error:
            return (error.message,)
        return () if found == ["ok"] else tuple(found)

    def product(self) -> str:
        """What keeps the tables, and its version: ``SQLite 3.40.1``, ``PostgreSQL 15.13``."""
        if self._engine.dialect.name == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        with self.reading() as tx:
            return f"PostgreSQL {tx.exec_driver_sql('SHOW server_version').scalar_one()}"

    def commits_alone(self) -> bool:
        """Whether no connection checkpoints by itself, so that a checkpoint never meets a commit (see ``checkpoint.py``)."""
        if self._engine.dialect.name != "sqlite":
            return True
        with self.reading() as tx:
            return self._one_connection or tx.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar_one() == 0

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        self._refuse_second()
        if not self._turn.acquire(timeout=self._busy_seconds):
            raise busy(self.where)
        try:
            yield
        finally:
            self._turn.release()

    @contextlib.contextmanager
    def _transaction(self, hooks: list[Hook], *, writing: bool) -> Iterator[Transaction]:
        self._refuse_second()
        with self._engine.connect() as tx:
            tx.execution_options(**{WRITING: writing})
            tx.begin()
            self._open.tx, self._open.hooks = tx, hooks
            try:
                yield tx
            finally:
                self._open.tx = self._open.hooks = None

    def _refuse_second(self) -> None:
        if getattr(self._open, "tx", None) is not None:
            raise RuntimeError("this thread already has a transaction open: pass it on instead of opening another")


@contextlib.contextmanager
def savepoint(database: Database, tx: Transaction) -> Iterator[None]:
    """Part of a writing transaction that is undone alone when it raises; faults of the database are translated as ever."""
    with translated(database.where), tx.begin_nested():
        yield


def open_database(url: str, *, busy_seconds: float = 30) -> Database:
    """The database at ``sqlite:////PATH`` or ``postgresql://…``; its tables are the business of ``schema.py``."""
    return Database(open_engine(url, busy_seconds=busy_seconds), busy_seconds=busy_seconds)


def memory_database(image: bytes | None = None) -> Database:
    """A database in memory, empty or a copy of ``image``; about a millisecond. For tests and the simulation."""
    return Database(memory_engine(image))


def _checkpointer(engine: sa.Engine) -> Checkpointer | None:
    return Checkpointer(engine.url.database) if engine.dialect.name == "sqlite" and engine.url.database else None


def _run(hook: Hook) -> None:
    try:
        hook()
    except Exception:
        _log.exception("a hook failed after the commit; the commit stands")
