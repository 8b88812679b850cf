"""Haulage's own site server is serviced as any product is: stopped in order, files, database, started, checked; backed out whole
when the migration fails; and a child is not brought beyond its parent."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import haulage
from haulage.base.clock import SystemClock
from haulage.engine.servicing import apply
from haulage.engine.servicing.apply import Options
from haulage.engine.servicing.clock import MachineClock
from haulage.engine.servicing.definition import (
    Becomes,
    FileAction,
    FixDefinition,
    FixFile,
    KnownState,
    ProductRange,
    Program,
    Service,
    ServiceKind,
    When,
)
from haulage.engine.servicing.errors import RefusedError, StepError
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import opened_root
from haulage.engine.servicing.processes import find
from haulage.engine.servicing.switch import Given
from haulage.testing.lab.lab import Lab
from haulage.testing.lab.ports import Ports

METADATA = "lib/haulage-0.1.0.dist-info/METADATA"
MIGRATION = "lib/haulage/engine/database/migrations/versions/r0002_serviced.py"
PROGRAM = ("{root}/bin/haulage", "upgrade", "--home", "{home}")
SERVED = Service(
    kind=ServiceKind.PIDFILE,
    name="haulage",
    pid_file="home:run/server.json",
    start=("{root}/bin/haulage", "serve", "--home", "{home}"),
    stop_seconds=30,
)

_OLD = b"Metadata-Version: 2.1\nName: haulage\nVersion: 0.1.0\n"
_NEW = _OLD.replace(b"0.1.0", b"0.2.0")
_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table("serviced", sa.Column("number", sa.Integer, primary_key=True))
    {then}
"""


class Served:
    """An installed Haulage of its own, and the home of a central site that it serves (none for port 0)."""

    def __init__(self, folder: Path, port: int) -> None:
        self.root, self.home = folder / "installed", folder / "home"
        source = Path(haulage.__file__).parent
        shutil.copytree(source, self.root / "lib" / "haulage", ignore=shutil.ignore_patterns("__pycache__"))
        (self.root / METADATA).parent.mkdir()
        (self.root / METADATA).write_bytes(_OLD)
        program = self.root / "bin" / "haulage"
        program.parent.mkdir()
        program.write_text(
            f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(self.root / 'lib')!r})\n"
            "from haulage.cli.main import run\nrun()\n"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        manifest = {"format": 1, "id": "haulage-server", "version": "0.1.0"}
        (self.root / "product.json").write_text(json.dumps(manifest))
        self.lines: list[str] = []
        if port:
            self.run("init", "--site", "HQ1", "--listen", f"127.0.0.1:{port}")
        else:
            self.home.mkdir()
        self.places = opened_root(str(self.root), {"home": str(self.home)})
        self.machine = Machine()
        self.control = self.machine.controllers(SERVED, self.places)

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.root / "bin" / "haulage"), *words, "--home", str(self.home)]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    @property
    def running(self) -> bool:
        return self.control.state().value == "running"

    @property
    def pid(self) -> int:
        return int(json.loads((self.home / "run" / "server.json").read_text())["pid"])

    def schema(self) -> tuple[str, bool]:
        """What the site's database has, read beside its server."""
        with contextlib.closing(sqlite3.connect(f"file:{self.home}/site.db?mode=ro", uri=True)) as db:
            (number,) = db.execute("SELECT version_num FROM alembic_version").fetchone()
            return number, bool(db.execute("SELECT 1 FROM sqlite_master WHERE name = 'serviced'").fetchall())

    def install(self, migration: bytes, **changes: object) -> None:
        fix = replace(_fix(migration), **changes)  # type: ignore[arg-type]
        log = Log(MachineClock(), self.lines.append)
        apply.install(self.places, fix, "a" * 64, Given([_NEW, migration]), self.machine, log, Options())

    def end(self) -> None:
        clock = SystemClock()
        with contextlib.suppress(FileNotFoundError):
            process = find(self.pid)
            self.control.ask_to_stop()
            while process is not None and find(process.pid) is not None:
                clock.sleep(0.05)


