"""Backups of a real home: proved, refused where they do no good, restored once and only into nothing."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import (
    ConflictError,
    HaulageError,
    IntegrityError,
    NotAllowedError,
    NotFoundError,
    TransferError,
    UsageError,
)
from haulage.base.files import watching_steps
from haulage.base.ids import Place
from haulage.console.frame.sessions import Sessions
from haulage.domain.estate import records as estate
from haulage.domain.people import records as people_records
from haulage.domain.people.model import LOCAL, Caller
from haulage.domain.people.roles import Role
from haulage.engine.backup import sealing
from haulage.engine.database.transaction import open_database
from haulage.engine.status import on_backups, on_people, on_requests, on_sites
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.password_hashes import Cost, Hasher
from haulage.operations import packages, people, points
from haulage.server.backups import BackupOrder
from haulage.wiring.backing_up import Backups, last_backup
from haulage.wiring.checking_backup import check_backup, list_backups
from haulage.wiring.founding import init_central
from haulage.wiring.home import Home, load_home
from haulage.wiring.offline_backup import back_up_home
from haulage.wiring.restoring import RestoreOrder, restore
from haulage.wiring.site import OpenedSite, open_site
from tests.postgres import Cluster

WORDS = "four words nobody guesses"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_COST", 14)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[OpenedSite]:
    home = init_central(str(tmp_path / "home"), code="HQ1", listen="127.0.0.1:8440")
    opened = open_site(load_home(home.path), SystemClock())
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(b"content" * 1000)
    package = packages.create_package(opened.desk, "me", name="a", source=str(source))
    packages.assign_package(opened.desk, "me", package.id, [Place("HQ1")])
    packages.publish_package(opened.desk, "me", package.id)
    opened.core.publisher.run(package.id)
    yield opened
    opened.close()


def take(site: OpenedSite, target: Path, **how: object) -> Path:
    return Path(str(Backups(site).take(BackupOrder(target=str(target), **how), "me")["path"]))  # type: ignore[arg-type]


def said(site: OpenedSite, number: int) -> list[dict[str, object]]:
    with site.core.database.reading() as tx:
        return [dict(one.record.fields) for one in site.core.journal.find(tx, StatusFilter(numbers=(number,)), limit=100)]


def restored(path: Path, home: Path, **how: str) -> tuple[Home, dict[str, object]]:
    view = restore(RestoreOrder(backup=str(path), home=str(home), **how), actor="me")
    return load_home(str(home)), view


@pytest.mark.parametrize("passphrase", ["", WORDS])
@pytest.mark.parametrize("content", [True, False])
def test_f64_what_was_backed_up_is_restored(site: OpenedSite, tmp_path: Path, passphrase: str, content: bool) -> None:
    path = take(site, tmp_path / "backups", passphrase=passphrase, content=content)
    home, view = restored(path, tmp_path / "again", passphrase=passphrase)
    for name in os.listdir(site.home.keys.folder):
        assert (Path(home.keys.folder) / name).read_bytes() == (Path(site.home.keys.folder) / name).read_bytes()
        assert stat.S_IMODE(os.stat(Path(home.keys.folder) / name).st_mode) == 0o600
    assert Path(home.file("haulage.toml")).read_bytes() == Path(site.home.file("haulage.toml")).read_bytes()
    again = open_site(home, SystemClock())
    try:
        assert said(again, on_requests.RESTORE_DONE.number) == [{"actor": "me", "taken": view["taken"]}]
        assert bool(said(again, on_backups.CONTENT_ABSENT.number)) is not content
        assert view["versions_absent"] == ([] if content else ["HQ100001:1"])
        if content:
            assert again.store.check().chunks_checked > 0
            assert again.store.check().damages == ()
        with again.core.database.reading() as tx, site.core.database.reading() as old:
            assert estate.epoch(tx) > estate.epoch(old)
            assert estate.list_sites(tx) == estate.list_sites(old)
    finally:
        again.close()


def test_i19_sealed_keys_show_nowhere_in_a_backup(site: OpenedSite, tmp_path: Path) -> None:
    path = take(site, tmp_path / "backups", passphrase=WORDS)
    everything = b"".join(file.read_bytes() for file in path.rglob("*") if file.is_file())
    assert b"PRIVATE KEY" not in everything
    assert Path(site.home.token_path).read_bytes().strip() not in everything
    found = check_backup(str(path))
    assert found["keys_proved"] is False
    with pytest.raises(NotAllowedError):
        check_backup(str(path), passphrase="another passphrase")
    with pytest.raises(NotAllowedError) as refused:
        restored(path, tmp_path / "again")
    assert refused.value.code == "passphrase-needed"
    assert not (tmp_path / "again").exists()
    assert WORDS not in str(said(site, on_backups.BACKUP_DONE.number) + said(site, on_requests.BACKUP_ASKED.number))


@pytest.mark.parametrize("where", ["home", "home/sub", "", "source", "source/sub", "home/content", "point/x"])
def test_b20_q256586_a_target_that_overlaps_anything_of_ours_is_refused(site: OpenedSite, tmp_path: Path, where: str) -> None:
    points.add_point(site.desk, "me", Place("HQ1/P"), f"folder:{tmp_path / 'point'}")
    before = sorted(str(path) for path in tmp_path.rglob("*") if "site.db" not in path.name)
    with pytest.raises(ConflictError) as refused:
        take(site, tmp_path / where)
    assert refused.value.code == "target-overlaps"
    assert sorted(str(path) for path in tmp_path.rglob("*") if "site.db" not in path.name) == before
    assert said(site, on_backups.BACKUP_FAILED.number)


def test_b20_a_link_to_the_home_is_the_home(site: OpenedSite, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(site.home.path)
    with pytest.raises(ConflictError):
        take(site, tmp_path / "link" / "backups")


@pytest.mark.parametrize("target", ["relative", "", "/x\0y"])
def test_a_target_that_is_no_path_is_refused(site: OpenedSite, target: str) -> None:
    with pytest.raises(UsageError):
        Backups(site).take(BackupOrder(target=target), "me")


def test_f64_one_at_a_time(site: OpenedSite, tmp_path: Path) -> None:
    backups, inside, go_on = Backups(site), threading.Event(), threading.Event()

    def hold(_name: str) -> None:
        if not inside.is_set():
            inside.set()
            go_on.wait(60)

    with watching_steps(hold):
        first = threading.Thread(target=lambda: backups.take(BackupOrder(target=str(tmp_path / "backups")), "me"))
        first.start()
        inside.wait(60)
    with pytest.raises(ConflictError) as refused:
        backups.take(BackupOrder(target=str(tmp_path / "backups")), "me")
    go_on.set()
    first.join(60)
    assert refused.value.code == "backup-running"
    assert len(list_backups(str(tmp_path / "backups"))) == 1


def test_f64_a_backup_is_of_one_moment_however_much_is_written_meanwhile(site: OpenedSite, tmp_path: Path) -> None:
    """Two counters are always raised together; no backup sees them apart."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with site.core.database.writing() as tx:
                estate.next_number(tx, "one")
                estate.next_number(tx, "two")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        paths = [take(site, tmp_path / "backups") for _count in range(5)]
    finally:
        stop.set()
        writer.join(60)
    seen = []
    for path in paths:
        with sqlite3.connect(path / "site.db") as copy:
            values = [row[0] for row in copy.execute("SELECT value FROM counters WHERE name IN ('one', 'two')")]
        assert len(set(values)) <= 1
        seen += values[:1]
    assert seen == sorted(seen)
    assert seen[-1] > 0


