"""Where a package is, with proof: for each place the version, when every byte of it was read there, the manifest's digest, and the
way it took; who published it and who signed it. Reads the tables at one moment and says which."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.ids import NO_VERSION, PackageId, SiteCode, VersionNumber, is_point, owner_of, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Package, Version
from haulage.domain.estate import records as estate
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.replication import records as replication
from haulage.domain.reporting.packages.signing import Signature, signature_of
from haulage.domain.reporting.packages.standing import At, StateCount, counted, standing_of
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_requests
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import StatusFilter

_LOOKED = 50
"""Requests looked through for the one that led to a version."""


class ProofRow(msgspec.Struct, frozen=True, kw_only=True):
    """One place."""

    place: str
    name: str
    """Of its site."""
    kind: str
    way: Sequence[str]
    """Site by site from the owner, the place last."""
    state: str
    reason: str
    wanted: int
    present: int
    newest: bool
    manifest: str
    """BLAKE3 digest of the root page of the version that is there; "" if nothing is, or it is not described here."""
    verified: str | None
    """When every byte, stream and attribute there was read and compared with the manifest last."""
    reported: str | None
    """When the place's site said so last, by its clock."""
    heard: str | None
    """When anything was heard last on the line the report came by; null for this site's own places."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report, as of ``taken``, as known at ``site``."""

    package: str
    name: str
    owner: str
    site: str
    taken: str
    version: int
    manifest: str
    sha256: str
    files: int
    folders: int
    streams: int
    bytes: int
    captured: str | None
    published_by: str
    published_how: str
    """``publish``, ``rollback`` or "" if nobody asked for it here."""
    published_asked: str | None
    signature: Signature
    counts: Sequence[StateCount]
    places: int
    present: int
    """Places that hold the newest version, verified."""
    oldest_verified: str | None
    rows: Sequence[ProofRow]


def proof(tx: Transaction, journal: Journal, package: Package, here: SiteCode, now: dt.datetime) -> Proof:
    """The report on a package."""
    versions = {one.number: one for one in catalog.list_versions(tx, package.id)}
    newest = versions.get(package.version)
    standing = sorted(standing_of(tx, [package.id])[package.id], key=lambda one: one.place)
    tree = estate.hierarchy(tx)
    names = {site.code: site.name for site in estate.list_sites(tx)}
    heard = {stream.peer: iso(stream.heard) for stream in replication.list_streams(tx) if stream.heard is not None}
    ways = {site: _way(tree, site, owner_of(package.id), here, heard) for site in {site_of(one.place) for one in standing}}
    rows = [_row(package, one, versions, names, ways) for one in standing]
    done = [row for row in rows if row.newest and row.state == "present"]
    by, how, asked = _published(tx, journal, package.id, newest)
    return Proof(
        package=package.id,
        name=package.name,
        owner=owner_of(package.id),
        site=here,
        taken=iso(now),
        version=package.version,
        manifest="" if newest is None else newest.manifest.hex(),
        sha256="" if newest is None else newest.sha256,
        files=0 if newest is None else newest.files,
        folders=0 if newest is None else newest.folders,
        streams=0 if newest is None else newest.streams,
        bytes=0 if newest is None else newest.bytes,
        captured=None if newest is None else iso(newest.captured),
        published_by=by,
        published_how=how,
        published_asked=asked,
        signature=signature_of(tx, package.id, package.version),
        counts=counted(standing),
        places=len(rows),
        present=len(done),
        oldest_verified=min((row.verified for row in done if row.verified), default=None),
        rows=rows,
    )


def _way(
    tree: Hierarchy, site: SiteCode, owner: SiteCode, here: SiteCode, heard: Mapping[SiteCode, str]
) -> tuple[Sequence[SiteCode], str | None]:
    """(the sites from the owner to this one, when anything was heard last on the line its reports come by)"""
    upwards = list(tree.upwards(site))
    way = upwards[: upwards.index(owner) + 1][::-1] if owner in upwards else [site]
    at = upwards.index(here) if here in upwards else 0
    return way, heard.get(upwards[at - 1]) if at else None


def _row(
    package: Package,
    one: At,
    versions: Mapping[VersionNumber, Version],
    names: Mapping[SiteCode, str],
    ways: Mapping[SiteCode, tuple[Sequence[SiteCode], str | None]],
) -> ProofRow:
    site = site_of(one.place)
    way, heard = ways[site]
    there = versions.get(VersionNumber(one.present))
    return ProofRow(
        place=one.place,
        name=names.get(site, ""),
        kind=one.kind,
        way=[*way, one.place] if is_point(one.place) else way,
        state=one.state,
        reason=one.reason,
        wanted=one.wanted,
        present=one.present,
        newest=one.present == package.version != NO_VERSION,
        manifest="" if there is None else there.manifest.hex(),
        verified=None if one.verified is None else iso(one.verified),
        reported=None if one.updated is None else iso(one.updated),
        heard=heard,
    )


def _published(tx: Transaction, journal: Journal, package: PackageId, version: Version | None) -> tuple[str, str, str | None]:
    """(who, how, when it was asked for): the last request before the version was there."""
    if version is None:
        return "", "", None
    numbers = (on_requests.PUBLISH_ASKED.number, on_requests.ROLLBACK_ASKED.number)
    asked = journal.find(tx, StatusFilter(packages=(package,), numbers=numbers), limit=_LOOKED, newest=True)
    # A rollback is told just after its version was made, in the same transaction.
    before = [one.record for one in asked if one.record.time <= version.captured + dt.timedelta(seconds=1)]
    if not before:
        return "", "", None
    last = max(before, key=lambda record: record.time)
    how = "rollback" if last.number == on_requests.ROLLBACK_ASKED.number else "publish"
    return str(last.fields.get("actor", "")), how, iso(last.time)
