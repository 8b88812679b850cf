"""Real servers on small real file systems that fill up, and are emptied again: what needs the space waits and says so once, all
else goes on, and it ends by itself once there is room."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from haulage.testing.lab.lab import QUICK, Lab
from haulage.testing.lab.site import Sections
from tests.faults.conftest import MIB, SmallDisk

Disks = Callable[[int], SmallDisk]


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


def source(lab: Lab, name: str, size: int) -> str:
    folder = Path(lab.path(name))
    folder.mkdir()
    (folder / "bulk").write_bytes(random.Random(name).randbytes(size))
    return str(folder)


def package(lab: Lab, name: str, size: int, *places: str) -> str:
    made = lab.quick("HQ1", "package", "create", name, "--source", source(lab, name, size))
    if places:
        lab.quick("HQ1", "package", "assign", made["id"], "--to", *places)
    return str(made["id"])


def said(lab: Lab, code: str, number: int) -> int:
    return sum(row["number"] == number for row in lab[code].api.rows("/status"))


def on(disk: SmallDisk) -> Sections:
    return {**QUICK, "content": {"path": str(disk.path / "store")}}


@pytest.mark.long
def test_q168460_f47_capture(lab: Lab, small_disk: Disks) -> None:
    disk = small_disk(160)
    with lab:
        lab.central("HQ1", settings=on(disk))
        disk.fill(leave_bytes=24 * MIB)
        large, small = package(lab, "large", 60 * MIB), package(lab, "small", 100_000)
        told = lab.cli("HQ1", "package", "publish", large, "--wait", expect=1)
        assert told["error"]["code"] == "disk-full"
        assert str(disk.path) in told["error"]["message"]
        assert "bytes are free" in told["error"]["message"]
        assert lab["HQ1"].api.get(f"/packages/{large}")["version"] == 0, "nothing half is visible"
        lab.until(lambda: said(lab, "HQ1", 640) == 1, "the full disk is told")
        lab.quick("HQ1", "store", "sweep")
        lab.quick("HQ1", "package", "publish", small, "--wait")
        disk.make_room()
        lab.until(lambda: lab["HQ1"].api.get(f"/packages/{large}")["version"] == 1, "it goes on by itself")
        assert lab.quick("HQ1", "store", "check")["damaged"] == 0
        assert said(lab, "HQ1", 640) == 1


def test_q137610_b117_receive(lab: Lab, small_disk: Disks) -> None:
    disk = small_disk(128)
    with lab:
        lab.central("HQ1")
        lab.site("CHI", parent="HQ1", settings=on(disk))
        disk.fill(leave_bytes=70 * MIB)
        large, small = package(lab, "large", 20 * MIB, "CHI"), package(lab, "small", 100_000, "CHI")
        for one in (large, small):
            lab.quick("HQ1", "package", "publish", one, "--wait")
        lab.wait_present(small)
        lab.until(lambda: lab.status(large, at="CHI")["CHI"]["reason"] == "space", "it waits for space")
        row = lab.status(large, at="CHI")["CHI"]
        assert row["bytes_wire"] == 0, "refused before the first byte"
        lab.until(lambda: _space_said(lab), "what is needed and what is free is told")
        disk.make_room()
        lab.wait_present(large)
        assert _space_said(lab) == 1, "once"


def _space_said(lab: Lab) -> int:
    rows = [row for row in lab["CHI"].api.rows("/status") if "bytes are needed" in row["text"]]
    return len(rows)


def test_q184169_point(lab: Lab, small_disk: Disks) -> None:
    disk = small_disk(32)
    good = Path(lab.path("good"))
    with lab:
        lab.central("HQ1")
        (disk.path / "point").mkdir()
        lab.quick("HQ1", "point", "add", "HQ1/SMALL", "--url", f"folder:{disk.path}/point")
        lab.quick("HQ1", "point", "add", "HQ1/GOOD", "--url", f"folder:{good}")
        disk.fill(leave_bytes=8 * MIB)
        one = package(lab, "large", 12 * MIB, "HQ1/SMALL", "HQ1/GOOD")
        lab.quick("HQ1", "package", "publish", one, "--wait")
        lab.until(lambda: lab.status(one)["HQ1/GOOD"]["state"] == "present", "the other point has it")
        lab.until(lambda: lab.status(one)["HQ1/SMALL"]["reason"] == "space", "the small one waits for space")
        error = lab.status(one)["HQ1/SMALL"]["error"]
        assert error["code"] == "no-space-at-point"
        assert "bytes" in error["message"]
        assert not (disk.path / "point" / one / "1").exists()
        disk.make_room()
        lab.wait_present(one)


def test_f10_database(small_disk: Disks) -> None:
    disk = small_disk(48)
    known = small_disk(4).path / "source"
    known.mkdir()
    (known / "file").write_text("content")
    with Lab(disk.path) as lab:
        lab.central("HQ1")
        disk.fill()
        refused = lab.quick("HQ1", "package", "create", "one more", "--source", str(known), expect=5)
        assert refused["error"]["code"] in ("disk-full", "database-unreachable"), refused
        assert str(disk.path) in refused["error"]["message"]
        assert lab["HQ1"].api.get("/site")["code"] == "HQ1", "it can still be looked at"
        disk.make_room()
        made = lab.quick("HQ1", "package", "create", "later", "--source", str(known))
        lab.quick("HQ1", "package", "publish", made["id"], "--wait")
        lab.stop("HQ1")
        lab.start("HQ1")
        assert [row["name"] for row in lab["HQ1"].api.rows("/packages")] == ["later"]


@pytest.mark.long
def test_f36_a_disk_that_turns_read_only(lab: Lab, small_disk: Disks) -> None:
    disk = small_disk(64)
    with lab:
        lab.central("HQ1")
        (disk.path / "point").mkdir()
        lab.quick("HQ1", "point", "add", "HQ1/SHOP", "--url", f"folder:{disk.path}/point")
        one = package(lab, "one", 3 * MIB, "HQ1/SHOP")
        disk.remount("ro")
        lab.quick("HQ1", "package", "publish", one, "--wait")
        lab.until(lambda: lab.status(one)["HQ1/SHOP"]["error"], "it is told")
        assert "Read-only file system" in lab.status(one)["HQ1/SHOP"]["error"]["message"]
        disk.remount("rw")
        lab.wait_present(one)
