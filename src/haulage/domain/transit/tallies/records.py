"""How many shipments of each site stand alike: a table written in the transaction that writes a shipment, so that no number has to
be counted when somebody looks. Knows words and numbers only, no shipments."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import SiteCode
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction

tallies = sa.Table(
    "shipment_tallies",
    metadata,
    sa.Column("owner", sa.String(3), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("state", sa.String(16), primary_key=True),
    sa.Column("reason", sa.String(16), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("left_bytes", sa.BigInteger, nullable=False),
)
"""One row for each way of standing that a site ever had; rows that nobody stands in any more count 0."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How one shipment stands, as far as it is counted."""

    state: str
    reason: str
    left_bytes: int
    """Planned and not there yet."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """So many shipments stand alike."""

    kind: str
    """``site`` or ``point``."""
    state: str
    reason: str
    count: int
    left_bytes: int


_KEY = [tallies.c[name] == sa.bindparam(f"of_{name}") for name in ("owner", "kind", "state", "reason")]
_SHIFT = (
    tallies.update()
    .where(*_KEY)
    .values(count=tallies.c.count + sa.bindparam("more"), left_bytes=tallies.c.left_bytes + sa.bindparam("more_bytes"))
)
_FIRST = tallies.insert()
# Built once, and written out where a parameter would be another expression to PostgreSQL in the grouping.
_SUMS = (tallies.c.kind, tallies.c.state, tallies.c.reason, sa.func.sum(tallies.c.count), sa.func.sum(tallies.c.left_bytes))
_TOTALS = sa.select(*_SUMS).group_by(*_SUMS[:3]).having(_SUMS[3] > 0).order_by(*_SUMS[:3])
_OF_SITES = sa.select(tallies).where(tallies.c.count > 0).order_by(*tallies.primary_key.columns)


def shift(tx: Transaction, owner: SiteCode, kind: str, before: Stand | None, after: Stand | None) -> None:
    """One shipment of a site stands otherwise than before; None: it was not there, or is not any more."""
    if before is not None and after is not None and (before.state, before.reason) == (after.state, after.reason):
        if before.left_bytes != after.left_bytes:
            _add(tx, owner, kind, after, 0, after.left_bytes - before.left_bytes)
        return
    if before is not None:
        _add(tx, owner, kind, before, -1, -before.left_bytes)
    if after is not None:
        _add(tx, owner, kind, after, 1, after.left_bytes)


def shift_many(tx: Transaction, changes: Iterable[tuple[SiteCode, str, Stand | None, Stand | None]]) -> None:
    """The same for many shipments at once: (owner, kind, before, after). Few statements, however many there are."""
    more: dict[tuple[str, str, str, str], list[int]] = {}
    for owner, kind, before, after in changes:
        for stand, sign in ((before, -1), (after, 1)):
            if stand is not None:
                sums = more.setdefault((owner, kind, stand.state, stand.reason), [0, 0])
                sums[0] += sign
                sums[1] += sign * stand.left_bytes
    left = {key: sums for key, sums in more.items() if sums != [0, 0]}
    known: set[tuple[str, str, str, str]] = set()
    owners = sorted({key[0] for key in left})
    for first in range(0, len(owners), _AT_ONCE):
        query = sa.select(*tallies.primary_key.columns).where(tallies.c.owner.in_(owners[first : first + _AT_ONCE]))
        known |= {(row[0], row[1], row[2], row[3]) for row in tx.execute(query)}
    names = ("owner", "kind", "state", "reason")
    keys = [f"of_{name}" for name in names]
    there = [dict(zip([*keys, "more", "more_bytes"], (*key, *sums), strict=True)) for key, sums in left.items() if key in known]
    fresh = [
        dict(zip([*names, "count", "left_bytes"], (*key, *sums), strict=True)) for key, sums in left.items() if key not in known
    ]
    for statement, rows in ((_SHIFT, there), (_FIRST, fresh)):
        if rows:
            tx.execute(statement, rows)


_AT_ONCE = 5000
"""Parameters of one statement; databases take a bounded number."""


def _add(tx: Transaction, owner: SiteCode, kind: str, stand: Stand, more: int, more_bytes: int) -> None:
    key = {"of_owner": owner, "of_kind": kind, "of_state": stand.state, "of_reason": stand.reason}
    if tx.execute(_SHIFT, key | {"more": more, "more_bytes": more_bytes}).rowcount == 0:
        names = {name.removeprefix("of_"): value for name, value in key.items()}
        tx.execute(_FIRST, names | {"count": more, "left_bytes": more_bytes})


def totals(tx: Transaction) -> Sequence[Tally]:
    """All shipments known here, this site's own and those below, by kind, state and reason; none that count nothing."""
    return [_tally(row) for row in tx.execute(_TOTALS)]


def of_sites(tx: Transaction, owners: Collection[SiteCode] | None = None) -> dict[SiteCode, list[Tally]]:
    """The same for each site, or for some of them; sites without shipments are left out."""
    query = _OF_SITES if owners is None else _OF_SITES.where(tallies.c.owner.in_(list(owners)))
    found: dict[SiteCode, list[Tally]] = {}
    for owner, *row in tx.execute(query):
        found.setdefault(SiteCode(owner), []).append(_tally(row))
    return found


def replace(tx: Transaction, counted: sa.Select[Any], owner: SiteCode | None) -> None:
    """Count one site (None: every site) anew, after many changes at once. ``counted`` gives the columns of the table."""
    which = [] if owner is None else [tallies.c.owner == owner]
    tx.execute(tallies.delete().where(*which))
    tx.execute(tallies.insert().from_select([column.name for column in tallies.columns], counted))


def _tally(row: Sequence[Any]) -> Tally:
    kind, state, reason, count, left_bytes = row
    return Tally(kind=kind, state=state, reason=reason, count=int(count), left_bytes=int(left_bytes))
