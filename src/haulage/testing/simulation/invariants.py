"""What must hold after every step of the simulation, and what must be true when all is healed and quiet. Reads tables and stores
only; must not change anything."""

from __future__ import annotations

import hashlib

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point, owner_of, site_of
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.replication import records as replication
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.domain.transit.states import ShipmentState
from haulage.domain.transit.views import expected_places
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ManifestId
from haulage.engine.trees.memory import MemoryTree
from haulage.testing.simulation.site import SimSite
from haulage.testing.simulation.world import CENTRAL, World

Fingerprint = bytes


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, invariant: str, sentence: str) -> None:
    """Raises Broken."""
    if not holds:
        raise Broken(f"{invariant}: {sentence}")


def fingerprint(tree: MemoryTree) -> Fingerprint:
    """Bytes, names, types and streams of a tree as one digest."""
    state = hashlib.blake2b()
    for path in sorted(tree.entries):
        entry = tree.entries[path]
        names: list[bytes | None] = [None, *(stream.name for stream in entry.streams)]
        contents = [tree.contents.get((path, name), b"") for name in names]
        state.update(repr((path, entry.type, entry.target, entry.mtime_ns, names, contents)).encode())
    return state.digest()


class Watch:
    """Remembers what was seen, so that it can be compared with what is seen next."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.known_trees: dict[PackageId, set[Fingerprint]] = {}
        """Every state a package's source ever had."""
        self._at_points: dict[tuple[PackageId, VersionNumber], Fingerprint] = {}
        self._chunks: dict[bytes, frozenset[bytes]] = {}
        self._order: dict[tuple[SiteCode, PackageId, Place], tuple[int, int]] = {}
        self._revisions: dict[tuple[SiteCode, str, str], int] = {}
        self._restored: set[SiteCode] = set()
        world.after_step = self.check
        world.around.on_wake = self._woken

    def forget(self, code: SiteCode) -> None:
        """A site was restored or replaced: what it shows may go back."""
        self._restored.add(code)
        self._order = {key: value for key, value in self._order.items() if key[0] != code}
        self._revisions = {key: value for key, value in self._revisions.items() if key[0] != code}

    def check(self, site: SimSite) -> None:
        """After a step of one site."""
        require(not self._world.around.defects, "I12", f"a job ended by a defect: {self._world.around.defects}")
        if site.core is None:
            return
        with site.core.database.reading() as tx:
            holdings = transit.all_holdings(tx)
            rows = transit.list_shipments(tx)
        held = {(package, number) for package, number, _manifest in holdings}
        for package, number, manifest in holdings:
            self._require_whole(site, package, number, manifest)
        for row in rows:
            self._check_row(site, row, held)
        self._check_points()

    def _require_whole(self, site: SimSite, package: PackageId, number: VersionNumber, manifest: bytes) -> None:
        """I5 and I10: what a site says it holds is there, every chunk of it."""
        store = site.disk.store
        if manifest not in self._chunks:
            self._chunks[manifest] = frozenset(live_chunks(ManifestId(manifest), store))
        lacking = self._chunks[manifest] - store.chunks.keys()
        require(not lacking, "I5/I10", f"{site.code} holds {package}:{number} without {len(lacking)} of its chunks")

    def _check_row(self, site: SimSite, row: Shipment, held: set[tuple[PackageId, VersionNumber]]) -> None:
        key, order = (site.code, row.package, row.place), (row.epoch, row.observation)
        require(order >= self._order.get(key, (0, 0)), "I6/I18", f"{site.code} shows {row.package} at {row.place} as it was before")
        self._order[key] = order
        if row.owner != site.code or row.state is not ShipmentState.PRESENT:
            return
        if not is_point(row.place):
            require((row.package, row.present) in held, "I5", f"{site.code} says it has {row.package}:{row.present} and has not")

    def _check_points(self) -> None:
        """I5: whatever a point shows is whole and is a state its source once had; one version is the same everywhere."""
        for point in self._world.points.values():
            if not point.changed:
                continue
            point.changed = False
            for (package, version), tree in point.trees.items():
                seen = fingerprint(tree)
                what = f"{package}:{version} at {point.place}"
                require(seen in self.known_trees.get(package, set()), "I5", f"{what} is nothing its source ever was")
                require(self._at_points.setdefault((package, version), seen) == seen, "I5", f"{what} is not what others have")
            for package, version in point.pointers.items():
                require((package, version) in point.trees, "I5", f"{point.place} shows {package}:{version}, which is not there")

    def _woken(self, site: SimSite, peer: SiteCode) -> None:
        """I25: whatever happens to a point, nothing goes towards a child."""
        if site.jobs is not None and site.jobs.kind == "point":
            require(peer == site.parent, "I25", f"a job of a point of {site.code} has something to tell {peer}")

    def check_acknowledged(self, *, at_rest: bool = False) -> None:
        """I7: what a sender believes to be stored is on the disk of the receiver. One that was restored need not have it before
        all has come to rest."""
        if at_rest:
            self._restored.clear()
        for child in self._world.sites.values():
            if child.parent is not None and child.parent in self._world.sites:
                parent = self._world.sites[child.parent]
                self._require_stored(child, parent)
                self._require_stored(parent, child)

    def _require_stored(self, sender: SimSite, receiver: SimSite) -> None:
        if receiver.code in self._restored:
            return
        with sender.disk.database().reading() as tx:
            sent, epoch = replication.find_stream(tx, receiver.code), estate.epoch(tx)
        with receiver.disk.database().reading() as tx:
            stored = replication.find_stream(tx, sender.code)
        if (stored.in_epoch, stored.in_stream) == (epoch, sent.out_stream):
            require(
                sent.out_acknowledged <= stored.in_sequence,
                "I7",
                f"{sender.code} believes {receiver.code} has {sent.out_acknowledged}, it has {stored.in_sequence}",
            )


