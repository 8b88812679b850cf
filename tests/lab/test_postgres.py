"""A site whose tables are in PostgreSQL is a site like any other: middle of three, killed in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import add_point, assert_same, create, on_point, publish, write_bulk
from tests.postgres import Cluster


def test_one_site_of_three_on_postgresql(new_lab: Callable[[], Lab], postgres: Cluster, tmp_path: Path) -> None:
    lab = new_lab()
    lab.central("HQ1")
    site = lab.site("CHI", parent="HQ1", database=postgres.fresh())
    lab.site("LA1", parent="CHI")
    folder = add_point(lab, "LA1/SHOP", tmp_path / "point")
    source = write_bulk(tmp_path / "source", 4)
    package = create(lab, source, "LA1/SHOP")
    publish(lab, package)
    lab.wait_present(package)
    lab.kill("CHI")
    (source / "more").write_text("more")
    publish(lab, package)
    lab.start("CHI")
    lab.wait_present(package, 2)
    with contextlib.closing(on_point(folder, package, 2)) as found:
        assert_same(LocalReader(str(source)), found)
    assert not (Path(site.home) / "site.db").exists()
    (database,) = (row for row in site.api.get("/doctor") if row["code"] == "database")
    assert "PostgreSQL" in database["what"]
