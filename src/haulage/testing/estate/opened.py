"""A made-up estate as a server in this process sees it, with nothing at work: what is shown stays as it was made."""

from __future__ import annotations

from types import TracebackType

from haulage.base.clock import Clock, SystemClock
from haulage.server.bells import Bells
from haulage.server.lifecycle import Process
from haulage.server.service import Service
from haulage.wiring.home import Home
from haulage.wiring.serving import assemble, wakes_of
from haulage.wiring.site import OpenedSite, open_site


class Estate:
    """An opened home. No job, no housekeeping and no repair runs; writes work, and what they ask for stays asked for."""

    def __init__(self, home: Home, clock: Clock | None = None) -> None:
        self.home = home
        self.clock = clock or SystemClock()
        bells = Bells()
        self.opened: OpenedSite = open_site(home, self.clock, wakes_of(home.code, bells))
        self.process: Process = assemble(home, self.opened, self.clock, bells)

    def service(self) -> Service:
        """For ``create_app`` and ``console_of``."""
        return self.process.service

    def close(self) -> None:
        """Let go of the home."""
        self.opened.close()

    def __enter__(self) -> Estate:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
