"""Databases in memory made by copying: the tables are created once, every test or simulated site gets its own copy."""

from __future__ import annotations

import functools
import sqlite3

import sqlalchemy as sa

from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Database, memory_database


def fresh_database(tables: sa.MetaData = metadata) -> Database:
    """A database in memory with every registered table, empty."""
    return memory_database(_template(tables, len(tables.tables)))


def image_of(database: Database) -> bytes:
    """All of a database in memory as bytes: a backup to open again with ``memory_database(image)``."""
    with database.reading() as tx:
        driver = tx.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        return driver.serialize()


@functools.lru_cache(maxsize=8)
def _template(tables: sa.MetaData, _count: int) -> bytes:
    database = memory_database()
    with database.writing() as tx:
        tables.create_all(tx)
    return image_of(database)