class Verdict:
    """What must be true in the end: wanted is present everywhere, nothing of what was deleted is left, mirrors are right."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rows: dict[SiteCode, dict[tuple[PackageId, Place], Shipment]] = {}
        for site in world.sites.values():
            with site.disk.database().reading() as tx:
                self._rows[site.code] = {(row.package, row.place): row for row in transit.list_shipments(tx)}

    def check(self, packages: set[PackageId]) -> None:
        """Raises Broken."""
        wanted: dict[tuple[PackageId, Place], VersionNumber] = {}
        for package in sorted(packages):
            wanted.update(self._wanted(package))
        for (package, where), version in wanted.items():
            self._require_present(package, where, version)
        for code, rows in self._rows.items():
            for (package, where), row in rows.items():
                if (package, where) not in wanted:
                    require(
                        row.state is ShipmentState.REMOVED and row.present == NO_VERSION,
                        "I10",
                        f"{code} still shows {package} at {where}: {row.state.value}, {row.present}",
                    )
        for site in self._world.sites.values():
            self._check_mirrors(site)
            self._check_store(site, wanted)
            self._check_hops(site)
        self._check_points(wanted)

    def _wanted(self, package: PackageId) -> dict[tuple[PackageId, Place], VersionNumber]:
        owner = self._world.sites.get(owner_of(package))
        if owner is None:
            return {}
        with owner.disk.database().reading() as tx:
            known = catalog.find_package(tx, package)
            places = expected_places(tx, known) if known is not None and known.version else set()
        return {(package, where): known.version for where in places if site_of(where) in self._world.sites} if known else {}

    def _require_present(self, package: PackageId, where: Place, version: VersionNumber) -> None:
        row = self._rows[site_of(where)].get((package, where))
        require(row is not None, "converged", f"{where} knows nothing of {package}")
        assert row is not None
        there = row.state is ShipmentState.PRESENT and row.wanted == row.present == version
        require(
            there,
            "converged",
            f"{package}:{version} at {where} is {row.state.value} {row.reason.value}: wanted {row.wanted}, present {row.present}, "
            f"{row.error_code} {row.error_message}",
        )

    def _check_mirrors(self, site: SimSite) -> None:
        """Every site above shows what the owner shows."""
        above = site.parent
        while above is not None and above in self._world.sites:
            for key, row in self._rows[site.code].items():
                if row.owner != site.code:
                    continue
                seen = self._rows[above].get(key)
                require(seen is not None, "mirrors", f"{above} knows nothing of {key[0]} at {key[1]}")
                assert seen is not None
                same = (seen.epoch, seen.observation, seen.state, seen.present, seen.wanted, seen.tries) == (
                    (row.epoch, row.observation, row.state, row.present, row.wanted, row.tries)
                )
                require(same, "mirrors", f"{above} shows {key[0]} at {key[1]} as {seen}, it is {row}")
            for key, seen in self._rows[above].items():
                if seen.owner == site.code and seen.state is not ShipmentState.REMOVED:
                    require(key in self._rows[site.code], "mirrors", f"{above} shows {key}, which {site.code} does not know")
            above = self._world.sites[above].parent

    def _check_store(self, site: SimSite, wanted: dict[tuple[PackageId, Place], VersionNumber]) -> None:
        """Holdings of wanted packages only, a pin for each, and no other pin."""
        with site.disk.database().reading() as tx:
            held = {(package, number) for package, number, _manifest in transit.all_holdings(tx)}
        for package, number in held:
            require((package, Place(site.code)) in wanted, "I10", f"{site.code} still holds {package}:{number}")
        pins = {pin.owner for pin in site.disk.store.pins()}
        expected = {f"held:{package}:{number}" for package, number in held}
        require(pins == expected, "I10", f"{site.code} has pins {sorted(pins ^ expected)} too many or too few")

    def _check_hops(self, site: SimSite) -> None:
        """Nothing is left to be told, and nothing is kept for a neighbour that is gone."""
        with site.disk.database().reading() as tx:
            neighbours = {child.code for child in self._world.children(site.code)} | ({site.parent} if site.parent else set())
            for stream in replication.list_streams(tx):
                require(stream.peer in neighbours, "left behind", f"{site.code} keeps a stream for {stream.peer}")
            for table in (replication.dirty, replication.sealed, replication.told):
                for row in tx.execute(table.select()):
                    require(row.peer in neighbours, "left behind", f"{site.code} keeps {table.name} for {row.peer}")
                    require(table is not replication.dirty, "quiet", f"{site.code} has {row} to tell")

    def _check_points(self, wanted: dict[tuple[PackageId, Place], VersionNumber]) -> None:
        for site in self._world.sites.values():
            with site.disk.database().reading() as tx:
                points = estate.list_points(tx, site.code)
            for point in points:
                backend = self._world.open_point(point)
                expected = {package: version for (package, where), version in wanted.items() if where == point.place}
                found = {package: backend.current(package) for package in backend.packages()}
                require(found == expected, "converged", f"{point.place} shows {found} instead of {expected}")
                for package, version in expected.items():
                    require(
                        list(backend.versions(package)) == [version], "pruned", f"{point.place} keeps {backend.versions(package)}"
                    )

    def central_sees_sites(self) -> None:
        """Every site has the same table of sites."""
        tables = {}
        for site in self._world.sites.values():
            with site.disk.database().reading() as tx:
                tables[site.code] = [(one.code, one.parent, one.key, one.status) for one in estate.list_sites(tx)]
        for code, table in tables.items():
            require(table == tables[CENTRAL], "sites", f"{code} knows {table}, {CENTRAL} {tables[CENTRAL]}")
