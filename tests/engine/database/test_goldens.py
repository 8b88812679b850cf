"""Every released schema leads to the present one with its rows, on both kinds of database, also when the way is cut anywhere."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy import event

from haulage.base.errors import ConflictError
from haulage.base.files import watching_steps
from haulage.engine.database.schema import Migrations, differences, newest_version, schema_version, upgrade
from haulage.engine.database.transaction import Database, Transaction, open_database
from haulage.wiring.tables import TABLES
from tests.engine.database.goldens import MIGRATIONS, extremes, path_of
from tests.peers import need
from tests.postgres import Cluster

REVISIONS = [script.revision for script in ScriptDirectory.from_config(MIGRATIONS.config()).walk_revisions()]
Make = Callable[[str | None], str]
"""The URL of a new database: of a revision's golden, or empty."""


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Make:
    if request.param == "sqlite":
        return lambda revision: _in_sqlite(tmp_path, revision)
    need("postgresql")
    cluster: Cluster = request.getfixturevalue("postgres")
    return lambda revision: _in_postgresql(cluster, revision)


def _in_sqlite(folder: pathlib.Path, revision: str | None) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if revision is not None:
            connection.executescript(path_of(revision, "sqlite").read_text("utf-8"))
    return f"sqlite:///{path}"


def _in_postgresql(cluster: Cluster, revision: str | None) -> str:
    url = cluster.fresh()
    if revision is not None:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute(path_of(revision, "postgresql").read_text("utf-8").encode())
    return url


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def rows(tx: Transaction, only: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Every row of every table as the database has it, of the columns told or of all."""
    found = {}
    inspector = sa.inspect(tx)
    for name in sorted(inspector.get_table_names()):
        present = [column["name"] for column in inspector.get_columns(name)]
        columns = [each for each in (only or {}).get(name, present) if each in present]
        table = sa.table(name, *(sa.column(each) for each in columns))
        found[name] = (columns, sorted(map(repr, tx.execute(sa.select(table)))))
    return found


def test_every_revision_has_its_goldens() -> None:
    """Write them with ``python -m tests.engine.database.goldens`` before a schema is released, and never again afterwards."""
    assert REVISIONS
    for revision in REVISIONS:
        for backend in ("sqlite", "postgresql"):
            assert path_of(revision, backend).exists(), f"no golden of r{revision} for {backend}"


@pytest.mark.parametrize("revision", REVISIONS)
def test_f12_a_golden_leads_to_the_present_schema_with_all_its_rows(make: Make, revision: str) -> None:
    with opened(make(revision)) as database:
        with database.reading() as tx:
            before = rows(tx)
        assert all(found for _columns, found in before.values()), "rows everywhere"
        assert upgrade(database, MIGRATIONS) == (revision, newest_version(MIGRATIONS))
        with database.reading() as tx:
            assert differences(tx, TABLES) == [], "python -m tests.engine.database.goldens, if r0001 was made anew"
            after = rows(tx, {name: columns for name, (columns, _found) in before.items()})
        for name, (columns, found) in before.items():
            if name != "alembic_version" and name in after and after[name][0] == columns:
                assert after[name][1] == found
        assert set(before) <= set(after)
        assert database.damages() == ()


def _index_text(found: Any) -> str:
    """The condition of one for some rows only would otherwise show as an object; PostgreSQL writes it with more casts and brackets
    after a dump than before."""
    told = {name: re.sub(r"::[a-z ]+|[()\[\]]", "", str(value)) for name, value in found.get("dialect_options", {}).items()}
    return repr(found | {"dialect_options": told})


def _shape(tx: Transaction) -> dict[str, Any]:
    inspector = sa.inspect(tx)
    return {
        name: (
            [(each["name"], str(each["type"]), each["nullable"], each["default"]) for each in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            sorted(map(_index_text, inspector.get_indexes(name))),
            sorted(map(repr, inspector.get_unique_constraints(name))),
            sorted(map(repr, inspector.get_check_constraints(name))),
        )
        for name in sorted(inspector.get_table_names())
    }


@pytest.mark.parametrize("revision", REVISIONS)
def test_f12_an_upgraded_database_is_shaped_like_a_new_one(make: Make, revision: str) -> None:
    shapes = []
    for start in (revision, None):
        with opened(make(start)) as database:
            upgrade(database, MIGRATIONS)
            with database.reading() as tx:
                shapes.append(_shape(tx))
    assert shapes[0] == shapes[1]


def test_f12_numbers_go_on_where_the_golden_ended(make: Make) -> None:
    numbered = {table: table.autoincrement_column for table in TABLES.sorted_tables if table.autoincrement_column is not None}
    assert numbered
    with opened(make(REVISIONS[0])) as database:
        upgrade(database, MIGRATIONS)
        _insert_one_more(database, numbered)


def _insert_one_more(database: Database, numbered: dict[sa.Table, sa.Column[int]]) -> None:
    with database.writing() as tx:
        for table, column in numbered.items():
            highest = tx.execute(sa.select(sa.func.max(column))).scalar_one()
            row = {name: value for name, value in extremes(table)[0].items() if name != column.name}
            assert tx.execute(table.insert().values(row).returning(column)).scalar_one() > highest


def test_f12_a_schema_from_the_future_is_refused_and_stays(make: Make) -> None:
    with opened(make(REVISIONS[0])) as database:
        with database.writing() as tx:
            tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        with database.reading() as tx:
            before = rows(tx)
        with pytest.raises(ConflictError) as refused:
            upgrade(database, MIGRATIONS)
        assert refused.value.code == "schema-newer"
        assert database.where in refused.value.message
        assert "newer Haulage" in refused.value.hint
        with database.reading() as tx:
            assert rows(tx) == before


def _killed_at(url: str, statement: int, migrations: Migrations) -> bool:
    """Upgrade in a process of its own that is killed before that statement; whether there was one."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            _upgrade_until(url, statement, migrations)
            os._exit(0)
        os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _upgrade_until(url: str, statement: int, migrations: Migrations) -> None:
    database, left = open_database(url), iter(range(100_000))

    def count(*_more: object) -> None:
        if next(left) == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "before_cursor_execute", count)
    with watching_steps(count):
        upgrade(database, migrations)


