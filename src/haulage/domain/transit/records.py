"""The tables of shipments, of the versions this site holds, and of the parcels it has built."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point, site_of
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState, Word
from haulage.domain.transit.tallies import records as tallies
from haulage.domain.transit.tallies.records import Stand
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
    sa.Column("own_state", sa.String(16), nullable=False),
    sa.Column("own_reason", sa.String(16), nullable=False),
    sa.Column("announced", sa.BigInteger, nullable=False),
    sa.Index("ix_shipments_owner_due", "owner", "due"),
    sa.Index("ix_shipments_owner_epoch", "owner", "epoch"),
    sa.Index("ix_shipments_place_state", "place", "state"),
    sa.Index("ix_shipments_package_state_reason", "package", "state", "reason"),
    sa.Index("ix_shipments_state_reason_updated", "state", "reason", "updated"),
)
"""``own_state`` and ``own_reason`` are what the site that acts for the place said; ``state`` and ``reason`` what is to be shown:
that, or that its report is awaited, as long as it has not said that it knows of the version that is ``announced`` for the place (0
where none is; this site's own rows need no report). A place that never said anything has a row, too, with an empty ``own_state``:
nobody but lists and counts sees those."""

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
SPOKEN = shipments.c.word != sa.literal_column("''")
"""Somebody holds it, or cancelled it: few do."""
sa.Index(
    "ix_shipments_word", shipments.c.word, shipments.c.package, shipments.c.place, sqlite_where=SPOKEN, postgresql_where=SPOKEN
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

_FIELDS = tuple(field.name for field in dataclasses.fields(Shipment))
_OWN = {"state": shipments.c.own_state.label("state"), "reason": shipments.c.own_reason.label("reason")}
_SAID = sa.select(*(_OWN.get(name, shipments.c[name]) for name in _FIELDS)).where(shipments.c.own_state != sa.literal_column("''"))
"""Every shipment as its owner said it is."""

# Built once: asked for so often that putting the question together would cost more than the answer.
_KEY = (shipments.c.package == sa.bindparam("of_package"), shipments.c.place == sa.bindparam("of_place"))
_FIND = _SAID.where(*_KEY)
_BEFORE = sa.select(
    shipments.c.state, shipments.c.reason, (shipments.c.bytes_planned - shipments.c.bytes_done).label("left"), shipments.c.announced
).where(*_KEY)
_SAY = shipments.update().where(*_KEY).values({name: sa.bindparam(name) for name in (*_FIELDS, "own_state", "own_reason")})
_ADD = shipments.insert()


def _shipment(row: sa.Row[Any]) -> Shipment:
    values = dict(row._mapping)
    values["state"] = ShipmentState(values["state"])
    values["reason"] = Reason(values["reason"])
    values["word"] = Word(values["word"])
    return Shipment(**values)


def shown_shipment(row: sa.Row[Any]) -> Shipment:
    """A whole row of the table as it is to be shown: as its owner said, or waiting for its report of the version announced."""
    values = {name: row._mapping[name] for name in _FIELDS}
    values |= {"state": ShipmentState(row.state), "reason": Reason(row.reason), "word": Word(row.word)}
    return Shipment(**(values | {"wanted": row.announced} if row.announced else values))


def _key(package: PackageId, where: Place) -> dict[str, object]:
    return {"of_package": package, "of_place": where}


def find_shipment(tx: Transaction, package: PackageId, where: Place) -> Shipment | None:
    """One shipment as its owner said it is; None if there never was that duty, or nobody has said anything of it yet."""
    row = tx.execute(_FIND, _key(package, where)).one_or_none()
    return None if row is None else _shipment(row)


def put_shipment(tx: Transaction, shipment: Shipment) -> None:
    """Write a shipment as its owner says it is now, and count it where it stands."""
    before = tx.execute(_BEFORE, _key(shipment.package, shipment.place)).one_or_none()
    values = {name: getattr(shipment, name) for name in _FIELDS}
    own = {"own_state": shipment.state.value, "own_reason": shipment.reason.value}
    announced = 0 if before is None else before.announced
    shown = _shown(announced, shipment.wanted, *own.values())
    values |= own | {"state": shown[0], "reason": shown[1], "word": shipment.word.value}
    if before is None:
        tx.execute(_ADD, values | {"announced": 0})
    else:
        tx.execute(_SAY, values | _key(shipment.package, shipment.place))
    was = None if before is None else Stand(state=before.state, reason=before.reason, left_bytes=before.left)
    now = Stand(state=shown[0], reason=shown[1], left_bytes=shipment.bytes_planned - shipment.bytes_done)
    tallies.shift(tx, shipment.owner, shipment.kind, was, now)


def _shown(announced: int, wanted: int, own_state: str, own_reason: str) -> tuple[str, str]:
    """State and reason for people."""
    if announced in (0, wanted) and own_state:
        return own_state, own_reason
    return ShipmentState.WAITING.value, Reason.REPORT.value


def announce(tx: Transaction, package: PackageId, wanted: Mapping[Place, VersionNumber], now: dt.datetime) -> None:
    """Which version the definitions want of a package at the places of other sites, all of them: those whose sites have not said
    that they know so are shown to wait for their reports. Only what differs is written."""
    t = shipments.c
    columns = (t.place, t.wanted, t.state, t.reason, t.own_state, t.own_reason, t.announced)
    query = sa.select(*columns, (t.bytes_planned - t.bytes_done).label("left")).where(t.package == package)
    known = {row.place: row for row in tx.execute(query)}
    changes: list[tuple[SiteCode, str, Stand | None, Stand | None]] = []
    away, others = [], []
    for where, row in known.items():
        version = wanted.get(where, 0)
        if row.announced == version:
            continue
        was, after = Stand(state=row.state, reason=row.reason, left_bytes=row.left), None
        if row.own_state or version:
            state, reason = _shown(version, row.wanted, row.own_state, row.own_reason)
            others.append(_key(package, where) | {"state": state, "reason": reason, "announced": version})
            after = Stand(state=state, reason=reason, left_bytes=row.left)
        else:
            away.append(_key(package, where))
        changes.append((site_of(where), _kind(where), was, after))
    for statement, rows in ((_DROP, away), (_ANNOUNCE, others)):
        if rows:
            tx.execute(statement, rows)
    tallies.shift_many(tx, changes)
    _await_reports(tx, [(package, where, wanted[where], now) for where in sorted(wanted.keys() - known.keys())])


def _await_reports(tx: Transaction, places: Sequence[tuple[PackageId, Place, VersionNumber, dt.datetime]]) -> None:
    """Places of which nothing was ever said: package, place, the version announced, since when."""
    rows, changes = [], []
    for package, where, version, since in places:
        blank = Shipment(package=package, place=where, owner=site_of(where), updated=since, armed=since)
        state, reason = _shown(version, NO_VERSION, "", "")
        values = {name: getattr(blank, name) for name in _FIELDS} | {"own_state": "", "own_reason": "", "word": blank.word.value}
        rows.append(values | {"state": state, "reason": reason, "announced": version})
        changes.append((blank.owner, blank.kind, None, Stand(state=state, reason=reason, left_bytes=0)))
    if rows:
        tx.execute(_ADD, rows)
        tallies.shift_many(tx, changes)


def _kind(where: Place) -> str:
    return "point" if is_point(where) else "site"


_ANNOUNCE = shipments.update().where(*_KEY).values({name: sa.bindparam(name) for name in ("state", "reason", "announced")})
_DROP = shipments.delete().where(*_KEY)


def list_shipments(
    tx: Transaction,
    *,
    package: PackageId | None = None,
    owner: SiteCode | None = None,
    places: Iterable[Place] | None = None,
) -> Sequence[Shipment]:
    """Shipments by package and place, optionally only some."""
    query = _SAID.order_by(shipments.c.package, shipments.c.place)
    if package is not None:
        query = query.where(shipments.c.package == package)
    if owner is not None:
        query = query.where(shipments.c.owner == owner)
    if places is not None:
        query = query.where(shipments.c.place.in_(list(places)))
    return [_shipment(row) for row in tx.execute(query)]


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
        query = _SAID.where(mine).order_by(shipments.c.due, shipments.c.package, shipments.c.place)
        return [_shipment(row) for row in tx.execute(query.limit(limit))]
    at_place = sa.func.row_number().over(partition_by=shipments.c.place, order_by=(shipments.c.due, shipments.c.package))
    due = _SAID.add_columns(at_place.label("at_place")).where(mine).subquery()
    query = (
        sa.select(*(due.c[name] for name in _FIELDS))
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
    count_anew(tx, owner)


def unsay_shipments(tx: Transaction, owner: SiteCode) -> None:
    """What a site said of its shipments counts no more; where any are announced, its reports are awaited."""
    here = shipments.c.owner == owner
    tx.execute(shipments.delete().where(here, shipments.c.announced == 0))
    rows = tx.execute(
        sa.select(shipments.c.package, shipments.c.place, shipments.c.announced, shipments.c.updated).where(here)
    ).all()
    tx.execute(shipments.delete().where(here))
    count_anew(tx, owner)
    _await_reports(tx, [(row.package, row.place, row.announced, row.updated) for row in rows])


def count_anew(tx: Transaction, owner: SiteCode | None = None) -> None:
    """Count the shipments of a site, or of every site, as they stand in the table."""
    t = shipments.c
    # By length, not by what is in it: a parameter in the grouping is another expression to PostgreSQL.
    is_site = sa.func.length(t.place) == sa.literal_column(str(SITE_CODE_CHARACTERS))
    kind = sa.case((is_site, sa.literal_column("'site'")), else_=sa.literal_column("'point'"))
    counted = sa.select(t.owner, kind, t.state, t.reason, sa.func.count(), sa.func.sum(t.bytes_planned - t.bytes_done))
    counted = counted.group_by(t.owner, kind, t.state, t.reason)
    tallies.replace(tx, counted if owner is None else counted.where(t.owner == owner), owner)


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
