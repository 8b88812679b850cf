"""A whole hierarchy from one file at real servers: sites let in and joined, points, a group, a package, from nothing to present."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import assert_same, on_point, write_bulk

FILE = """\
format = 1

[manage]
remove = ["members"]

[sites.CHI]
parent = "HQ1"

[sites.LA1]
name = "Los Angeles"
parent = "CHI"

[points."CHI/SHOP"]
url = "folder:{chi}"

[points."LA1/SHOP"]
url = "folder:{la1}"

[groups]
shops = [{members}]

[packages."Till software"]
source = "{source}"
keep = {keep}
to = ["@shops"]
"""


def test_f74_three_sites_from_one_file_and_applied_again_nothing_happens(new_lab: Callable[[], Lab], tmp_path: Path) -> None:
    lab = new_lab()
    lab.central("HQ1")
    source, chi, la1 = write_bulk(tmp_path / "source", 1), tmp_path / "chi", tmp_path / "la1"
    file = tmp_path / "shops.toml"

    def write(members: str = '"CHI/SHOP", "LA1/SHOP"', keep: int = 2) -> None:
        file.write_text(FILE.format(chi=chi, la1=la1, source=source, members=members, keep=keep))

    def join_strings(name: str) -> dict[str, str]:
        return dict(line.split(" ", 1) for line in (tmp_path / name).read_text().splitlines())

    def applied(*more: str, expect: int = 0) -> None:
        lab.quick("HQ1", "apply", str(file), "--yes", "--publish", *more, expect=expect)

    write()
    applied("--join-strings", str(tmp_path / "first"), expect=6)
    lab.joined("CHI", join_strings("first")["CHI"])
    applied("--join-strings", str(tmp_path / "second"))
    lab.joined("LA1", join_strings("second")["LA1"])
    (package,) = [row["id"] for row in lab["HQ1"].api.rows("/packages")]
    rows = lab.wait_present(package)
    assert set(rows) == {"HQ1", "CHI", "CHI/SHOP", "LA1", "LA1/SHOP"}
    for folder in (chi, la1):
        with contextlib.closing(on_point(folder, package, 1)) as found:
            assert_same(LocalReader(str(source)), found)
    audited = len(list(lab["HQ1"].api.rows("/status", {"type": "audit"})))
    applied()
    assert lab.quick("HQ1", "diff", str(file))["differs"] is False
    assert len(list(lab["HQ1"].api.rows("/status", {"type": "audit"}))) == audited > 5

    write(members='"CHI/SHOP"', keep=3)
    assert lab.quick("HQ1", "diff", str(file), expect=6)["error"]["code"] == "differs"
    assert lab.quick("HQ1", "apply", str(file), "--yes", expect=4)["error"]["code"] == "too-many-removals"
    untouched = lab.status(package)["CHI/SHOP"]
    applied("--allow-removing", "1")
    lab.until(lambda: "LA1/SHOP" not in lab.status(package), "the package has left the shop")
    now = lab.status(package)["CHI/SHOP"]
    assert [now[name] for name in ("generation", "verified", "bytes_done")] == [
        untouched[name] for name in ("generation", "verified", "bytes_done")
    ]
    assert lab.quick("HQ1", "diff", str(file))["differs"] is False
