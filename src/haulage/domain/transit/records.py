"""The tables of shipments, of the versions this site holds, and of the parcels it has built."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.engine.database.metadata import metadata
from haulage.engine.database.transaction import Transaction
from haulage.engine.database.types import Json, UtcTime

shipments = sa.Table(
    "shipments",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("owner", sa.String(3), nullable=False),
    sa.Column("wanted", sa.BigInteger, nullable=False),
    sa.Column("present", sa.BigInteger, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("reason", sa.String(16), nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("tries", sa.BigInteger, nullable=False),
    sa.Column("run", sa.BigInteger, nullable=False),
    sa.Column("due", UtcTime),
    sa.Column("wakes", sa.BigInteger, nullable=False),
    sa.Column("error_code", sa.String(64), nullable=False),
    sa.Column("error_message", sa.Text, nullable=False),
    sa.Column("error_hint", sa.Text, nullable=False),
    sa.Column("error_family", sa.String(16), nullable=False),
    sa.Column("bytes_planned", sa.BigInteger, nullable=False),
    sa.Column("bytes_done", sa.BigInteger, nullable=False),
    sa.Column("bytes_total", sa.BigInteger, nullable=False),
    sa.Column("bytes_reused", sa.BigInteger, nullable=False),
    sa.Column("bytes_new", sa.BigInteger, nullable=False),
    sa.Column("bytes_wire", sa.BigInteger, nullable=False),
    sa.Column("parcel", sa.String(64), nullable=False),
    sa.Column("verify", sa.Boolean, nullable=False),
    sa.Column("repair", sa.Boolean, nullable=False),
    sa.Column("verified", UtcTime),
    sa.Column("word", sa.String(16), nullable=False),
    sa.Column("word_by", sa.Text, nullable=False),
    sa.Column("word_time", UtcTime),
    sa.Column("word_revision", sa.BigInteger, nullable=False),
    sa.Column("armed", UtcTime),
    sa.Column("expected", UtcTime),
    sa.Column("rate", sa.BigInteger, nullable=False),
    sa.Column("wire_ever", sa.BigInteger, nullable=False),
    sa.Column("reused_ever", sa.BigInteger, nullable=False),
    sa.Column("updated", UtcTime, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("observation", sa.BigInteger, nullable=False),
    sa.Index("ix_shipments_owner_due", "owner", "due"),
    sa.Index("ix_shipments_place_state", "place", "state"),
)

OPEN = shipments.c.state.not_in([sa.literal_column(f"'{one.value}'") for one in (ShipmentState.PRESENT, ShipmentState.REMOVED)])
"""What is not settled. The states are written out, not given as parameters, so that the index below serves."""
sa.Index(
    "ix_shipments_open",
    shipments.c.place,
    shipments.c.state,
    shipments.c.reason,
    shipments.c.expected,
    sqlite_where=OPEN,
    postgresql_where=OPEN,
)

holdings = sa.Table(
    "holdings",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True),
    sa.Column("manifest", sa.LargeBinary(32), nullable=False),
    sa.Column("since", UtcTime, nullable=False),
)

parcels = sa.Table(
    "parcels",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("target", sa.LargeBinary(32), nullable=False, index=True),
    sa.Column("bases", Json, nullable=False),
    sa.Column("level", sa.String(16), nullable=False),
    sa.Column("needs", Json, nullable=False),
    sa.Column("abilities", Json, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("head_size", sa.BigInteger, nullable=False),
    sa.Column("figures", Json, nullable=False),
    sa.Column("used", UtcTime, nullable=False),
)

receivers = sa.Table(
    "receivers",
    metadata,
    sa.Column("site", sa.String(3), primary_key=True),
    sa.Column("rate", sa.BigInteger, nullable=False),
    sa.Column("abilities", Json, nullable=False),
)

traffic = sa.Table(
    "traffic",
    metadata,
    sa.Column("hour", UtcTime, primary_key=True),
    sa.Column("site", sa.String(3), primary_key=True, index=True),
    sa.Column("sender", sa.String(3), primary_key=True),
    sa.Column("bytes_wire", sa.BigInteger, nullable=False),
    sa.Column("bytes_reused", sa.BigInteger, nullable=False),
)
"""Bytes per hour and line; see ``hourly.py``."""

asked_orders = sa.Table(
    "asked_orders",
    metadata,
    sa.Column("package", sa.String(8), primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("sender", sa.String(3), nullable=False),
    sa.Column("issued", UtcTime, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
)
"""Orders on their way; see ``asked.py``."""

SITE_CODE_CHARACTERS = 3
"""A place so long is a site's own store; points are longer."""

_FIND = sa.select(shipments).where(shipments.c.package == sa.bindparam("package"), shipments.c.place == sa.bindparam("place"))
"""Built once: asked for so often that putting the question together would cost more than the answer."""

_FIELDS = tuple(field.name for field in dataclasses.fields(Shipment))


