"""Databases of tests and simulated sites, in memory or in PostgreSQL as the test says. An image of one is a SQLite database
whatever it was made from, so that a hierarchy grown once serves on both."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from typing import Protocol

import sqlalchemy as sa

from haulage.engine.database.connection import WRITING, memory_engine, open_engine
from haulage.engine.database.template import fresh_database, image_of
from haulage.engine.database.transaction import Database, memory_database
from haulage.wiring.tables import TABLES


class Scratch(Protocol):
    """One database. What was opened before a ``load`` is not to be used after it."""

    def open(self) -> Database:
        """It, as a new process would have it."""
        ...

    def load(self, image: bytes) -> None:
        """Let it hold what the image holds, and nothing else."""
        ...

    def image(self) -> bytes:
        """A copy of all it holds."""
        ...


class Backend(Protocol):
    """Where databases come from, and go to when they are no longer needed."""

    def take(self) -> Scratch:
        """A database to be loaded."""
        ...

    def give(self, scratch: Scratch) -> None:
        """It may be used again for something else."""
        ...


class MemoryScratch:
    """SQLite in memory."""

    def __init__(self) -> None:
        self._engine = memory_engine()

    def open(self) -> Database:
        return Database(self._engine)

    def load(self, image: bytes) -> None:
        connection = self._engine.raw_connection().driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.deserialize(image)

    def image(self) -> bytes:
        return image_of(self.open())


class PostgresScratch:
    """A database of a PostgreSQL server; it has the tables already."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def open(self) -> Database:
        return Database(self._engine)

    def load(self, image: bytes) -> None:
        source = memory_database(image)
        with source.reading() as old, self._writing() as new:
            for table in TABLES.sorted_tables:
                new.execute(table.delete())
            for table in TABLES.sorted_tables:
                _copy_rows(table, old, new)
            counted = {str(name): int(number) for name, number in old.execute(_COUNTED)}
            for table in TABLES.sorted_tables:
                if table.autoincrement_column is not None:
                    go_on(new, table, table.autoincrement_column, counted.get(table.name, 0))
        source.close()

    def image(self) -> bytes:
        copy = fresh_database(TABLES)
        with self.open().reading() as old, copy.writing() as new:
            for table in TABLES.sorted_tables:
                _copy_rows(table, old, new)
        try:
            return image_of(copy)
        finally:
            copy.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        # Not by Database.writing: that one counts as something a simulated site does.
        with self._engine.connect() as tx:
            tx.execution_options(**{WRITING: True})
            yield tx
            tx.commit()


class MemoryBackend:
    """Engines are used again: what SQLAlchemy has compiled for them is most of what a short schedule would cost."""

    def __init__(self) -> None:
        self._idle: list[Scratch] = []

    def take(self) -> Scratch:
        return self._idle.pop() if self._idle else MemoryScratch()

    def give(self, scratch: Scratch) -> None:
        self._idle.append(scratch)


class PostgresBackend:
    """Databases of one PostgreSQL server; emptying one is much quicker than making it."""

    def __init__(self, make: Callable[[], str]) -> None:
        """``make`` gives the URL of a new database with every table."""
        self._make = make
        self._idle: list[PostgresScratch] = []
        self._taken: list[PostgresScratch] = []

    def take(self) -> Scratch:
        scratch = self._idle.pop() if self._idle else PostgresScratch(self._make())
        self._taken.append(scratch)
        return scratch

    def give(self, scratch: Scratch) -> None:
        assert isinstance(scratch, PostgresScratch)
        if scratch in self._taken:
            self._taken.remove(scratch)
            self._idle.append(scratch)

    def give_all(self) -> None:
        """At the end of a test: what it did not give back."""
        for scratch in list(self._taken):
            self.give(scratch)

    def close(self) -> None:
        """Let go of all."""
        self.give_all()
        for scratch in self._idle:
            scratch.close()


_backends: list[Backend] = [MemoryBackend()]
_taken: weakref.WeakKeyDictionary[Scratch, object] = weakref.WeakKeyDictionary()


@contextlib.contextmanager
def standing_on(backend: Backend) -> Iterator[None]:
    """Until the block ends, databases come from there."""
    _backends.append(backend)
    try:
        yield
    finally:
        _backends.pop()


def take(image: bytes | None = None) -> tuple[Scratch, Callable[[], None]]:
    """A database that holds what the image holds, or no rows; and how to give it back."""
    backend = _backends[-1]
    scratch, mark = backend.take(), object()
    _taken[scratch] = mark
    scratch.load(image or blank_image())

    def give() -> None:
        # Whoever gives late gives nothing that somebody else has taken since.
        if _taken.get(scratch) is mark:
            del _taken[scratch]
            backend.give(scratch)

    return scratch, give


def empty_database() -> Database:
    """A database with every table, empty; given back when the test ends."""
    return take()[0].open()


@functools.cache
def blank_image() -> bytes:
    """A database with every table, empty."""
    return image_of(fresh_database(TABLES))


_COUNTED = sa.text("SELECT name, seq FROM sqlite_sequence")
"""How far SQLite has counted where it never gives a number twice; it makes the table with the first such table."""


def _copy_rows(table: sa.Table, old: sa.Connection, new: sa.Connection) -> None:
    rows = [dict(row._mapping) for row in old.execute(sa.select(table))]
    if rows:
        new.execute(table.insert(), rows)


def go_on(tx: sa.Connection, table: sa.Table, column: sa.Column[int], number: int) -> None:
    """Numbers the database gives out begin after this one, and after the highest in use."""
    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
    highest = sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
    tx.execute(sa.select(sa.func.setval(sequence, sa.func.greatest(highest, number) + 1, False)))
