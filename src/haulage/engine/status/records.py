"""The journal's tables and every statement on them. Must not know why a record is stored, taken or forgotten."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime
from haulage.engine.status.message import Found, Listed, MessageType, Severity, StatusFilter, StatusRecord

WINDOW = 10_000
"""So many records that fit the narrowest part of a filter are examined in one look for those that fit the rest."""
_FAN = 16
"""A filter with more values of one kind than this goes through the records by their ids."""

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

status = sa.Table(
    "status",
    metadata,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("site", sa.Text, nullable=False),
    sa.Column("epoch", _BIG, nullable=False),
    sa.Column("sequence", _BIG, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("component", sa.Text, nullable=False),
    sa.Column("package", sa.Text),
    sa.Column("place", sa.Text),
    sa.Column("time", UtcTime, nullable=False),
    sa.Column("received", UtcTime, nullable=False),
    sa.Column("fields", Json, nullable=False),
    sa.UniqueConstraint("site", "epoch", "sequence"),
    # Ids are cursors of those who follow: one that was deleted must not come again.
    sqlite_autoincrement=True,
)

sa.Index(None, status.c.package, status.c.place, status.c.id)
sa.Index(None, status.c.received, status.c.id)
for _column in (status.c.place, status.c.site, status.c.number, status.c.severity, status.c.type, status.c.component):
    sa.Index(None, _column, status.c.id)

source = sa.Table(
    "status_source",
    metadata,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("epoch", _BIG, primary_key=True, autoincrement=False),
    sa.Column("last", _BIG, nullable=False),
    sa.Column("expired", _BIG, nullable=False, server_default="0"),
)
"""Per site and epoch: the highest sequence used or taken, and the highest that has expired here (never taken again)."""


Spelled: TypeAlias = Mapping[str, Collection[int]]
"""For each word looked for: the numbers whose own sentence holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How far one source has come; zeros for one never heard of."""

    last: int
    expired: int


def marks(tx: Transaction, site: SiteCode, epoch: int) -> Marks:
    """The marks of one source."""
    row = tx.execute(sa.select(source).where(source.c.site == site, source.c.epoch == epoch)).one_or_none()
    return Marks(last=row.last, expired=row.expired) if row else Marks(last=0, expired=0)


def set_last(tx: Transaction, site: SiteCode, epoch: int, last: int) -> None:
    """Remember the highest sequence of a source."""
    changed = tx.execute(sa.update(source).where(source.c.site == site, source.c.epoch == epoch).values(last=last))
    if not changed.rowcount:
        tx.execute(sa.insert(source).values(site=site, epoch=epoch, last=last, expired=0))


def is_known(tx: Transaction, site: SiteCode, epoch: int, sequence: int) -> bool:
    """Whether that record is stored here."""
    query = sa.select(status.c.id).where(status.c.site == site, status.c.epoch == epoch, status.c.sequence == sequence)
    return tx.execute(query).first() is not None


def insert(tx: Transaction, said: StatusRecord, *, received: dt.datetime) -> int:
    """Store a record; returns its local id."""
    key = tx.execute(
        sa.insert(status).values(
            site=said.site,
            epoch=said.epoch,
            sequence=said.sequence,
            number=said.number,
            severity=said.severity.value,
            type=said.type.value,
            component=said.component,
            package=said.package,
            place=said.place,
            time=said.time,
            received=received,
            fields=dict(said.fields),
        )
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def find(tx: Transaction, wanted: StatusFilter, spelled: Spelled, *, limit: int, newest: bool) -> Found:
    """One look: up to ``limit`` records from the cursor on, towards the newest or, with ``newest``, from the newest back."""
    narrowest, rest = _split(wanted, spelled)
    bounds = _bounds(tx, wanted)
    if bounds is None:
        return Found(rows=(), more=None)
    ids = _candidates(narrowest, bounds, limit=WINDOW if rest else limit, newest=newest).subquery()
    order = ids.c.id.desc() if newest else ids.c.id
    query = sa.select(status).select_from(ids.join(status, status.c.id == ids.c.id)).where(*rest).order_by(order).limit(limit)
    rows = [_listed(row) for row in tx.execute(query)]
    more = rows[-1].id if len(rows) == limit else _edge(tx, ids, newest=newest) if rest else None
    return Found(rows=rows[::-1] if newest else rows, more=more)


def count(tx: Transaction, wanted: StatusFilter, spelled: Spelled) -> dict[Severity, int]:
    """How many there are of each severity, among the newest ``WINDOW`` that fit the narrowest part of the filter."""
    narrowest, rest = _split(wanted, spelled)
    bounds = _bounds(tx, wanted)
    if bounds is None:
        return {}
    ids = _candidates(narrowest, bounds, limit=WINDOW, newest=True).subquery()
    joined = ids.join(status, status.c.id == ids.c.id)
    query = sa.select(status.c.severity, sa.func.count()).select_from(joined).where(*rest).group_by(status.c.severity)
    return {Severity(severity): number for severity, number in tx.execute(query)}


def span(tx: Transaction, wanted: StatusFilter, spelled: Spelled, *, limit: int) -> tuple[int, int, int]:
    """Of the newest ``limit`` records that fit: how many they are, the least and the greatest id; zeros if there is none."""
    narrowest, rest = _split(wanted, spelled)
    bounds = _bounds(tx, wanted)
    if bounds is None:
        return 0, 0, 0
    every = [*bounds, *rest, *([sa.or_(*narrowest)] if narrowest else [])]
    ids = sa.select(status.c.id).where(*every).order_by(status.c.id.desc()).limit(limit).subquery()
    row = tx.execute(sa.select(sa.func.count(), sa.func.min(ids.c.id), sa.func.max(ids.c.id))).one()
    return int(row[0]), int(row[1] or 0), int(row[2] or 0)


def by_id(tx: Transaction, local_id: int) -> Listed | None:
    """One record."""
    row = tx.execute(sa.select(status).where(status.c.id == local_id)).one_or_none()
    return None if row is None else _listed(row)


def newest_id(tx: Transaction) -> int:
    """The greatest local id in use, or 0."""
    return tx.execute(sa.select(sa.func.max(status.c.id))).scalar() or 0


def delete_old(tx: Transaction, *, before: dt.datetime, audit_before: dt.datetime, through: int | None, limit: int) -> int:
    """Delete up to ``limit`` records received before the limits, and remember per source how far that went."""
    is_audit = status.c.type == MessageType.AUDIT.value
    old = sa.or_(sa.and_(is_audit, status.c.received < audit_before), sa.and_(~is_audit, status.c.received < before))
    query = sa.select(status.c.id, status.c.site, status.c.epoch, status.c.sequence).where(old)
    if through is not None:
        query = query.where(status.c.id <= through)
    rows = tx.execute(query.order_by(status.c.id).limit(limit)).all()
    for site, epoch in {(row.site, row.epoch) for row in rows}:
        gone = max(row.sequence for row in rows if (row.site, row.epoch) == (site, epoch))
        here = (source.c.site == site, source.c.epoch == epoch, source.c.expired < gone)
        tx.execute(sa.update(source).where(*here).values(expired=gone))
    if rows:
        tx.execute(sa.delete(status).where(status.c.id == sa.bindparam("gone")), [{"gone": row.id} for row in rows])
    return len(rows)


_Condition = sa.ColumnElement[bool]


def _split(wanted: StatusFilter, spelled: Spelled) -> tuple[list[_Condition], list[_Condition]]:
    """The narrowest part of a filter, one condition for each value, each with an index; and the rest of it."""
    severities = [each.value for each in Severity if each.rank >= wanted.at_least.rank]
    parts: tuple[tuple[sa.Column[Any], Sequence[object]], ...] = (
        (status.c.package, wanted.packages),
        (status.c.place, wanted.places),
        (status.c.number, wanted.numbers),
        (status.c.site, wanted.sites),
        (status.c.severity, severities if wanted.at_least is not Severity.INFORMATION else ()),
        (status.c.type, [each.value for each in wanted.types]),
        (status.c.component, wanted.components),
    )
    given = [(column, values) for column, values in parts if values]
    narrowest = next(((column, values) for column, values in given if len(values) <= _FAN), None)
    rest = [_any_of(column, values) for column, values in given if (column, values) != narrowest]
    if wanted.since is not None:
        rest.append(status.c.received >= wanted.since)
    if wanted.until is not None:
        rest.append(status.c.received < wanted.until)
    rest += [_says(word, spelled.get(word, ())) for word in wanted.words]
    return ([] if narrowest is None else [narrowest[0] == value for value in narrowest[1]]), rest


def _any_of(column: sa.Column[Any], values: Sequence[object]) -> _Condition:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _says(word: str, numbers: Collection[int]) -> _Condition:
    """Whether a record may hold a word: in its fields as they are written, in its columns, or in its number's own sentence."""
    written = json.dumps(word, ensure_ascii=False)[1:-1]
    places = [sa.cast(status.c.fields, sa.Text).icontains(written, autoescape=True)]
    places += [column.icontains(word, autoescape=True) for column in (status.c.package, status.c.place)]
    return sa.or_(*places, status.c.number.in_(numbers)) if numbers else sa.or_(*places)


