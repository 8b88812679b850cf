"""Backing up one site while its server runs, or while none does: the tables as they are at one moment, keys, trust, settings, and
if wanted the content. Proved by restoring before it counts."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import importlib.metadata
import json
import os
import threading
from base64 import b64encode

from haulage.base.clock import Clock, iso, parse_iso
from haulage.base.errors import ConflictError, HaulageError, TransferError, UsageError
from haulage.base.files import write_durable
from haulage.base.ids import PackageId, VersionNumber
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.engine.backup.folder import BackupWriter, remove_unfinished, rotate, trouble
from haulage.engine.backup.listing import CONTENT, DATABASE, SEALED, SECRETS, BackupFile, BackupList, sign_list
from haulage.engine.backup.passphrase import check_passphrase, read_passphrase
from haulage.engine.backup.sealing import seal
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkStore, ManifestId, Pin
from haulage.engine.content.store import LocalStore
from haulage.engine.database.snapshot import copy_out, count_rows
from haulage.engine.status import on_backups, on_requests
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import FieldValue, Message
from haulage.engine.trust.keys import SigningKey
from haulage.engine.trust.keystore import read_secret
from haulage.server.backups import BackupOrder, Schedule
from haulage.wiring.checking_backup import check_backup
from haulage.wiring.home import SETTINGS, Home
from haulage.wiring.points import LocalPoints
from haulage.wiring.site import OpenedSite

SPARE_BYTES = 64 << 20
LAST = "last-backup.json"
"""In ``run/``: when the last whole backup was taken, and where it is."""
KEEP_MOST = 10_000

View = dict[str, object]


class Backups:
    """Takes backups of one opened site, one at a time."""

    def __init__(self, opened: OpenedSite) -> None:
        self._home: Home = opened.home
        self._clock: Clock = opened.clock
        self._database = opened.core.database
        self._journal: Journal = opened.core.journal
        self._store: ChunkStore = opened.store
        self._points: LocalPoints = opened.points
        self._key: SigningKey = opened.site_key
        self._turn = threading.Lock()

    def take(self, order: BackupOrder, actor: str) -> View:
        """Take one; returns its figures. Raises ConflictError ``backup-running``, ``target-overlaps``; NotAllowedError
        ``target-open``; TransferError ``backup-no-space``, ``backup-unwritable``; UsageError."""
        if order.dry_run:
            self._check(order)
            return {"id": order.target, "path": order.target, "site": self._home.code, "dry_run": True}
        if not self._turn.acquire(blocking=False):
            raise ConflictError("backup-running", f"A backup of {self._home.code} is being taken.", "Wait for it.")
        started = self._clock.monotonic()
        try:
            self._check(order)
            if order.passphrase_file:
                order = dataclasses.replace(order, passphrase=read_passphrase(order.passphrase_file), passphrase_file="")
            with self._database.writing() as tx:
                self._journal.record(tx, on_requests.BACKUP_ASKED, actor=actor, target=order.target)
                self._journal.record(tx, on_backups.BACKUP_STARTED, target=order.target)
            path, removed, proof = self._take(order)
        except HaulageError as error:
            self._say(on_backups.BACKUP_FAILED, target=order.target, cause=error.message)
            raise
        except OSError as error:
            self._say(on_backups.BACKUP_FAILED, target=order.target, cause=str(error))
            raise TransferError("backup-unwritable", f"{order.target}: {error.strerror or error}", "Look at the target.") from error
        finally:
            self._turn.release()
        seconds = round(self._clock.monotonic() - started, 1)
        figures = {name: proof[name] for name in ("files", "bytes", "rows")}
        self._say(on_backups.BACKUP_DONE, path=path, seconds=str(seconds), **{name: int(str(n)) for name, n in figures.items()})
        for one in removed:
            self._say(on_backups.BACKUP_REMOVED, path=one, keep=order.keep)
        return {**proof, "seconds": seconds, "removed": removed}

    def last(self) -> dt.datetime | None:
        """When the last whole backup was taken; None if none ever was, or that is not known."""
        return last_backup(self._home.path)

    def _check(self, order: BackupOrder) -> None:
        if not os.path.isabs(order.target) or "\0" in order.target:
            raise UsageError("bad-target", f"The target {order.target!r} is not an absolute path.", "Name a folder from / on.")
        if not 0 <= order.keep <= KEEP_MOST:
            raise UsageError("bad-keep", f"--keep is how many backups stay: 1 to {KEEP_MOST}.", "Leave it out to keep all.")
        if order.passphrase:
            check_passphrase(order.passphrase)
        # B20, Q256586: apart from all that is ours and from every source.
        self._points.refuse_target(order.target)

    def _take(self, order: BackupOrder) -> tuple[str, list[str], View]:
        target, taken = os.path.realpath(order.target), self._clock.now()
        key = self._key.public
        remove_unfinished(target, self._home.code, key)
        with BackupWriter(target, self._home.code, key, taken) as writer:
            self._check_space(order, target)
            copy_out(self._database, writer.path(DATABASE))
            counts = count_rows(writer.path(DATABASE))
            with self._database.reading() as tx:
                identity, holdings = estate.read_identity(tx), transit.all_holdings(tx)
                me = estate.find_site(tx, self._home.code)
            self._add_small_files(writer, order.passphrase)
            if order.content:
                self._copy_content(writer, [(package, number, ManifestId(one)) for package, number, one in holdings])

            def sign(files: tuple[BackupFile, ...]) -> bytes:
                listed = BackupList(
                    site=self._home.code,
                    name=me.name if me is not None else "",
                    key=key.text,
                    taken=iso(taken),
                    program=importlib.metadata.version("haulage"),
                    tables="postgresql" if self._home.database_url.startswith("postgresql") else "sqlite",
                    epoch=identity.epoch if identity is not None else 0,
                    sealed=bool(order.passphrase),
                    content=order.content,
                    counts={name.replace("_", "-"): count for name, count in counts.items()},
                    files=files,
                )
                return sign_list(listed, self._key)

            path = writer.finish(sign)
        proof = check_backup(path, passphrase=order.passphrase)
        self._note(path, iso(taken))
        removed = rotate(target, self._home.code, [key], order.keep) if order.keep else []
        return path, removed, proof

    def _check_space(self, order: BackupOrder, target: str) -> None:
        needed = SPARE_BYTES
        if not self._home.database_url.startswith("postgresql"):
            needed += os.path.getsize(str(self._database.where))
        if order.content:
            needed += self._store.stats().bytes_stored
        facts = os.statvfs(target)
        free = facts.f_bavail * facts.f_frsize
        if free < needed:
            raise TransferError(
                "backup-no-space", f"The backup needs {needed} bytes in {target}, {free} are free.", "Free space there."
            )

    def _add_small_files(self, writer: BackupWriter, passphrase: str) -> None:
        home = self._home
        trust = home.file("trust")
        for name in sorted(os.listdir(trust)):
            if os.path.isfile(os.path.join(trust, name)) and not name.startswith("."):
                writer.add(f"trust/{name}", _read(os.path.join(trust, name)))
        folder = home.keys.folder
        secrets = {SETTINGS: _read(home.file(SETTINGS))}
        for name in sorted(os.listdir(folder)):
            if not name.startswith("."):
                secrets[f"keys/{name}"] = read_secret(os.path.join(folder, name))
        if passphrase:
            document = json.dumps({name: b64encode(data).decode() for name, data in secrets.items()}).encode()
            writer.add(SEALED, seal(document, passphrase))
            return
        # Before the first key is written: a place that shows everything to everybody gets none.
        writer.add(f"{SECRETS}/{SETTINGS}", secrets.pop(SETTINGS))
        writer.require_private(f"{SECRETS}/{SETTINGS}")
        for name, data in secrets.items():
            writer.add(f"{SECRETS}/{name}", data)

    def _copy_content(self, writer: BackupWriter, held: list[tuple[PackageId, VersionNumber, ManifestId]]) -> None:
        """A store of its own with what is held, every chunk proved on its way. A version that is dropped meanwhile, or is damaged
        here, is left out: the restore finds that out and gets it elsewhere."""
        with trouble(writer.folder), contextlib.closing(LocalStore(writer.path(CONTENT))) as copy:
            for package, number, manifest in held:
                pin = f"backup:{package}:{number}"
                self._store.pin(Pin(owner=pin, manifest=manifest))
                try:
                    with copy.session(pin) as session:
                        chunks = list(dict.fromkeys([manifest, *live_chunks(manifest, self._store)]))
                        missing = copy.missing(chunks)  # type: ignore[arg-type]
                        for chunk, data in self._store.read_many([one for one in chunks if one in missing]):  # type: ignore[misc]
                            session.put(chunk, data)
                    copy.pin(Pin(owner=f"held:{package}:{number}", manifest=manifest))
                except HaulageError as error:
                    if isinstance(error, TransferError):
                        raise
                finally:
                    self._store.unpin(pin)

    def _note(self, path: str, taken: str) -> None:
        write_durable(self._home.file("run", LAST), json.dumps({"path": path, "taken": taken}).encode(), mode=0o600)

    def _say(self, message: Message, **fields: FieldValue) -> None:
        with contextlib.suppress(HaulageError), self._database.writing() as tx:
            self._journal.record(tx, message, package=None, place=None, **fields)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def schedule_of(home: Home, clock: Clock, backups: Backups) -> Schedule:
    """The schedule that the settings ask for."""
    asked = home.settings.backup

    order = BackupOrder(target=asked.target, passphrase_file=asked.passphrase_file, content=asked.content, keep=asked.keep)
    return Schedule(
        clock=clock,
        every=dt.timedelta(hours=asked.every_hours),
        order=order if asked.target else None,
        take=backups.take,
        last=backups.last,
    )


def last_backup(home: str) -> dt.datetime | None:
    """When the last whole backup of a home was taken; None if none ever was, or that is not known."""
    try:
        return parse_iso(str(json.loads(_read(os.path.join(home, "run", LAST)))["taken"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
