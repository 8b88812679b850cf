"""Schedules in which sites, owners and the central one among them, are again and again restored from backups of any age, with their
content or without it: no number means two things, and in the end everything has converged."""

from __future__ import annotations

import os
import random

import pytest

from haulage.base.ids import PackageId, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.transit import records as transit
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.operations import packages
from haulage.testing.simulation.actions import ACTOR, Actions
from haulage.testing.simulation.disk import Backup
from haulage.testing.simulation.invariants import Verdict, Watch
from haulage.testing.simulation.schedule import SHAPES
from haulage.testing.simulation.site import SimSite
from haulage.testing.simulation.world import World, new_world

SEEDS = range(1000, 1400 if os.environ.get("HAULAGE_LONG") == "1" else 1012)
LEFT_OUT = {"remove_site", "join_again", "restore", "back_up", "add_point", "remove_point"}
"""A package or point of which only the lost server knew is lost with it; what was not lost is what is looked at here."""


class Restores(Actions):
    """Everything that can happen, and restores."""

    def __init__(self, world: World, watch: Watch) -> None:
        super().__init__(world, watch)
        table = [(weight, action) for weight, action in self.table if action.__name__ not in LEFT_OUT]
        self.table = (*table, (40, self.keep), (40, self.restore_one))
        self._weights = [weight for weight, _action in self.table]
        self._kept: dict[SiteCode, tuple[Backup, set[PackageId]]] = {}
        self.restores = 0

    def keep(self) -> None:
        site = self._site()
        if site is not None:
            self._kept[site.code] = (site.disk.backup(), set(self.packages))
            self.world.say(f"{site.code} is backed up")

    def restore_one(self) -> None:
        codes = sorted(code for code, (_backup, known) in self._kept.items() if known == self.packages)
        if not codes:
            return
        site = self.world.sites[self.chance.choice(codes)]
        content = self.chance.random() < 0.6
        self.world.say(f"{site.code} is restored {'with' if content else 'without'} content")
        site.kill()
        site.disk.restore(self._kept[site.code][0])
        self.watch.forget(site.code)
        self._begin_new_life(site, content=content)
        self.world.start(site)
        self.restores += 1

    def help(self) -> None:
        """What the servers do by themselves now and then."""
        for _round in range(4):
            for site in self.world.sites.values():
                if site.core is not None:
                    site.core.healer.heal()
            _work(self.world)
            for site in self.world.sites.values():
                if site.core is not None:
                    site.core.lender.help_parent()
            _work(self.world)

    def publish_what_is_lost(self) -> None:
        """What nobody has any more, a person publishes again."""
        for package in sorted(self.packages):
            site = self.world.sites[SiteCode(package[:3])]
            if site.desk is not None and _lost(site, package):
                self.world.say(f"{package} is published anew")
                with site.disk.database().reading() as tx:
                    source = catalog.find_source(tx, package)
                assert source is not None
                tree = self.world.sources.trees[source.spec] = MemoryTree()
                tree.put(Entry(path=b"", type=EntryType.FOLDER))
                tree.file(b"anew", b"anew", mtime_ns=self.world.steps)
                self._note_source(package, source.spec)
                packages.publish_package(site.desk, ACTOR, package, full=True)


def _lost(site: SimSite, package: PackageId) -> bool:
    with site.disk.database().reading() as tx:
        known = catalog.find_package(tx, package)
        wanted = transit.find_shipment(tx, package, Place(site.code))
        held = transit.held_versions(tx, package)
    return known is not None and known.version > 0 and wanted is not None and known.version not in held


def _work(world: World) -> None:
    while world.step():
        pass


@pytest.mark.parametrize("seed", SEEDS)
def test_i16_f53_f54_whoever_is_restored_all_converges(seed: int) -> None:
    chance = random.Random(seed)
    shapes = SHAPES[:4]
    shape = chance.choices([shape for _weight, shape in shapes], [weight for weight, _shape in shapes])[0]
    with new_world(chance, shape) as world:
        watch = Watch(world)
        actions = Restores(world, watch)
        actions.create()
        for _turn in range(chance.randint(5, 30)):
            actions.one()
            for _step in range(chance.choice([0, 1, 3, 10, 30])):
                if not world.step() and not (chance.random() < 0.5 and world.pass_time(most_seconds=3600)):
                    break
        world.sources.broken.clear()
        for _turn in range(3):
            actions.heal_everything()
            for _minute in range(60):
                _work(world)
                if not world.pass_time(120):
                    break
            actions.help()
            actions.publish_what_is_lost()
        actions.heal_everything()
        world.settle(3000)
        watch.check_acknowledged(at_rest=True)
        verdict = Verdict(world)
        verdict.central_sees_sites()
        verdict.check(actions.packages)
        print(f"{actions.restores} restores")
