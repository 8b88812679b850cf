"""The journal's tables and every statement on them. Must not know why a record is stored, taken or forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime
from haulage.engine.status.message import Listed, MessageType, Severity, StatusFilter, StatusRecord

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
sa.Index(None, status.c.received)

source = sa.Table(
    "status_source",
    metadata,
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("epoch", _BIG, primary_key=True, autoincrement=False),
    sa.Column("last", _BIG, nullable=False),
    sa.Column("expired", _BIG, nullable=False, server_default="0"),
)
"""Per site and epoch: the highest sequence used or taken, and the highest that has expired here (never taken again)."""


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


def find(tx: Transaction, wanted: StatusFilter, *, limit: int, newest: bool) -> Sequence[Listed]:
    """Records in the order of their local ids."""
    query = sa.select(status).where(*_conditions(wanted)).limit(limit)
    rows = tx.execute(query.order_by(status.c.id.desc() if newest else status.c.id)).all()
    return [_listed(row) for row in (reversed(rows) if newest else rows)]


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


def _conditions(wanted: StatusFilter) -> list[sa.ColumnElement[bool]]:
    pairs: tuple[tuple[sa.Column[Any], object], ...] = (
        (status.c.package, wanted.package),
        (status.c.place, wanted.place),
        (status.c.site, wanted.site),
        (status.c.number, wanted.number),
        (status.c.component, wanted.component),
        (status.c.type, wanted.type.value if wanted.type else None),
    )
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in pairs if value is not None]
    if wanted.after is not None:
        found.append(status.c.id > wanted.after)
    if wanted.since is not None:
        found.append(status.c.received >= wanted.since)
    if wanted.at_least is not Severity.INFORMATION:
        found.append(status.c.severity.in_([s.value for s in Severity if s.rank >= wanted.at_least.rank]))
    return found


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
