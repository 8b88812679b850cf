"""A site's process from start to stop: what begins in which order, what ends in which, and that it ends in time (Q317893)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fastapi import FastAPI

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError
from haulage.base.files import remove_durable, write_durable
from haulage.base.memory import set_aside_what_is_loaded
from haulage.domain.transit import records as transit
from haulage.domain.transit.states import ShipmentState
from haulage.engine.jobs.engine import JobEngine
from haulage.engine.status import on_server
from haulage.engine.status.message import FieldValue, Message
from haulage.server.app import Pages, create_app
from haulage.server.backups import Schedule
from haulage.server.bells import JOBS, Bells
from haulage.server.core import SiteCore
from haulage.server.housekeeping import Housekeeper
from haulage.server.limits import Limits
from haulage.server.listener import Address, Listener, fingerprint
from haulage.server.notify import Manager
from haulage.server.pipeline import Pump
from haulage.server.service import Service
from haulage.server.threads import Repeating
from haulage.server.uplinks import Uplinks

REQUEST_THREADS = 48
PUMP_SECONDS = 2.0
"""The pump looks again so soon while anything is due: what it handed over may have ended without a word."""
IDLE_SECONDS = 30.0
"""And so soon when nothing is, whatever rings: the clock may have been put forward."""
HOUSEKEEPING_SECONDS = 30.0
JOBS_GRACE_SECONDS = 3.0
STOP_SECONDS = 8.0
"""After so long the process ends as if killed; nothing durable is lost by that."""
IDENTITY_BELL = "identity"
"""Rings when this site's own definition changed: its certificate may have come."""

