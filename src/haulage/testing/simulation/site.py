"""One simulated site: the real rooms of a server on a simulated disk, killed and started again at will."""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar

from haulage.base.clock import Clock
from haulage.base.errors import TransferError
from haulage.base.ids import SiteCode
from haulage.domain.estate.enrolment import IssueCertificate
from haulage.domain.estate.model import Point
from haulage.domain.knowledge.importing import Files
from haulage.domain.points.backend import PointBackend
from haulage.domain.replication.uplink import Uplink
from haulage.domain.transit.parcel_cache import Parcels
from haulage.domain.transit.retry import RetryPolicy
from haulage.engine.content.model import ManifestId
from haulage.engine.database.transaction import Transaction
from haulage.engine.delta.level import Level
from haulage.engine.jobs.engine import JobFunction
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.parcels.build import build
from haulage.engine.parcels.head import ParcelHead
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.engine.trees.model import ReadPolicy, TreeReader
from haulage.engine.trust.keys import SigningKey
from haulage.operations.desk import Desk
from haulage.server.core import Parts, SiteCore
from haulage.server.pipeline import Pump
from haulage.testing.clock import HandClock
from haulage.testing.memory_index import MemoryIndexes
from haulage.testing.simulation.disk import Disk
from haulage.testing.simulation.network import Network, SimLink
from haulage.testing.simulation.seal import PlainSeal

GRACE_SECONDS = 600.0
PAUSE_SECONDS = 5.0
"""How long a site waits before it tries the link again."""
ROOT = "00" * 32

P = ParamSpec("P")
R = TypeVar("R")


class InlineExecutor(Executor):
    """Runs what is submitted at once."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class SiteClock:
    """The clock of one site: the world's, put wrong by so many seconds (F46)."""

    def __init__(self, world: HandClock) -> None:
        self._world = world
        self.wrong_seconds = 0.0

    def now(self) -> dt.datetime:
        return self._world.now() + dt.timedelta(seconds=self.wrong_seconds)

    def monotonic(self) -> float:
        return self._world.monotonic()

    def sleep(self, seconds: float) -> None:
        self._world.move(seconds)


class WatchedJobs(SteppedJobs):
    """Knows what kind of job is running."""

    def __init__(self, clock: Clock, chooser: random.Random, defects: list[BaseException]) -> None:
        super().__init__(clock, chooser, lambda _job, defect: defects.append(defect))
        self.kind = ""

    def register(self, kind: str, function: JobFunction, workers: int, *, per_place: int | None = None) -> None:
        def run(argument: str) -> None:
            self.kind = kind
            try:
                function(argument)
            finally:
                self.kind = ""

        super().register(kind, run, workers, per_place=per_place)


@dataclass(slots=True)
class Sources:
    """The source folders of the simulation, by their spec."""

    trees: dict[str, MemoryTree] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def open(self, spec: str, policy: ReadPolicy) -> Iterator[TreeReader]:
        if spec in self.broken or spec not in self.trees:
            raise TransferError("source-unreadable", f"{spec} cannot be read.", "Is it there?")
        yield MemoryReader(self.trees[spec], policy)


@dataclass(slots=True)
class Surroundings:
    """What all sites of a world share."""

    clock: HandClock
    chance: random.Random
    network: Network
    sources: Sources
    open_point: Callable[[Point], PointBackend]
    folder: str
    """For parcels; in memory."""
    hierarchy_key: str
    articles: Files
    defects: list[BaseException] = field(default_factory=list)
    on_wake: Callable[[SimSite, SiteCode], None] = lambda _site, _peer: None


