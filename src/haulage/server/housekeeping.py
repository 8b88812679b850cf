"""What a site does for its own order, now and then: retire versions, expire messages, forget tombstones, notice who is silent,
sweep the store. Each step is one transaction or one call, harmless to repeat."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
from collections.abc import Callable

from haulage.base.clock import Clock, iso
from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.base.settings import StatusSettings
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.replication import records as replication
from haulage.domain.replication.tombstones import purge_tombstones
from haulage.domain.transit.asked import forget_asked
from haulage.domain.transit.hourly import forget_traffic
from haulage.domain.transit.site_duty import SPARE_BYTES
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import SweepReport
from haulage.engine.database.transaction import Transaction
from haulage.engine.jobs.engine import JobEngine
from haulage.engine.protocol.envelopes import MessageKind
from haulage.engine.status import on_server, on_sites
from haulage.engine.trust.certificates import expires_at
from haulage.server.core import SiteCore
from haulage.server.presence import Presence

AWAY_SECONDS = 300.0
"""A child not heard for so long is reported; it long-polls, so it is heard every minute."""
JOBS_KEPT_SECONDS = 3600.0
"""So long the engine knows that a job has ended: far longer than anybody may come with its id who looked before it did."""
NIGHTLY = dt.timedelta(hours=24)
CERTIFICATE_DAYS = 60

_log = logging.getLogger("haulage.housekeeping")


class Housekeeper:
    """Does all of it, in turns."""

    def __init__(
        self,
        core: SiteCore,
        engine: JobEngine,
        clock: Clock,
        presence: Presence,
        settings: StatusSettings,
    ) -> None:
        self._core = core
        self._engine = engine
        self._clock = clock
        self._presence = presence
        self._settings = settings
        self._full_said = False
        # A server that is started every morning must have its night too.
        self._next_night = clock.now() + dt.timedelta(hours=1)
        self._next_hour = clock.now()

    def turn(self) -> None:
        """One round: what is cheap each time, the rest when its hour has come. One step that fails does not keep others from it."""
        now = self._clock.now()
        self._try("presence", self._note_presence)
        self._try("space", self._watch_space)
        if now >= self._next_hour:
            self._next_hour = now + dt.timedelta(hours=1)
            self._try("retire", self._retire)
            self._try("expire", self._expire)
            self._try("tombstones", self._forget)
            self._try("jobs", lambda: self._engine.sweep(JOBS_KEPT_SECONDS))
        if now >= self._next_night:
            self._next_night = now + NIGHTLY
            self._try("certificate", self._watch_certificate)
            self._try("database", self._check_database)
            self._try("sweep", lambda: sweep_store(self._core))

    def _try(self, name: str, step: Callable[[], object]) -> None:
        try:
            step()
        except HaulageError as error:
            _log.warning("housekeeping, %s: %s", name, error)
        except Exception:
            _log.exception("defect in housekeeping, %s", name)

    def _retire(self) -> None:
        with self._core.database.reading() as tx:
            packages = [package.id for package in catalog.list_packages(tx)]
        for package in packages:
            with self._core.database.writing() as tx:
                self._core.holdings.retire(tx, package)

    def _expire(self) -> None:
        expired = 1
        while expired:
            with self._core.database.writing() as tx:
                expired = self._core.journal.expire(
                    tx,
                    days=self._settings.retention_days,
                    audit_days=self._settings.audit_retention_days,
                    through=self._told_through(tx),
                )

    def _told_through(self, tx: Transaction) -> int | None:
        """Nothing above the first message that the parent has not been told may go."""
        parent = self._core.neighbourhood.parent(tx)
        waiting = [] if parent is None else replication.dirty_keys(tx, parent, MessageKind.STATUS)
        return min(int(key) for key in waiting) - 1 if waiting else None

    def _forget(self) -> None:
        with self._core.database.writing() as tx:
            purge_tombstones(tx, self._clock.now())
            forget_traffic(tx, self._clock.now())
            forget_asked(tx, self._clock.now())

    def _check_database(self) -> None:
        """Every page of it (F11). If not even this can be written down, it stands in the log, and ``doctor`` says it."""
        damages = self._core.database.damages()
        if damages:
            _log.error("the database %s is damaged: %s", self._core.database.where, "; ".join(damages))
            with self._core.database.writing() as tx:
                self._core.journal.record(tx, on_server.DATABASE_DAMAGED, cause=damages[0])

    def _note_presence(self) -> None:
        """Write down who was heard; say who is away and who is back."""
        heard = self._presence.heard()
        with self._core.database.reading() as tx:
            children = sorted(self._core.children(tx))
            streams = {code: replication.find_stream(tx, code) for code in children}
        for code, stream in streams.items():
            last = max((moment for moment in (heard.get(code), stream.heard) if moment is not None), default=None)
            if last is None:
                continue
            away = (self._clock.now() - last).total_seconds() > AWAY_SECONDS
            stale = stream.heard is None or (last - stream.heard).total_seconds() > AWAY_SECONDS / 5
            if away != stream.away_said or stale:
                with self._core.database.writing() as tx:
                    self._write_presence(tx, code, last, away=away)

    def _write_presence(self, tx: Transaction, code: SiteCode, last: dt.datetime, *, away: bool) -> None:
        stream = replication.find_stream(tx, code)
        if away and not stream.away_said:
            self._core.journal.record(tx, on_sites.SITE_AWAY, child=code, since=iso(last))
        if stream.away_said and not away:
            seconds = round((last - (stream.heard or last)).total_seconds())
            self._core.journal.record(tx, on_sites.SITE_BACK, child=code, away_seconds=seconds)
        replication.put_stream(tx, dataclasses.replace(stream, heard=last, away_said=away))

    def _watch_space(self) -> None:
        """Say once that a disk is full, and let what waited for room go on."""
        free, path = self._core.parts.free_bytes(), self._core.parts.store_path
        if free < SPARE_BYTES and not self._full_said:
            with self._core.database.writing() as tx:
                self._core.store_herald.full(tx, path, SPARE_BYTES, free)
            self._full_said = True
            # What nobody needs any more is the first that goes.
            self._try("sweep", lambda: sweep_store(self._core))
        elif free >= 2 * SPARE_BYTES:
            self._full_said = False
        self._core.publisher.resume(free)

    def _watch_certificate(self) -> None:
        with self._core.database.reading() as tx:
            me = estate.find_site(tx, self._core.code)
        if me is None or not me.certificate:
            return
        until = expires_at(me.certificate)
        if until - self._clock.now() < dt.timedelta(days=CERTIFICATE_DAYS):
            with self._core.database.writing() as tx:
                self._core.journal.record(tx, on_server.CERTIFICATE_EXPIRES, until=iso(until))


def sweep_store(core: SiteCore, *, dry_run: bool = False) -> SweepReport:
    """Remove chunks nothing needs, and say so. Raises what listing them raises: then nothing was removed (I10, I11)."""
    store = core.parts.store
    try:
        report = store.sweep(lambda manifest: live_chunks(manifest, store), now=core.parts.clock.now(), dry_run=dry_run)
    except HaulageError as error:
        with core.database.writing() as tx:
            core.journal.record(tx, on_server.STORE_SWEEP_REFUSED, cause=error.message)
        raise
    if not dry_run:
        core.provider.retire()
        with core.database.writing() as tx:
            core.journal.record(
                tx,
                on_server.STORE_SWEEP_FINISHED,
                bytes=report.bytes_removed,
                chunks=report.chunks_removed,
                kept=report.chunks_kept,
            )
    return report
