"""Transactions, the same in a file, in memory and in PostgreSQL: whole or not at all, one writer, hooks only after the commit."""

from __future__ import annotations

import datetime as dt
import os
import pathlib
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from haulage.base.errors import HaulageError, IntegrityError, TransferError, UsageError
from haulage.base.files import watching_steps
from haulage.engine.database.template import fresh_database, image_of
from haulage.engine.database.transaction import Database, memory_database, open_database
from haulage.engine.database.types import Json, UtcTime
from tests.peers import need
from tests.postgres import Cluster

_tables = sa.MetaData()
cargo = sa.Table(
    "cargo",
    _tables,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("at", UtcTime),
    sa.Column("fields", Json),
)
NOON = dt.datetime(2020, 2, 29, 12, 0, 0, 1, tzinfo=dt.UTC)


class Killed(BaseException):
    """The process stops here."""


def names(database: Database) -> list[str]:
    with database.reading() as tx:
        return list(tx.execute(sa.select(cargo.c.name).order_by(cargo.c.id)).scalars())


def add(database: Database, name: str) -> None:
    with database.writing() as tx:
        tx.execute(cargo.insert().values(name=name))


class Suite:
    """What every kind of database must do."""

    @pytest.fixture
    def database(self) -> Iterator[Database]:
        raise NotImplementedError

    def test_writes_whole(self, database: Database) -> None:
        add(database, "a")
        with pytest.raises(ZeroDivisionError), database.writing() as tx:  # noqa: PT012
            tx.execute(cargo.insert().values(name="b"))
            raise ZeroDivisionError
        assert names(database) == ["a"]

    def test_i12_killed_before_the_commit_leaves_nothing_after_it_everything(self, database: Database) -> None:
        def stop_at(step: str) -> None:
            def watch(name: str) -> None:
                if name == step:
                    raise Killed

            with watching_steps(watch), pytest.raises(Killed):
                add(database, step)

        stop_at("commit")
        stop_at("committed")
        assert names(database) == ["committed"]
        add(database, "next")
        assert names(database) == ["committed", "next"]

    def test_hooks_run_after_the_commit_outside_of_it(self, database: Database) -> None:
        seen: list[list[str]] = []
        with database.writing() as tx:
            database.after_commit(tx, lambda: seen.append(names(database)))
            tx.execute(cargo.insert().values(name="a"))
            assert seen == []
        assert seen == [["a"]]

    def test_hooks_of_a_rolled_back_transaction_never_run(self, database: Database) -> None:
        seen: list[str] = []
        with pytest.raises(ZeroDivisionError), database.writing() as tx:  # noqa: PT012
            database.after_commit(tx, lambda: seen.append("ran"))
            raise ZeroDivisionError
        add(database, "a")
        assert seen == []

    def test_a_failing_hook_does_not_undo_the_commit_nor_stop_the_next(self, database: Database) -> None:
        seen: list[str] = []

        def fail() -> None:
            raise ValueError("hook")

        with database.writing() as tx:
            database.after_commit(tx, fail)
            database.after_commit(tx, lambda: seen.append("second"))
            tx.execute(cargo.insert().values(name="a"))
        assert (names(database), seen) == (["a"], ["second"])

    def test_a_hook_needs_the_open_transaction(self, database: Database) -> None:
        with database.writing() as tx:
            pass
        with pytest.raises(RuntimeError):
            database.after_commit(tx, lambda: None)

    def test_no_transaction_inside_another(self, database: Database) -> None:
        with database.writing(), pytest.raises(RuntimeError, match="pass it on"), database.reading():
            pass
        with database.reading(), pytest.raises(RuntimeError, match="pass it on"), database.writing():
            pass
        add(database, "a")

    def test_reading_cannot_write(self, database: Database) -> None:
        with pytest.raises(sa.exc.DBAPIError), database.reading() as tx:
            tx.execute(cargo.insert().values(name="a"))
        add(database, "b")
        assert names(database) == ["b"]

    def test_a_violated_constraint_stays_the_callers_business(self, database: Database) -> None:
        add(database, "a")
        with pytest.raises(sa.exc.IntegrityError):
            add(database, "a")

    def test_writers_take_turns(self, database: Database) -> None:
        def count() -> None:
            for _ in range(20):
                with database.writing() as tx:
                    highest = tx.execute(sa.select(sa.func.max(cargo.c.id))).scalar() or 0
                    tx.execute(cargo.insert().values(id=highest + 1, name=str(highest + 1)))

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names(database) == [str(number) for number in range(1, 81)]

    def test_q319427_moments_come_back_in_utc_to_the_microsecond(self, database: Database) -> None:
        elsewhere = NOON.astimezone(dt.timezone(dt.timedelta(hours=5, minutes=45)))
        with database.writing() as tx:
            tx.execute(cargo.insert().values(name="a", at=elsewhere, fields={"b": [1, None], "a": "ü"}))
            tx.execute(cargo.insert().values(name="b", at=NOON + dt.timedelta(microseconds=1)))
        with database.reading() as tx:
            row = tx.execute(sa.select(cargo).where(cargo.c.at <= NOON)).one()
            assert (row.at, row.at.tzinfo, row.fields) == (NOON, dt.UTC, {"a": "ü", "b": [1, None]})

    def test_naive_moments_and_nan_are_refused(self, database: Database) -> None:
        for values in ({"at": dt.datetime(2020, 1, 1)}, {"fields": float("nan")}):  # noqa: DTZ001
            with pytest.raises(sa.exc.StatementError), database.writing() as tx:
                tx.execute(cargo.insert().values(name="a", **values))
        assert names(database) == []


