"""What people, machines and bad luck do in the simulation: each action picks its victims by chance and says what it did. An action
that is refused by the product for a reason people would be told is no action."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_place
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.engine.content.manifest import live_chunks
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Entry, EntryType
from haulage.operations import orders, packages, points, sites
from haulage.testing.scratch import blank_image
from haulage.testing.simulation import growing
from haulage.testing.simulation.disk import Backup
from haulage.testing.simulation.invariants import Watch, fingerprint
from haulage.testing.simulation.network import Host
from haulage.testing.simulation.site import SimSite
from haulage.testing.simulation.world import CENTRAL, World

ACTOR = growing.ACTOR


class Actions:
    """Everything that can happen to a world."""

    def __init__(self, world: World, watch: Watch) -> None:
        self.world = world
        self.watch = watch
        self.chance = world.chance
        self.packages: set[PackageId] = set()
        """Every package there ever was."""
        self._backups: dict[SiteCode, Backup] = {}
        self._joining: list[tuple[SiteCode, SiteCode, str, int]] = []
        self._incarnations: dict[SiteCode, int] = {}
        self._points_made = 0
        world.network.on_piece = self._during_transfer
        self.table: Sequence[tuple[int, Callable[[], None]]] = (
            (4, self.create),
            (14, self.change_source),
            (12, self.publish),
            (9, self.assign),
            (4, self.unassign),
            (2, self.remove_package),
            (3, self.roll_back),
            (5, self.add_point),
            (2, self.remove_point),
            (4, self.break_point),
            (4, self.heal_point),
            (4, self.cut),
            (5, self.heal),
            (5, self.kill),
            (6, self.crash),
            (7, self.restart),
            (4, self.sweep),
            (3, self.order),
            (3, self.jump_clock),
            (3, self.back_up),
            (2, self.restore),
            (2, self.remove_site),
            (4, self.join_again),
            (3, self.late),
            (3, self.trouble),
        )
        self._weights = [weight for weight, _action in self.table]

    def one(self) -> None:
        """One action by chance."""
        action = self.chance.choices(self.table, self._weights)[0][1]
        try:
            action()
        except HaulageError as error:
            self.world.say(f"  refused: {error}")

    def create(self) -> None:
        site = self._site()
        if site is None or site.desk is None or len(self.packages) >= 4:
            return
        spec = f"memory:{len(self.packages)}"
        self.world.sources.trees[spec] = self._tree()
        with self.world.as_site(site):
            package = packages.create_package(site.desk, ACTOR, name="package", source=spec, keep=self.chance.choice([1, 1, 2, 3]))
            self.packages.add(package.id)
            self._note_source(package.id, spec)
            self.world.say(f"{site.code} creates {package.id}")
            places = self._some_places(site)
            packages.assign_package(site.desk, ACTOR, package.id, places)
            packages.publish_package(site.desk, ACTOR, package.id)
            self.world.say(f"{site.code} assigns {package.id} to {', '.join(places)} and publishes it")

    def change_source(self) -> None:
        for site, package, spec in self._sources():
            tree = self.world.sources.trees[spec]
            self._change(tree)
            self._note_source(package, spec)
            with self.world.as_site(site):
                assert site.desk is not None
                packages.publish_package(site.desk, ACTOR, package)
            self.world.say(f"{site.code} publishes {package} from a changed source")

    def publish(self) -> None:
        for site, package, spec in self._sources():
            broken = self.chance.random() < 0.1
            (self.world.sources.broken.add if broken else self.world.sources.broken.discard)(spec)
            with self.world.as_site(site):
                assert site.desk is not None
                packages.publish_package(site.desk, ACTOR, package, full=self.chance.random() < 0.3)
            self.world.say(f"{site.code} publishes {package} as it is{', its source broken' if broken else ''}")

    def assign(self) -> None:
        for site, package, _spec in self._sources():
            places = self._some_places(site)
            with self.world.as_site(site):
                assert site.desk is not None
                packages.assign_package(site.desk, ACTOR, package, places)
            self.world.say(f"{site.code} assigns {package} to {', '.join(places)}")

    def unassign(self) -> None:
        for site, package, _spec in self._sources():
            assert site.core is not None
            assert site.desk is not None
            with site.core.database.reading() as tx:
                known = catalog.find_package(tx, package)
            if known is None or not known.assignments:
                return
            places = self.chance.sample(known.assignments, self.chance.randint(1, len(known.assignments)))
            self.world.say(f"{site.code} withdraws {package} from {', '.join(places)}")
            with self.world.as_site(site):
                packages.unassign_package(site.desk, ACTOR, package, places)

    def remove_package(self) -> None:
        for site, package, _spec in self._sources():
            self.world.say(f"{site.code} deletes {package}")
            with self.world.as_site(site):
                assert site.desk is not None
                packages.remove_package(site.desk, ACTOR, package)

    def roll_back(self) -> None:
        for site, package, _spec in self._sources():
            assert site.core is not None
            assert site.desk is not None
            with site.core.database.reading() as tx:
                known = catalog.list_versions(tx, package)
            if known:
                number: VersionNumber = self.chance.choice(known).number
                self.world.say(f"{site.code} rolls {package} back to {number}")
                with self.world.as_site(site):
                    packages.rollback_package(site.desk, ACTOR, package, number)

    def add_point(self) -> None:
        site = self._site()
        if site is None or site.desk is None or site.core is None:
            return
        with site.core.database.reading() as tx:
            below = estate.hierarchy(tx).subtree(site.code)
            assigned = [package.id for package in catalog.list_packages(tx) if package.id[:3] == site.code]
        self._points_made += 1
        where = make_place(self.chance.choice(below), f"p{self._points_made % 4}")
        self.world.say(f"{site.code} adds point {where}")
        with self.world.as_site(site):
            points.add_point(site.desk, ACTOR, where, f"folder:/{self._points_made}")
            if assigned:
                packages.assign_package(site.desk, ACTOR, self.chance.choice(assigned), [where])

    def remove_point(self) -> None:
        site = self._site()
        if site is None or site.desk is None or site.core is None:
            return
        with site.core.database.reading() as tx:
            known = [point for point in estate.list_points(tx) if point.owner == site.code]
        if known:
            where = self.chance.choice(known).place
            self.world.say(f"{site.code} removes point {where}")
            with self.world.as_site(site):
                points.remove_point(site.desk, ACTOR, where)

    def break_point(self) -> None:
        whole = [point for point in self.world.points.values() if not point.broken]
        if whole:
            point = self.chance.choice(whole)
            point.broken = True
            self.world.say(f"{point.place} breaks")

    def heal_point(self) -> None:
        broken = [point for point in self.world.points.values() if point.broken]
        if broken:
            point = self.chance.choice(broken)
            point.broken = False
            self.world.say(f"{point.place} is healed")

    def cut(self) -> None:
        linked = [site.code for site in self.world.sites.values() if site.parent and site.code not in self.world.network.cut]
        if linked:
            code = self.chance.choice(linked)
            self.world.network.cut.add(code)
            self.world.say(f"the link above {code} is cut")

    def heal(self) -> None:
        if self.world.network.cut:
            code = self.chance.choice(sorted(self.world.network.cut))
            self.world.network.cut.discard(code)
            self.world.say(f"the link above {code} is healed")

    def kill(self) -> None:
        site = self._site()
        if site is not None:
            site.kill()
            self.world.say(f"{site.code} is killed")

    def crash(self) -> None:
        site = self._site()
        if site is not None:
            self.world.fate.arm(site.code, self.chance.randint(1, 40))
            self.world.say(f"{site.code} is going to die")

    def restart(self) -> None:
        dead = [site for site in self.world.sites.values() if site.core is None]
        if dead:
            site = self.chance.choice(dead)
            self.world.say(f"{site.code} starts")
            self.world.start(site)

    def sweep(self) -> None:
        site = self._site()
        if site is not None:
            self._sweep(site)

    def order(self) -> None:
        for site, package, _spec in self._sources():
            assert site.core is not None
            assert site.desk is not None
            with site.core.database.reading() as tx:
                known = catalog.find_package(tx, package)
            if known is None or not known.assignments:
                return
            where: Place = self.chance.choice(known.assignments)
            with self.world.as_site(site):
                orders.give_order(site.desk, ACTOR, self.chance.choice(["verify", "repair", "retry"]), package, where)
            self.world.say(f"{site.code} gives an order about {package} at {where}")

    def jump_clock(self) -> None:
        site = self._site()
        if site is not None:
            site.clock.wrong_seconds = self.chance.choice([0.0, -86_400.0 * 3, 3600.0, -3600.0, 86_400.0 * 20])
            self.world.say(f"the clock of {site.code} is wrong by {site.clock.wrong_seconds}")

    def back_up(self) -> None:
        site = self._site()
        if site is not None:
            self._backups[site.code] = site.disk.backup()
            self.world.say(f"{site.code} is backed up")

    def restore(self) -> None:
        """A site without packages of its own is put back: to an old copy of its disk, of which nobody tells it, or as ``haulage
        restore`` does it, with or without its content (F53)."""
        owners = {package[:3] for package in self.packages}
        codes = [code for code in self._backups if code in self.world.sites and code not in owners and code != CENTRAL]
        if codes:
            code = self.chance.choice(sorted(codes))
            site = self.world.sites[code]
            site.kill()
            site.disk.restore(self._backups[code])
            self.watch.forget(code)
            # Not by chance: what chance decides later stays as it was for this seed.
            how = ("put back to an old copy of its disk", "restored", "restored without content")[self.world.steps % 3]
            self.world.say(f"{code} is {how}")
            if how.startswith("restored"):
                self._begin_new_life(site, content=how == "restored")
            self.world.start(site)

    def _begin_new_life(self, site: SimSite, *, content: bool) -> None:
        """What ``haulage restore`` does, which no server disturbs; a death in the middle of it is a restore that is run again."""
        if not content:
            site.disk.store.replace({}, ())
        core = site.assemble()
        with core.database.writing() as tx:
            core.begin_new_life(tx)
        site.kill()

    def remove_site(self) -> None:
        central = self.world.sites[CENTRAL]
        leaves = [site for site in self.world.sites.values() if site.parent and not self.world.children(site.code)]
        if central.desk is None or not leaves:
            return
        site = self.chance.choice(leaves)
        self.world.say(f"{site.code} is removed from the hierarchy")
        with self.world.as_site(central):
            sites.remove_site(central.desk, ACTOR, site.code)
        # It may have died of it, before it was so or after.
        with central.disk.database().reading() as tx:
            removed = site.code not in estate.hierarchy(tx)
        if removed:
            assert site.parent is not None
            self._backups.pop(site.code, None)
            self.world.drop(site.code)
            self.watch.forget(site.code)
            self.world.network.cut.discard(site.code)
            self.world.fate.disarm(site.code)
            self._incarnations[site.code] = self._incarnations.get(site.code, 0) + 1
            if self.chance.random() < 0.7:
                self._invite(central, site.code, site.parent)

    def join_again(self) -> None:
        """A site that was invited tries to join."""
        for item in list(self._joining):
            code, above, string, incarnation = item
            parent = self.world.sites.get(above)
            if parent is None:
                self._joining.remove(item)
            elif parent.core is not None and above not in self.world.network.cut:
                self._joining.remove(item)
                if not self._join(code, parent, string, incarnation):
                    self._joining.append(item)

    def late(self) -> None:
        if self.world.network.deliver_late():
            self.world.say("a late request arrives")

    def trouble(self) -> None:
        self.world.network.trouble = self.chance.choice([0.0, 0.0, 0.05, 0.2])
        self.world.say(f"trouble on the lines: {self.world.network.trouble}")

    def heal_everything(self) -> None:
        """All faults end; all clocks are right; all sites are up."""
        self.world.network.cut.clear()
        self.world.network.trouble = 0.0
        for point in self.world.points.values():
            point.broken = False
        for site in self.world.sites.values():
            site.clock.wrong_seconds = 0.0
            self.world.fate.disarm(site.code)
            if site.core is None:
                self.world.start(site)
            site.wake()
        while self.world.network.deliver_late():
            pass

    def finish_joining(self) -> None:
        """Whoever was invited joins at last."""
        self.join_again()

    def _invite(self, central: SimSite, code: SiteCode, parent: SiteCode) -> None:
        if central.desk is None:
            return
        with self.world.as_site(central):
            string = growing.invite(central, code, parent)
            self._joining.append((code, parent, string, self._incarnations[code]))
            self.world.say(f"{code} is invited again below {parent}")

    def _join(self, code: SiteCode, parent: SimSite, string: str, incarnation: int) -> bool:
        site = self.world.add(code, parent.code, blank_image(), incarnation=incarnation)
        joined = False
        try:
            with self.world.as_site(parent):
                growing.join(site, parent, string)
                joined = True
        except HaulageError as error:
            self.world.say(f"{code} cannot join: {error}")
            if not growing.may_join(error):
                raise
        finally:
            if not joined:
                self.world.drop(code)
        if joined:
            self.world.say(f"{code} has joined")
            self.watch.forget(code)
            self.world.start(site)
        return joined

    def _during_transfer(self, child: Host) -> None:
        if self.chance.random() < 0.02 and isinstance(child, SimSite) and child.core is not None:
            self._sweep(child)

    def _sweep(self, site: SimSite) -> None:
        store = site.disk.store
        report = store.sweep(lambda manifest: live_chunks(manifest, store), now=site.clock.now())
        self.world.say(f"{site.code} is swept: {report.chunks_removed} chunks go")

    def _site(self) -> SimSite | None:
        alive = [site for site in self.world.sites.values() if site.core is not None]
        return self.chance.choice(alive) if alive else None

    def _sources(self) -> list[tuple[SimSite, PackageId, str]]:
        """One package that its owner can work on now, as a list of none or one."""
        found = []
        for package in sorted(self.packages):
            site = self.world.sites.get(SiteCode(package[:3]))
            if site is None or site.core is None:
                continue
            with site.core.database.reading() as tx:
                source = catalog.find_source(tx, package)
            if source is not None:
                found.append((site, package, source.spec))
        return [self.chance.choice(found)] if found else []

    def _some_places(self, site: SimSite) -> list[Place]:
        assert site.core is not None
        with site.core.database.reading() as tx:
            tree = estate.hierarchy(tx)
            places = [make_place(code) for code in tree.subtree(site.code)]
            places += [point.place for point in estate.list_points(tx) if tree.is_within(point.site, site.code)]
        return self.chance.sample(places, self.chance.randint(1, len(places)))

    def _note_source(self, package: PackageId, spec: str) -> None:
        self.watch.known_trees.setdefault(package, set()).add(fingerprint(self.world.sources.trees[spec]))

    def _tree(self) -> MemoryTree:
        tree = MemoryTree()
        tree.put(Entry(path=b"", type=EntryType.FOLDER))
        for _count in range(self.chance.randint(1, 3)):
            self._change(tree)
        return tree

    def _change(self, tree: MemoryTree) -> None:
        path = b"d/" * self.chance.randint(0, 1) + bytes([self.chance.choice(b"abce")])
        files = [entry for entry in tree.entries.values() if entry.type is EntryType.FILE]
        if len(files) > 1 and self.chance.random() < 0.2:
            tree.remove(self.chance.choice(files).path)
            return
        streams = {b"stream": self.chance.randbytes(self.chance.choice([0, 1, 700]))} if self.chance.random() < 0.4 else {}
        size = self.chance.choice([0, 1, 100, 3000])
        tree.file(path, self.chance.randbytes(size), mtime_ns=self.chance.randrange(10**18), streams=streams)
