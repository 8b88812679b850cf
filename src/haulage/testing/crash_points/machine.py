"""One machine with the home of one site and a folder for a point: a real site on a real disk, its process ended at will."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.replication.uplink import Uplink
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.server.core import SiteCore
from haulage.server.pipeline import Pump
from haulage.testing.clock import HandClock
from haulage.wiring.clearing import clear_home
from haulage.wiring.home import SETTINGS, UNFINISHED, load_home
from haulage.wiring.site import OpenedSite, open_site
from haulage.wiring.tls import ServerFiles


class Process:
    """What runs of a site while it runs."""

    def __init__(self, home: str, clock: HandClock, defects: list[BaseException]) -> None:
        """As ``haulage serve`` begins: open everything, bring what a killed process left in line."""
        made = load_home(home)
        clear_home(made)
        self.opened: OpenedSite = open_site(made, clock)
        try:
            core = self.core = self.opened.core
            ServerFiles(made, core.database, clock, self.opened.root.authority_pem)()
            core.holdings.reconcile()
            core.provider.tidy()
            self.jobs = SteppedJobs(clock, on_defect=lambda _job, defect: defects.append(defect))
            self.pump = Pump(core, self.jobs, clock)
            self.jobs.start()
            with core.database.reading() as tx:
                parent = core.neighbourhood.parent(tx)
            link = self.opened.link
            self.uplink = None if parent is None or link is None else Uplink(parent, core.streams, link, claim=core.own_claim)
        except BaseException:
            self.opened.close()
            raise

    def turn(self) -> int:
        """Everything that is due; how much that was."""
        done = self.pump.turn()
        while self.jobs.step():
            done += 1
        if self.uplink is not None:
            try:
                done += self.uplink.push()
                done += self.uplink.pull(0)
            except HaulageError:
                done += 1  # as the server does, once more after a moment
        return done


class Machine:
    """A disk, and the process while there is one."""

    def __init__(self, code: SiteCode, folder: str, clock: HandClock) -> None:
        self.code = code
        self.folder = folder
        self.home = os.path.join(folder, "home")
        self.point = os.path.join(folder, "point")
        self.defects: list[BaseException] = []
        self.deaths = 0
        self.process: Process | None = None
        self._clock = clock

    @property
    def is_founded(self) -> bool:
        """Whether there is a finished home."""
        names = set(os.listdir(self.home)) if os.path.isdir(self.home) else set()
        return SETTINGS in names and UNFINISHED not in names

    @property
    def core(self) -> SiteCore:
        """The rooms of the running site."""
        assert self.process is not None
        return self.process.core

    def start(self) -> None:
        """Begin a process, if there is a home and none runs."""
        if self.process is None and self.is_founded:
            self.process = Process(self.home, self._clock, self.defects)

    def stop(self) -> None:
        """End it in good order."""
        process, self.process = self.process, None
        if process is not None:
            process.opened.close()

    def die(self, found: str | None, buried: Callable[[], None]) -> None:
        """The process is gone; on the disk stands what was found of it after the death (None: all that is there)."""
        with contextlib.suppress(BaseException):
            # Only to give threads and handles back: what this does to the old disk nobody ever sees.
            self.stop()
        self.process = None
        self.deaths += 1
        if found is not None:
            shutil.rmtree(self.folder)
            os.rename(found, self.folder)
        buried()
