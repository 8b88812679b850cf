"""The world of one schedule: sites in a tree, points, sources, the network and time. Moves only by :meth:`World.step`."""

from __future__ import annotations

import contextlib
import functools
import random
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from unittest import mock

from haulage.base.errors import HaulageError
from haulage.base.files import watching_steps
from haulage.base.ids import SiteCode
from haulage.domain.estate.model import Point
from haulage.domain.transit import records as transit
from haulage.engine.articles.archive import Found
from haulage.testing.clock import HandClock
from haulage.testing.memory_point import MemoryPoint
from haulage.testing.scratch import blank_image
from haulage.testing.simulation import growing
from haulage.testing.simulation.crash import Fate, SimulatedCrash
from haulage.testing.simulation.disk import Disk
from haulage.testing.simulation.network import Network
from haulage.testing.simulation.site import SimSite, Sources, Surroundings

Shape = tuple[tuple[str, str | None], ...]
"""Site codes with their parents, parents first."""

CENTRAL = SiteCode("HQ1")
_MEMORY_FOLDER = "/dev/shm"  # noqa: S108  (a private folder is made in it)


class Stuck(AssertionError):
    """It does not become quiet."""


class World:
    """Everything there is."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.clock = HandClock()
        self.fate = Fate()
        self.network = Network(chance, self.fate)
        self.sources = Sources()
        self.articles: dict[str, dict[str, bytes]] = {}
        """What may be imported: by name of the folder, files by their names."""
        self.points: dict[str, MemoryPoint] = {}
        self.sites: dict[SiteCode, SimSite] = {}
        self.after_step: Callable[[SimSite], None] = lambda _site: None
        self.say: Callable[[str], None] = lambda _text: None
        self.steps = 0
        self.folder = tempfile.mkdtemp(prefix="haulage-sim-", dir=_memory_folder())
        self.around = Surroundings(
            clock=self.clock,
            chance=chance,
            network=self.network,
            sources=self.sources,
            open_point=self.open_point,
            folder=self.folder,
            articles=self._articles_in,
            hierarchy_key=growing.key_of(SiteCode("ZZZ"), 0).public.text,
        )

    def close(self) -> None:
        """Give everything back."""
        for site in self.sites.values():
            site.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def open_point(self, point: Point) -> MemoryPoint:
        """The point at a URL; made when it is first opened."""
        if point.url not in self.points:
            self.points[point.url] = MemoryPoint(point.place)
        return self.points[point.url]

    def _articles_in(self, folder: str, _name: str, _known: Callable[[bytes], bool]) -> Iterator[Found]:
        for name, data in sorted(self.articles[folder].items()):
            yield Found(name=name, data=data)

    def add(self, code: SiteCode, parent: SiteCode | None, image: bytes, *, incarnation: int = 0) -> SimSite:
        """A site with a disk; it does not run yet."""
        site = SimSite(code, parent, growing.key_of(code, incarnation), Disk(image), self.around)
        self.sites[code] = site
        self.network.hosts[code] = site
        return site

    def drop(self, code: SiteCode) -> None:
        """A site's machine is taken away."""
        site = self.sites.pop(code)
        del self.network.hosts[code]
        site.kill()
        site.disk.close()

    def children(self, code: SiteCode) -> list[SimSite]:
        """The sites that were told this one is their parent."""
        return [site for site in self.sites.values() if site.parent == code]

    @contextlib.contextmanager
    def as_site(self, site: SimSite) -> Iterator[None]:
        """What happens meanwhile happens in the process of this site, which may die of it."""
        try:
            with self.fate.running(site.code):
                yield
        except SimulatedCrash as crash:
            self.say(f"{crash.code} dies: {crash}")
            self.sites[crash.code].kill()

    def start(self, site: SimSite) -> None:
        """Start a process, which may die while it starts."""
        with self.as_site(site):
            site.start()

    def step(self) -> bool:
        """One small step of one site; False if nobody has anything to do now."""
        ready = [(site, what) for site in self.sites.values() for what in site.ready()]
        if not ready:
            return False
        site, what = self.chance.choice(ready)
        self.steps += 1
        self.say(f"    {site.code} {what}")
        with self.as_site(site):
            self._do(site, what)
        # A pump writes nothing; exchanges are looked at in part, for looking costs as much as doing.
        if what == "job" or (what != "pump" and self.steps % 3 == 0):
            self.after_step(site)
        return True

    def _do(self, site: SimSite, what: str) -> None:
        try:
            site.step(what)
        except HaulageError as error:
            # The server logs it and goes on a moment later.
            self.say(f"    {site.code} {what}: {error}")
            site.paused_until = self.clock.monotonic() + 60

    def pass_time(self, most_seconds: float | None = None) -> bool:
        """Move the clock to where something becomes ready; False if nothing ever does."""
        times = [seconds for site in self.sites.values() if (seconds := site.next_seconds()) is not None]
        if not times:
            return False
        seconds = min(times) if most_seconds is None else min(*times, most_seconds)
        self.clock.move(seconds + 0.001)
        return True

    def settle(self, bound: int) -> None:
        """Go on until nobody has anything to do, now or ever. Raises Stuck."""
        for _turn in range(bound):
            if not self.step() and not self.pass_time():
                return
        raise Stuck(f"not quiet after {bound} steps: {self._unsettled()}")

    def _unsettled(self) -> str:
        found = []
        for site in self.sites.values():
            with site.disk.database().reading() as tx:
                for row in transit.list_shipments(tx, owner=site.code):
                    if not row.settled:
                        why = f"{row.state.value} {row.reason.value} {row.tries} {row.error_message}"
                        found.append(f"{row.package}:{row.wanted} at {row.place} has {row.present}, {why}")
        return "; ".join(found)


@contextlib.contextmanager
def new_world(chance: random.Random, shape: Shape) -> Iterator[World]:
    """A world in which every site of the shape has joined, and is up."""
    with _determined(chance):
        images = _images(shape)
        world = World(chance)
        try:
            for (code, parent), image in zip(shape, images, strict=True):
                world.add(SiteCode(code), None if parent is None else SiteCode(parent), image)
            with watching_steps(world.fate.watch):
                for site in world.sites.values():
                    world.start(site)
                yield world
        finally:
            world.close()


@functools.cache
def _images(shape: Shape) -> Sequence[bytes]:
    """The databases of a hierarchy that has come to rest."""
    blank = blank_image()
    chance = random.Random(0)
    with _determined(chance):
        world = World(chance)
        try:
            for code, parent in shape:
                site = world.add(SiteCode(code), None if parent is None else SiteCode(parent), blank)
                _let_in(world, site)
                world.start(site)
                world.settle(10_000)
            return [site.disk.backup().image for site in world.sites.values()]
        finally:
            world.close()


def _let_in(world: World, site: SimSite) -> None:
    if site.parent is None:
        growing.found(site)
        return
    string = growing.invite(world.sites[CENTRAL], site.code, site.parent)
    world.settle(10_000)
    growing.join(site, world.sites[site.parent], string)


@contextlib.contextmanager
def _determined(chance: random.Random) -> Iterator[None]:
    """Random names come from the seed, too."""
    with (
        mock.patch.object(secrets, "token_hex", lambda count=32: chance.randbytes(count).hex()),
        mock.patch.object(secrets, "token_bytes", lambda count=32: chance.randbytes(count)),
    ):
        yield


def _memory_folder() -> str | None:
    try:
        with tempfile.TemporaryDirectory(dir=_MEMORY_FOLDER):
            return _MEMORY_FOLDER
    except OSError:
        return None
