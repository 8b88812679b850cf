"""What the journal keeps stands in the log under the same number, in both forms, and only once it is durable."""

from __future__ import annotations

import datetime as dt
import json
import logging

import pytest

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.base.log import CmTrace, JsonLines
from haulage.engine.database.transaction import Database
from haulage.engine.status.journal import Journal
from haulage.engine.status.on_packages import POINT_COPY_FAILED
from haulage.testing.clock import HandClock
from haulage.testing.scratch import empty_database

CLOCK = HandClock(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def _journal(database: Database) -> Journal:
    return Journal(database, clock=CLOCK, site=SiteCode("HQ1"), epoch=lambda _tx: 1)


def _say(journal: Journal, database: Database, *, fail: bool = False) -> None:
    fields = dict.fromkeys(POINT_COPY_FAILED.fields - {"package", "place"}, "x")
    with database.writing() as tx:
        journal.record(tx, POINT_COPY_FAILED, package=PackageId("HQ100042"), place=Place("HQ1/P1"), **fields)
        if fail:
            raise RuntimeError


def test_the_same_number_in_json_and_in_cmtrace(caplog: pytest.LogCaptureFixture) -> None:
    database = empty_database()
    _say(_journal(database), database)
    (record,) = caplog.records
    as_json = json.loads(JsonLines(CLOCK).format(record))
    number = POINT_COPY_FAILED.number
    assert (as_json["number"], as_json["package"], as_json["place"]) == (number, "HQ100042", "HQ1/P1")
    assert (as_json["component"], as_json["level"]) == ("status", "error")
    traced = CmTrace(CLOCK).format(record)
    assert traced.startswith(f"<![LOG[[{number}] {as_json['message']}]LOG]!>")
    assert 'type="3"' in traced


def test_what_was_rolled_back_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    database = empty_database()
    with pytest.raises(RuntimeError):
        _say(_journal(database), database, fail=True)
    assert caplog.records == []


def test_a_line_without_a_number_has_none_in_cmtrace() -> None:
    record = logging.makeLogRecord({"msg": "plain", "name": "haulage.server"})
    assert CmTrace(CLOCK).format(record).startswith("<![LOG[plain]LOG]!>")
