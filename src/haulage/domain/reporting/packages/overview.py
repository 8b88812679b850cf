"""One package: its versions, how it stands everywhere, what carrying it took, where its source is, and what is known about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import UsageError
from haulage.base.ids import PackageId, owner_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package
from haulage.domain.catalog.views import source_view, version_view
from haulage.domain.reporting.packages import records
from haulage.domain.reporting.packages.records import Carried
from haulage.domain.reporting.packages.signing import signature_of
from haulage.domain.reporting.packages.standing import At, StateCount, chosen, counted, order_of, standing_of
from haulage.domain.transit import records as transit
from haulage.domain.transit.views import shipment_view
from haulage.engine.database.transaction import Database, Transaction

View = dict[str, object]
VERSIONS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceFilter:
    """Which places of a package; ``after`` is the cursor."""

    words: str = ""
    state: str = ""
    reason: str = ""
    kind: str = ""
    after: str = ""
    limit: int = 50


class PlacePage(msgspec.Struct, frozen=True, kw_only=True):
    """Some of the places of a package, what needs a person first."""

    items: Sequence[View]
    cursor: str | None
    matched: int


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """A package as its page shows it. ``carried`` in bytes, over the lines between sites."""

    package: View
    own: bool
    """Whether this site makes it; only then it can be changed here."""
    versions: Sequence[View]
    versions_more: int
    signer: str
    source: View | None
    counts: Sequence[StateCount]
    places: PlacePage
    total: int
    carried: Mapping[str, int]
    fixes: Sequence[Mapping[str, str]]


def package_page(tx: Transaction, package: Package, here: str, wanted: PlaceFilter) -> PackageView:
    """Everything the page of a package shows."""
    standing = standing_of(tx, [package.id])[package.id]
    versions = catalog.list_versions(tx, package.id)
    held = transit.held_versions(tx, package.id)
    source = catalog.find_source(tx, package.id)
    shown = [version_view(one) | {"held": one.number in held} for one in versions[:VERSIONS_SHOWN]]
    return PackageView(
        package=_short(package),
        own=owner_of(package.id) == here,
        versions=shown,
        versions_more=len(versions) - len(shown),
        signer=signature_of(tx, package.id, package.version).signer if package.version else "",
        source=None if source is None else source_view(source),
        counts=counted(standing),
        places=_page(tx, package.id, standing, wanted),
        total=len(standing),
        carried=_carried(records.carried(tx, package.id, owner_of(package.id))),
        fixes=[{"fix": fix, "title": title} for fix, title in records.fixes_about(tx, package.id)],
    )


def place_rows(database: Database, package: Package, wanted: PlaceFilter) -> Iterator[View]:
    """All places a filter leaves, for a spreadsheet."""
    with database.reading() as tx:
        standing = standing_of(tx, [package.id])[package.id]
        matched = _matching(standing, wanted)
    for start in range(0, len(matched), 500):
        with database.reading() as tx:
            yield from _full(tx, package.id, matched[start : start + 500])


def _short(package: Package) -> View:
    return {
        "id": package.id,
        "name": package.name,
        "owner": owner_of(package.id),
        "revision": package.revision,
        "version": package.version,
        "keep": package.keep,
        "streams": package.streams,
        "groups": list(package.groups),
        "assigned": len(package.assignments),
    }


def _carried(found: Carried) -> dict[str, int]:
    return {
        "sites": found.sites,
        "bytes_planned": found.planned,
        "bytes_done": found.done,
        "bytes_sent": found.sent,
        "bytes_whole": found.whole,
        "bytes_saved": max(0, found.whole - found.sent),
    }


def _matching(standing: Sequence[At], wanted: PlaceFilter) -> list[At]:
    return chosen(standing, words=wanted.words, state=wanted.state, reason=wanted.reason, kind=wanted.kind)


def _page(tx: Transaction, package: PackageId, standing: Sequence[At], wanted: PlaceFilter) -> PlacePage:
    matched = _matching(standing, wanted)
    rest = matched
    if wanted.after:
        rank, _dash, place = wanted.after.partition("-")
        if not rank.isdecimal():
            raise UsageError("bad-cursor", f"{wanted.after[:40]!r} is not a cursor of this list.", "Begin without one.")
        rest = [one for one in matched if order_of(one) > (int(rank), place)]
    some = rest[: wanted.limit]
    more = len(rest) > len(some)
    cursor = "{}-{}".format(*order_of(some[-1])) if more and some else None
    return PlacePage(items=list(_full(tx, package, some)), cursor=cursor, matched=len(matched))


def _full(tx: Transaction, package: PackageId, some: Sequence[At]) -> Iterator[View]:
    """What is reported of these places, over which goes what is known better: whose report is missing."""
    rows = {row.place: row for row in transit.list_shipments(tx, package=package, places=[one.place for one in some])}
    for one in some:
        row = rows.get(one.place)
        known: View = {} if row is None else shipment_view(row)
        yield known | {
            "package": package,
            "place": one.place,
            "kind": one.kind,
            "state": one.state,
            "reason": one.reason,
            "wanted": one.wanted,
            "present": one.present,
            "bytes_planned": 0 if row is None else row.bytes_planned,
            "bytes_done": 0 if row is None else row.bytes_done,
            "bytes_wire": 0 if row is None else row.bytes_wire,
            "due": None if row is None or row.due is None else iso(row.due),
            "verified": None if one.verified is None else iso(one.verified),
            "updated": None if one.updated is None else iso(one.updated),
            "error": known.get("error"),
        }