def _shipment(row: sa.Row[tuple[object, ...]]) -> Shipment:
    values = dict(row._mapping)
    values["state"] = ShipmentState(values["state"])
    values["reason"] = Reason(values["reason"])
    values["word"] = Word(values["word"])
    return Shipment(**values)


def _key(package: PackageId, where: Place) -> sa.ColumnElement[bool]:
    return sa.and_(shipments.c.package == package, shipments.c.place == where)


def find_shipment(tx: Transaction, package: PackageId, where: Place) -> Shipment | None:
    """One shipment; None if there never was that duty."""
    row = tx.execute(_FIND, {"package": package, "place": where}).one_or_none()
    return None if row is None else _shipment(row)


def put_shipment(tx: Transaction, shipment: Shipment) -> None:
    """Write a shipment as it is now."""
    values = {name: getattr(shipment, name) for name in _FIELDS}
    values["state"], values["reason"], values["word"] = shipment.state.value, shipment.reason.value, shipment.word.value
    if tx.execute(shipments.update().where(_key(shipment.package, shipment.place)).values(values)).rowcount == 0:
        tx.execute(shipments.insert().values(values))


def list_shipments(
    tx: Transaction,
    *,
    package: PackageId | None = None,
    owner: SiteCode | None = None,
    places: Iterable[Place] | None = None,
) -> Sequence[Shipment]:
    """Shipments by package and place, optionally only some."""
    query = sa.select(shipments).order_by(shipments.c.package, shipments.c.place)
    if package is not None:
        query = query.where(shipments.c.package == package)
    if owner is not None:
        query = query.where(shipments.c.owner == owner)
    if places is not None:
        query = query.where(shipments.c.place.in_(list(places)))
    return [_shipment(row) for row in tx.execute(query)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentCount:
    """How many shipments stand alike, and how many bytes of theirs are planned and not there yet."""

    kind: str
    """``site`` or ``point``."""
    state: ShipmentState
    reason: Reason
    count: int
    left_bytes: int


def count_shipments(tx: Transaction) -> Sequence[ShipmentCount]:
    """All shipments this site knows of, its own and those below, counted by kind, state and reason."""
    # By length, not by what is in it: a parameter in the grouping is another expression to PostgreSQL.
    length = sa.func.length(shipments.c.place)
    left = sa.func.sum(shipments.c.bytes_planned - shipments.c.bytes_done)
    query = sa.select(length, shipments.c.state, shipments.c.reason, sa.func.count(), left)
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for size, state, reason, count, bytes_left in tx.execute(query.group_by(length, shipments.c.state, shipments.c.reason)):
        key = ("site" if size == SITE_CODE_CHARACTERS else "point", state, reason)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + int(count), before[1] + max(0, int(bytes_left)))
    return [
        ShipmentCount(kind=kind, state=ShipmentState(state), reason=Reason(reason), count=count, left_bytes=left_bytes)
        for (kind, state, reason), (count, left_bytes) in sorted(found.items())
    ]


def held_at(tx: Transaction, site: SiteCode, package: PackageId, most: int) -> dict[PackageId, VersionNumber]:
    """The versions a site holds, as it reported: of this package first, then of so many others."""
    query = sa.select(shipments.c.package, shipments.c.present)
    query = query.where(shipments.c.place == Place(site), shipments.c.present > 0)
    rows = tx.execute(query.order_by(shipments.c.package != package, shipments.c.package).limit(most))
    return {row.package: row.present for row in rows}


CLOCK_SLACK = dt.timedelta(minutes=1)
"""A row written so far in the future was written before the clock was put back."""


def due_shipments(
    tx: Transaction, owner: SiteCode, now: dt.datetime, limit: int, *, kind: str, at_one_place: int | None = None
) -> Sequence[Shipment]:
    """This site's own shipments of one kind (``site``, ``point``) whose time has come, longest due first, optionally only so many
    for each place. One whose due time was reckoned by a clock that was put back since is looked at now: its time may be years
    away (I18)."""
    come = sa.or_(shipments.c.due <= now, shipments.c.updated > now + CLOCK_SLACK)
    of_kind = shipments.c.place != owner if kind == "point" else shipments.c.place == owner
    mine = sa.and_(shipments.c.owner == owner, of_kind, shipments.c.due.is_not(None), come)
    if at_one_place is None:
        query = sa.select(shipments).where(mine).order_by(shipments.c.due, shipments.c.package, shipments.c.place)
        return [_shipment(row) for row in tx.execute(query.limit(limit))]
    at_place = sa.func.row_number().over(partition_by=shipments.c.place, order_by=(shipments.c.due, shipments.c.package))
    due = sa.select(shipments, at_place.label("at_place")).where(mine).subquery()
    query = (
        sa.select(*(due.c[column.name] for column in shipments.c))
        .where(due.c.at_place <= at_one_place)
        .order_by(due.c.due, due.c.package, due.c.place)
    )
    return [_shipment(row) for row in tx.execute(query.limit(limit))]


