"""Two sites at most, one thread, one clock: everything that real sites do by themselves, until there is nothing left to do."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import secrets
from collections.abc import Callable, Iterator
from typing import TypeVar
from unittest import mock

import sqlalchemy as sa

from haulage.base.files import watching_steps
from haulage.base.ids import SiteCode
from haulage.engine.content.store import LocalStore
from haulage.engine.content.store_state import StoreSettings
from haulage.engine.database.transaction import Database, open_database
from haulage.engine.trees import local_durable, local_writer
from haulage.server.core import SiteCore
from haulage.testing.clock import HandClock
from haulage.testing.crash_points.death import Death, Killed
from haulage.testing.crash_points.line import Line, no_answer
from haulage.testing.crash_points.machine import Machine, Process
from haulage.testing.simulation.site import InlineExecutor
from haulage.wiring import site as site_wiring

HQ, CHI = SiteCode("HQ1"), SiteCode("CHI")
_SMALL = StoreSettings(block_bytes=1 << 16, pack_bytes=1 << 18)
_TURNS = 300
_PAUSE_SECONDS = 5.0

Answer = TypeVar("Answer")


_first: list[sa.Engine] = []
"""An engine whose compiled statements all later ones use: they are half of what a death would cost."""


def _open_database(url: str) -> Database:
    database = open_database(url)
    engine = database.engine
    if not _first:
        with database.reading():
            _first.append(engine)
    engine.dialect, engine._compiled_cache = _first[0].dialect, _first[0]._compiled_cache
    return database


class Died(Exception):
    """The process that was to do something has died of it."""


class Stuck(AssertionError):
    """It does not become quiet."""


class World:
    """Machines below ``live``, sources below ``sources``; the victim of ``death`` dies in it."""

    def __init__(self, live: str, sources: str, death: Death, *, seed: str) -> None:
        """The seed is of names that are made by chance."""
        self.live = live
        self.sources = sources
        self.death = death
        self._seed = seed
        self.clock = HandClock()
        self.machines = {code: Machine(code, os.path.join(live, code), self.clock) for code in (HQ, CHI)}
        self.asleep: set[SiteCode] = set()
        """Machines that are not switched on."""
        self.stay_dead = False
        """Nobody switches on again whoever has died."""
        self.on_piece: Callable[[SiteCode], None] = lambda _child: None
        """Told after each piece of a parcel that reached a child, in its process."""
        self.on_return: Callable[[Machine], None] = lambda _machine: None
        """Told when a process runs again after a death."""
        for machine in self.machines.values():
            os.makedirs(machine.folder, exist_ok=True)

    @contextlib.contextmanager
    def alive(self) -> Iterator[None]:
        """What happens meanwhile happens in this world."""
        chance = random.Random(self._seed)
        with contextlib.ExitStack() as patches:
            patches.enter_context(watching_steps(self.death.watch))
            for owner, name, value in (
                (secrets, "token_hex", lambda count=32: chance.randbytes(count).hex()),
                (secrets, "token_bytes", lambda count=32: chance.randbytes(count)),
                (os, "fsync", self.death.synced),
                (local_writer, "sync_tree", self._sync_tree),
                (site_wiring, "HttpsLink", self._open_line),
                (site_wiring, "LocalStore", functools.partial(LocalStore, settings=_SMALL)),
                (site_wiring, "ThreadPoolExecutor", lambda *_count, **_name: InlineExecutor()),
                (site_wiring, "PARCEL_THREADS", 0),
                (site_wiring, "open_database", _open_database),
            ):
                patches.enter_context(mock.patch.object(owner, name, value))
            try:
                yield
            finally:
                for machine in self.machines.values():
                    machine.stop()

    @contextlib.contextmanager
    def at(self, code: SiteCode) -> Iterator[Machine]:
        """What happens meanwhile happens at this machine, by its process if it has a home. Raises Died if that is its end."""
        machine = self.machines[code]
        try:
            with self.death.running(code):
                self._start(machine)
                yield machine
        except Killed:
            self._bury(machine)
            raise Died from None

    def process(self, code: SiteCode) -> Process:
        """The running process of a site."""
        found = self.machines[code].process
        assert found is not None
        return found

    def settle(self) -> None:
        """Go on until nobody has anything to do, now or ever; whoever dies is switched on again. Raises Stuck."""
        for _turn in range(_TURNS):
            if self.stay_dead and self.death.happened:
                return
            if not sum([self._turn(machine) for machine in self.machines.values()]) and not self._pass_time():
                return
        raise Stuck(f"not quiet after {_TURNS} turns")

    def exchange(self, parent: SiteCode, effect: Callable[[SiteCore], Answer], /) -> Answer:
        """See :class:`Exchange`."""
        machine = self.machines[parent]
        if machine.process is None:
            raise no_answer(parent)
        try:
            with self.death.running(parent):
                return effect(machine.core)
        except Killed:
            self._bury(machine)
            raise no_answer(parent) from None

    def _start(self, machine: Machine) -> None:
        if machine.process is None and machine.code not in self.asleep:
            machine.start()
            if machine.deaths and machine.is_founded:
                self.on_return(machine)

    def _turn(self, machine: Machine) -> int:
        with contextlib.suppress(Died), self.at(machine.code):
            return self._work(machine)
        return 1

    @staticmethod
    def _work(machine: Machine) -> int:
        return machine.process.turn() if machine.process is not None else 0

    def _pass_time(self) -> bool:
        dues = [machine.process.pump.next_due() for machine in self.machines.values() if machine.process is not None]
        known = [due for due in dues if due is not None]
        if known:
            self.clock.move(max(0.0, (min(known) - self.clock.now()).total_seconds()) + 0.001)
        return bool(known)

    def _bury(self, machine: Machine) -> None:
        self.clock.move(_PAUSE_SECONDS)
        machine.die(self.death.leave_in, self.death.buried)
        if self.stay_dead:
            self.asleep.add(machine.code)

    def _open_line(self, *, site: SiteCode, peer: SiteCode, **_more: object) -> Line:
        return Line(site, peer, self.exchange, lambda: self.on_piece(site))

    def _sync_tree(self, root_fd: int) -> None:
        local_durable.sync_tree(root_fd)
        self.death.synced_all(root_fd)
