"""A PostgreSQL server of the tests' own: a private cluster in a temporary folder, reached through a socket, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from urllib.parse import quote

import sqlalchemy as sa

from haulage.engine.database.schema import Migrations, upgrade
from haulage.engine.database.transaction import open_database
from haulage.wiring.tables import TABLES
from tests.peers import postgresql_folder

_MEMORY = "/dev/shm"
_MEMORY_BYTES = 4 << 30


class Cluster:
    """A running cluster; hands out empty databases."""

    def __init__(self, socket_folder: str) -> None:
        self._socket_folder = socket_folder
        self._count = 0
        self._template = ""

    def fresh(self, options: str = "") -> str:
        """The URL of a new, empty database."""
        self._count += 1
        name = f"t{self._count}"
        self.run(f"CREATE DATABASE {name} {options}")
        return self.url(name)

    def furnished(self) -> str:
        """The URL of a new database with every table, as the migrations make them."""
        if not self._template:
            database = open_database(self.fresh())
            upgrade(database, Migrations(tables=TABLES))
            database.close()
            self._template = f"t{self._count}"
        return self.fresh(f"TEMPLATE {self._template}")

    def run(self, statement: str) -> None:
        """Something only an administrator may do."""
        engine = sa.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def url(self, name: str) -> str:
        """Of a database by its name."""
        return f"postgresql+psycopg://haulage@/{name}?host={quote(self._socket_folder)}"


@contextlib.contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a cluster and stop it at the end. As root it runs as user ``postgres``, since PostgreSQL refuses root."""
    programs = postgresql_folder()
    assert programs is not None
    # Not below pytest's own temporary folder: that one is closed to other users, and a socket's path must be short.
    folder = tempfile.mkdtemp(prefix="haulage-pg-", dir=_roomy_folder())
    user, group = _account(folder)
    data = os.path.join(folder, "data")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [os.path.join(programs, program), "-D", data, *arguments],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            user=user,
            group=group,
        )

    try:
        run("initdb", "-U", "haulage", "-A", "trust", "-E", "UTF8", "--no-sync")
        settings = (
            f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c autovacuum=off -c max_connections=90"
        )
        run("pg_ctl", "-w", "-l", os.path.join(folder, "log"), "-o", settings, "start")
        try:
            yield Cluster(folder)
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _roomy_folder() -> str:
    """In memory where that is allowed and there is room: a database of its own costs 8 MB."""
    with contextlib.suppress(OSError):
        if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _MEMORY_BYTES:
            return _MEMORY
    return "/tmp"


def _account(folder: str) -> tuple[int | None, int | None]:
    if os.geteuid() != 0:
        return None, None
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid, user.pw_gid