def _fix(migration: bytes) -> FixDefinition:
    def file(path: str, data: bytes, action: FileAction, *before: bytes) -> FixFile:
        known = tuple(KnownState(hashlib.sha256(each).hexdigest()) for each in before)
        return FixFile(path, action, hashlib.sha256(data).hexdigest(), len(data), before=known)

    return FixDefinition(
        id="HAULAGE-2",
        title="Haulage 0.2.0",
        product=ProductRange(id="haulage-server", versions=">=0.1,<0.2"),
        files=(file(METADATA, _NEW, FileAction.REPLACE, _OLD), file(MIGRATION, migration, FileAction.ADD)),
        programs=(Program(When.CHECK, (*PROGRAM, "--check", "--to", "0.2.0")), Program(When.AFTER, PROGRAM)),
        services=(SERVED,),
        keep=("home:site.db", "home:site.db-wal", "home:site.db-shm"),
        becomes=Becomes(version="0.2.0"),
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with contextlib.closing(Ports()) as ports:
        made = Served(tmp_path, ports.claim())
        try:
            yield made
        finally:
            made.end()


def test_q299435_a_server_is_serviced_and_backed_out_when_its_migration_fails(served: Served) -> None:
    served.control.ask_to_start()
    clock = SystemClock()
    while not served.running:
        clock.sleep(0.05)
    first = served.pid
    before = {path: path.read_bytes() for path in (served.root / METADATA, served.root / "product.json")}
    with pytest.raises(StepError, match="ended with"):
        served.install(_STEP.replace("{then}", 'raise RuntimeError("half-way")').encode())
    assert served.running
    assert served.pid != first, "it was stopped, and started again"
    assert served.schema() == ("0001", False)
    assert {path: path.read_bytes() for path in before} == before
    assert not (served.root / MIGRATION).exists()
    assert any("half-way" in line for line in served.lines), "the log says why"

    second = served.pid
    served.install(_STEP.replace("{then}", "").encode())
    assert served.running
    assert served.pid != second
    assert served.schema() == ("0002", True)
    said = served.run("status", "list", "-o", "json").stdout
    assert '"version": "0.2.0"' in said, "the server that runs says the new version"
    assert json.loads((served.root / "product.json").read_text())["version"] == "0.2.0"


def test_b96_only_a_fix_of_haulage_touches_it(tmp_path: Path) -> None:
    served = Served(tmp_path, 0)
    (served.root / "product.json").unlink()
    other = ProductRange(id="something-else", probe=None)
    manifest = {"format": 1, "id": "something-else", "version": "1"}
    (served.root.parent / "product.json").write_text(json.dumps(manifest))
    served.places = opened_root(str(served.root.parent), {"home": str(served.home)})
    migration = _STEP.replace("{then}", "").encode()
    files = tuple(replace(each, path=f"installed/{each.path}") for each in _fix(migration).files)
    with pytest.raises(RefusedError, match="haulage-server") as refused:
        served.install(migration, product=other, files=files)
    assert refused.value.code == "not-its-files"
    assert (served.root / METADATA).read_bytes() == _OLD


def test_a_child_is_not_serviced_beyond_its_parent(lab: Lab) -> None:
    heard = os.path.join(lab["CHI"].home, "run", "parent-version.json")
    lab.until(lambda: os.path.exists(heard), "CHI knows what version HQ1 has")
    said = json.loads(Path(heard).read_text())
    assert said["parent"] == "HQ1"
    refused = lab.quick("CHI", "upgrade", "--check", "--to", "99.0", expect=4)
    assert refused["error"]["code"] == "parent-older"
    assert lab.quick("CHI", "upgrade", "--check", "--to", said["version"])["parent_version"] == said["version"]
    assert lab.quick("HQ1", "upgrade", "--check", "--to", "99.0")["parent"] is None
