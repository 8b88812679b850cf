"""Tombstones outlive every absence, and nothing longer (I10)."""

from __future__ import annotations

import dataclasses
import datetime as dt

from haulage.base.ids import SiteCode
from haulage.domain.replication import records
from haulage.domain.replication.records import StoredDefinition, Stream
from haulage.domain.replication.tombstones import KEPT, purge_tombstones
from haulage.engine.database.transaction import Database, Transaction
from haulage.testing.scratch import empty_database

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
CHI = SiteCode("CHI")
LONG_AGO = NOW - KEPT - dt.timedelta(days=1)


def _database(tx_of: Database, *, deleted: bool = True, stored: dt.datetime = LONG_AGO) -> None:
    with tx_of.writing() as tx:
        definition = StoredDefinition(
            kind="package", id="HQ100001", owner=SiteCode("HQ1"), revision=7, deleted=deleted, document=b"x", stored=stored
        )
        records.put_definition(tx, definition)


def _left(database: Database) -> bool:
    with database.writing() as tx:
        purge_tombstones(tx, NOW)
    with database.reading() as tx:
        return records.find_definition(tx, "package", "HQ100001") is not None


def _told(tx: Transaction, *, revision: int, sequence: int, acknowledged: int) -> None:
    records.put_told(tx, CHI, "package", "HQ100001", revision, sequence)
    records.put_stream(tx, dataclasses.replace(Stream(peer=CHI), out_next=10, out_acknowledged=acknowledged))


def test_one_that_nobody_was_told_goes_after_its_time() -> None:
    database = empty_database()
    _database(database)
    assert not _left(database)


def test_one_that_is_young_stays() -> None:
    database = empty_database()
    _database(database, stored=NOW - KEPT + dt.timedelta(seconds=1))
    assert _left(database)


def test_what_is_not_deleted_stays() -> None:
    database = empty_database()
    _database(database, deleted=False)
    assert _left(database)


def test_one_that_a_neighbour_has_not_acknowledged_stays_however_long() -> None:
    database = empty_database()
    _database(database)
    with database.writing() as tx:
        _told(tx, revision=7, sequence=5, acknowledged=4)
    assert _left(database)
    with database.writing() as tx:
        _told(tx, revision=7, sequence=5, acknowledged=5)
    assert not _left(database)


def test_one_of_which_a_neighbour_knows_only_the_living_object_stays() -> None:
    database = empty_database()
    _database(database)
    with database.writing() as tx:
        _told(tx, revision=6, sequence=3, acknowledged=9)
    assert _left(database)


def test_one_that_is_to_be_told_again_stays() -> None:
    """After a resynchronisation old sequences mean nothing; what is dirty has not been told."""
    database = empty_database()
    _database(database)
    with database.writing() as tx:
        _told(tx, revision=7, sequence=5, acknowledged=9)
        records.add_dirty(tx, CHI, "definition", "package/HQ100001")
    assert _left(database)
