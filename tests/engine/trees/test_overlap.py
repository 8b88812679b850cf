"""A source and what Haulage writes never overlap (Q263376: a distribution emptied its own source folder)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from haulage.base.errors import ConflictError
from haulage.engine.trees.mounts import Mount, behind_mounts, parse_mounts
from haulage.engine.trees.overlap import refuse_overlap
from tests.peers import need


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "source" / "sub").mkdir(parents=True)
    (tmp_path / "source-2").mkdir()
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("source")
    (tmp_path / "store" / "to sub").symlink_to("../source/sub")
    return tmp_path


@pytest.mark.parametrize(
    "place",
    [
        "source",
        "source/sub",
        "source/not/yet",
        ".",
        "link",
        "link/new",
        "source/../source/./sub",
        "store/to sub",
        "store/to sub/new",
    ],
)
def test_q263376_b20_places_that_overlap_are_refused_and_named(top: Path, place: str) -> None:
    with pytest.raises(ConflictError) as caught:
        refuse_overlap(str(top / "source"), [("the store", str(top / "store")), ("the point LAN", f"{top}/{place}")])
    assert caught.value.code == "source-overlaps"
    assert "the point LAN" in caught.value.message


def test_q263376_b20_a_source_reached_by_a_link_is_the_same_source(top: Path) -> None:
    with pytest.raises(ConflictError):
        refuse_overlap(str(top / "link"), [("the store", str(top / "source"))])
    with pytest.raises(ConflictError):
        refuse_overlap(str(top / "store" / "to sub"), [("the store", str(top / "source"))])


def test_places_apart_are_fine(top: Path) -> None:
    refuse_overlap(
        str(top / "source"), [("the store", str(top / "store")), ("a point", str(top / "source-2")), ("b", f"{top}/new")]
    )


def test_q263376_b20_bind_mounts_do_not_hide_an_overlap(top: Path) -> None:
    need("root")
    (top / "bound").mkdir()
    if os.system(f"mount --bind '{top}/source/sub' '{top}/bound' 2>/dev/null"):
        pytest.skip("no mounts are allowed here")
    try:
        for place in ("bound", "bound/new"):
            with pytest.raises(ConflictError):
                refuse_overlap(str(top / "source"), [("a point", str(top / place))])
    finally:
        os.system(f"umount '{top}/bound'")


def test_b20_a_path_behind_mounts_is_found_without_mounting() -> None:
    mounts = [
        Mount(device=b"8:1", part=b"/", point=b"/"),
        Mount(device=b"8:1", part=b"/srv/source/sub", point=b"/mnt/x"),
        Mount(device=b"0:9", part=b"/", point=b"/srv/source"),
    ]
    assert behind_mounts(b"/mnt/x/new", mounts) == (b"8:1", b"/srv/source/sub/new")
    assert behind_mounts(b"/mnt/xy", mounts) == (b"8:1", b"/mnt/xy")
    assert behind_mounts(b"/srv/source/sub", mounts) == (b"0:9", b"/sub")


def test_what_kind_of_file_system_a_mount_is_stands_behind_the_hyphen() -> None:
    table = b"22 1 8:1 / / rw shared:1 master:2 - ext4 /dev/a rw\n23 22 0:9 / /mnt/x rw - cifs //server/share rw\n24 22 0:8 / /y rw"
    assert [mount.kind for mount in parse_mounts(table)] == [b"ext4", b"cifs", b""]
