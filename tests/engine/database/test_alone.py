"""One process at a time uses a database."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import sys

import pytest

from haulage.base.errors import ConflictError
from haulage.engine.database.alone import alone
from haulage.engine.database.transaction import open_database
from tests.peers import need
from tests.postgres import Cluster

_HOLDER = """
import sys
from haulage.engine.database.alone import alone
from haulage.engine.database.transaction import open_database
with alone(open_database(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    need("postgresql")
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.fresh()


def test_two_homes_never_work_on_one_database(url: str) -> None:
    first, second = open_database(url), open_database(url)
    with contextlib.closing(first), contextlib.closing(second):
        with alone(first):
            with pytest.raises(ConflictError) as raised, alone(second, wait_seconds=0.05):
                pytest.fail("both have it")
            assert raised.value.code == "database-in-use"
            with first.writing() as tx:
                tx.exec_driver_sql("SELECT 1")
        with alone(second, wait_seconds=0.05):
            pass


def test_i12_a_killed_process_gives_it_back_at_once(url: str) -> None:
    with (
        subprocess.Popen([sys.executable, "-c", _HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder,
        contextlib.closing(open_database(url)) as database,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConflictError), alone(database, wait_seconds=0.05):
            pytest.fail("both have it")
        holder.kill()
        holder.communicate()
        with alone(database, wait_seconds=60):
            pass


def test_a_file_lies_in_its_home_and_needs_no_more_than_the_homes_lock(tmp_path: pathlib.Path) -> None:
    url = f"sqlite:///{tmp_path}/site.db"
    with contextlib.closing(open_database(url)) as database, alone(database), alone(database), database.reading() as tx:
        assert tx.exec_driver_sql("SELECT 1").scalar() == 1