def _bounds(tx: Transaction, wanted: StatusFilter) -> list[_Condition] | None:
    """Between which ids to look; None if nothing can be there. Moments become ids by the records next to them; a clock that was
    put back across more records than are looked at hides some."""
    found: list[_Condition] = []
    if wanted.after is not None:
        found.append(status.c.id > wanted.after)
    if wanted.before is not None:
        found.append(status.c.id < wanted.before)
    if wanted.since is not None:
        near = sa.select(status.c.id).where(status.c.received >= wanted.since).order_by(status.c.received).limit(WINDOW).subquery()
        first = tx.execute(sa.select(sa.func.min(near.c.id))).scalar()
        if first is None:
            return None
        found.append(status.c.id >= first)
    if wanted.until is not None:
        before = sa.select(status.c.id).where(status.c.received < wanted.until)
        near = before.order_by(status.c.received.desc()).limit(WINDOW).subquery()
        last = tx.execute(sa.select(sa.func.max(near.c.id))).scalar()
        if last is None:
            return None
        found.append(status.c.id <= last)
    return found


def _candidates(narrowest: Sequence[_Condition], bounds: Sequence[_Condition], *, limit: int, newest: bool) -> sa.Select[Any]:
    """Ids in order. Each value gets a look of its own, because only then an index gives its records in the order of ids."""

    def look(*condition: _Condition) -> sa.Select[Any]:
        order = status.c.id.desc() if newest else status.c.id
        return sa.select(status.c.id).where(*condition, *bounds).order_by(order).limit(limit)

    if len(narrowest) <= 1:
        return look(*narrowest)
    looks = [sa.select(look(condition).subquery().c.id) for condition in narrowest]
    every = sa.union_all(*looks).subquery()
    return sa.select(every.c.id).order_by(every.c.id.desc() if newest else every.c.id).limit(limit)


def _edge(tx: Transaction, ids: sa.Subquery, *, newest: bool) -> int | None:
    """The last id of a full window."""
    end = sa.func.min(ids.c.id) if newest else sa.func.max(ids.c.id)
    row = tx.execute(sa.select(sa.func.count(), end)).one()
    return int(row[1]) if row[0] == WINDOW else None


def _listed(row: sa.Row[Any]) -> Listed:
    said = StatusRecord(
        site=SiteCode(row.site),
        epoch=row.epoch,
        sequence=row.sequence,
        number=row.number,
        severity=Severity(row.severity),
        type=MessageType(row.type),
        component=row.component,
        package=PackageId(row.package) if row.package else None,
        place=Place(row.place) if row.place else None,
        time=row.time,
        fields=row.fields,
    )
    return Listed(id=row.id, received=row.received, record=said)
