"""A database of an older schema, with rows, brought to a newer one: two steps made up for this, as the product has but one."""

from __future__ import annotations

import contextlib
import io
import os

import sqlalchemy as sa
from alembic import command

from haulage.engine.database.schema import Migrations, schema_version, upgrade, write_migration
from haulage.engine.database.transaction import memory_database, open_database
from haulage.testing.crash_points.disk import DATABASE
from haulage.testing.crash_points.world import HQ, World

_ROWS = 200


def older(world: World) -> None:
    """The first schema, and rows."""
    folder = _steps(world)
    os.makedirs(folder)
    with contextlib.redirect_stdout(io.StringIO()):  # Alembic says what it writes
        write_migration(memory_database(), "Cargo", "0001", Migrations(tables=_tables(), versions=folder))
        write_migration(memory_database(), "Cargo with notes", "0002", Migrations(tables=_tables(wider=True), versions=folder))
    with world.at(HQ) as machine:
        os.makedirs(machine.home)
        database = open_database(_url(machine.home))
        with database.writing() as tx:
            command.upgrade(Migrations(versions=folder).config(tx), "0001")
        with database.writing() as tx:
            tx.execute(sa.insert(_tables().tables["cargo"]), [{"id": number, "name": "x" * 100} for number in range(_ROWS)])
        database.close()


def migrate(world: World) -> None:
    """To the newest schema; then all rows are there."""
    migrations = Migrations(tables=_tables(wider=True), versions=_steps(world))
    with world.at(HQ) as machine:
        database = open_database(_url(machine.home))
        try:
            upgrade(database, migrations)
            with database.reading() as tx:
                assert schema_version(tx) == "0002"
                found = tx.execute(sa.text("SELECT count(*), sum(length(name)), count(note) FROM cargo")).one()
            assert tuple(found) == (_ROWS, _ROWS * 100, 0), found
            assert not database.damages()
        finally:
            database.close()


def _url(home: str) -> str:
    return f"sqlite:///{os.path.join(home, DATABASE)}"


def _steps(world: World) -> str:
    return os.path.join(world.live, "steps")


def _tables(*, wider: bool = False) -> sa.MetaData:
    tables = sa.MetaData()
    extra = [sa.Column("note", sa.Text), sa.Column("more", sa.Text, index=True)] if wider else []
    sa.Table("cargo", tables, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text, nullable=False), *extra)
    return tables