class TestInMemory(Suite):
    @pytest.fixture
    def database(self) -> Iterator[Database]:
        database = fresh_database(_tables)
        yield database
        database.close()

    def test_an_image_is_a_backup(self, database: Database) -> None:
        add(database, "a")
        image = image_of(database)
        add(database, "b")
        assert (names(memory_database(image)), names(database)) == (["a"], ["a", "b"])

    def test_copies_are_apart(self, database: Database) -> None:
        add(database, "a")
        assert names(fresh_database(_tables)) == []


class TestFile(Suite):
    @pytest.fixture
    def path(self, tmp_path: pathlib.Path) -> str:
        return str(tmp_path / "site.db")

    @pytest.fixture
    def database(self, path: str) -> Iterator[Database]:
        database = open_database(f"sqlite:///{path}")
        with database.writing() as tx:
            _tables.create_all(tx)
        yield database
        database.close()

    def test_settings(self, database: Database) -> None:
        with database.writing() as tx:
            values = [tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
        assert values == ["wal", 2, 1]

    def test_only_its_owner_reads_it(self, database: Database, path: str) -> None:
        add(database, "a")
        assert {stat.S_IMODE(os.stat(path + end).st_mode) for end in ("", "-wal", "-shm")} == {0o600}

    def test_readers_see_the_state_before_while_one_writes(self, database: Database) -> None:
        seen: list[list[str]] = []
        with database.writing() as tx:
            tx.execute(cargo.insert().values(name="a"))
            thread = threading.Thread(target=lambda: seen.append(names(database)))
            thread.start()
            thread.join()
        assert seen == [[]]

    def test_f8_locked_by_another_program(self, database: Database, path: str) -> None:
        hasty = open_database(f"sqlite:///{path}", busy_seconds=0.05)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransferError, match="busy") as raised:
            add(hasty, "a")
        assert raised.value.code == "database-busy"
        assert path in raised.value.message
        other.execute("ROLLBACK")
        add(hasty, "a")
        assert names(hasty) == ["a"]
        hasty.close()

    def test_f8_a_writer_that_waits_too_long_for_its_turn(self, database: Database, path: str) -> None:
        hasty = open_database(f"sqlite:///{path}", busy_seconds=0.05)
        codes: list[str] = []

        def late() -> None:
            try:
                add(hasty, "late")
            except HaulageError as error:
                codes.append(error.code)

        with hasty.writing():
            thread = threading.Thread(target=late)
            thread.start()
            thread.join()
        assert codes == ["database-busy"]
        hasty.close()

    def test_f10_full_disk_rolls_back_names_the_path_and_goes_on(self, database: Database, path: str) -> None:
        with database.writing() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        with pytest.raises(TransferError) as raised, database.writing() as tx:  # noqa: PT012
            tx.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            tx.execute(cargo.insert().values(name="x" * 100_000))
        assert (raised.value.code, path in raised.value.message) == ("disk-full", True)
        with database.writing() as tx:
            tx.exec_driver_sql("PRAGMA max_page_count=1000000")
        add(database, "a")
        assert names(database) == ["a"]

    def test_f11_damage_is_named(self, database: Database, path: str) -> None:
        assert database.damages() == ()
        for number in range(200):
            add(database, f"{number}" * 50)
        database.close()
        with open(path, "r+b") as file:
            file.seek(4096 * 2)
            file.write(b"\xa5" * 4096)
        broken = open_database(f"sqlite:///{path}")
        assert broken.damages() != ()
        broken.close()

    def test_not_a_database(self, tmp_path: pathlib.Path) -> None:
        path = tmp_path / "other.db"
        path.write_bytes(b"something else entirely " * 100)
        with pytest.raises(IntegrityError) as raised, open_database(f"sqlite:///{path}").reading():
            pass
        assert raised.value.code == "database-damaged"

    def test_a_folder_that_is_not_there(self, tmp_path: pathlib.Path) -> None:
        with pytest.raises(TransferError) as raised:
            open_database(f"sqlite:///{tmp_path}/none/site.db")
        assert raised.value.code == "database-unreachable"

    def test_i7_a_commit_survives_kill_9(self, database: Database, path: str) -> None:
        script = (
            "import os, sys, signal\n"
            "from haulage.engine.database.transaction import open_database\n"
            "database = open_database('sqlite:///' + sys.argv[1])\n"
            "with database.writing() as tx: tx.exec_driver_sql(\"INSERT INTO cargo (name) VALUES ('kept')\")\n"
            "with database.writing() as tx:\n"
            "    tx.exec_driver_sql(\"INSERT INTO cargo (name) VALUES ('lost')\")\n"
            "    os.kill(os.getpid(), signal.SIGKILL)\n"
        )
        assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == -9
        assert names(database) == ["kept"]
        add(database, "next")


