"""The model of a power cut leaves what it says; and a product that forgot to sync would be found out by it."""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from haulage.base import files
from haulage.testing.crash_points.disk import BLOCK_BYTES, DurableDisk, Left
from haulage.testing.crash_points.scenarios import by_name
from haulage.testing.crash_points.trial import Bench


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one durable file in a durable folder."""
    (tmp_path / "disk" / "folder").mkdir(parents=True)
    (tmp_path / "disk" / "folder" / "old").write_bytes(b"old")
    return tmp_path / "disk"


@pytest.fixture
def disk(root: Path) -> Iterator[DurableDisk]:
    with contextlib.closing(DurableDisk(str(root))) as made:
        yield made


def _left(disk: DurableDisk, root: Path, left: Left, seed: int = 0) -> dict[str, bytes]:
    out = root.parent / f"{left.value}-{seed}"
    disk.leave(str(out), left, random.Random(seed))
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def _sync(disk: DurableDisk, path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    disk.synced(fd)
    os.close(fd)


def test_f5_a_file_without_any_sync_is_kept_lost_or_emptied(disk: DurableDisk, root: Path) -> None:
    (root / "folder" / "new").write_bytes(b"new")
    old = {"folder/old": b"old"}
    assert _left(disk, root, Left.KILLED) == {**old, "folder/new": b"new"}
    assert _left(disk, root, Left.LOST) == old
    assert _left(disk, root, Left.EMPTY) == {**old, "folder/new": b""}


def test_f5_bytes_survive_with_their_file_and_names_with_their_folder(disk: DurableDisk, root: Path) -> None:
    (root / "folder" / "new").write_bytes(b"new")
    _sync(disk, root / "folder" / "new")
    assert "folder/new" not in _left(disk, root, Left.LOST)
    assert _left(disk, root, Left.EMPTY)["folder/new"] == b"new"
    _sync(disk, root / "folder")
    assert _left(disk, root, Left.LOST, 1)["folder/new"] == b"new"


def test_f5_a_rename_or_removal_that_was_not_synced_comes_undone(disk: DurableDisk, root: Path) -> None:
    os.rename(root / "folder" / "old", root / "folder" / "renamed")
    assert _left(disk, root, Left.LOST) == {"folder/old": b"old"}
    found = {tuple(_left(disk, root, Left.SOME, seed)) for seed in range(20)}
    assert found == {("folder/old",), ("folder/renamed",)}, "wholly or not at all"
    os.unlink(root / "folder" / "renamed")
    assert _left(disk, root, Left.LOST, 1) == {"folder/old": b"old"}
    _sync(disk, root / "folder")
    assert _left(disk, root, Left.LOST, 2) == {}


def test_f5_of_appended_bytes_any_prefix_is_kept_or_the_last_blocks_are_torn(disk: DurableDisk, root: Path) -> None:
    path = root / "folder" / "old"
    now = b"old" + bytes(range(1, 200)) * 20
    path.write_bytes(now)
    some = {_left(disk, root, Left.SOME, seed)["folder/old"] for seed in range(30)}
    assert all(now.startswith(one) and one.startswith(b"old") for one in some)
    assert len({len(one) for one in some}) > 10
    for seed in range(30):
        torn = _left(disk, root, Left.TORN, seed)["folder/old"]
        assert len(torn) == len(now)
        assert torn != now
        blocks = [at for at in range(0, len(now), BLOCK_BYTES) if torn[at : at + BLOCK_BYTES] != now[at : at + BLOCK_BYTES]]
        assert blocks == list(range(blocks[0], len(now), BLOCK_BYTES)), "all behind the first torn block is torn"


def _sync_no_bytes(_fd: int, name: str = "fsync") -> None:
    files.step(name)


def _sync_no_names(_path: str) -> None:
    files.step("fsync-folder")


def _clear_nothing(_folder: str) -> int:
    return 0


FORGOTTEN: dict[str, tuple[str, Callable[..., object], Left]] = {
    "the bytes of files": ("sync_file", _sync_no_bytes, Left.EMPTY),
    "the names in folders": ("sync_folder", _sync_no_names, Left.LOST),
    "clearing away": ("clear_unfinished", _clear_nothing, Left.KILLED),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_f5_a_product_that_forgets_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, forgetful, left = FORGOTTEN[what]
    monkeypatch.setattr(files, name, forgetful)
    monkeypatch.setattr(f"haulage.wiring.clearing.{name}", forgetful, raising=False)
    with contextlib.closing(Bench(by_name("publish"))) as bench:
        assert any(not bench.try_point(point, left).held for point in range(len(bench.steps), 0, -1))
