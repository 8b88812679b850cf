"""Looking through the journal: every filter, both directions, in bounded looks, against going through it by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.database.template import fresh_database
from haulage.engine.database.transaction import Database, memory_database
from haulage.engine.status import catalogue, records
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import Listed, MessageType, Severity, StatusFilter, StatusRecord, sentence
from haulage.testing.clock import HandClock
from haulage.wiring.tables import TABLES

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
NUMBERS = (2302, 2304, 2328, 500, 30002, 99_999)
SITES = ("HQ1", "CHI", "LA1")
PACKAGES = ("HQ100001", "HQ100002", None)
PLACES = ("CHI", "LA1/SHOP", None)
VALUES = ("cannot OPEN the file", "100 % done_", 'quoted "name" \\ path', "Ünïcode größe", "")

says = st.tuples(
    st.sampled_from(SITES),
    st.sampled_from(NUMBERS),
    st.sampled_from(list(Severity)),
    st.sampled_from(list(MessageType)),
    st.sampled_from(("catalog", "transit", "server")),
    st.sampled_from(PACKAGES),
    st.sampled_from(PLACES),
    st.sampled_from(VALUES),
)


def some(values: Sequence[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)


moments = st.none() | st.integers(-1, 41).map(lambda seconds: START + dt.timedelta(seconds=seconds))
filters = st.builds(
    StatusFilter,
    packages=some(PACKAGES[:2]),
    places=some(PLACES[:2]),
    sites=some(SITES),
    numbers=some(NUMBERS),
    components=some(("catalog", "server")),
    types=some(list(MessageType)),
    at_least=st.sampled_from(list(Severity)),
    since=moments,
    until=moments,
    words=some(("open", "FILE", "%", "_", '"name"', "\\", "größe", "HQ100001", "cause", "server", "99999")),
)


def journal_of(database: Database) -> Journal:
    return Journal(database, clock=HandClock(START), site=SiteCode("HQ1"), epoch=lambda _tx: 1)


def store(database: Database, said: Sequence[tuple[object, ...]]) -> None:
    with database.writing() as tx:
        tx.execute(sa.delete(records.status))
        for index, (site, number, severity, kind, component, package, place, value) in enumerate(said):
            record = StatusRecord(
                site=SiteCode(str(site)),
                epoch=1,
                sequence=index + 1,
                number=int(str(number)),
                severity=Severity(severity),
                type=MessageType(kind),
                component=str(component),
                package=PackageId(str(package)) if package else None,
                place=Place(str(place)) if place else None,
                time=START,
                fields={"cause": str(value), "count": index},
            )
            records.insert(tx, record, received=START + dt.timedelta(seconds=index))


def fits(listed: Listed, wanted: StatusFilter) -> bool:
    said = listed.record
    pairs = (
        (wanted.packages, said.package),
        (wanted.places, said.place),
        (wanted.sites, said.site),
        (wanted.numbers, said.number),
        (wanted.components, said.component),
        (wanted.types, said.type),
    )
    known = catalogue.MESSAGES.get(said.number)
    text = "\n".join(((sentence(said, known) if known else ""), *map(str, said.fields.values()))).lower()
    return (
        all(not values or value in values for values, value in pairs)
        and said.severity.rank >= wanted.at_least.rank
        and (wanted.since is None or listed.received >= wanted.since)
        and (wanted.until is None or listed.received < wanted.until)
        and all(word.lower() in text for word in wanted.words)
    )


@pytest.fixture(scope="module")
def small() -> Database:
    database = memory_database()
    with database.writing() as tx:
        records.status.metadata.create_all(tx, tables=[records.status, records.source])
    return database


@settings(max_examples=80, deadline=None)
@given(st.lists(says, max_size=40), filters, st.integers(1, 5), st.booleans())
def test_pages_of_any_filter_are_what_going_through_by_hand_finds(
    small: Database, said: list[tuple[object, ...]], wanted: StatusFilter, limit: int, newest: bool
) -> None:
    before, records.WINDOW = records.WINDOW, 7
    try:
        store(small, said)
        journal = journal_of(small)
        with small.reading() as tx:
            every = journal.find(tx, StatusFilter(), limit=100)
            pages, at = [], wanted
            while True:
                found = journal.look(tx, at, limit=limit, newest=newest)
                assert len(found.rows) <= limit
                pages.append(list(found.rows))
                if found.more is None:
                    break
                at = dataclasses.replace(at, before=found.more) if newest else dataclasses.replace(at, after=found.more)
            whole = journal.find(tx, wanted, limit=100, newest=newest)
    finally:
        records.WINDOW = before
    ordered = [one for page in (pages[::-1] if newest else pages) for one in page]
    expected = [one for one in every if fits(one, wanted)]
    assert ordered == expected == list(whole)


def test_counts_are_of_what_fits(small: Database) -> None:
    rows = [("HQ1", 2302, Severity.ERROR, MessageType.MILESTONE, "catalog", "HQ100001", None, "no") for _ in range(3)]
    store(small, [*rows, ("CHI", 2304, Severity.WARNING, MessageType.DETAIL, "transit", "HQ100001", "CHI", "yes")])
    with small.reading() as tx:
        journal = journal_of(small)
        assert journal.count(tx, StatusFilter()) == {Severity.ERROR: 3, Severity.WARNING: 1}
        assert journal.count(tx, StatusFilter(sites=(SiteCode("CHI"),), at_least=Severity.WARNING)) == {Severity.WARNING: 1}
        assert journal.count(tx, StatusFilter(since=START + dt.timedelta(days=1))) == {}


def test_a_look_for_what_is_not_there_ends_at_its_window(monkeypatch: pytest.MonkeyPatch, small: Database) -> None:
    """Nobody waits for a word that never was: each look examines so many records and says where to go on."""
    monkeypatch.setattr(records, "WINDOW", 10)
    store(small, [("HQ1", 2304, Severity.INFORMATION, MessageType.DETAIL, "catalog", None, None, "x")] * 25)
    with small.reading() as tx:
        found = journal_of(small).look(tx, StatusFilter(words=("nowhere",)), limit=5, newest=True)
        last = journal_of(small).last_id(tx)
    assert (list(found.rows), found.more) == ([], last - 9)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        ("place", StatusFilter(places=(Place("CHI"),))),
        ("site", StatusFilter(sites=(SiteCode("CHI"),))),
        ("number", StatusFilter(numbers=(506, 600))),
        ("severity", StatusFilter(at_least=Severity.WARNING)),
        ("type", StatusFilter(types=(MessageType.AUDIT,))),
        ("component", StatusFilter(components=("fixes",))),
        ("received", StatusFilter(since=START)),
        ("received", StatusFilter(until=START)),
    ],
)
def test_every_filter_has_an_index_and_sorts_nothing(column: str, wanted: StatusFilter) -> None:
    """With rows by the hundred thousand a filter without its index would read them all. As SQLite says it."""
    database = fresh_database(TABLES)
    asked: list[tuple[str, object]] = []
    engine = database.engine

    def note(_connection: object, _cursor: object, statement: str, parameters: object, *_more: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    with database.reading() as tx:
        journal_of(database).look(tx, wanted, limit=50, newest=True)
    sa.event.remove(engine, "before_cursor_execute", note)
    with database.reading() as tx:
        plans = [
            str(row[3])
            for statement, parameters in asked
            if statement.startswith("SELECT")
            for row in tx.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)  # type: ignore[arg-type]
        ]
    assert any(f"ix_status_{column}_id" in plan for plan in plans), plans
    assert not any(plan.startswith("SCAN status") for plan in plans), plans