_SECOND = '''
"""Second."""
import sqlalchemy as sa
from alembic import op
revision = "0002"
down_revision = "0001"
def upgrade():
    with op.batch_alter_table("cargo", recreate="always") as batch:
        batch.alter_column("name", type_=sa.Text(), nullable=True)
        batch.add_column(sa.Column("note", sa.Text(), nullable=False, server_default="n"))
    op.execute("UPDATE cargo SET note = name || '!'")
    with op.batch_alter_table("cargo") as batch:
        batch.create_index("ix_cargo_note", ["note"])
'''
_FIRST = '''
"""First."""
import sqlalchemy as sa
from alembic import op
revision = "0001"
down_revision = None
def upgrade():
    op.create_table("cargo", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.String(9), nullable=False))
'''


@pytest.fixture
def lineage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Migrations, Migrations]:
    """One step, and a second that makes the table anew with its rows."""
    found = []
    for texts in ((_FIRST,), (_FIRST, _SECOND)):
        folder = tmp_path_factory.mktemp("versions")
        for number, text in enumerate(texts, 1):
            (folder / f"r000{number}_step.py").write_text(text)
        found.append(Migrations(tables=sa.MetaData(), versions=str(folder)))
    return found[0], found[1]


def test_f12_a_migration_killed_before_any_statement_is_begun_again(make: Make, lineage: tuple[Migrations, Migrations]) -> None:
    """SIGKILL at every statement and both durable steps: the schema before with its rows, or the schema after with all of them."""
    first, second = lineage
    url = make(None)
    with opened(url) as database:
        upgrade(database, first)
        with database.writing() as tx:
            tx.exec_driver_sql("INSERT INTO cargo (id, name) VALUES (1, 'a'), (2, 'b')")
    at = 0
    while _killed_at(url, at, second):
        at += 1
        with opened(url) as database, database.reading() as tx:
            version = schema_version(tx)
            columns = "name" if version == "0001" else "name, note"
            names = [row[0] for row in tx.exec_driver_sql(f"SELECT {columns} FROM cargo ORDER BY id")]
            assert names == ["a", "b"]
            if version == "0002":
                break
            assert "note" not in {each["name"] for each in sa.inspect(tx).get_columns("cargo")}
    assert at > 8, "or nothing was cut"
    with opened(url) as database:
        upgrade(database, second)
        with database.reading() as tx:
            assert tx.exec_driver_sql("SELECT name, note FROM cargo ORDER BY id").all() == [("a", "a!"), ("b", "b!")]


def test_f12_the_first_migration_killed_anywhere_leaves_an_empty_database(make: Make) -> None:
    url, at = make(None), 0
    while _killed_at(url, at, MIGRATIONS):
        with opened(url) as database, database.reading() as tx:
            if schema_version(tx) is not None:
                break
            assert sa.inspect(tx).get_table_names() == []
        at += 1 if os.environ.get("HAULAGE_LONG") == "1" else 4
    with opened(url) as database:
        upgrade(database, MIGRATIONS)
        with database.reading() as tx:
            assert differences(tx, TABLES) == []
