"""The list of packages: some at a time, each with how it stands everywhere."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterator, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.domain.reporting.packages import records
from haulage.domain.reporting.packages.records import PackageRow, Wanted
from haulage.domain.reporting.packages.standing import StateCount, counts_of
from haulage.engine.database.transaction import Database, Transaction

SLICE = 100


class PackageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One package in the list. ``bytes`` are those of its newest version."""

    id: str
    name: str
    owner: str
    version: int
    keep: int
    bytes: int
    captured: str | None
    capture: str
    places: int
    counts: Sequence[StateCount]


class PackageList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list."""

    items: Sequence[PackageLine]
    cursor: str | None
    matched: int
    owners: Sequence[str]


def package_list(tx: Transaction, wanted: Wanted) -> PackageList:
    """The packages a filter leaves, from the cursor on."""
    items, cursor = _lines(tx, wanted)
    return PackageList(items=items, cursor=cursor, matched=records.count_packages(tx, wanted), owners=records.owners(tx))


def package_rows(database: Database, wanted: Wanted) -> Iterator[dict[str, object]]:
    """All of them for a spreadsheet, read in slices."""
    wanted = dataclasses.replace(wanted, limit=SLICE, after=None)
    while True:
        with database.reading() as tx:
            items, cursor = _lines(tx, wanted)
        for one in items:
            states = {f"{count.state} {count.reason}".strip(): count.count for count in one.counts}
            row = {name: getattr(one, name) for name in PackageLine.__struct_fields__ if name != "counts"}
            yield row | {"present": states.get("present", 0), "failed": states.get("failed", 0), "states": states}
        if cursor is None:
            return
        wanted = dataclasses.replace(wanted, after=read_cursor(cursor))


def _lines(tx: Transaction, wanted: Wanted) -> tuple[list[PackageLine], str | None]:
    rows = records.list_packages(tx, dataclasses.replace(wanted, limit=wanted.limit + 1))
    more, rows = len(rows) > wanted.limit, rows[: wanted.limit]
    counts = counts_of(tx, [row.id for row in rows])
    lines = [_line(row, counts[row.id]) for row in rows]
    return lines, _cursor(rows[-1]) if more and rows else None


def _line(row: PackageRow, counts: Sequence[StateCount]) -> PackageLine:
    return PackageLine(
        id=row.id,
        name=row.name,
        owner=row.id[:3],
        version=row.version,
        keep=row.keep,
        bytes=row.bytes,
        captured=None if row.captured is None else iso(row.captured),
        capture=row.capture,
        places=row.places,
        counts=counts,
    )


def _cursor(row: PackageRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.key, row.id]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[str | int, str]:
    """A cursor as it was given out. Raises UsageError ``bad-cursor``."""
    try:
        key, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        key, name = None, None
    if not isinstance(key, str | int) or not isinstance(name, str):
        raise UsageError("bad-cursor", f"{text[:40]!r} is not a cursor of this list.", "Begin without one.")
    return key, name
