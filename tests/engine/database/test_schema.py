"""Migrations: they lead to the tables of the code, all or nothing, and an old program refuses a newer schema."""

from __future__ import annotations

import os
import pathlib

import pytest
import sqlalchemy as sa

from haulage.base.errors import ConflictError
from haulage.base.files import watching_steps
from haulage.engine.database.schema import Migrations, differences, newest_version, schema_version, upgrade, write_migration
from haulage.engine.database.transaction import Database, memory_database, open_database
from haulage.engine.database.types import Json, UtcTime
from tests.peers import need
from tests.postgres import Cluster


def _tables(*, wider: bool = False) -> sa.MetaData:
    tables = sa.MetaData()
    extra = [sa.Column("note", sa.Text)] if wider else []
    sa.Table(
        "cargo",
        tables,
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", UtcTime, nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        *extra,
    )
    return tables


@pytest.fixture
def first(tmp_path: pathlib.Path) -> Migrations:
    """A lineage of one step."""
    folder = tmp_path / "versions"
    folder.mkdir()
    migrations = Migrations(tables=_tables(), versions=str(folder))
    write_migration(memory_database(), "Cargo", "0001", migrations)
    return migrations


@pytest.fixture
def second(first: Migrations) -> Migrations:
    """The same lineage with a second step."""
    migrations = Migrations(tables=_tables(wider=True), versions=first.versions)
    write_migration(memory_database(), "Cargo with notes", "0002", migrations)
    return migrations


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Database:
    if request.param == "sqlite":
        return open_database(f"sqlite:///{tmp_path}/site.db")
    need("postgresql")
    cluster: Cluster = request.getfixturevalue("postgres")
    return open_database(cluster.fresh())


def _version(database: Database) -> str | None:
    with database.reading() as tx:
        return schema_version(tx)


def test_migrated_schema_is_what_the_tables_say(empty: Database, second: Migrations) -> None:
    assert upgrade(empty, second) == (None, "0002")
    with empty.reading() as tx:
        assert differences(tx, second.tables) == []
        assert "missing" in "".join(differences(tx, _tables_with("missing")))
    assert upgrade(empty, second) == ("0002", "0002")
    empty.close()


def _tables_with(name: str) -> sa.MetaData:
    tables = _tables(wider=True)
    sa.Table(name, tables, sa.Column("id", sa.Integer, primary_key=True))
    return tables


def test_f12_a_kill_half_way_leaves_the_schema_before(empty: Database, second: Migrations) -> None:
    def stop(name: str) -> None:
        if name == "commit":
            raise KeyboardInterrupt

    with watching_steps(stop), pytest.raises(KeyboardInterrupt):
        upgrade(empty, second)
    assert _version(empty) is None
    upgrade(empty, second)
    assert _version(empty) == "0002"
    empty.close()


def test_f12_an_old_program_refuses_a_newer_schema(empty: Database, second: Migrations) -> None:
    upgrade(empty, second)
    os.unlink(next(path for path in pathlib.Path(second.versions).iterdir() if path.name.startswith("r0002")))
    older = Migrations(tables=_tables(), versions=second.versions)
    with pytest.raises(ConflictError, match="0002") as refused:
        upgrade(empty, older)
    assert refused.value.code == "schema-newer"
    assert _version(empty) == "0002"
    empty.close()


def test_rows_survive_the_second_step(empty: Database, first: Migrations, tmp_path: pathlib.Path) -> None:
    upgrade(empty, first)
    with empty.writing() as tx:
        tx.exec_driver_sql("INSERT INTO cargo (id, at, fields, name) VALUES (1, '2020-01-01T00:00:00.000000Z', '{}', 'a')")
    wider = Migrations(tables=_tables(wider=True), versions=first.versions)
    write_migration(memory_database(), "Cargo with notes", "0002", wider)
    assert upgrade(empty, wider) == ("0001", "0002")
    with empty.reading() as tx:
        assert tx.exec_driver_sql("SELECT name, note FROM cargo").all() == [("a", None)]
    empty.close()


def test_no_step_no_version(tmp_path: pathlib.Path) -> None:
    nothing = Migrations(tables=sa.MetaData(), versions=str(tmp_path))
    assert newest_version(nothing) is None
    assert upgrade(memory_database(), nothing) == (None, None)
