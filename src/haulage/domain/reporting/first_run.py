"""How far a site is on the way from nothing to a first delivered package. What is done is seen in what there is: nobody keeps a
note of it, so the way can be left, and taken up again by anybody, also from the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, is_point, make_place, owner_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import CaptureState, Package, Source
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.domain.reporting.explain import cause_of, next_of
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import MEANING, REASON_MEANING, Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

PLACES_MOST = 40
"""Places that are offered and followed; whoever has more does not do it here."""
UnderWay = Callable[[PackageId], tuple[int, int] | None]
"""Entries and bytes that a capture in this process has gone through."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step; ``done`` by what there is."""

    name: str
    words: str
    done: bool
    current: bool
    summary: str
    """What there is, in few words; empty if nothing is."""


class CaptureStand(msgspec.Struct, frozen=True, kw_only=True):
    """How far the capture is."""

    state: str
    entries: int | None
    """Gone through so far by a capture that runs; None if that is not known."""
    bytes: int | None
    started: str | None
    finished: str | None
    error: dict[str, str] | None
    report: dict[str, object]


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The package the way is about."""

    id: PackageId
    name: str
    source: str
    streams_policy: str
    version: int
    files: int
    folders: int
    streams: int
    bytes: int
    new_bytes: int
    capture: CaptureStand


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A place that may get it."""

    place: Place
    kind: str
    name: str
    detail: str
    """A point's folder, a site's address."""
    state: str
    """Of a site: ``invited``, ``joining``, ``active``."""
    assigned: bool


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """The package at a place."""

    place: Place
    kind: str
    state: str
    reason: str
    wanted: int
    present: int
    bytes_planned: int
    bytes_done: int
    rate: int
    tries: int
    verified: str | None
    meaning: str
    cause: str
    next: str
    due: str | None
    delivered: bool


class FirstRun(msgspec.Struct, frozen=True, kw_only=True):
    """The whole way."""

    site: SiteCode
    central: SiteCode | None
    url: str
    url_is_local: bool
    """Nobody else can reach this site's address."""
    steps: Sequence[Step]
    current: str
    delivered: bool
    package: Begun | None
    places: Sequence[Offered]
    deliveries: Sequence[Delivery]


def first_run(tx: Transaction, here: SiteCode, url: str, asked: PackageId | None, under_way: UnderWay) -> FirstRun:
    """The way as it stands, for a package of this site: the one asked for, or the one made last."""
    chosen = asked if asked is not None and owner_of(asked) == here else catalog.newest_source(tx)
    package = catalog.find_package(tx, chosen) if chosen is not None else None
    source = catalog.find_source(tx, package.id) if package is not None else None
    known = {site.code: site for site in estate.list_sites(tx)}
    tree = estate.hierarchy(tx)
    places = _places(tx, here, list(known.values()), package)
    deliveries = _deliveries(tx, package) if package is not None else []
    begun = _begun(tx, package, source, under_way) if package is not None else None
    steps = _steps(begun, places, package, deliveries)
    host = urlsplit(url).hostname or ""
    return FirstRun(
        site=here,
        central=tree.central,
        url=url,
        url_is_local=host == "localhost" or host.startswith("127.") or host == "::1",
        steps=steps,
        current=next((step.name for step in steps if step.current), "next"),
        delivered=any(one.delivered for one in deliveries),
        package=begun,
        places=places,
        deliveries=deliveries,
    )


def _places(tx: Transaction, here: SiteCode, sites: Sequence[Site], package: Package | None) -> list[Offered]:
    """Points of this site, then sites below it and their points; the first of them."""
    tree, assigned = estate.hierarchy(tx), set(package.assignments if package is not None else ())
    below = [site for site in sites if site.code != here and tree.is_within(site.code, here)]
    found = [_offered_point(point.place, point.url, assigned) for point in estate.list_points(tx, here)]
    # Few enough to be looked through here; with more, the other pages are the way.
    for site in below[:PLACES_MOST]:
        found.append(_offered_site(site, make_place(site.code) in assigned))
        found += [_offered_point(point.place, point.url, assigned) for point in estate.list_points(tx, site.code)]
    return found[:PLACES_MOST]


def _offered_site(site: Site, assigned: bool) -> Offered:
    address = site.url if site.status is not SiteStatus.INVITED else ""
    where = make_place(site.code)
    return Offered(place=where, kind="site", name=site.name, detail=address, state=site.status.value, assigned=assigned)


