"""The database of a new site: chosen at ``init`` and ``join``, refused untouched if it cannot be used or is somebody else's."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import ConflictError, HaulageError
from haulage.base.files import watching_steps
from haulage.base.ids import SiteCode
from haulage.base.settings import load_settings
from haulage.domain.estate import records as estate
from haulage.engine.database.fitness import tables_in
from haulage.engine.database.transaction import open_database
from haulage.wiring.databases import choose_database, look_at
from haulage.wiring.founding import init_central
from haulage.wiring.home import SETTINGS, Home, load_home
from haulage.wiring.site import open_site
from tests.peers import need
from tests.postgres import Cluster


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Cluster:
    need("postgresql")
    found = request.getfixturevalue("postgres")
    assert isinstance(found, Cluster)
    return found


def _init(path: Path, database: str, code: str = "HQ1") -> Home:
    return init_central(str(path), code=code, listen="127.0.0.1:0", database=database)


def _refused(path: Path, database: str, code: str = "HQ1") -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        _init(path, database, code)
    return caught.value


def _tables(url: str) -> frozenset[str]:
    with contextlib.closing(open_database(url)) as database, database.reading() as tx:
        return tables_in(tx)


def _site_in(home: Home) -> str | None:
    opened = open_site(load_home(home.path), SystemClock())
    try:
        with opened.core.database.reading() as tx:
            identity = estate.read_identity(tx)
    finally:
        opened.close()
    return None if identity is None else identity.code


def test_a_site_made_in_postgresql_stays_there(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.fresh()
    home = _init(tmp_path / "hq", url)
    assert load_settings(home.file(SETTINGS)).database.url == url
    assert _site_in(home) == "HQ1"
    assert not os.path.exists(home.file("site.db"))
    assert os.stat(home.file(SETTINGS)).st_mode & 0o777 == 0o600


def test_a_copied_home_cannot_work_on_the_same_database(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = _init(tmp_path / "hq", cluster.fresh())
    shutil.copytree(home.path, tmp_path / "copy")
    monkeypatch.setattr("haulage.engine.database.alone.WAIT_SECONDS", 0.05)
    opened = open_site(load_home(home.path), SystemClock())
    try:
        with pytest.raises(ConflictError) as caught:
            open_site(load_home(str(tmp_path / "copy")), SystemClock())
    finally:
        opened.close()
    assert caught.value.code == "database-in-use"
    assert _site_in(load_home(str(tmp_path / "copy"))) == "HQ1"


def test_a_site_made_in_a_file_elsewhere_stays_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    home = _init(tmp_path / "hq", url)
    assert _site_in(home) == "HQ1"
    assert not os.path.exists(home.file("site.db"))
    taken = _refused(tmp_path / "second", url)
    assert (taken.code, "HQ1" in taken.message) == ("database-taken", True)


def test_q269405_the_database_of_another_site_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.fresh()
    _init(tmp_path / "hq", url)
    for code in ("HQ1", "HQ2"):
        taken = _refused(tmp_path / "second", url, code)
        assert (taken.code, "site HQ1" in taken.message) == ("database-taken", True)
        assert not (tmp_path / "second").exists()


def test_a_database_with_tables_of_something_else_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    for url in (cluster.fresh(), f"sqlite:///{tmp_path}/other.db"):
        with contextlib.closing(open_database(url)) as database, database.writing() as tx:
            tx.exec_driver_sql("CREATE TABLE wages (id INTEGER)")
            tx.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        refused = _refused(tmp_path / "hq", url)
        assert (refused.code, "wages" in refused.message) == ("database-not-ours", True)
        assert _tables(url) == {"wages", "alembic_version"}
        assert not (tmp_path / "hq").exists()


def test_a_server_leaves_a_wrong_database_alone(cluster: Cluster, tmp_path: Path) -> None:
    """Once it filled the tables of something else with its own before it saw that no site is there."""
    home = _init(tmp_path / "hq", cluster.fresh())
    settings = Path(home.file(SETTINGS))
    was = settings.read_text()
    for prepare, code in ((None, "database-empty"), ("CREATE TABLE wages (id INTEGER)", "database-not-ours")):
        url = cluster.fresh()
        if prepare:
            with contextlib.closing(open_database(url)) as database, database.writing() as tx:
                tx.exec_driver_sql(prepare)
        before = _tables(url)
        settings.write_text(was.replace(home.settings.database.url, url))
        with pytest.raises(HaulageError) as caught:
            open_site(load_home(home.path), SystemClock())
        assert caught.value.code == code
        assert _tables(url) == before


def test_a_database_that_cannot_hold_every_name_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    for encoding in ("LATIN1", "SQL_ASCII"):
        url = cluster.fresh(f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        refused = _refused(tmp_path / "hq", url)
        assert (refused.code, encoding in refused.message, "UTF8" in refused.hint) == ("database-encoding", True, True)


def test_f8_a_server_that_is_away_and_a_database_that_is_not_there(cluster: Cluster, tmp_path: Path) -> None:
    for url in ("postgresql://me@127.0.0.1:9/none", cluster.url("nowhere")):
        refused = _refused(tmp_path / "hq", url)
        assert refused.code == "database-unreachable"
        assert "\n" not in refused.message
        assert not (tmp_path / "hq").exists()


def test_a_user_who_may_make_no_tables_is_told_so(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.fresh()
    cluster.run("CREATE ROLE stranger LOGIN")
    refused = _refused(tmp_path / "hq", url.replace("//haulage@", "//stranger@"))
    assert (refused.code, "permission denied" in refused.message) == ("database-forbidden", True)
    assert _tables(url) == set()


def test_a_server_that_may_only_be_read_is_named(cluster: Cluster, tmp_path: Path) -> None:
    url = cluster.fresh()
    cluster.run(f"ALTER DATABASE {url.partition('@/')[2].partition('?')[0]} SET default_transaction_read_only = on")
    assert _refused(tmp_path / "hq", url).code == "database-forbidden"


class _Killed(BaseException):
    pass


def test_i12_an_init_that_is_killed_anywhere_is_run_again(cluster: Cluster, tmp_path: Path) -> None:
    steps: list[str] = []
    with watching_steps(steps.append):
        _init(tmp_path / "whole", cluster.fresh())
    assert {"commit", "committed"} <= set(steps)
    # Before the first commit the database is as empty as it was; what is in between is the same for every kind of database.
    first = steps.index("commit")
    for at in (at for at, name in enumerate(steps) if at >= first and name in ("commit", "committed", "rename", "unlink")):
        url, path, left = cluster.fresh(), tmp_path / str(at), iter(range(len(steps)))

        def stop(_name: str, at: int = at, left: object = left) -> None:
            if next(left) == at:  # type: ignore[call-overload]
                raise _Killed

        with watching_steps(stop), pytest.raises(_Killed):
            _init(path, url)
        if (path / SETTINGS).exists() and not (path / ".haulage-unfinished").exists():
            continue
        home = _init(path, url)
        assert _site_in(home) == "HQ1"
        assert home.keys.load("site").public.text == _key_in(home)


def _key_in(home: Home) -> str:
    with contextlib.closing(open_database(home.database_url)) as database, database.reading() as tx:
        me = estate.find_site(tx, home.code)
    assert me is not None
    return me.key


def test_b105_i19_a_password_comes_from_a_file_never_from_the_command_line(tmp_path: Path) -> None:
    url = "postgresql://me@db.example.org/haulage"
    secret = tmp_path / "secret"
    secret.write_text("pa:ss/w@rd ü\n", encoding="utf-8")
    assert choose_database(url) == url
    chosen = choose_database(url, str(secret))
    assert chosen.startswith("postgresql://me:")
    with contextlib.closing(open_database(chosen.replace("db.example.org", "127.0.0.1:9"))) as away:
        with pytest.raises(HaulageError) as caught, away.reading():
            pass
        for shown in (away.where, str(caught.value)):
            assert "ss/w" not in shown
            assert "%2F" not in shown
    for open_url in (
        "postgresql://me:hunter2@db/haulage",
        "postgresql://me@db/haulage?password=hunter2",
        "postgresql://me@db/haulage?sslpassword=hunter2",
    ):
        with pytest.raises(HaulageError) as caught:
            choose_database(open_url)
        assert caught.value.code == "password-in-the-open"
        assert "hunter2" not in f"{caught.value}{caught.value.hint}"
        assert "hunter2" not in open_database(open_url).where


@pytest.mark.parametrize("text", [b"", b"\n", b"a\0b", b"\xff\xfe"])
def test_b105_a_password_file_that_holds_none(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(text)
    for wrong in (str(path), str(tmp_path / "none")):
        with pytest.raises(HaulageError) as caught:
            choose_database("postgresql://me@db/haulage", wrong)
        assert caught.value.code == "bad-password-file"


@pytest.mark.parametrize(
    ("url", "file", "code"),
    [
        ("mysql://x/y", "", "bad-database-url"),
        ("mysql://x:secret@y/z", "", "bad-database-url"),
        ("postgresql://[::1/x", "", "bad-database-url"),
        ("sqlite://", "", "bad-database-url"),
        ("", "/etc/hostname", "bad-password-file"),
        ("sqlite:////x/y.db", "/etc/hostname", "bad-database-url"),
    ],
)
def test_b104_what_cannot_be_asked_for(url: str, file: str, code: str) -> None:
    with pytest.raises(HaulageError) as caught:
        choose_database(url, file)
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_b106_a_file_on_a_share_is_refused_wherever_the_home_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = str(tmp_path / "share")
    monkeypatch.setattr("haulage.wiring.places.file_system_of", lambda path: "cifs" if path == share else "ext4")
    assert _refused(tmp_path / "hq", f"sqlite:///{share}/site.db").code == "database-on-share"
    home = _init(tmp_path / "hq", f"sqlite:///{tmp_path}/site.db")
    settings = Path(home.file(SETTINGS))
    settings.write_text(settings.read_text().replace(f"{tmp_path}/site.db", f"{share}/site.db"))
    with pytest.raises(HaulageError) as caught:
        load_home(home.path)
    assert caught.value.code == "database-on-share"


def test_nothing_is_looked_at_where_nothing_is(tmp_path: Path) -> None:
    for url in ("", f"sqlite:///{tmp_path}/none.db"):
        assert not look_at(url, SiteCode("HQ1"), str(tmp_path))
    assert os.listdir(tmp_path) == []
