"""Backups in a target: whole or not there, damage named, and never a foreign file touched."""

from __future__ import annotations

import datetime as dt
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulage.base.errors import ConflictError, FormatError, HaulageError, IntegrityError, NotAllowedError, NotFoundError
from haulage.base.files import watching_steps
from haulage.base.ids import SiteCode
from haulage.engine.backup.folder import BackupWriter, check_files, find_backups, open_backup, remove_unfinished, rotate
from haulage.engine.backup.listing import LIST, BackupFile, BackupList, read_list, sign_list
from haulage.engine.protocol.codec import encode
from haulage.engine.trust import dsse
from haulage.engine.trust.keys import SigningKey

HQ1 = SiteCode("HQ1")
KEY, OTHER = (SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2))
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def make(target: Path, *, key: SigningKey = KEY, code: str = "HQ1", taken: dt.datetime = NOON) -> Path:
    with BackupWriter(str(target), SiteCode(code), key.public, taken) as writer:
        writer.add("site.db", b"tables")
        writer.add("secrets/keys/site.pem", b"key")
        os.makedirs(writer.path("content/pins/x").removesuffix("/x"), exist_ok=True)
        return Path(writer.finish(lambda files: sign_list(listed(files, key=key, code=code, taken=taken), key)))


def listed(files: tuple[BackupFile, ...], *, key: SigningKey = KEY, code: str = "HQ1", taken: dt.datetime = NOON) -> BackupList:
    return BackupList(
        site=SiteCode(code),
        key=key.public.text,
        taken=taken.strftime("%Y-%m-%dT%H:%M:%SZ"),
        program="1",
        tables="sqlite",
        epoch=1,
        sealed=False,
        content=False,
        counts={"packages": 1},
        files=files,
    )


def test_what_was_written_is_found_and_proved(tmp_path: Path) -> None:
    path = make(tmp_path)
    assert path.name == "haulage-HQ1-20261122T120000Z"
    found = open_backup(str(path))
    assert [file.path for file in found.files] == ["secrets/keys/site.pem", "site.db"]
    check_files(str(path), found)
    assert [one.path for one in find_backups(str(tmp_path))] == [str(path)]
    assert os.listdir(tmp_path) == [path.name]


def test_b105_everything_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = make(tmp_path)
    for folder, _folders, names in os.walk(path):
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert {stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in names} <= {0o600}


