"""A damaged jobs database is set aside; a sound, empty or absent one is left alone."""

from __future__ import annotations

import pathlib
import sqlite3

import pytest

from haulage.engine.jobs.file import set_aside_if_damaged


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "jobs.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE job (id TEXT)")
    connection.executemany("INSERT INTO job VALUES (?)", [("x" * 200,)] * 500)
    connection.commit()
    connection.close()
    return path


def test_a_sound_one_stays(path: pathlib.Path) -> None:
    before = path.read_bytes()
    assert not set_aside_if_damaged(str(path))
    assert path.read_bytes() == before


def test_none_and_an_empty_one_stay(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "jobs.db"
    assert not set_aside_if_damaged(str(path))
    assert not path.exists()
    path.touch()
    assert not set_aside_if_damaged(str(path))


@pytest.mark.parametrize("where", [0, 4096 * 3])
def test_f11_a_damaged_one_is_set_aside_whole(path: pathlib.Path, where: int) -> None:
    with path.open("r+b") as file:
        file.seek(where)
        file.write(b"\xa5" * 4096)
    damaged = path.read_bytes()
    (path.parent / "jobs.db-wal").write_bytes(b"left over")
    assert set_aside_if_damaged(str(path))
    assert (path.parent / "jobs.db.damaged").read_bytes() == damaged
    assert [each.name for each in path.parent.iterdir()] == ["jobs.db.damaged"]
    assert not set_aside_if_damaged(str(path))
