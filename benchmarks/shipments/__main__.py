"""How many shipments stand how: counted when somebody asks, or kept as they change; and what either costs whoever writes one.

    python -m benchmarks.shipments [--shipments 200000]

Processor time of this process, median of rounds in turns, SQLite. "Alone": no index but the key and those by which work is found.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from unittest import mock

import sqlalchemy as sa

from benchmarks.table import print_table
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.transit import records
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.domain.transit.tallies import records as tallies
from haulage.engine.database.transaction import Database, Transaction, open_database
from haulage.wiring.tables import TABLES

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
FOR_LISTS = ("ix_shipments_package_state_reason", "ix_shipments_state_reason_updated", "ix_shipments_open")
SITES, AT_ONCE, ROUNDS, WRITTEN = 1_000, 5_000, 5, 400
_T = records.shipments.c


def main() -> None:
    """Fill a database, and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shipments", description=__doc__)
    parser.add_argument("--shipments", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/site.db")
        with database.writing() as tx:
            TABLES.create_all(tx)
        _fill(database, asked.shipments)
        print(f"{asked.shipments:,} shipments at {SITES:,} sites\n")
        _asking(database)
        _writing(database, asked.shipments)
        database.close()


def _asking(database: Database) -> None:
    by_site = sa.select(_T.owner, _T.state, _T.reason, sa.func.count()).group_by(_T.owner, _T.state, _T.reason)
    totals = sa.select(_T.state, _T.reason, sa.func.count()).group_by(_T.state, _T.reason)
    questions: dict[str, Callable[[Transaction], object]] = {
        "all, grouped from an index": lambda tx: tx.execute(totals).all(),
        "all, from tallies": tallies.totals,
        "each site, grouped": lambda tx: tx.execute(by_site).all(),
        "each site, from tallies": tallies.of_sites,
    }
    taken: dict[str, list[float]] = {name: [] for name in questions}
    with database.reading() as tx:
        for _ in range(ROUNDS):
            for name, ask in questions.items():
                taken[name].append(_used(lambda ask=ask: ask(tx)))  # type: ignore[misc]
    print_table(("question", "processor, ms"), [(name, f"{statistics.median(times) * 1000:.1f}") for name, times in taken.items()])


def _writing(database: Database, count: int) -> None:
    rows: list[tuple[str, str]] = []
    for lists in (True, False):
        if not lists:
            with database.writing() as tx:
                for name in FOR_LISTS:
                    tx.exec_driver_sql(f"DROP INDEX {name}")
        taken: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(ROUNDS):
            for kept in (True, False):
                changed = _changed(count, turn * 2 + kept + (0 if lists else 100))
                silent = mock.patch.object(tallies, "shift", return_value=None)
                with mock.patch.object(tallies, "shift", tallies.shift) if kept else silent:
                    taken[kept].append(_used(lambda changed=changed: _write(database, changed)) / WRITTEN)  # type: ignore[misc]
        for kept in (True, False):
            name = f"{'with' if lists else 'without'} the indexes of lists, {'with' if kept else 'without'} tallies"
            rows.append((name, f"{statistics.median(taken[kept]) * 1e6:.0f}"))
    print_table(("one change of state, 20 in a transaction", "processor, µs"), rows)


def _used(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def _write(database: Database, rows: Sequence[Shipment]) -> None:
    for first in range(0, len(rows), 20):
        with database.writing() as tx:
            for row in rows[first : first + 20]:
                records.put_shipment(tx, row)


def _shipment(number: int) -> Shipment:
    site = f"{number % SITES:03}"
    return Shipment(
        package=PackageId(f"HQ1{number // SITES:05X}"),
        place=Place(site),
        owner=SiteCode(site),
        wanted=VersionNumber(3),
        present=VersionNumber(3),
        state=ShipmentState.PRESENT,
        updated=NOW + dt.timedelta(seconds=number % 86_400),
    )


def _changed(count: int, turn: int) -> list[Shipment]:
    state = ShipmentState.MOVING if turn % 3 else ShipmentState.RETRYING
    step = count // WRITTEN
    return [
        dataclasses.replace(_shipment((index * step + turn * 7) % count), state=state, updated=NOW + dt.timedelta(days=turn + 1))
        for index in range(WRITTEN)
    ]


def _rows(count: int) -> Iterator[dict[str, object]]:
    names = [field.name for field in dataclasses.fields(Shipment)]
    for number in range(count):
        one = _shipment(number)
        values = {name: getattr(one, name) for name in names}
        values |= {"state": one.state.value, "reason": one.reason.value, "word": one.word.value}
        yield values | {"own_state": one.state.value, "own_reason": "", "announced": 0}


def _fill(database: Database, count: int) -> None:
    left = _rows(count)
    with database.writing() as tx:
        for _ in range(0, count, AT_ONCE):
            tx.execute(records.shipments.insert(), [row for _, row in zip(range(AT_ONCE), left, strict=False)])
        records.count_anew(tx)


if __name__ == "__main__":
    main()