class TestPostgres(Suite):
    @pytest.fixture
    def database(self, request: pytest.FixtureRequest) -> Iterator[Database]:
        need("postgresql")
        cluster: Cluster = request.getfixturevalue("postgres")
        database = open_database(cluster.fresh())
        with database.writing() as tx:
            _tables.create_all(tx)
        yield database
        database.close()

    def test_two_processes_take_turns(self, database: Database) -> None:
        # A second Database is what another process would have: it shares no lock with the first but the server's.
        other = open_database(database.engine.url.render_as_string(hide_password=False), busy_seconds=0.05)
        with database.writing() as tx:
            tx.execute(cargo.insert().values(name="a"))
            codes: list[str] = []

            def late() -> None:
                try:
                    add(other, "late")
                except HaulageError as error:
                    codes.append(error.code)

            thread = threading.Thread(target=late)
            thread.start()
            thread.join()
        assert codes == ["database-busy"]
        add(other, "b")
        assert names(database) == ["a", "b"]
        other.close()

    def test_a_server_that_goes_away_and_comes_back(self, database: Database) -> None:
        with pytest.raises(TransferError) as raised, database.writing() as tx:
            tx.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        assert raised.value.code == "database-unreachable"
        add(database, "a")
        assert names(database) == ["a"]

    def test_i19_no_password_in_an_error(self) -> None:
        away = open_database("postgresql://me:secret@127.0.0.1:9/none")
        with pytest.raises(TransferError) as raised, away.reading():
            pass
        assert raised.value.code == "database-unreachable"
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize("url", ["", "site.db", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "http://x"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        open_database(url)
    assert raised.value.code == "bad-database-url"