class SimSite:
    """A site: its disk, and its process while it lives."""

    def __init__(self, code: SiteCode, parent: SiteCode | None, key: SigningKey, disk: Disk, around: Surroundings) -> None:
        self.code = code
        self.parent = parent
        self.signing = key
        self.key = key.public.text
        self.disk = disk
        self.clock = SiteClock(around.clock)
        self.core: SiteCore | None = None
        self.jobs: WatchedJobs | None = None
        self.desk: Desk | None = None
        self.indexes = MemoryIndexes()
        self.starts = 0
        self.pump_wanted = self.push_wanted = self.pull_wanted = False
        self.paused_until = 0.0
        self.next_due: dt.datetime | None = None
        self._pump: Pump | None = None
        self._uplink: Uplink | None = None
        self._around = around

    def assemble(self) -> SiteCore:
        """Put the rooms together on the disk as it is; nothing runs yet."""
        around, code = self._around, self.code
        database = self.disk.database()
        link = None if self.parent is None else SimLink(around.network, self, self.parent)
        issue: IssueCertificate | None = (lambda _claim: "certificate") if self.parent is None else None
        core = self.core = SiteCore(
            Parts(
                code=code,
                database=database,
                store=self.disk.store,
                clock=self.clock,
                chance=around.chance,
                seal=PlainSeal(self.key, around.hierarchy_key),
                root_sha256=ROOT,
                link=link,
                sources=around.sources,
                open_point=around.open_point,
                establish_point=_establish,
                documents=lambda _tx, _package, _version: {},
                parcels=Parcels(f"{around.folder}/{code}"),
                build=self._build,
                executor=InlineExecutor(),
                issue_certificate=issue,
                free_bytes=lambda: 1 << 40,
                wake_jobs=self._wake_jobs,
                wake_peer=self._wake_peer,
                site_changed=lambda _tx, _code: None,
                indexes=self.indexes,
                article_files=around.articles,
                drop_upload=lambda _path: None,
                grace_seconds=GRACE_SECONDS,
                retry=RetryPolicy(),
                threads=0,
            )
        )
        if self.parent is not None and link is not None:
            self._uplink = Uplink(self.parent, core.streams, link, claim=core.own_claim)
        self.desk = Desk(
            code=code,
            url=lambda: f"https://{code.lower()}.test",
            root_sha256=ROOT,
            database=database,
            clock=self.clock,
            journal=core.journal,
            definitions=core.definitions,
            regrouping=core.regrouping,
            publisher=core.publisher,
            holdings=core.holdings,
            store=self.disk.store,
            check_source=lambda _tx, _spec: None,
            establish_point=_establish,
            check_articles=lambda _path: None,
            wake_jobs=self._wake_jobs,
        )
        return core

    def _build(
        self,
        target: ManifestId,
        bases: Sequence[ManifestId],
        path: str,
        *,
        level: Level,  # noqa: ARG002
        abilities: frozenset[str],
    ) -> ParcelHead:
        return build(
            target,
            bases,
            self.disk.store,
            path,
            level=Level.FAST,
            folder=Parcels(f"{self._around.folder}/{self.code}").work,
            abilities=abilities,
            threads=0,
        )

    def start(self) -> None:
        """Begin a process on the disk as it is."""
        core = self.assemble()
        self.starts += 1
        core.holdings.reconcile()
        core.survey.plan_all()
        core.provider.tidy()
        self.jobs = WatchedJobs(self.clock, self._around.chance, self._around.defects)
        self._pump = Pump(core, self.jobs, self.clock)
        self.jobs.start()
        self.wake()

    def wake(self) -> None:
        """Everything is looked at anew."""
        self.pump_wanted = True
        self.push_wanted = self.pull_wanted = self.parent is not None
        self.paused_until = 0.0

    def kill(self) -> None:
        """The process dies; the disk stays."""
        self.core = self.jobs = self.desk = self._pump = self._uplink = None
        self.disk.crash()
        for child in self._around.network.hosts.values():
            if isinstance(child, SimSite) and child.parent == self.code:
                self._around.network.broken.add(child.code)
                child.pull_wanted = True

    def ready(self) -> list[str]:
        """What this site could do now."""
        if self.core is None or self.jobs is None:
            return []
        out = []
        if self.pump_wanted or (self.next_due is not None and self.next_due <= self.clock.now()):
            out.append("pump")
        if self.jobs.waiting():
            out.append("job")
        if self._around.clock.monotonic() >= self.paused_until:
            out += ["push"] * self.push_wanted + ["pull"] * self.pull_wanted
        return out

    def next_seconds(self) -> float | None:
        """In how many seconds something becomes ready by itself; None for never."""
        if self.core is None:
            return None
        times = [] if self.next_due is None else [(self.next_due - self.clock.now()).total_seconds()]
        if self.push_wanted or self.pull_wanted:
            times.append(self.paused_until - self._around.clock.monotonic())
        return max(0.0, min(times)) if times else None

    def step(self, what: str) -> None:
        """Do one of the things that are ready."""
        if what == "pump":
            self._turn()
        elif what == "job":
            assert self.jobs is not None
            self.jobs.step()
            self.pump_wanted = True
        else:
            self._talk(what)

    def _turn(self) -> None:
        assert self._pump is not None
        self.pump_wanted = False
        self._pump.turn()
        self.next_due = self._pump.next_due()

    def _talk(self, what: str) -> None:
        assert self._uplink is not None
        try:
            if what == "push":
                self.push_wanted = self._uplink.push() > 0
            else:
                self.pull_wanted = self._uplink.pull(0) > 0
        except TransferError:
            self.pull_wanted = True
            self.paused_until = self._around.clock.monotonic() + PAUSE_SECONDS

    def _wake_jobs(self) -> None:
        self.pump_wanted = True

    def _wake_peer(self, peer: SiteCode) -> None:
        self._around.on_wake(self, peer)
        if peer == self.parent:
            self.push_wanted = True
            return
        child: Any = self._around.network.hosts.get(peer)
        if isinstance(child, SimSite) and child.parent == self.code:
            child.pull_wanted = True


def _establish(_tx: Transaction, _point: Point) -> None:
    return None
