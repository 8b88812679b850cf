"""The small estate has everything that pages must be able to show, is a real home, and is the same each time."""

from __future__ import annotations

import asyncio
import datetime as dt
import pathlib

import sqlalchemy as sa

from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.domain.transit.tallies import records as tallies
from haulage.engine.status import catalogue
from haulage.engine.status import records as status
from haulage.server.app import create_app
from haulage.testing.clock import HandClock
from haulage.testing.estate.making import make_estate
from haulage.testing.estate.opened import Estate
from haulage.testing.estate.size import SMALL, Size
from tests.server.asgi import Reply, ask

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
TINY = Size(sites=12, points=14, packages=12, captured=1, shipments=150, messages=60)


def _rows(one: Estate, table: sa.Table, *left_out: str) -> list[tuple[object, ...]]:
    columns = [column for column in table.columns if column.name not in left_out]
    with one.opened.core.database.reading() as tx:
        return [tuple(row) for row in tx.execute(sa.select(*columns).order_by(*table.primary_key.columns))]


def _ask(one: Estate, target: str) -> Reply:
    headers = {"Authorization": f"Bearer {one.home.token}"}
    return asyncio.run(ask(create_app(one.service()), "GET", f"/api/v1{target}", headers=headers))


def test_the_small_estate_shows_every_trouble(small_estate: Estate) -> None:
    with small_estate.opened.core.database.reading() as tx:
        rows = transit.list_shipments(tx)
        sites, points = estate.list_sites(tx), estate.list_points(tx)
        counted = {(one.state, one.reason) for one in tallies.totals(tx)}
    assert (len(sites), len(points)) == (SMALL.sites, SMALL.points)
    assert ("waiting", "report") in counted
    assert {row.reason.value for row in rows if row.kind == "point"} >= {"space", "person", "content"}
    assert {row.state.value for row in rows} >= {"failed", "retrying", "moving", "present", "waiting"}
    assert all(row.due is not None for row in rows if not (row.settled or row.stopped or row.state.value == "failed"))


def test_its_packages_are_really_captured(small_estate: Estate) -> None:
    with small_estate.opened.core.database.reading() as tx:
        held = transit.all_holdings(tx)
    package = next(package for package, number, _manifest in held if number > 1)
    assert len({name for name, _number, _manifest in held}) == SMALL.packages
    answer = _ask(small_estate, f"/packages/{package}/diff?old=1&new=2")
    assert answer.status == 200, answer.body


def test_its_messages_are_of_the_catalogue_and_whole(small_estate: Estate) -> None:
    rows = _rows(small_estate, status.status)
    names = [column.name for column in status.status.columns]
    assert len(rows) == SMALL.messages
    for row in (dict(zip(names, row, strict=True)) for row in rows):
        message = catalogue.MESSAGES[row["number"]]  # type: ignore[index]
        assert message.fields <= set(row["fields"]), message.name  # type: ignore[call-overload]


def test_the_same_seed_makes_the_same_estate(tmp_path: pathlib.Path) -> None:
    made = []
    for name in ("first", "second"):
        with Estate(make_estate(str(tmp_path / name), TINY, seed=7, clock=HandClock(NOW)), HandClock(NOW)) as one:
            made.append([_rows(one, transit.shipments), _rows(one, status.status, "fields"), _rows(one, estate.points)])
    assert made[0] == made[1]
