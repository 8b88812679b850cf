"""The product's own tables: all registered, and the migrations that are shipped lead to them."""

from __future__ import annotations

import pathlib

import pytest

import haulage
from haulage.engine.database.schema import Migrations, differences, newest_version, upgrade
from haulage.engine.database.transaction import Database, open_database
from haulage.wiring.tables import ROOMS, TABLES
from tests.peers import need
from tests.postgres import Cluster


def test_every_room_with_records_is_registered() -> None:
    source = pathlib.Path(haulage.__file__).parent
    keeping = [path for path in source.rglob("records.py") if "sa.Table(" in path.read_text(encoding="utf-8")]
    found = {".".join(path.relative_to(source.parent).with_suffix("").parts) for path in keeping}
    assert found == {room.__name__ for room in ROOMS}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Database:
    if request.param == "sqlite":
        return open_database(f"sqlite:///{tmp_path}/site.db")
    need("postgresql")
    cluster: Cluster = request.getfixturevalue("postgres")
    return open_database(cluster.fresh())


def test_f12_the_shipped_migrations_lead_to_the_tables_of_the_code(empty: Database) -> None:
    migrations = Migrations(tables=TABLES)
    assert upgrade(empty, migrations) == (None, newest_version(migrations))
    with empty.reading() as tx:
        assert differences(tx, TABLES) == [], "before the first release: python -m haulage.testing.migration --initial"
    empty.close()