def test_i13_space_is_looked_at_first(site: OpenedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = os.statvfs(tmp_path)
    full = os.statvfs_result((*facts[:3], 0, 0, *facts[5:]))
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    with pytest.raises(TransferError) as refused:
        take(site, tmp_path / "backups")
    assert refused.value.code == "backup-no-space"
    assert os.listdir(tmp_path / "backups") == []


def test_rotation_keeps_the_newest_and_says_which_went(site: OpenedSite, tmp_path: Path) -> None:
    paths = [take(site, tmp_path / "backups", keep=2) for _count in range(4)]
    assert sorted(os.listdir(tmp_path / "backups")) == sorted(path.name for path in paths[2:])
    assert [row["path"] for row in said(site, on_backups.BACKUP_REMOVED.number)] == [str(path) for path in paths[:2]]
    done = last_backup(site.home.path)
    assert done is not None


@pytest.mark.parametrize("name", ["site.db", "backup.json", "secrets/keys/site.pem", "trust/root.json"])
def test_f11_a_damaged_backup_is_not_restored_and_nothing_is_written(site: OpenedSite, tmp_path: Path, name: str) -> None:
    path = take(site, tmp_path / "backups")
    data = bytearray((path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (path / name).write_bytes(data)
    with pytest.raises(HaulageError):
        check_backup(str(path))
    with pytest.raises(HaulageError):
        restored(path, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_backup_whose_keys_are_of_another_site_is_refused(site: OpenedSite, tmp_path: Path) -> None:
    """Each part is whole, but they do not belong together."""
    other = init_central(str(tmp_path / "other"), code="HQ1", listen="127.0.0.1:0")
    path = take(site, tmp_path / "backups")
    shutil.copy(Path(other.keys.folder) / "site.pem", path / "secrets" / "keys" / "site.pem")
    with pytest.raises(IntegrityError):
        check_backup(str(path))


def test_q269405_restore_refuses_a_home_that_holds_anything(site: OpenedSite, tmp_path: Path) -> None:
    path = take(site, tmp_path / "backups")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for home, code in ((tmp_path / "full", "folder-not-empty"), (Path(site.home.path), "home-exists")):
        before = sorted(os.listdir(home))
        with pytest.raises(ConflictError) as refused:
            restored(path, home)
        assert refused.value.code == code
        assert sorted(os.listdir(home)) == before
    with pytest.raises(NotFoundError):
        restored(tmp_path / "backups", tmp_path / "again")


class Killed(BaseException):
    """The process dies here."""


def test_i12_a_restore_killed_at_any_step_is_run_again(site: OpenedSite, tmp_path: Path) -> None:
    path = take(site, tmp_path / "backups")
    names: list[str] = []
    with watching_steps(names.append):
        restored(path, tmp_path / "whole")
    assert len(names) > 20
    for number in range(0, len(names), 1 if os.environ.get("HAULAGE_LONG") == "1" else 9):
        home, left = tmp_path / f"killed-{number}", iter(range(number))

        def watch(_name: str, left: Iterator[int] = left) -> None:
            if next(left, None) is None:
                raise Killed

        with watching_steps(watch), pytest.raises(Killed):
            restored(path, home)
        if (home / "haulage.toml").exists():
            with pytest.raises(ConflictError) as unfinished:
                load_home(str(home))
            assert "restore" in unfinished.value.hint
        restored(path, home)
        shutil.rmtree(home)


def test_f54_the_central_site_restored_under_another_name_says_so_to_everybody(site: OpenedSite, tmp_path: Path) -> None:
    path = take(site, tmp_path / "backups")
    home, view = restored(path, tmp_path / "again", url="https://new.example.org:8440", listen="0.0.0.0:8440")
    assert view["url"] == home.url == "https://new.example.org:8440"
    again = open_site(home, SystemClock())
    try:
        with again.core.database.reading() as tx:
            me = estate.find_site(tx, home.code)
        assert me is not None
        assert me.url == home.url
        assert me.certificate
        assert not said(again, on_sites.EQUIVOCATING_DEFINITION.number)
    finally:
        again.close()


def test_a_database_that_is_there_is_never_replaced(site: OpenedSite, tmp_path: Path) -> None:
    path = take(site, tmp_path / "backups")
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.write_bytes(b"mine")
    with pytest.raises(ConflictError) as refused:
        restored(path, tmp_path / "again", database=f"sqlite:///{elsewhere}")
    assert refused.value.code == "database-not-empty"
    assert elsewhere.read_bytes() == b"mine"


def test_f64_users_and_tokens_are_restored_as_they_were_and_nobody_is_signed_in(site: OpenedSite, tmp_path: Path) -> None:
    desk = dataclasses.replace(site.desk, hasher=Hasher(Cost(passes=1, memory_kib=8, lanes=1)))
    people.create_user(desk, "me", name="ada", role=Role.OPERATOR, password="correct horse battery")
    token = people.create_token(desk, LOCAL, name="build", role=Role.READER, owner="ada").token
    sessions = Sessions(desk.clock, desk.database, "ab" * 32)
    secret = sessions.begin(Caller(name="ada", role=Role.OPERATOR))
    assert sessions.find(secret) is not None
    path = take(site, tmp_path / "backups")
    people.withdraw_token(desk, LOCAL, token.id)
    people.change_user(desk, "me", "ada", disabled=True)
    home, _view = restored(path, tmp_path / "again")
    again = open_site(home, SystemClock())
    try:
        with again.core.database.reading() as tx:
            (user,) = people_records.list_users(tx)
            assert people_records.list_tokens(tx) == [token]
            assert people_records.count_sessions(tx) == {}
        assert (user.name, user.disabled) == ("ada", False)
        assert desk.hasher.matches(user.password_hash, "correct horse battery")
        assert Sessions(desk.clock, again.core.database, "ab" * 32).find(secret) is None
        (told,) = said(again, on_people.PEOPLE_AS_OF_BACKUP.number)
        assert (told["users"], told["tokens"]) == (1, 1)
    finally:
        again.close()


def test_a_backup_crosses_from_sqlite_to_postgresql_and_back(site: OpenedSite, tmp_path: Path, postgres: Cluster) -> None:
    people.create_user(site.desk, "me", name="ada", role=Role.OPERATOR)
    people.change_user(site.desk, "me", "ada", disabled=True)
    path, url = take(site, tmp_path / "backups"), postgres.fresh()
    home, _view = restored(path, tmp_path / "again", database=url)
    assert not Path(home.file("site.db")).exists()
    made = back_up_home(home.path, target=str(tmp_path / "more"), passphrase="", content=False, keep=0, actor="me")
    with pytest.raises(ConflictError) as refused:
        restored(Path(str(made["path"])), tmp_path / "third")
    assert refused.value.code == "database-not-empty"
    third, _view = restored(Path(str(made["path"])), tmp_path / "third", database=f"sqlite:///{tmp_path / 'third.db'}")
    database = open_database(third.database_url)
    try:
        with database.reading() as tx, site.core.database.reading() as old:
            assert estate.list_sites(tx) == estate.list_sites(old)
            assert estate.epoch(tx) > estate.epoch(old) + 1
            assert people_records.list_users(tx) == people_records.list_users(old) != []
    finally:
        database.close()
    again = open_site(home, SystemClock())
    try:
        with again.core.database.writing() as tx:
            # Numbers the database gives out go on where they were.
            again.core.journal.record(tx, on_backups.BACKUP_STARTED, target="x")
    finally:
        again.close()