_log = logging.getLogger("haulage.server")
_BUSY = (ShipmentState.MOVING, ShipmentState.VERIFYING, ShipmentState.REMOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one server process runs."""

    service: Service
    engine: JobEngine
    workers: int
    """Jobs of one kind at once."""
    housekeeper: Housekeeper
    uplinks: Uplinks | None
    schedule: Schedule
    """Of backups."""
    listen: Callable[[], Address]
    """Address and files to listen with as they are now; writes the certificate file."""
    limits: Limits
    server_file: str
    """``run/server.json``."""
    local_url: str
    upgraded: tuple[str | None, str | None]
    interrupt: Callable[[], None]
    """End transfers under way."""
    close: Callable[[], None]
    """Let go of the site, last of all."""
    pages: Pages | None = None
    """For people, beside what programs ask."""


def run(process: Process) -> None:
    """Serve until SIGTERM or SIGINT. Raises HaulageError if it cannot start."""
    asyncio.run(_Running(process).main())


class _Running:
    def __init__(self, process: Process) -> None:
        self._process = process
        self._service = process.service
        self._core: SiteCore = process.service.core
        self._bells: Bells = process.service.bells
        self._clock: Clock = process.service.clock
        self._stopping = threading.Event()
        self._stop = asyncio.Event()
        self._cause = ""
        self._shown = ""
        self._manager = Manager()
        self._crashed = os.path.exists(process.server_file)
        self._pump = Pump(self._core, process.engine, self._clock, workers=process.workers)
        self._threads = [
            Repeating("pump", self._turn_pump, self._stopping),
            Repeating("housekeeping", self._turn_housekeeping, self._stopping),
            Repeating("backup", self._turn_backup, self._stopping),
            Repeating("repair", lambda: self._service.care.repair(self._stopping), self._stopping),
            Repeating("scrub", lambda: self._service.care.scrub_turn(self._stopping), self._stopping),
        ]

    async def main(self) -> None:
        loop = asyncio.get_running_loop()
        executor = ThreadPoolExecutor(REQUEST_THREADS, thread_name_prefix="haulage-request")
        loop.set_default_executor(executor)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop, number)
        listener: Listener | None = None
        alive: asyncio.Task[None] | None = None
        try:
            app = create_app(self._service, limits=self._process.limits, pages=self._process.pages)
            # The port first: a server that cannot listen must not begin to work.
            listener = await self._listen(app)
            await asyncio.to_thread(self._begin)
            set_aside_what_is_loaded()
            sys.stderr.write(f"ready {self._process.local_url}\n")
            sys.stderr.flush()
            self._manager.tell("READY=1", f"STATUS=Site {self._core.code} at {self._process.local_url}")
            alive = asyncio.create_task(self._manager.keep_telling())
            listener = await self._serve(app, listener)
        finally:
            self._manager.tell("STOPPING=1")
            watchdog = threading.Timer(STOP_SECONDS, end_now, [self._process.server_file])
            watchdog.daemon = True
            watchdog.start()
            # In this order: who is woken by the bells must see why.
            self._stopping.set()
            self._bells.close()
            await asyncio.to_thread(self._end)
            if listener is not None:
                await listener.stop()
            remove_durable(self._process.server_file)
            await asyncio.to_thread(self._process.close)
            executor.shutdown(wait=False, cancel_futures=True)
            watchdog.cancel()
            if alive is not None:
                alive.cancel()

    async def _listen(self, app: FastAPI) -> Listener:
        address = self._process.listen()
        # Before the first answer: who reads the file while the certificate changes must not meet a server it cannot believe.
        self._shown = fingerprint(address.certificate_path)
        facts = {
            "url": self._process.local_url,
            "pid": os.getpid(),
            "fingerprint": f"sha256:{self._shown}",
            "started": iso(self._service.started),
        }
        write_durable(self._process.server_file, json.dumps(facts).encode() + b"\n", mode=0o600)
        listener = Listener(app, address, self._process.limits)
        await listener.start()
        return listener

    async def _serve(self, app: FastAPI, listener: Listener) -> Listener:
        """Until asked to stop; a new certificate is put to use on the way."""
        with self._bells.in_loop(IDENTITY_BELL) as changed:
            while not self._stop.is_set():
                waiting = {asyncio.create_task(self._stop.wait()), asyncio.create_task(changed.wait())}
                _done, pending = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                if self._stop.is_set() or not await asyncio.to_thread(self._has_new_certificate):
                    changed.clear()
                    continue
                changed.clear()
                _log.info("this site has a new certificate; the listener begins anew")
                await listener.stop()
                listener = await self._listen(app)
        return listener

    def _has_new_certificate(self) -> bool:
        return fingerprint(self._process.listen().certificate_path) != self._shown

    def _asked_to_stop(self, number: int) -> None:
        self._cause = signal.Signals(number).name
        self._stop.set()

    def _begin(self) -> None:
        """Bring what a killed process left in line, then begin to work."""
        self._core.holdings.reconcile()
        self._core.survey.plan_all()
        self._core.provider.tidy()
        before, after = self._process.upgraded
        if before is not None and before != after:
            self._say(on_server.DATABASE_UPGRADED, old=str(before), new=str(after))
        if self._crashed:
            self._say(on_server.SERVER_RECOVERED, count=self._interrupted())
        self._say(on_server.SERVER_STARTED, version=self._service.version, url=self._service.url())
        self._process.engine.start()
        for thread in self._threads:
            thread.start()
        self._service.teller.start()
        if self._process.uplinks is not None:
            self._process.uplinks.start()

    def _end(self) -> None:
        """Each step within its time; a step that fails does not keep the next from being taken."""
        self._service.care.stop()
        steps: list[Callable[[], object]] = [
            lambda: self._say(on_server.SERVER_STOPPED, cause=self._cause or "it could not go on"),
            *([self._process.uplinks.stop] if self._process.uplinks is not None else []),
            self._service.teller.stop,
            self._process.interrupt,
            lambda: self._process.engine.stop(JOBS_GRACE_SECONDS),
            *(lambda thread=thread: thread.join(1.0) for thread in self._threads),
            *([self._join_uplinks] if self._process.uplinks is not None else []),
            lambda: self._service.teller.join(1.0),
        ]
        for step in steps:
            with contextlib.suppress(HaulageError):
                try:
                    step()
                except HaulageError:
                    raise
                except Exception:
                    _log.exception("defect while stopping")

    def _join_uplinks(self) -> None:
        if self._process.uplinks is not None:
            self._process.uplinks.join(1.0)

    def _turn_pump(self) -> None:
        with self._bells.in_thread(JOBS) as bell:
            while True:
                bell.clear()
                if self._stopping.is_set():
                    return
                self._pump.turn()
                due = self._pump.next_due()
                longest = PUMP_SECONDS if self._pump.found else IDLE_SECONDS
                ahead = longest if due is None else (due - self._clock.now()).total_seconds()
                # What is due already was handed over just now; its end rings the bell.
                bell.wait(min(ahead, longest) if ahead > 0 else PUMP_SECONDS)

    def _turn_housekeeping(self) -> None:
        self._process.housekeeper.turn()
        self._stopping.wait(HOUSEKEEPING_SECONDS)

    def _turn_backup(self) -> None:
        """In a thread of its own: a backup takes as long as it takes."""
        self._process.schedule.turn()
        self._stopping.wait(HOUSEKEEPING_SECONDS)

    def _say(self, message: Message, **fields: FieldValue) -> None:
        with self._core.database.writing() as tx:
            self._core.journal.record(tx, message, package=None, place=None, **fields)

    def _interrupted(self) -> int:
        with self._core.database.reading() as tx:
            rows = transit.list_shipments(tx, owner=self._core.code)
        return sum(row.state in _BUSY for row in rows)


def end_now(server_file: str) -> None:
    """The orderly stop hangs: what is durable is durable, so end like a kill would, but leave no sign of a running server."""
    _log.error("the orderly stop took too long; the process ends now")
    with contextlib.suppress(OSError):
        os.unlink(server_file)
    logging.shutdown()
    os._exit(0)