def _offered_point(place: Place, url: str, assigned: set[Place]) -> Offered:
    return Offered(place=place, kind="point", name="", detail=url, state="", assigned=place in assigned)


def _begun(tx: Transaction, package: Package, source: Source | None, under_way: UnderWay) -> Begun:
    newest = catalog.find_version(tx, package.id, package.version) if package.version != NO_VERSION else None
    return Begun(
        id=package.id,
        name=package.name,
        source=source.spec if source is not None else "",
        streams_policy=package.streams,
        version=package.version,
        files=newest.files if newest is not None else 0,
        folders=newest.folders if newest is not None else 0,
        streams=newest.streams if newest is not None else 0,
        bytes=newest.bytes if newest is not None else 0,
        new_bytes=newest.new_bytes if newest is not None else 0,
        capture=_capture(source, under_way(package.id)),
    )


def _capture(source: Source | None, seen: tuple[int, int] | None) -> CaptureStand:
    if source is None:
        return CaptureStand(state="idle", entries=None, bytes=None, started=None, finished=None, error=None, report={})
    error = {"code": source.error_code, "message": source.error_message, "hint": source.error_hint}
    return CaptureStand(
        state=source.state.value,
        entries=seen[0] if seen is not None else None,
        bytes=seen[1] if seen is not None else None,
        started=None if source.started is None else iso(source.started),
        finished=None if source.finished is None else iso(source.finished),
        error=error if source.error_code and source.state is CaptureState.FAILED else None,
        report=source.report,
    )


def _deliveries(tx: Transaction, package: Package) -> list[Delivery]:
    asked = list(package.assignments)[:PLACES_MOST]
    rows = {row.place: row for row in transit.list_shipments(tx, package=package.id, places=asked)}
    return [_delivery(package, where, rows.get(where)) for where in asked]


def _delivery(package: Package, where: Place, row: Shipment | None) -> Delivery:
    told = row is not None and row.wanted == package.version
    state = row.state if row is not None and told else ShipmentState.WAITING
    reason = row.reason if row is not None and told else Reason.REPORT if package.version != NO_VERSION else Reason.CONTENT
    delivered = state is ShipmentState.PRESENT and row is not None and row.present == package.version
    shown = row if told else None
    return Delivery(
        place=where,
        kind="point" if is_point(where) else "site",
        state=state.value,
        reason=reason.value,
        wanted=package.version,
        present=row.present if row is not None else 0,
        bytes_planned=shown.bytes_planned if shown is not None else 0,
        bytes_done=shown.bytes_done if shown is not None else 0,
        rate=shown.rate if shown is not None else 0,
        tries=shown.tries if shown is not None else 0,
        verified=None if row is None or row.verified is None else iso(row.verified),
        meaning=MEANING[state] + (f" {REASON_MEANING[reason]}" if reason is not Reason.NONE else ""),
        cause=cause_of(shown, reason),
        next=next_of(shown, state, reason) if package.version != NO_VERSION else "It goes there as soon as there is a version.",
        due=None if shown is None or shown.due is None or delivered else iso(shown.due),
        delivered=delivered,
    )


def _steps(begun: Begun | None, places: Sequence[Offered], package: Package | None, deliveries: Sequence[Delivery]) -> list[Step]:
    ready = [one for one in places if one.kind == "point" or one.state != SiteStatus.INVITED.value]
    invited = [one for one in places if one.state == SiteStatus.INVITED.value]
    assigned = package.assignments if package is not None else ()
    there = [one for one in deliveries if one.delivered]
    version = f"version {begun.version}" if begun is not None and begun.version else ""
    place_words = ", ".join(one.place for one in ready[:3]) + (f" and {len(ready) - 3} more" if len(ready) > 3 else "")
    rows = [
        ("folder", "Choose a folder", begun is not None, begun.id if begun is not None else ""),
        ("publish", "Publish it", bool(version), version or (begun.capture.state if begun is not None else "")),
        ("place", "Name a place", bool(ready), place_words or (f"{invited[0].place} is invited" if invited else "")),
        ("assign", "Send it there", bool(assigned), f"{len(assigned)} place{'s' * (len(assigned) != 1)}" if assigned else ""),
        ("arrive", "Watch it arrive", bool(there), f"verified at {there[0].place}" if there else ""),
    ]
    first = next((name for name, _words, done, _summary in rows if not done), "")
    return [Step(name=name, words=words, done=done, current=name == first, summary=summary) for name, words, done, summary in rows]
