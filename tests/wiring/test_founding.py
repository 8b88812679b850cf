"""Making homes: what is refused before anything changes, and that a kill at any step leaves a home that says so and can be made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from haulage.base.clock import SystemClock
from haulage.base.errors import ConflictError, HaulageError, UsageError
from haulage.base.files import watching_steps
from haulage.domain.estate import records as estate
from haulage.wiring.founding import init_central
from haulage.wiring.home import UNFINISHED, Home, HomeLock, load_home, split_address, url_of
from haulage.wiring.places import file_system_of
from haulage.wiring.site import open_site


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return init_central(str(tmp_path_factory.mktemp("homes") / "hq"), code="HQ1", name="Head office", listen="127.0.0.1:0")


def _everything(folder: str) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for above, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(above, name)
            found[path] = Path(path).read_bytes()
    return found


def _refusal(path: str) -> HaulageError:
    with pytest.raises(HaulageError) as caught:
        init_central(path, code="HQ1", listen="127.0.0.1:0")
    return caught.value


def test_a_new_central_site_knows_itself(home: Home) -> None:
    opened = open_site(load_home(home.path), SystemClock())
    try:
        with opened.core.database.reading() as tx:
            me = estate.find_site(tx, home.code)
            identity = estate.read_identity(tx)
        assert me is not None
        assert identity is not None
        assert (identity.code, identity.parent, me.status.value, me.url) == ("HQ1", None, "active", home.url)
        assert opened.root.central == "HQ1"
    finally:
        opened.close()


def test_every_key_is_its_owners_alone(home: Home) -> None:
    keys = home.file("keys")
    assert os.stat(keys).st_mode & 0o777 == 0o700
    assert {os.stat(os.path.join(keys, name)).st_mode & 0o777 for name in os.listdir(keys)} == {0o600}


def test_q269405_a_second_init_changes_nothing(home: Home) -> None:
    before = _everything(home.path)
    assert _refusal(home.path).code == "home-exists"
    assert "HQ1" in _refusal(home.path).message
    assert _everything(home.path) == before


def test_q269405_other_spellings_of_the_same_folder_are_the_same_home(home: Home, tmp_path: Path) -> None:
    before = _everything(home.path)
    parent, name = os.path.split(home.path)
    (tmp_path / "link").symlink_to(parent)
    for spelling in (f"{home.path}/", f"{parent}/./{name}", f"{parent}/x/../{name}", f"{tmp_path}/link/{name}"):
        assert _refusal(spelling).code == "home-exists"
    assert _everything(home.path) == before


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert _refusal(str(tmp_path)).code == "folder-not-empty"
    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_b106_no_home_at_the_root_by_a_link_or_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for path in ("/", "//", f"{tmp_path}/link", f"{tmp_path}/file", ""):
        assert _refusal(path).code == "bad-home"
    assert os.listdir(tmp_path / "real") == []


def test_b106_what_file_system_a_folder_is_on(tmp_path: Path) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:40 / {os.path.realpath(tmp_path)}/sh\\040are rw - nfs4 host:/x rw\n"
        f"3 2 0:41 / {os.path.realpath(tmp_path)}/sh\\040are/inner rw - xfs /dev/sdb rw\n"
    )
    assert file_system_of(f"{tmp_path}/sh are/home", str(table)) == "nfs4"
    assert file_system_of(f"{tmp_path}/sh are/inner/home", str(table)) == "xfs"
    assert file_system_of(f"{tmp_path}/sh area", str(table)) == "ext4"
    assert file_system_of("/", str(tmp_path / "absent")) == ""


def test_b106_a_database_on_a_share_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haulage.wiring.places.file_system_of", lambda _path: "cifs")
    with pytest.raises(ConflictError, match="network share"):
        load_home(home.path)


def test_b105_a_key_that_others_may_read_is_refused(home: Home) -> None:
    for name in ("site", "hierarchy", "root"):
        path = home.keys.path(name)
        os.chmod(path, 0o640)
        try:
            with pytest.raises(HaulageError) as caught:
                load_home(home.path)
        finally:
            os.chmod(path, 0o600)
        assert caught.value.code == "key-exposed"
        assert path in caught.value.message


def test_an_unknown_setting_is_refused(home: Home) -> None:
    path = Path(home.file("haulage.toml"))
    text = path.read_text()
    path.write_text(text + "\n[retry]\nfist_seconds = 3\n")
    try:
        with pytest.raises(UsageError, match="fist_seconds"):
            load_home(home.path)
    finally:
        path.write_text(text)


def test_a_database_that_holds_no_site_is_refused_by_name(home: Home, tmp_path: Path) -> None:
    path = Path(home.file("haulage.toml"))
    text = path.read_text()
    path.write_text(text + f'\n[database]\nurl = "sqlite:///{tmp_path}/other.db"\n')
    try:
        with pytest.raises(ConflictError, match=r"other\.db") as caught:
            open_site(load_home(home.path), SystemClock())
    finally:
        path.write_text(text)
    assert caught.value.code == "database-empty"


def test_two_servers_cannot_share_a_home(home: Home) -> None:
    lock = HomeLock(home)
    with pytest.raises(ConflictError) as caught:
        HomeLock(home)
    assert caught.value.code == "server-running"
    lock.release()
    HomeLock(home).release()


class _Kill(BaseException):
    """The process is gone."""


def _steps_of(path: Path) -> int:
    count = 0

    def watch(_name: str) -> None:
        nonlocal count
        count += 1

    with watching_steps(watch):
        init_central(str(path), code="HQ1", listen="127.0.0.1:0")
    return count


def test_a_kill_at_any_step_of_init_leaves_a_home_that_says_so_and_can_be_made(tmp_path: Path) -> None:
    total = _steps_of(tmp_path / "whole")
    for at in range(1, total + 1, max(1, total // 8)):
        path, count = tmp_path / f"at-{at}", 0

        def watch(_name: str, at: int = at) -> None:
            nonlocal count
            count += 1
            if count == at:
                raise _Kill

        with watching_steps(watch), pytest.raises(_Kill):
            init_central(str(path), code="HQ1", listen="127.0.0.1:0")
        if (path / UNFINISHED).exists():
            with pytest.raises(ConflictError) as caught:
                load_home(str(path))
            assert caught.value.code == "home-unfinished"
        if not (path / "haulage.toml").exists() or (path / UNFINISHED).exists():
            init_central(str(path), code="HQ1", listen="127.0.0.1:0")
        assert load_home(str(path)).code == "HQ1"
        assert not (path / UNFINISHED).exists()


def test_f1_i12_init_killed_in_its_very_first_write_can_be_run_again(tmp_path: Path) -> None:
    (tmp_path / "hq").mkdir()
    (tmp_path / "hq" / f".{UNFINISHED}.01234567.tmp").write_bytes(b"half")
    home = init_central(str(tmp_path / "hq"), code="HQ1", listen="127.0.0.1:0")
    assert [name for name in os.listdir(home.path) if name.endswith(".tmp")] == []
    assert load_home(home.path).code == "HQ1"


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:99999", "x@127.0.0.1:1", "127.0.0.1:1/x", ":8440", ""])
def test_an_address_that_is_none_is_refused(listen: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        init_central(str(tmp_path / "home"), code="HQ1", listen=listen)
    assert os.listdir(tmp_path) == []


def test_addresses_and_their_urls() -> None:
    assert split_address("[::1]:8440") == ("::1", 8440)
    assert url_of("[::1]:8440") == "https://[::1]:8440"
    assert url_of("0.0.0.0:1") == "https://127.0.0.1:1"
