"""SQLite's WAL-reset defect is kept away: nobody checkpoints but one connection, and nobody commits while it does."""

from __future__ import annotations

import pathlib
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

import haulage
from haulage.engine.database import checkpoint
from haulage.engine.database.checkpoint import LOG_BYTES, Checkpointer, has_reset_defect
from haulage.engine.database.transaction import Database, memory_database, open_database

PIECE = "x" * 60_000
"""As large as it may be without a transaction of its own being more than the log may hold."""


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "site.db")


@pytest.fixture
def database(path: str) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}")
    with database.writing() as tx:
        tx.exec_driver_sql("CREATE TABLE cargo (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    yield database
    database.close()


def add(database: Database, text: str = PIECE) -> None:
    with database.writing() as tx:
        tx.exec_driver_sql("INSERT INTO cargo (text) VALUES (?)", (text,))


def count(database: Database) -> int:
    with database.reading() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM cargo").scalar_one())


def log_bytes(path: str) -> int:
    return pathlib.Path(path + "-wal").stat().st_size


def in_threads(number: int, work: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize(
    ("version", "bad"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
def test_f9_the_versions_that_have_the_defect(version: tuple[int, int, int], bad: bool) -> None:
    assert has_reset_defect(version) is bad


def test_f9_no_connection_of_the_site_checkpoints_by_itself(database: Database, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Checkpointer, "when_due", lambda _self: False)
    before = pathlib.Path(path).read_bytes()

    def work() -> None:
        for _ in range(30):
            add(database)
            assert count(database)

    in_threads(4, work)
    assert log_bytes(path) > 1000 * 4096, "or SQLite would not have wanted to"
    assert pathlib.Path(path).read_bytes() == before
    assert database.commits_alone()


def test_f9_the_log_stays_small_and_nothing_is_missing(database: Database, path: str) -> None:
    largest: list[int] = []

    def work() -> None:
        for _ in range(100):
            add(database)
            largest.append(log_bytes(path))

    in_threads(3, work)
    assert max(largest) <= LOG_BYTES + 500_000
    assert count(database) == 300
    assert pathlib.Path(path).stat().st_size > 300 * 60_000 - 2 * LOG_BYTES
    assert database.damages() == ()


class _Watched(Checkpointer):
    """Does something in the middle of each checkpoint."""

    def __init__(self, path: str, middle: Callable[[], None]) -> None:
        super().__init__(path, log_bytes=0, busy_seconds=0)
        self._middle = middle

    def _copy(self, copier: sqlite3.Connection) -> bool:
        self._middle()
        return super()._copy(copier)


def test_f9_nobody_commits_nor_checkpoints_while_it_copies(database: Database, path: str) -> None:
    seen: list[object] = []

    def middle() -> None:
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
        seen.append(Checkpointer(path, log_bytes=0, busy_seconds=0).when_due())
        seen.append(count(database))

    add(database, "a")
    assert _Watched(path, middle).when_due()
    assert seen == [False, 1], "readers read on"
    add(database, "b")


def test_f9_while_somebody_writes_it_lets_it_be(database: Database, path: str) -> None:
    add(database, "a")
    with database.writing() as tx:
        tx.exec_driver_sql("INSERT INTO cargo (text) VALUES ('b')")
        before = pathlib.Path(path).read_bytes()
        assert not Checkpointer(path, log_bytes=0, busy_seconds=0).when_due()
        assert pathlib.Path(path).read_bytes() == before
    assert count(database) == 2


def test_a_long_reader_keeps_the_log_but_stops_no_writer_and_is_not_asked_each_time(
    database: Database, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    copy = Checkpointer._copy

    def counted(self: Checkpointer, copier: sqlite3.Connection) -> bool:
        tries.append(1)
        return copy(self, copier)

    monkeypatch.setattr(Checkpointer, "_copy", counted)
    ready, done = threading.Event(), threading.Event()

    def read() -> None:
        with database.reading() as tx:
            assert tx.exec_driver_sql("SELECT count(*) FROM cargo").scalar_one() == 0
            ready.set()
            done.wait(60)
            assert tx.exec_driver_sql("SELECT count(*) FROM cargo").scalar_one() == 0

    reader = threading.Thread(target=read)
    reader.start()
    ready.wait(60)
    for _ in range(140):
        add(database)
    assert log_bytes(path) > 2 * LOG_BYTES
    assert 1 < len(tries) < 10
    done.set()
    reader.join()
    for _ in range(40):
        add(database)
    assert log_bytes(path) <= LOG_BYTES + 500_000
    assert count(database) == 180


def test_a_checkpoint_that_fails_undoes_no_commit(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_self: Checkpointer, _copier: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Checkpointer, "_copy", fail)
    for _ in range(80):
        add(database)
    assert count(database) == 80
    assert "disk I/O error" in caplog.text


_WRITER = """
import sys
from haulage.engine.database import transaction
from haulage.engine.database.checkpoint import Checkpointer
transaction._checkpointer = lambda engine: Checkpointer(engine.url.database, log_bytes=20_000)
database = transaction.open_database("sqlite:///" + sys.argv[1])
for number in range(int(sys.argv[2])):
    with database.writing() as tx:
        tx.exec_driver_sql("INSERT INTO cargo (text) VALUES (?)", (sys.argv[3] * 3000,))
database.close()
"""


def test_f9_three_processes_that_write_and_checkpoint_all_the_time_lose_nothing(database: Database, path: str) -> None:
    children = [subprocess.Popen([sys.executable, "-c", _WRITER, path, "150", letter]) for letter in "ab"]
    for _ in range(150):
        add(database, "c" * 3000)
    assert [child.wait() for child in children] == [0, 0]
    with database.reading() as tx:
        found = tx.exec_driver_sql("SELECT substr(text, 1, 1), count(*) FROM cargo GROUP BY 1 ORDER BY 1").all()
    assert found == [("a", 150), ("b", 150), ("c", 150)]
    assert database.damages() == ()


_KILLED = """
import os, signal, sys
from haulage.engine.database.checkpoint import Checkpointer
class Killed(Checkpointer):
    def _copy(self, copier):
        if sys.argv[2] == "after":
            super()._copy(copier)
        os.kill(os.getpid(), signal.SIGKILL)
Killed(sys.argv[1], log_bytes=0).when_due()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_f9_killed_around_the_copying(database: Database, path: str, when: str) -> None:
    for _ in range(20):
        add(database)
    assert subprocess.run([sys.executable, "-c", _KILLED, path, when], check=False).returncode == -9
    add(database)
    assert count(database) == 21
    assert database.damages() == ()


_VISITOR = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM cargo").fetchone()
connection.close()
"""


def test_opening_a_database_twice_gives_up_no_lock(database: Database, path: str) -> None:
    """Whoever opens and closes the file past SQLite drops this process's locks on it (POSIX); then the next program that closes it
    believes itself alone, and deletes the log under the server."""
    add(database, "a")
    open_database(f"sqlite:///{path}").close()
    subprocess.run([sys.executable, "-c", _VISITOR, path], check=True)
    assert pathlib.Path(path + "-wal").exists()
    add(database, "b")
    assert count(open_database(f"sqlite:///{path}")) == 2


def test_databases_without_a_log_have_nothing_to_checkpoint() -> None:
    database = memory_database()
    assert database.commits_alone()
    assert database.product() == f"SQLite {sqlite3.sqlite_version}"


def test_nobody_else_asks_for_a_checkpoint() -> None:
    source = pathlib.Path(haulage.__file__).parent
    found = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if re.search(r"PRAGMA wal_checkpoint|wal_autocheckpoint *= *[1-9]", path.read_text("utf-8"))
    }
    assert found == {pathlib.Path(checkpoint.__file__).relative_to(source).as_posix()}