def next_due(tx: Transaction, owner: SiteCode, now: dt.datetime) -> dt.datetime | None:
    """When the next of this site's own shipments is due; now, if the clock was put back."""
    mine = sa.and_(shipments.c.owner == owner, shipments.c.due.is_not(None))
    first, newest = tx.execute(sa.select(sa.func.min(shipments.c.due), sa.func.max(shipments.c.updated)).where(mine)).one()
    return now if newest is not None and newest > now + CLOCK_SLACK else first


def newest_epoch(tx: Transaction, owner: SiteCode) -> int:
    """The epoch in which a site last reported; 0 if it never did."""
    return tx.execute(sa.select(sa.func.max(shipments.c.epoch)).where(shipments.c.owner == owner)).scalar() or 0


def remove_shipments(tx: Transaction, owner: SiteCode) -> None:
    """Forget every shipment of a site that is gone."""
    tx.execute(shipments.delete().where(shipments.c.owner == owner))


def put_holding(tx: Transaction, package: PackageId, version: VersionNumber, manifest: bytes, now: dt.datetime) -> None:
    """Record that this site holds a version, whole and pinned."""
    remove_holding(tx, package, version)
    tx.execute(holdings.insert().values(package=package, version=version, manifest=manifest, since=now))


def remove_holding(tx: Transaction, package: PackageId, version: VersionNumber) -> None:
    """Record that this site does not hold a version any more."""
    tx.execute(holdings.delete().where(holdings.c.package == package, holdings.c.version == version))


def held_versions(tx: Transaction, package: PackageId) -> dict[VersionNumber, bytes]:
    """The versions of a package that this site holds, newest first, with their manifests."""
    query = sa.select(holdings).where(holdings.c.package == package).order_by(holdings.c.version.desc())
    return {row.version: row.manifest for row in tx.execute(query)}


def all_holdings(tx: Transaction) -> Sequence[tuple[PackageId, VersionNumber, bytes]]:
    """Everything this site holds, newest holding first."""
    query = sa.select(holdings).order_by(holdings.c.since.desc(), holdings.c.package, holdings.c.version.desc())
    return [(row.package, row.version, row.manifest) for row in tx.execute(query)]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ParcelRecord:
    """One parcel this site has built and keeps for others that can use it."""

    id: str
    target: bytes
    bases: tuple[str, ...]
    level: str
    """The smallest one it was made at."""
    needs: tuple[str, ...]
    """What a receiver must be able to do, at most."""
    abilities: tuple[str, ...]
    """What making it could lean on; who can do more may be better off with another."""
    size: int
    head_size: int
    figures: dict[str, int]
    used: dt.datetime


def put_parcel(tx: Transaction, parcel: ParcelRecord) -> None:
    """Record a parcel, or that it was used again."""
    remove_parcel(tx, parcel.id)
    values = {field.name: getattr(parcel, field.name) for field in dataclasses.fields(parcel)}
    tx.execute(parcels.insert().values(values | {name: list(values[name]) for name in _LISTS}))


def remove_parcel(tx: Transaction, parcel_id: str) -> None:
    """Forget a parcel."""
    tx.execute(parcels.delete().where(parcels.c.id == parcel_id))


def list_parcels(tx: Transaction, target: bytes | None = None) -> Sequence[ParcelRecord]:
    """Parcels, least recently used first; optionally those towards one manifest."""
    query = sa.select(parcels).order_by(parcels.c.used, parcels.c.id)
    if target is not None:
        query = query.where(parcels.c.target == target)
    rows = [dict(row._mapping) for row in tx.execute(query)]
    return [ParcelRecord(**(row | {name: tuple(row[name]) for name in _LISTS})) for row in rows]


_LISTS = ("bases", "needs", "abilities")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What is known of a site that receives: this one, or a child by what it last said."""

    site: SiteCode
    rate: int = 0
    """Bytes per second of the line to it; 0: not known."""
    abilities: tuple[str, ...] = ()
    """Which compressed forms it makes again exactly."""


def find_receiver(tx: Transaction, site: SiteCode) -> Receiver:
    """What is known of a receiver; nothing, if it never said anything."""
    row = tx.execute(sa.select(receivers).where(receivers.c.site == site)).one_or_none()
    return Receiver(site=site) if row is None else Receiver(site=site, rate=row.rate, abilities=tuple(row.abilities))


def line_rates(tx: Transaction) -> dict[SiteCode, int]:
    """Bytes per second of the line to each site that receives and whose line was measured."""
    query = sa.select(receivers.c.site, receivers.c.rate).where(receivers.c.rate > 0)
    return {SiteCode(site): int(rate) for site, rate in tx.execute(query)}


def put_receiver(tx: Transaction, receiver: Receiver) -> None:
    """Record what a receiver said."""
    remove_receiver(tx, receiver.site)
    tx.execute(receivers.insert().values(site=receiver.site, rate=receiver.rate, abilities=list(receiver.abilities)))


def remove_receiver(tx: Transaction, site: SiteCode) -> None:
    """Forget a receiver that is gone."""
    tx.execute(receivers.delete().where(receivers.c.site == site))
