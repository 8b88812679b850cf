"""What acts at a point that were killed leave is taken away; what is shown stays."""

from __future__ import annotations

from pathlib import Path

from haulage.base.ids import PackageId, Place
from haulage.domain.points.folder import MARKER, FolderPoint
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter

PACKAGE = PackageId("HQ100001")
LEFT = (
    ".old.1/file",
    ".staging.4/file",
    ".partial.4.1/file",
    ".haulage/1/package.json",
    ".haulage/.current.01234567.tmp",
    ".haulage/2/.package.json.01234567.tmp",
    ".haulage/2/manifest/.ab.01234567.tmp",
)
SHOWN = ("2/file", "3/.file.01234567.tmp", ".haulage/current", ".haulage/2/package.json", ".haulage/2/manifest/ab", ".other")


def test_f5_f23_i12_what_killed_acts_left_is_taken_away(tmp_path: Path) -> None:
    point = FolderPoint(str(tmp_path), Place("HQ1/SHOP"), open_reader=LocalReader, open_writer=LocalWriter)
    (tmp_path / f".{MARKER}.01234567.tmp").write_bytes(b"half")
    point.establish()
    for name in (*LEFT, *SHOWN):
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    point.tidy(PACKAGE)
    found = {str(path.relative_to(tmp_path / PACKAGE)) for path in (tmp_path / PACKAGE).rglob("*") if path.is_file()}
    assert found == set(SHOWN), "also what a package itself calls so"
    assert {path.name for path in tmp_path.iterdir()} == {MARKER, PACKAGE}