def test_b105_a_place_that_shows_everything_to_everybody_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As FAT and most shares do."""
    with BackupWriter(str(tmp_path), HQ1, KEY.public, NOON) as writer:
        writer.add("secrets/haulage.toml", b"")
        os.chmod(writer.path("secrets/haulage.toml"), 0o755)
        with pytest.raises(NotAllowedError) as refused:
            writer.require_private("secrets/haulage.toml")
    assert refused.value.code == "target-open"
    assert "passphrase" in refused.value.hint
    assert os.listdir(tmp_path) == []


def test_two_in_one_second_have_two_names(tmp_path: Path) -> None:
    assert make(tmp_path) != make(tmp_path)
    assert len(list(find_backups(str(tmp_path)))) == 2


@pytest.mark.parametrize("name", ["site.db", "secrets/keys/site.pem", LIST])
def test_every_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    path = make(tmp_path)
    data = bytearray((path / name).read_bytes())
    for index in range(0, len(data), max(1, len(data) // 40)):
        altered = bytearray(data)
        altered[index] ^= 4
        (path / name).write_bytes(altered)
        with pytest.raises((IntegrityError, FormatError, NotAllowedError)) as refused:
            check_files(str(path), open_backup(str(path)))
        assert name == LIST or name in refused.value.message
    (path / name).unlink()
    with pytest.raises((IntegrityError, NotFoundError)):
        check_files(str(path), open_backup(str(path)))


def test_a_link_in_place_of_a_file_is_damage(tmp_path: Path) -> None:
    path = make(tmp_path)
    (path / "site.db").rename(tmp_path / "elsewhere")
    (path / "site.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError):
        check_files(str(path), open_backup(str(path)))


@pytest.mark.parametrize("path", ["../x", "/x", "a/../x", "a//x", ".", "a/.", "", "a/..", "a\\x", "a\nb", "é"])
def test_b33_a_list_cannot_name_files_elsewhere(path: str) -> None:
    good = listed((BackupFile(path="x", size=0, sha256="00" * 32),))
    payload = encode(good).replace(b'"path":"x"', b'"path":"' + path.encode() + b'"')
    with pytest.raises(HaulageError):
        read_list(dsse.sign(BackupList.PAYLOAD_TYPE, payload, KEY))


@given(st.lists(st.sampled_from(["a", "..", ".", "b.c", "-", "...", ".x"]), min_size=1, max_size=5))
def test_a_path_in_a_list_stays_below(parts: list[str]) -> None:
    path = "/".join(parts)
    try:
        encode(listed((BackupFile(path=path, size=0, sha256="00" * 32),)))
    except FormatError:
        assert {"..", "."} & set(parts)
    else:
        assert os.path.normpath(f"/top/{path}").startswith("/top/")


def test_a_list_signed_by_another_key_than_it_names_is_refused() -> None:
    with pytest.raises(HaulageError):
        read_list(sign_list(listed(()), OTHER))


def test_rotation_removes_the_oldest_of_this_site(tmp_path: Path) -> None:
    paths = [make(tmp_path, taken=NOON + dt.timedelta(days=day)) for day in range(5)]
    assert rotate(str(tmp_path), HQ1, [KEY.public], 2) == [str(path) for path in paths[:3]]
    assert sorted(os.listdir(tmp_path)) == [path.name for path in paths[3:]]
    assert rotate(str(tmp_path), HQ1, [KEY.public], 2) == []


def test_f64_q235195_two_sites_of_one_code_share_a_target_and_leave_each_other_alone(tmp_path: Path) -> None:
    other = make(tmp_path, key=OTHER)
    foreign = make(tmp_path, code="HQ2")
    own = [make(tmp_path, taken=NOON + dt.timedelta(days=day)) for day in (1, 2)]
    assert rotate(str(tmp_path), HQ1, [KEY.public], 1) == [str(own[0])]
    assert {other.name, foreign.name, own[1].name} == set(os.listdir(tmp_path))
    check_files(str(other), open_backup(str(other)))


def test_f64_q256586_nothing_foreign_in_a_target_is_removed(tmp_path: Path) -> None:
    """Folders and files of others, of our names even, stay; so does what lies in a backup beside its own files."""
    (tmp_path / "PROGRAM").mkdir()
    (tmp_path / "PROGRAM" / "setup.exe").write_bytes(b"MZ")
    (tmp_path / "haulage-HQ1-20200101T000000Z").mkdir()
    (tmp_path / "haulage-HQ1-20200101T000000Z" / "mine").write_text("mine")
    (tmp_path / ".haulage-HQ1-20200101T000000Z.making").mkdir()
    (tmp_path / "haulage-HQ1-20210101T000000Z").symlink_to(tmp_path / "PROGRAM")
    paths = [make(tmp_path, taken=NOON + dt.timedelta(days=day)) for day in range(3)]
    (paths[0] / "note.txt").write_text("keep this one")
    remove_unfinished(str(tmp_path), HQ1, KEY.public)
    before = {str(path) for path in tmp_path.rglob("*") if not str(path).startswith((str(paths[0]), str(paths[1])))}
    with pytest.raises(ConflictError) as told:
        rotate(str(tmp_path), HQ1, [KEY.public], 1)
    assert told.value.code == "backup-mixed"
    assert (paths[0] / "note.txt").read_text() == "keep this one"
    check_files(str(paths[0]), open_backup(str(paths[0])))
    (paths[0] / "note.txt").unlink()
    assert rotate(str(tmp_path), HQ1, [KEY.public], 1) == [str(paths[0]), str(paths[1])]
    assert {str(path) for path in tmp_path.rglob("*")} == before


class Killed(BaseException):
    """The process dies here."""


def test_f64_i12_a_backup_that_is_killed_anywhere_is_not_there_and_its_rest_goes(tmp_path: Path) -> None:
    names: list[str] = []
    with watching_steps(names.append):
        make(tmp_path / "whole")
    for number in range(len(names)):
        target = tmp_path / f"killed-{number}"
        target.mkdir()
        left = iter(range(number))

        def watch(_name: str, left: object = left) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed

        writer: BackupWriter | None = None
        try:
            with watching_steps(watch):
                writer = BackupWriter(str(target), HQ1, KEY.public, NOON)
                writer.add("site.db", b"tables")
                writer.finish(lambda files: sign_list(listed(files), KEY))
        except Killed:
            pass
        for found in find_backups(str(target)):
            check_files(found.path, found.listed)
        remove_unfinished(str(target), HQ1, KEY.public)
        whole = make(target, taken=NOON + dt.timedelta(days=1))
        rotate(str(target), HQ1, [KEY.public], 1)
        assert os.listdir(target) == [whole.name]


def test_i12_a_rotation_that_is_killed_anywhere_goes_on(tmp_path: Path) -> None:
    def fill(target: Path) -> Path:
        make(target)
        return make(target, taken=NOON + dt.timedelta(days=1))

    names: list[str] = []
    fill(tmp_path / "whole")
    with watching_steps(names.append):
        rotate(str(tmp_path / "whole"), HQ1, [KEY.public], 1)
    assert len(names) >= 3
    for number in range(len(names)):
        target, left = tmp_path / f"killed-{number}", iter(range(number))
        kept = fill(target)

        def watch(_name: str, left: object = left) -> None:
            if next(left, None) is None:  # type: ignore[call-overload]
                raise Killed

        with watching_steps(watch), pytest.raises(Killed):
            rotate(str(target), HQ1, [KEY.public], 1)
        rotate(str(target), HQ1, [KEY.public], 1)
        assert os.listdir(target) == [kept.name]
