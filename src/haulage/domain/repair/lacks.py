"""What held versions need and the store cannot give: which chunks, where in which version they stand, and who has the version."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, is_point, owner_of, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.content.uses import LIST_OF_CONTENTS, Use, uses
from haulage.engine.database.transaction import Database, Transaction

SHOWN_PATHS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One held version that is not whole."""

    package: PackageId
    version: VersionNumber
    manifest: ManifestId
    uses: tuple[Use, ...]
    places: tuple[Place, ...]
    """Places of this site that are fed from here and should have it."""

    @property
    def chunks(self) -> tuple[ChunkId, ...]:
        """Each once, those that name others first."""
        first = [use.chunk for use in self.uses if use.what == LIST_OF_CONTENTS]
        return tuple(dict.fromkeys([*first, *(use.chunk for use in self.uses)]))

    @property
    def paths(self) -> tuple[str, ...]:
        """What of the version cannot be given out, for people."""
        return tuple(dict.fromkeys(_named(use) for use in self.uses))


class _Missing:
    """The chunks a store cannot give now, as a container."""

    def __init__(self, store: ChunkStore) -> None:
        self._store = store

    def __contains__(self, chunk: object) -> bool:
        return isinstance(chunk, bytes) and bool(self._store.missing([ChunkId(chunk)]))


def find_lacks(database: Database, store: ChunkStore, code: SiteCode) -> list[Lack]:
    """Every held version that is not whole as far as is known, and what this site should hold of its own packages and lost with a
    restore. Reads manifests, and what it meets damaged counts from then on."""
    with database.reading() as tx:
        rows = transit.list_shipments(tx, owner=code)
        held = [*transit.all_holdings(tx), *_lost(tx, code, rows)]
    found = []
    for package, version, manifest in held:
        places = tuple(row.place for row in rows if row.package == package and row.wanted == version)
        lack = Lack(
            package=package,
            version=version,
            manifest=ManifestId(manifest),
            uses=tuple(_uses(ManifestId(manifest), store)),
            places=places,
        )
        if lack.uses:
            found.append(lack)
    return found


def _lost(tx: Transaction, code: SiteCode, rows: Sequence[Shipment]) -> Iterator[tuple[PackageId, VersionNumber, bytes]]:
    """A version is held from the moment its owner publishes it: one that is wanted here and not held was lost."""
    for row in rows:
        if row.kind == "site" and row.wanted and owner_of(row.package) == code:
            version = catalog.find_version(tx, row.package, row.wanted)
            if version is not None and row.wanted not in transit.held_versions(tx, row.package):
                yield row.package, row.wanted, version.manifest


def _uses(manifest: ManifestId, store: ChunkStore) -> list[Use]:
    """Again where reading it brought new damage to light."""
    before: list[Use] = []
    while True:
        now = list(uses(manifest, _Missing(store), store.read))
        if len(now) == len(before):
            return now
        before = now


def holders(database: Database, lack: Lack, children: set[SiteCode]) -> list[SiteCode]:
    """The children that say they hold the version."""
    with database.reading() as tx:
        rows = transit.list_shipments(tx, package=lack.package)
    return sorted(
        site_of(row.place)
        for row in rows
        if not is_point(row.place) and site_of(row.place) in children and row.present == lack.version
    )


def lack_view(lack: Lack) -> dict[str, object]:
    """For API and command line."""
    return {
        "id": f"{lack.package}:{lack.version}",
        "package": lack.package,
        "version": lack.version,
        "chunks": len(lack.chunks),
        "paths": list(lack.paths[:SHOWN_PATHS]),
        "paths_more": max(0, len(lack.paths) - SHOWN_PATHS),
        "places": list(lack.places),
    }


def _named(use: Use) -> str:
    if use.what == LIST_OF_CONTENTS and not use.path:
        return LIST_OF_CONTENTS
    return f"{shown(use.path)} (stream {shown(use.stream)})" if use.stream is not None else shown(use.path)
