"""What is captured at the centre is what lies at the far end: through real servers in different time zones, and out again."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.memory import MemoryReader
from haulage.engine.trees.model import TreeReader
from haulage.engine.trees.ntfs_reader import NtfsReader
from haulage.testing.folders import (
    STREAM_SIZES,
    hostile_tree,
    hostile_windows_files,
    noise,
    stream_name,
    write_folder,
    write_ntfs_image,
    write_sidecar_folder,
)
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import add_point, assert_same, create, files_below, on_point, publish
from tests.peers import need

SITES = ("HQ1", "CHI", "LA1")
_numbers = itertools.count(1)


@pytest.fixture
def points(lab: Lab, tmp_path: Path) -> dict[str, Path]:
    """A folder point at each site, by place."""
    name = f"P-{next(_numbers)}"
    return {f"{site}/{name}": add_point(lab, f"{site}/{name}", tmp_path / f"point-{site}") for site in SITES}


def go_everywhere(lab: Lab, source: str, expected: TreeReader, points: dict[str, Path], tmp_path: Path) -> str:
    """Publish, wait, compare at every point and through ``package extract`` at every site. Returns the package."""
    package = create(lab, source, *points)
    made = publish(lab, package)
    rows = lab.wait_present(package)
    assert len(rows) == 6  # three stores, three points
    for place, folder in points.items():
        site = place[:3]
        with contextlib.closing(on_point(folder, package, made["version"])) as found:
            assert_same(expected, found)
        target = tmp_path / f"extracted-{site}"
        lab.cli(site, "package", "extract", package, "--to", str(target))
        with contextlib.closing(LocalReader(str(target))) as found:
            assert_same(expected, found)
    return package


def test_q316316_linux_attributes_cross_three_tiers(lab: Lab, points: dict[str, Path], tmp_path: Path) -> None:
    tree = hostile_tree()
    write_folder(tree, str(tmp_path / "source"))
    package = go_everywhere(lab, str(tmp_path / "source"), MemoryReader(tree), points, tmp_path)
    newest = lab.quick("LA1", "package", "show", package)["newest"]
    assert newest["streams"] == sum(len(entry.streams) for entry in MemoryReader(tree).entries())


def test_q316316_sidecar_tree_crosses_three_tiers(lab: Lab, points: dict[str, Path], tmp_path: Path) -> None:
    tree = hostile_tree()
    write_sidecar_folder(tree, str(tmp_path / "source"))
    go_everywhere(lab, str(tmp_path / "source"), MemoryReader(tree), points, tmp_path)


def test_q316316_ntfs_image_crosses_three_tiers(lab: Lab, points: dict[str, Path], tmp_path: Path) -> None:
    need("ntfs-3g")
    image = str(tmp_path / "disk.img")
    files = hostile_windows_files()
    write_ntfs_image(files, image)
    package = go_everywhere(lab, f"ntfs:{image}!/", NtfsReader(image), points, tmp_path)
    with contextlib.closing(on_point(at_la1(points), package, 1)) as reader:
        entries = {entry.path: entry for entry in reader.entries()}
        for path, (content, streams) in files.items():
            assert read(reader, entries[path], None) == content
            assert {stream.name: read(reader, entries[path], stream.name) for stream in entries[path].streams} == streams
        for size in STREAM_SIZES:
            assert read(reader, entries[b"setup.exe"], stream_name(size)) == noise(size, 1)


def at_la1(points: dict[str, Path]) -> Path:
    return next(folder for place, folder in points.items() if place.startswith("LA1"))


def read(reader: TreeReader, entry: object, stream: bytes | None) -> bytes:
    content = reader.open(entry, stream)  # type: ignore[arg-type]
    try:
        return content.read_at(0, content.size)
    finally:
        content.close()


def test_q319427_times_do_not_shift_across_zones(lab: Lab, points: dict[str, Path], tmp_path: Path) -> None:
    """Captured by a server in New York, extracted by one in Kolkata: moments that do not exist or exist twice in New York too."""
    zone = ZoneInfo("America/New_York")
    source = tmp_path / "source"
    source.mkdir()
    moments = {
        "winter": dt.datetime(2024, 1, 15, 12, 0, tzinfo=zone),
        "summer": dt.datetime(2024, 7, 15, 12, 0, tzinfo=zone),
        "skipped": dt.datetime(2024, 3, 10, 2, 30, tzinfo=zone),
        "first of two": dt.datetime(2024, 11, 3, 1, 30, tzinfo=zone, fold=0),
        "second of two": dt.datetime(2024, 11, 3, 1, 30, tzinfo=zone, fold=1),
        "before 1970": dt.datetime(1960, 2, 29, 0, 0, tzinfo=zone),
    }
    for name, moment in moments.items():
        (source / name).write_text(name)
        stamp = int(moment.timestamp()) * 1_000_000_000 + 123_456_789
        os.utime(source / name, ns=(stamp, stamp))
    package = go_everywhere(lab, str(source), LocalReader(str(source)), points, tmp_path)
    for name in moments:
        wanted = os.stat(source / name).st_mtime_ns
        assert os.stat(at_la1(points) / package / "1" / name).st_mtime_ns == wanted
        assert os.stat(tmp_path / "extracted-LA1" / name).st_mtime_ns == wanted
    for site in SITES:
        captured = lab.quick(site, "package", "versions", package)[0]["captured"]
        assert captured.endswith("Z")
        assert abs((dt.datetime.fromisoformat(captured) - lab.clock.now()).total_seconds()) < 600


def test_q281754_publishing_twice_makes_no_version_no_job_no_byte(lab: Lab, points: dict[str, Path], tmp_path: Path) -> None:
    source = tmp_path / "source"
    write_folder(hostile_tree(depth=5, stream_sizes=(0, 1, 4095)), str(source))
    package = create(lab, source, *points)
    publish(lab, package)
    before = lab.wait_present(package)
    served = {site: lab[site].api.get("/site")["served"] for site in ("HQ1", "CHI")}
    written = {path: os.lstat(path).st_mtime_ns for folder in points.values() for path in files_below(folder)}
    again = lab.cli("HQ1", "package", "publish", package, "--wait")
    full = lab.quick("HQ1", "package", "publish", package, "--wait", "--full")
    assert (again["changed"], full["changed"]) == (False, False)
    assert [row["version"] for row in lab.quick("HQ1", "package", "versions", package)] == [1]
    after = lab.status(package)
    assert {place: (row["generation"], row["updated"], row["present"]) for place, row in after.items()} == {
        place: (row["generation"], row["updated"], row["present"]) for place, row in before.items()
    }
    assert {site: lab[site].api.get("/site")["served"] for site in ("HQ1", "CHI")} == served
    assert {path: os.lstat(path).st_mtime_ns for folder in points.values() for path in files_below(folder)} == written
