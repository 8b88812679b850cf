"""``python -m tests.engine.database.goldens`` writes a database of the newest schema, as SQL and with rows in every table, for
SQLite and PostgreSQL. Once that schema is released its files are never written again: later versions must be able to open them."""

from __future__ import annotations

import datetime as dt
import pathlib
import sqlite3
import subprocess
import sys
from typing import Any

import sqlalchemy as sa

from haulage.engine.database.schema import Migrations, newest_version, upgrade
from haulage.engine.database.transaction import Database, memory_database, open_database
from haulage.engine.database.types import Json, UtcTime
from haulage.testing.scratch import go_on
from haulage.wiring.tables import TABLES
from tests.domain.worlds import CHI, lab
from tests.peers import postgresql_folder
from tests.postgres import running_cluster

FOLDER = pathlib.Path(__file__).parent / "golden"
MIGRATIONS = Migrations(tables=TABLES)
_ROWS = 2
_MOMENT = dt.datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=dt.UTC)


def path_of(revision: str, backend: str) -> pathlib.Path:
    """Of one golden."""
    return FOLDER / f"r{revision}.{backend}.sql"


def fill(database: Database) -> None:
    """What a site in the middle of a hierarchy holds; and where that is nothing, rows with the extremes of every type."""
    rows = _rows_of_a_site()
    with database.writing() as tx:
        for table in TABLES.sorted_tables:
            tx.execute(table.delete())
            have = rows[table.name] or extremes(table)
            tx.execute(table.insert(), have)
            if database.engine.dialect.name == "postgresql" and table.autoincrement_column is not None:
                go_on(tx, table, table.autoincrement_column, 0)


def sqlite_dump(database: sqlite3.Connection) -> str:
    """A SQLite database as SQL."""
    return "\n".join(database.iterdump()) + "\n"


def postgresql_dump(url: str) -> str:
    """A PostgreSQL database as SQL, without what only psql understands and what differs from one machine to the next."""
    folder = postgresql_folder()
    assert folder is not None
    plain = url.replace("+psycopg", "")
    done = subprocess.run(
        [f"{folder}/pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", plain], check=True, capture_output=True
    )
    lines = done.stdout.decode().splitlines()
    kept = [line for line in lines if line and not line.startswith(("--", "\\", "SELECT pg_catalog.set_config", "SET "))]
    return "\n".join(kept) + "\n"


def _rows_of_a_site() -> dict[str, list[dict[str, Any]]]:
    with lab() as here:
        here.point("CHI/P1")
        package = here.package("CHI", "CHI/P1", "LA1")
        for text in (b"first", b"second", b"third"):
            here.source(text)
            here.publish(package)
            here.settle()
        here.package("LA1", owner=CHI)
        with here.core(CHI).database.reading() as tx:
            return {table.name: [dict(row._mapping) for row in tx.execute(sa.select(table))] for table in TABLES.sorted_tables}


def extremes(table: sa.Table) -> list[dict[str, Any]]:
    """Rows with what a column can hold at most."""
    return [{column.name: _value(column, number) for column in table.columns} for number in range(1, _ROWS + 1)]


def _value(column: sa.Column[Any], number: int) -> Any:
    if column.nullable and number % 2 == 0:
        return None
    if isinstance(column.type, UtcTime):
        return _MOMENT.replace(second=number)
    if isinstance(column.type, Json):
        return {"ü": [number, None, "\U0001f69a"]}
    if isinstance(column.type, sa.LargeBinary):
        return bytes(range(256))[-(column.type.length or 40) :][: 30 + number] + b"\0"
    if isinstance(column.type, sa.Boolean):
        return number % 2 == 1
    if isinstance(column.type, sa.BigInteger):
        return number if column.primary_key else (1 << 63) - number
    if isinstance(column.type, sa.Integer):
        return number
    length = getattr(column.type, "length", None) or 60
    return f"{number}'\"\\ ä€\U0001f69a"[:length]


def main() -> int:
    """Write both."""
    revision = newest_version(MIGRATIONS)
    assert revision is not None
    FOLDER.mkdir(exist_ok=True)
    database = memory_database()
    upgrade(database, MIGRATIONS)
    fill(database)
    with database.reading() as tx:
        driver = tx.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        path_of(revision, "sqlite").write_text(sqlite_dump(driver), encoding="utf-8")
    with running_cluster() as cluster:
        url = cluster.fresh()
        other = open_database(url)
        upgrade(other, MIGRATIONS)
        fill(other)
        other.close()
        path_of(revision, "postgresql").write_text(postgresql_dump(url), encoding="utf-8")
    print(f"{FOLDER}: r{revision}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
