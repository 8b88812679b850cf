"""Small simulated hierarchies for tests of the domain: real rooms, real operations, no chance."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, site_of
from haulage.domain.transit import records as transit
from haulage.domain.transit.shipment import Shipment
from haulage.engine.status.message import StatusFilter, StatusRecord
from haulage.engine.trees.memory import MemoryTree
from haulage.operations import packages, points
from haulage.operations.desk import Desk
from haulage.operations.orders import Action, give_order
from haulage.server.core import SiteCore
from haulage.testing.simulation.world import World, new_world

ACTOR = "tester"
HQ1, CHI, LA1 = SiteCode("HQ1"), SiteCode("CHI"), SiteCode("LA1")
ONE = (("HQ1", None),)
CHAIN = (("HQ1", None), ("CHI", "HQ1"), ("LA1", "CHI"))


class Lab:
    """A world with short ways to what tests do and look at."""

    def __init__(self, world: World) -> None:
        self.world = world

    def core(self, code: SiteCode) -> SiteCore:
        """The running rooms of a site."""
        core = self.world.sites[code].core
        assert core is not None
        return core

    def desk(self, code: SiteCode) -> Desk:
        """Where operations at a site begin."""
        desk = self.world.sites[code].desk
        assert desk is not None
        return desk

    def settle(self) -> None:
        """Until nothing is left to do."""
        self.world.settle(5000)

    def work(self) -> None:
        """Until nothing is left to do at this very moment."""
        while self.world.step():
            pass

    def settle_for_a_day(self) -> None:
        """Until nothing is left to do, or a day has passed: what is broken is tried and tried again."""
        end = self.world.clock.monotonic() + 86_400
        while self.world.clock.monotonic() < end:
            if not self.world.step() and not self.world.pass_time():
                return

    def order(self, package: PackageId, where: str, action: Action) -> None:
        """Give an order at the place's own site."""
        give_order(self.desk(site_of(Place(where))), ACTOR, action, package, Place(where))

    def package(self, *places: str, owner: SiteCode = HQ1, keep: int = 2) -> PackageId:
        """A package with a source of two files and a stream, assigned, not yet published."""
        made = packages.create_package(self.desk(owner), ACTOR, name="demo", source="memory:demo", keep=keep)
        self.source(b"first")
        if places:
            packages.assign_package(self.desk(owner), ACTOR, made.id, [Place(where) for where in places])
        return made.id

    def source(self, text: bytes) -> None:
        """What the source holds from now on."""
        tree = self.world.sources.trees["memory:demo"] = MemoryTree()
        tree.file(b"d/file", text * 50, mtime_ns=1, streams={b"stream": text})
        tree.file(b"same", b"always the same" * 100, mtime_ns=1)

    def point(self, where: str, owner: SiteCode = HQ1) -> None:
        """A point in memory."""
        points.add_point(self.desk(owner), ACTOR, Place(where), f"folder:/{where}")

    def publish(self, package: PackageId, owner: SiteCode = HQ1) -> None:
        """Ask for a capture."""
        packages.publish_package(self.desk(owner), ACTOR, package)

    def row(self, package: PackageId, where: str) -> Shipment:
        """A shipment as its owner has it."""
        with self.world.sites[site_of(Place(where))].disk.database().reading() as tx:
            found = transit.find_shipment(tx, package, Place(where))
        assert found is not None
        return found

    def held(self, code: SiteCode, package: PackageId) -> list[VersionNumber]:
        """What a site holds, newest first."""
        with self.world.sites[code].disk.database().reading() as tx:
            return list(transit.held_versions(tx, package))

    def said(self, code: SiteCode, number: int) -> list[StatusRecord]:
        """Status messages of one number known at a site."""
        core = self.core(code)
        with core.database.reading() as tx:
            return [one.record for one in core.journal.find(tx, StatusFilter(numbers=(number,)), limit=1000)]


@contextlib.contextmanager
def lab(shape: tuple[tuple[str, str | None], ...] = CHAIN) -> Iterator[Lab]:
    """A hierarchy in which everybody has joined."""
    with new_world(random.Random(7), shape) as world:
        yield Lab(world)
