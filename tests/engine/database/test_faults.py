"""What a place does to a database: full, read-only, cut off in the middle of its log; and what PostgreSQL answers, in our words."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Iterator

import psycopg
import pytest

from haulage.base.errors import HaulageError, Remedy
from haulage.engine.database.transaction import Database, open_database
from tests.peers import need
from tests.postgres import Cluster


def add(database: Database, text: str) -> None:
    with database.writing() as tx:
        tx.exec_driver_sql("INSERT INTO cargo (text) VALUES (?)", (text,))


def texts(database: Database) -> list[str]:
    with database.reading() as tx:
        return [row[0] for row in tx.exec_driver_sql("SELECT text FROM cargo ORDER BY id")]


def begin(path: pathlib.Path) -> Database:
    database = open_database(f"sqlite:///{path}", busy_seconds=0.2)
    with database.writing() as tx:
        tx.exec_driver_sql("CREATE TABLE IF NOT EXISTS cargo (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
    return database


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A disk of 2 MiB."""
    need("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_f10_a_full_disk_is_named_loses_nothing_and_work_goes_on_when_there_is_room(small_disk: pathlib.Path) -> None:
    path = small_disk / "site.db"
    database = begin(path)
    written: list[str] = []
    with pytest.raises(HaulageError) as full:  # noqa: PT012
        for number in range(100):
            add(database, f"{number}" * 20_000)
            written.append(f"{number}" * 20_000)
    assert (full.value.code, str(path) in full.value.message) == ("disk-full", True)
    assert len(written) > 10
    assert texts(database) == written
    with pytest.raises(HaulageError) as again:
        add(database, "y" * 900_000)
    assert again.value.code == "disk-full"
    assert full.value.remedy is Remedy.RETRY
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    add(database, "room")
    assert texts(database) == [*written, "room"]
    assert database.damages() == ()
    database.close()


def test_f10_no_room_for_the_files_of_a_new_database(small_disk: pathlib.Path) -> None:
    with contextlib.suppress(OSError), open(small_disk / "ballast", "wb") as ballast:
        for _ in range(4096):
            ballast.write(b"x" * 4096)
            ballast.flush()
    with pytest.raises(HaulageError) as full:
        begin(small_disk / "site.db")
    assert full.value.code in ("disk-full", "database-unreachable")
    (small_disk / "ballast").unlink()
    database = begin(small_disk / "site.db")
    add(database, "a")
    assert texts(database) == ["a"]
    database.close()


def test_f10_a_disk_that_turns_read_only_and_back(small_disk: pathlib.Path) -> None:
    path = small_disk / "site.db"
    database = begin(path)
    add(database, "a")
    database.close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(HaulageError) as refused:
        add(open_database(f"sqlite:///{path}"), "b")
    assert (refused.value.code, str(path) in refused.value.message) == ("database-unreachable", True)
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    database = begin(path)
    add(database, "c")
    assert texts(database) == ["a", "c"]
    database.close()


def test_f5_f9_a_log_torn_anywhere_leaves_the_commits_before(tmp_path: pathlib.Path) -> None:
    """Power fails: of the log any length is there, its last block perhaps torn. What is read is a prefix of what was committed."""
    database = begin(tmp_path / "site.db")
    everything = [str(number) * 300 for number in range(12)]
    for text in everything:
        add(database, text)
    shutil.copy(tmp_path / "site.db", tmp_path / "base")
    log = (tmp_path / "site.db-wal").read_bytes()
    database.close()
    seen = []
    for length in range(0, len(log) + 1, 2063):
        for torn in (b"", b"\0" * 700, b"\xa5" * 300):
            seen.append(_after_power_loss(tmp_path, log[:length] + torn, everything))
    seen.append(_after_power_loss(tmp_path, log, everything))
    assert seen[-1] == 12
    assert set(seen) >= set(range(12))


def _after_power_loss(folder: pathlib.Path, log: bytes, everything: list[str]) -> int:
    path = folder / "left.db"
    shutil.copy(folder / "base", path)
    pathlib.Path(f"{path}-wal").write_bytes(log)
    pathlib.Path(f"{path}-shm").unlink(missing_ok=True)
    database = begin(path)
    found = texts(database)
    assert found == everything[: len(found)]
    add(database, "next")
    assert texts(database) == [*found, "next"]
    assert database.damages() == ()
    database.close()
    return len(found)


def test_f11_a_flipped_byte_in_the_log_ends_it_there(tmp_path: pathlib.Path) -> None:
    database = begin(tmp_path / "site.db")
    everything = [str(number) * 300 for number in range(12)]
    for text in everything:
        add(database, text)
    shutil.copy(tmp_path / "site.db", tmp_path / "base")
    log = (tmp_path / "site.db-wal").read_bytes()
    database.close()
    for at in range(40, len(log), 2999):
        flipped = bytearray(log)
        flipped[at] ^= 0x10
        _after_power_loss(tmp_path, bytes(flipped), everything)


@pytest.mark.parametrize("damage", ["header", "cut", "zeros", "other"])
def test_f11_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: pathlib.Path, damage: str) -> None:
    path = tmp_path / "site.db"
    database = begin(path)
    for number in range(200):
        add(database, str(number) * 100)
    database.close()
    data = path.read_bytes()
    path.write_bytes(
        {
            "header": b"\xff" * 32 + data[32:],
            "cut": data[: len(data) // 2 + 17],
            "zeros": b"\0" * 4096 + data[4096:],
            "other": b"PK\x03\x04" + data[4:],
        }[damage]
    )
    before = path.read_bytes()
    broken = open_database(f"sqlite:///{path}")
    with pytest.raises(HaulageError) as caught, broken.reading() as tx:
        tx.exec_driver_sql("SELECT sum(length(text)) FROM cargo").all()
    assert (caught.value.code, str(path) in caught.value.message, "haulage restore" in caught.value.hint) == (
        "database-damaged",
        True,
        True,
    )
    assert caught.value.remedy is Remedy.WAIT_FOR_PERSON
    broken.close()
    assert path.read_bytes() == before


STATES = [
    ("40P01", "database-busy"),
    ("40001", "database-busy"),
    ("55P03", "database-busy"),
    ("53300", "database-busy"),
    ("53100", "disk-full"),
    ("57P01", "database-unreachable"),
    ("57P03", "database-unreachable"),
    ("42501", "database-forbidden"),
    ("25006", "database-forbidden"),
]


@pytest.fixture
def postgres_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    need("postgresql")
    cluster: Cluster = request.getfixturevalue("postgres")
    database = open_database(cluster.fresh(), busy_seconds=5)
    yield database
    database.close()


@pytest.mark.parametrize(("state", "code"), STATES)
def test_f8_f10_what_postgresql_answers_is_said_in_our_words(postgres_database: Database, state: str, code: str) -> None:
    with pytest.raises(HaulageError) as caught, postgres_database.writing() as tx:
        tx.exec_driver_sql(f"DO $$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{state}'; END $$")
    assert caught.value.code == code
    assert postgres_database.where in caught.value.message
    assert caught.value.remedy is Remedy.RETRY


def test_f8_a_deadlock_gives_one_victim_that_may_try_again(postgres_database: Database) -> None:
    """Another program, for ours take turns: it holds what we want and wants what we hold."""
    with postgres_database.writing() as tx:
        tx.exec_driver_sql("CREATE TABLE cargo (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
        tx.exec_driver_sql("INSERT INTO cargo VALUES (1, 0), (2, 0)")
    url = postgres_database.engine.url.render_as_string(hide_password=False)
    held, ended = threading.Event(), []

    def other() -> None:
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("SET deadlock_timeout = '100s'")
            connection.execute("UPDATE cargo SET n = n + 1 WHERE id = 2")
            held.set()
            connection.execute("UPDATE cargo SET n = n + 1 WHERE id = 1")
        ended.append("committed")

    thread = threading.Thread(target=other)
    with pytest.raises(HaulageError) as victim, postgres_database.writing() as tx:  # noqa: PT012
        tx.exec_driver_sql("SET LOCAL deadlock_timeout = '50ms'")
        tx.exec_driver_sql("UPDATE cargo SET n = n + 1 WHERE id = 1")
        thread.start()
        held.wait(30)
        tx.exec_driver_sql("UPDATE cargo SET n = n + 1 WHERE id = 2")
    thread.join()
    assert (victim.value.code, ended) == ("database-busy", ["committed"])
    with postgres_database.reading() as tx:
        assert tx.exec_driver_sql("SELECT id, n FROM cargo ORDER BY id").all() == [(1, 1), (2, 1)]
