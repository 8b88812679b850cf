"""What the sites of a made-up estate said over the last weeks: messages of the catalogue with fields that fit. Pure."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence

from haulage.base.clock import iso
from haulage.base.ids import PackageId, Place, SiteCode, owner_of
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.status import on_backups, on_packages, on_places, on_requests, on_server, on_sites
from haulage.engine.status.message import FieldValue, Message, StatusRecord
from haulage.testing.estate.packages import Stocked
from haulage.testing.estate.sites import CENTRAL, Land
from haulage.testing.estate.size import Size

Fields = dict[str, FieldValue]
_ACTORS = ("administrator", "j.meyer", "operator")

_OF_SITES = (
    (on_places.TRANSFER_STARTED, 14),
    (on_places.TRANSFER_FINISHED, 14),
    (on_places.PRESENT_AT_SITE, 14),
    (on_places.TRANSFER_RESUMED, 1),
    (on_places.CONTENT_WAITING, 4),
)
_OF_POINTS = (
    (on_places.POINT_UPDATE_STARTED, 12),
    (on_places.PRESENT_AT_POINT, 12),
    (on_places.VERIFY_SUCCEEDED, 5),
    (on_places.SIDECAR_USED, 2),
)
_OF_PACKAGES = (
    (on_packages.CAPTURE_STARTED, 2),
    (on_packages.VERSION_PUBLISHED, 2),
    (on_packages.UNCHANGED, 3),
    (on_packages.CHILD_TOLD, 6),
    (on_packages.STREAMS_DROPPED, 0.2),
    (on_packages.SUSPICIOUS_NAMES, 0.3),
    (on_packages.CAPTURE_FAILED, 0.2),
    (on_requests.PUBLISH_ASKED, 2),
    (on_requests.PACKAGE_ASSIGNED, 1),
    (on_requests.PACKAGE_CHANGED, 0.4),
)
_OF_SERVERS = (
    (on_server.SERVER_STARTED, 1),
    (on_server.SERVER_STOPPED, 1),
    (on_server.SERVER_RECOVERED, 0.1),
    (on_server.STORE_SWEEP_FINISHED, 2),
    (on_server.STORE_CHECK_FINISHED, 1),
    (on_backups.BACKUP_DONE, 2),
    (on_sites.SITE_AWAY, 0.6),
    (on_sites.SITE_BACK, 0.6),
    (on_sites.CLOCK_DIFFERS, 0.2),
)
_WEIGHTED = (*_OF_SITES, *_OF_POINTS, *_OF_PACKAGES, *_OF_SERVERS)
_ROWS_OF = {"site": _OF_SITES, "point": _OF_POINTS, "package": _OF_PACKAGES}
_KIND = {message.number: kind for kind, rows in _ROWS_OF.items() for message, _weight in rows}


class Telling:
    """Makes messages up from what an estate looks like."""

    def __init__(
        self, land: Land, packages: Sequence[Stocked], shipments: Sequence[Shipment], chance: random.Random, now: dt.datetime
    ) -> None:
        self._land, self._chance, self._now = land, chance, now
        self._packages = {one.package.id: one for one in packages}
        self._names = list(self._packages)
        self._fine = {
            kind: [row for row in shipments if row.kind == kind and row.settled and row.wanted] for kind in ("site", "point")
        }
        self._ill = [row for row in shipments if row.error_code]
        self._codes = [CENTRAL, *land.parents]

    def all(self, size: Size) -> Iterator[StatusRecord]:
        """As many as wanted, in the order of time; every stuck place has said so at least once."""
        told = [self._of_failure(row) for row in self._ill[: size.messages // 4]]
        messages, weights = [message for message, _ in _WEIGHTED], [weight for _, weight in _WEIGHTED]
        for message in self._chance.choices(messages, weights, k=max(0, size.messages - len(told))):
            told.append(self._of(message, self._moment(size.days)))
        told.sort(key=lambda one: one[0])
        last: dict[SiteCode, int] = {}
        for moment, site, message, package, place, fields in told:
            last[site] = last.get(site, 0) + 1
            yield StatusRecord(
                site=site,
                epoch=1,
                sequence=last[site],
                number=message.number,
                severity=message.severity,
                type=message.type,
                component=message.component.value,
                package=package,
                place=place,
                time=moment,
                fields=fields,
            )

    def _moment(self, days: int) -> dt.datetime:
        """More by day than by night, and most of them lately."""
        back = days * self._chance.random() ** 1.5
        moment = self._now - dt.timedelta(days=back)
        return moment if 6 <= moment.hour < 20 or self._chance.random() < 0.3 else moment - dt.timedelta(hours=min(9, back * 24))

    def _of(
        self, message: Message, moment: dt.datetime
    ) -> tuple[dt.datetime, SiteCode, Message, PackageId | None, Place | None, Fields]:
        kind = _KIND.get(message.number, "server")
        if kind in ("site", "point") and self._fine[kind]:
            row = self._chance.choice(self._fine[kind])
            return moment, row.owner, message, row.package, row.place, self._fields(message, self._packages[row.package], row)
        if kind == "package":
            package = self._chance.choice(self._names)
            return moment, owner_of(package), message, package, None, self._fields(message, self._packages[package], None)
        site = self._chance.choice(self._codes)
        return moment, site, message, None, None, self._fields(message, None, None)

    def _of_failure(self, row: Shipment) -> tuple[dt.datetime, SiteCode, Message, PackageId | None, Place | None, Fields]:
        point = row.kind == "point"
        if row.reason is Reason.SPACE:
            message = on_places.SPACE_MISSING
        elif row.reason is Reason.PERSON:
            message = on_places.POINT_WAITS_FOR_PERSON if point else on_places.TRANSFER_WAITS_FOR_PERSON
        elif row.state is ShipmentState.FAILED:
            message = on_packages.UNPACK_FAILED
        else:
            message = on_packages.POINT_COPY_FAILED if point else on_places.TRANSFER_FAILED
        fields = self._fields(message, self._packages[row.package], row)
        return row.updated, row.owner, message, row.package, row.place, fields

    def _fields(self, message: Message, one: Stocked | None, row: Shipment | None) -> Fields:
        return {name: self._field(name, one, row) for name in sorted(message.fields)}

    def _field(self, name: str, one: Stocked | None, row: Shipment | None) -> FieldValue:
        if row is not None and name in _OF_ROW:
            return _OF_ROW[name](row)
        if one is not None and name in _OF_VERSION:
            return _OF_VERSION[name](one)
        if name in ("child", "other", "parent"):
            return self._chance.choice(self._codes[1:])
        if name == "places":
            return ", ".join(point.place for point in self._chance.sample(self._land.points, 2))
        if name in ("until", "since", "due", "taken"):
            return iso(self._now - dt.timedelta(hours=self._chance.randint(1, 200)))
        if name in _TEXTS:
            return self._chance.choice(_TEXTS[name])
        return self._chance.randint(1, 400_000 if "bytes" in name else 60)


_OF_ROW: dict[str, Callable[[Shipment], FieldValue]] = {
    "version": lambda row: row.wanted,
    "cause": lambda row: row.error_message,
    "code": lambda row: row.error_code,
    "tries": lambda row: row.tries,
    "bytes_total": lambda row: row.bytes_total,
    "bytes_new": lambda row: row.bytes_new,
    "bytes_wire": lambda row: row.bytes_wire,
    "bytes_reused": lambda row: row.bytes_reused,
    "bytes_done": lambda row: row.bytes_done,
    "bytes_planned": lambda row: row.bytes_planned,
    "reason": lambda row: row.reason.value or "content",
}
_OF_VERSION: dict[str, Callable[[Stocked], FieldValue]] = {
    "version": lambda one: one.newest.number,
    "revision": lambda one: one.package.revision,
    "files": lambda one: one.newest.files,
    "streams": lambda one: one.newest.streams,
    "bytes": lambda one: one.newest.bytes,
    "bytes_needed": lambda one: one.newest.bytes,
    "bytes_free": lambda one: one.newest.bytes // 3,
    "new_bytes": lambda one: one.newest.new_bytes,
    "source": lambda one: f"/srv/sources/{one.package.id.lower()}",
}
_TEXTS: dict[str, tuple[str, ...]] = {
    "actor": _ACTORS,
    "version": ("0.1.0",),
    "url": ("https://haulage.example.org:8440",),
    "cause": ("SIGTERM", "it was asked to stop"),
    "path": ("/srv/backup/haulage",),
    "target": ("/srv/backup/haulage",),
    "code": ("source-changed", "source-unreadable"),
    "stream": ("none", "Zone.Identifier"),
    "first": ("setup.exe: stream Zone.Identifier", "share/doc/COM1.txt (windows-device)"),
    "what": ("name", "keep 3", "source"),
}
