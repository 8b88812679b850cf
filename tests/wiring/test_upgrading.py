"""``haulage upgrade``: a stopped site's database brought to this version's tables, and no version beyond the parent's."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from haulage.base import files
from haulage.base.errors import ConflictError, UsageError
from haulage.base.ids import SiteCode
from haulage.engine.database.schema import newest_version
from haulage.wiring.founding import init_central
from haulage.wiring.home import Home, HomeLock
from haulage.wiring.parent_version import ParentVersion, read_parent_version
from haulage.wiring.upgrading import may_upgrade, upgrade_home

HQ1 = SiteCode("HQ1")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return init_central(str(tmp_path_factory.mktemp("homes") / "home"), code=SiteCode("CHI"), listen="127.0.0.1:8440")


def _heard(home: Home, version: str) -> None:
    ParentVersion(home.file("run"), HQ1, lambda: version).keep()


def test_a_database_of_this_version_stays(home: Home) -> None:
    assert upgrade_home(home.path) == {"id": "CHI", "schema_before": newest_version(), "schema": newest_version()}


def test_a_home_whose_server_runs_is_left_alone(home: Home) -> None:
    lock = HomeLock(home)
    try:
        with pytest.raises(ConflictError) as refused:
            upgrade_home(home.path)
        assert refused.value.code == "server-running"
        assert may_upgrade(home.path, "9.0")["id"] == "CHI", "asking needs no lock"
    finally:
        lock.release()


@pytest.mark.parametrize(
    ("parent", "wanted", "may"),
    [
        ("1.2.0", "1.2.0", True),
        ("1.2.0", "1.1.9", True),
        ("1.2.0", "1.2.1", False),
        ("1.2.0rc1", "1.2.0", False),
        ("1.10", "1.9", True),
    ],
)
def test_a_child_does_not_come_beyond_its_parent(home: Home, parent: str, wanted: str, may: bool) -> None:
    _heard(home, parent)
    if may:
        assert may_upgrade(home.path, wanted)["parent_version"] == parent
        return
    with pytest.raises(ConflictError, match=f"HQ1 has Haulage {re.escape(parent)}") as refused:
        may_upgrade(home.path, wanted)
    assert refused.value.code == "parent-older"


def test_what_is_no_version_is_refused(home: Home) -> None:
    with pytest.raises(UsageError) as refused:
        may_upgrade(home.path, "newest")
    assert refused.value.code == "bad-version"


def test_the_word_of_the_parent_is_written_when_it_changes_only(tmp_path: Path) -> None:
    said, steps = ["1.0"], list[str]()
    heard = ParentVersion(str(tmp_path), HQ1, lambda: said[0])
    with files.watching_steps(steps.append):
        heard.keep()
        count = len(steps)
        heard.keep()
        assert len(steps) == count > 0
        said[0] = ""
        heard.keep()
        assert read_parent_version(str(tmp_path)) == ("HQ1", "1.0")
        said[0] = "1.1"
        heard.keep()
    assert read_parent_version(str(tmp_path)) == ("HQ1", "1.1")


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"parent": "HQ1"}', b"\xff" * 9000])
def test_a_torn_word_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "parent-version.json").write_bytes(text)
    assert read_parent_version(str(tmp_path)) is None
    assert os.listdir(tmp_path) == ["parent-version.json"]
