"""Writing a made-up estate into the tables of a central site, every definition signed as its owner would. Works past the rooms'
functions, many rows at a time; nobody else may."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, owner_of, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.publish import package_state, version_state
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point, Site
from haulage.domain.replication import records as replication
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.codec import Body, encode
from haulage.engine.protocol.definitions import Definition, Kind, PointState, SiteState, define
from haulage.engine.status import records as status
from haulage.engine.status.message import StatusRecord
from haulage.engine.trust import dsse
from haulage.engine.trust.keys import SigningKey
from haulage.testing.estate.packages import Stocked
from haulage.testing.estate.sites import CENTRAL, Land
from haulage.testing.scratch import go_on

T = TypeVar("T")
_BATCH = 2_000
_AWAITED = {"state": ShipmentState.WAITING.value, "reason": Reason.REPORT.value}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Signers:
    """Whose key signs what."""

    hierarchy: SigningKey
    sites: dict[SiteCode, SigningKey]


class Writer:
    """One transaction's worth of an estate."""

    def __init__(self, tx: Transaction, signers: Signers, now: dt.datetime) -> None:
        self._tx = tx
        self._signers = signers
        self._now = now

    def land(self, land: Land) -> None:
        """Sites, points, and the streams to those right below the central site."""
        self._insert(estate.sites, ({**dataclasses.asdict(site), "status": site.status.value} for site in land.sites))
        self._define(Kind.SITE, ((site.code, CENTRAL, _site_state(site)) for site in land.sites))
        self._insert(estate.points, ({**dataclasses.asdict(point), "site": point.site} for point in land.points))
        self._define(Kind.POINT, ((point.place, CENTRAL, _point_state(point)) for point in land.points))
        self._insert(replication.streams, (self._stream(site, land) for site in land.sites if site.parent == CENTRAL))

    def packages(self, packages: Sequence[Stocked], assigned: dict[PackageId, set[Place]]) -> None:
        """Packages that are only written down."""
        rows = [dataclasses.replace(one.package, assignments=tuple(sorted(assigned[one.package.id]))) for one in packages]
        for row in rows:
            catalog.put_package(self._tx, row)
        self._define(Kind.PACKAGE, ((row.id, owner_of(row.id), package_state(row)) for row in rows))
        versions = [version for one in packages for version in one.versions]
        self._insert(catalog.versions, (dataclasses.asdict(version) for version in versions))
        self._define(Kind.VERSION, ((f"{one.package}:{one.number}", owner_of(one.package), version_state(one)) for one in versions))
        own = [one.newest for one in packages if owner_of(one.package.id) == CENTRAL]
        self._insert(
            transit.holdings,
            ({"package": one.package, "version": one.number, "manifest": one.manifest, "since": one.captured} for one in own),
        )
        newest = max((int(one.package[3:], 16) for one in own), default=0)
        estate.lift_number(self._tx, "package", newest)

    def shipments(self, shipments: Iterable[Shipment], announced: Mapping[tuple[PackageId, Place], VersionNumber]) -> None:
        """How far everything is; ``announced``: what each place of other sites is to have."""
        left = dict(announced)
        names = [field.name for field in dataclasses.fields(Shipment)]

        def row(shipment: Shipment) -> dict[str, Any]:
            values = {name: getattr(shipment, name) for name in names}
            values = {name: value.value if isinstance(value, enum.Enum) else value for name, value in values.items()}
            version = left.pop((shipment.package, shipment.place), NO_VERSION)
            own = {"own_state": values["state"], "own_reason": values["reason"], "announced": version}
            return values | own | (_AWAITED if version not in (NO_VERSION, shipment.wanted) else {})

        def blank(package: PackageId, where: Place, version: VersionNumber) -> dict[str, Any]:
            nothing = Shipment(package=package, place=where, owner=site_of(where), updated=self._now, armed=self._now)
            return row(nothing) | {"own_state": "", "own_reason": "", "announced": version, **_AWAITED}

        self._insert(transit.shipments, (row(shipment) for shipment in shipments))
        self._insert(transit.shipments, (blank(package, where, version) for (package, where), version in list(left.items())))
        transit.count_anew(self._tx)

    def messages(self, told: Iterable[StatusRecord]) -> None:
        """What was said, in place of all that was said until now."""
        self._tx.execute(status.status.delete())
        self._tx.execute(status.source.delete())
        last: dict[tuple[str, int], int] = {}

        def row(number: int, said: StatusRecord) -> dict[str, Any]:
            last[said.site, said.epoch] = said.sequence
            values = {field.name: getattr(said, field.name) for field in dataclasses.fields(said)}
            received = min(self._now, said.time + dt.timedelta(seconds=0 if said.site == CENTRAL else 3))
            return values | {"id": number, "severity": said.severity.value, "type": said.type.value, "received": received}

        self._insert(status.status, itertools.starmap(row, enumerate(told, 1)))
        if self._tx.dialect.name == "postgresql":
            go_on(self._tx, status.status, status.status.c.id, 0)
        self._insert(
            status.source,
            ({"site": site, "epoch": epoch, "last": number, "expired": 0} for (site, epoch), number in last.items()),
        )

    def backlog(self, land: Land, packages: Sequence[Stocked]) -> None:
        """What the children are still to be told: nothing, but those that are away."""
        self._tx.execute(replication.dirty.delete())
        silent = [code for code in land.away if land.parents[code] == CENTRAL]
        rows = (
            {"peer": code, "kind": "definition", "key": f"{Kind.PACKAGE}/{one.package.id}", "late": False}
            for code in silent
            for one in packages
            if one.newest.captured > land.away[code]
        )
        self._insert(replication.dirty, rows)

    def _stream(self, site: Site, land: Land) -> dict[str, Any]:
        sent = 40 + len(site.name) * 13
        heard = land.away.get(site.code, self._now - dt.timedelta(seconds=1 + len(site.name)))
        known = replication.Stream(
            peer=site.code,
            out_next=sent + 1,
            out_acknowledged=sent,
            out_bytes=sent * 911,
            in_epoch=1,
            in_stream=1,
            in_sequence=sent * 7,
        )
        return {**dataclasses.asdict(known), "heard": heard, "away_said": site.code in land.away}

    def _define(self, kind: Kind, objects: Iterable[tuple[str, SiteCode, Body]]) -> None:
        first = estate.next_number(self._tx, "revision")
        number = first - 1

        def rows() -> Iterator[dict[str, Any]]:
            nonlocal number
            for number, (object_id, owner, state) in enumerate(objects, first):
                payload = encode(define(kind, object_id, owner, number, state))
                key = self._signers.hierarchy if kind is Kind.SITE else self._signers.sites[owner]
                document = dsse.sign(Definition.PAYLOAD_TYPE, payload, key)
                facts = {"kind": kind, "id": object_id, "owner": owner, "revision": number, "deleted": False}
                yield facts | {"document": document, "stored": self._now}

        self._insert(replication.definitions, rows())
        estate.lift_number(self._tx, "revision", number)

    def _insert(self, table: sa.Table, rows: Iterable[dict[str, Any]]) -> None:
        for batch in _batches(rows):
            self._tx.execute(table.insert(), batch)


def _site_state(site: Site) -> SiteState:
    return SiteState(
        code=site.code, name=site.name, parent=site.parent, url=site.url, key=site.key, certificate=site.certificate, state="active"
    )


def _point_state(point: Point) -> PointState:
    return PointState(place=point.place, kind=point.kind, url=point.url, options=point.options)


def _batches(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while batch := list(itertools.islice(left, _BATCH)):
        yield batch
