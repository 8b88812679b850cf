"""What is wrong with a running server, and what to do: the findings of ``haulage doctor``."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable, Iterator, Sequence

from haulage.base.clock import Clock, iso
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import SiteStatus
from haulage.domain.reporting.overview.records import stuck
from haulage.domain.telling.views import NotifierView
from haulage.engine.database.checkpoint import SQLITE_VERSION, has_reset_defect
from haulage.engine.trust.certificates import expires_at
from haulage.server.core import SiteCore
from haulage.wiring.backing_up import last_backup
from haulage.wiring.home import Home

Finding = dict[str, object]

SCARCE_BYTES = 1 << 30
CERTIFICATE_DAYS = 60
SKEW_SECONDS = 60.0
BACKUP_DAYS = 30
SHOWN = 20


class Findings:
    """Looks afresh each time it is asked."""

    def __init__(
        self,
        home: Home,
        core: SiteCore,
        clock: Clock,
        *,
        parent_silent_since: Callable[[], dt.datetime | None],
        parent_said_removed: Callable[[], str],
        clock_offset_seconds: Callable[[], float],
        scrub_late_days: Callable[[], int],
        notifiers: Callable[[], Sequence[NotifierView]] = tuple,
    ) -> None:
        self._home = home
        self._core = core
        self._clock = clock
        self._parent_silent_since = parent_silent_since
        self._parent_said_removed = parent_said_removed
        self._clock_offset_seconds = clock_offset_seconds
        self._scrub_late_days = scrub_late_days
        self._notifiers = notifiers

    def __call__(self) -> list[Finding]:
        """Of the server, and of everything that only a person gets on. Errors first."""
        return _sorted([*self.of_server(), *self._shipments(), *self._database()])

    def of_server(self) -> list[Finding]:
        """Of the server itself alone, and only what is seen at once: its database is not read through. Errors first."""
        found = [
            *self._keys(),
            *self._certificate(),
            *self._space(),
            *self._store(),
            *self._parent(),
            *self._backup(),
            *self._telling(),
        ]
        return _sorted(found)

    def _keys(self) -> Iterator[Finding]:
        folder = self._home.keys.folder
        if self._home.keys.has("root"):
            path = self._home.keys.path("root")
            yield _finding(
                "warning",
                "root-key-here",
                f"The root key lies in {path}.",
                f"Copy it to a place offline, check the copy, then remove {path}.",
            )
        for path in (folder, *(os.path.join(folder, name) for name in sorted(os.listdir(folder)))):
            if stat.S_IMODE(os.stat(path).st_mode) & 0o077:
                mode = "700" if path == folder else "600"
                yield _finding("error", "key-exposed", f"{path} is open to others.", f"chmod {mode} {path}")

    def _certificate(self) -> Iterator[Finding]:
        with self._core.database.reading() as tx:
            me = estate.find_site(tx, self._home.code)
        if me is None or me.status is not SiteStatus.ACTIVE:
            yield _finding(
                "warning",
                "not-signed-yet",
                f"Site {self._home.code} is not signed by the central site yet; sites cannot join below it.",
                "It comes by itself once the way to the central site is open.",
            )
        elif me.certificate:
            until = expires_at(me.certificate)
            if until - self._clock.now() < dt.timedelta(days=CERTIFICATE_DAYS):
                yield _finding(
                    "warning",
                    "certificate-expires",
                    f"The TLS certificate ends {iso(until)}.",
                    "Invite the site again in good time: haulage status explain 506",
                )

    def _space(self) -> Iterator[Finding]:
        free = self._core.parts.free_bytes()
        if free < SCARCE_BYTES:
            yield _finding(
                "warning", "space-scarce", f"Only {free} bytes are free at {self._home.content}.", "Free space, or move the store."
            )

    def _store(self) -> Iterator[Finding]:
        lacks, store = self._core.healer.lacks, self._core.parts.store
        if lacks:
            first = lacks[0]
            more = f" and {len(lacks) - 1} more versions" if len(lacks) > 1 else ""
            yield _finding(
                "error",
                "store-damaged",
                f"Damaged content is not replaced yet: {', '.join(first.paths[:3])} of {first.package}:{first.version}{more}.",
                "Let the neighbours be reached, or haulage package publish ID --full at the owner; haulage store check --repair",
            )
        elif store.damaged() or store.unsound():
            yield _finding("warning", "store-unsound", "Some of the store was found damaged.", "It is being replaced by itself.")
        late = self._scrub_late_days()
        if late:
            yield _finding("warning", "scrub-late", f"The store was last read whole {late} days ago.", "haulage store check")

    def _parent(self) -> Iterator[Finding]:
        since, removed = self._parent_silent_since(), self._parent_said_removed()
        if removed:
            yield _finding(
                "error",
                "site-removed",
                f"The parent says: {removed}",
                "Switch this server off. To take part again: haulage invite site at the central site, and join with a new home.",
            )
        elif since is not None:
            yield _finding(
                "warning",
                "parent-away",
                f"The parent does not answer since {iso(since)}.",
                "Check the line and the parent's server.",
            )
        offset = self._clock_offset_seconds()
        if abs(offset) > SKEW_SECONDS:
            yield _finding(
                "warning",
                "clock-differs",
                f"The parent's clock is {offset:+.0f} s off this one.",
                "Set this machine's clock right.",
            )

    def _backup(self) -> Iterator[Finding]:
        """Older than its schedule allows; without a schedule, older than a month, once there is something to lose."""
        asked, now = self._home.settings.backup, self._clock.now()
        with self._core.database.reading() as tx:
            identity = estate.read_identity(tx)
        last = last_backup(self._home.path)
        since = last or (identity.joined if identity is not None else now)
        allowed = dt.timedelta(hours=2 * asked.every_hours) if asked.target else dt.timedelta(days=BACKUP_DAYS)
        if now - since > allowed:
            taken = f"The last backup of this site is of {iso(last)}." if last else "This site was never backed up."
            hint = f"See 662: haulage status list --number 662; or: haulage backup {asked.target}" if asked.target else ""
            yield _finding("warning", "backup-late", taken, hint or "haulage backup TARGET, or [backup] target in haulage.toml.")

    def _telling(self) -> Iterator[Finding]:
        for one in self._notifiers():
            if one.state != "working":
                until = "it wants no more" if one.state == "gone" else f"it fails since {one.failing_since}"
                what = f"{one.name} is not told of status messages, {until}: {one.failure}. {one.waiting} wait."
                yield _finding("warning", "notifier-fails", what, f"haulage notify test {one.name}; haulage kb show HLG520")

    def _shipments(self) -> Iterator[Finding]:
        with self._core.database.reading() as tx:
            rows, total = stuck(tx, SHOWN)
        for row in rows:
            yield _finding("error", row.error_code or "stuck", f"{row.package} at {row.place}: {row.message}", row.hint)
        if total > len(rows):
            yield _finding("error", "more-stuck", f"{total - len(rows)} more places are stuck.", "haulage package status ID")

    def _database(self) -> Iterator[Finding]:
        database = self._core.database
        for damage in database.damages()[:1]:
            hint = "Stop the server and restore the newest backup: haulage restore."
            yield _finding("error", "database-damaged", f"The database {database.where} is damaged: {damage}", hint)
        product = database.product()
        if not product.startswith("SQLite"):
            yield _finding("information", "database", f"{product} keeps the tables of {database.where}.", "Nothing to do.")
        elif not has_reset_defect(SQLITE_VERSION):
            cured = f"{product} keeps the tables in {database.where}; it is free of the WAL-reset defect of 3.7.0 to 3.51.2."
            yield _finding("information", "database", cured, "Nothing to do.")
        else:
            bad = (
                f"{product} keeps the tables in {database.where}; it has the WAL-reset defect of 3.7.0 to 3.51.2, by which commits "
            )
            if database.commits_alone():
                kept = "can be lost. It is kept away: one connection alone checkpoints, and nobody can commit meanwhile."
                yield _finding("information", "database", bad + kept, "Nothing to do.")
            else:
                hint = "Restart the server; if it stays, please report it."
                yield _finding("error", "database", bad + "can be lost, and connections checkpoint by themselves.", hint)


def _sorted(found: list[Finding]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "information": 2}
    return sorted(found, key=lambda one: order[str(one["severity"])])


def _finding(severity: str, code: str, what: str, hint: str) -> Finding:
    return {"severity": severity, "code": code, "what": what, "hint": hint}
