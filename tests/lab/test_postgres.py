"""A site whose tables are in PostgreSQL is a site like any other: middle of three, killed in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from haulage.engine.database.metadata import metadata
from haulage.engine.database.schema import upgrade
from haulage.engine.database.transaction import Transaction, open_database
from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from haulage.testing.lab.site import LabSite
from haulage.wiring.tables import TABLES
from tests.lab.scenes import add_point, assert_same, create, on_point, publish, write_bulk
from tests.postgres import Cluster


def test_one_site_of_three_on_postgresql(new_lab: Callable[[], Lab], postgres: Cluster, tmp_path: Path) -> None:
    lab = new_lab()
    lab.central("HQ1")
    site = lab.site("CHI", parent="HQ1")
    lab.stop("CHI")
    move_tables(site, postgres.fresh())
    lab.start("CHI")
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


def move_tables(site: LabSite, url: str) -> None:
    """From ``site.db`` into an empty database; the home then names that one."""
    assert TABLES
    path = Path(site.home) / "site.db"
    old, new = open_database(f"sqlite:///{path}"), open_database(url)
    try:
        upgrade(new)
        with old.reading() as source, new.writing() as target:
            for table in metadata.sorted_tables:
                rows = [dict(row._mapping) for row in source.execute(sa.select(table))]
                target.execute(table.delete())
                if rows:
                    target.execute(table.insert(), rows)
                    go_on_counting(target, table)
    finally:
        old.close()
        new.close()
    for each in Path(site.home).glob("site.db*"):
        each.unlink()
    site.settings({"database": {"url": url}})


def go_on_counting(tx: Transaction, table: sa.Table) -> None:
    """Numbers the database gives out begin after those that were copied."""
    column = table.autoincrement_column
    if column is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        tx.execute(sa.select(sa.func.setval(sequence, sa.select(sa.func.max(column)).scalar_subquery())))
