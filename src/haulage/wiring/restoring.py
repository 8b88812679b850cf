"""``haulage restore``: a home made again from a backup. The backup is proved whole before anything is written; the site then begins
a new life, so that its neighbours notice (I16)."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from haulage.base import files
from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import ConflictError, UsageError
from haulage.base.files import make_folder, remove_durable, sync_folder, sync_path, write_durable
from haulage.base.ids import SiteCode
from haulage.base.settings import Settings, parse_settings, settings_text
from haulage.domain.estate import records as estate
from haulage.domain.people import records as people
from haulage.domain.transit import records as transit
from haulage.engine.backup.folder import check_files, open_backup
from haulage.engine.backup.listing import CONTENT, BackupList
from haulage.engine.database.snapshot import copy_in, refuse_filled
from haulage.engine.database.transaction import Transaction, open_database
from haulage.engine.protocol.definitions import Kind, SiteState, state_of
from haulage.engine.status import on_backups, on_people, on_requests
from haulage.engine.status.journal import Journal
from haulage.engine.trust.certificates import KeyPair, issue, make_csr
from haulage.engine.trust.keystore import write_secret
from haulage.engine.trust.tokens import new_token, write_token
from haulage.wiring.building import NewHome, Plan, begin, choose_address
from haulage.wiring.checking_backup import read_secrets, restored_copy
from haulage.wiring.home import SETTINGS, UNFINISHED, Home
from haulage.wiring.site import OpenedSite, open_site

LISTED = 20

View = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """What is wanted; empty fields leave what the backup says."""

    backup: str
    home: str
    passphrase: str = ""
    listen: str = ""
    url: str = ""
    database: str = ""
    """The URL of another, empty database."""


def restore(order: RestoreOrder, *, actor: str, clock: Clock | None = None) -> View:
    """Make the home again; returns what was restored and what is to be got again. Raises IntegrityError ``backup-damaged``,
    NotAllowedError ``passphrase-needed``, ``wrong-passphrase``, ConflictError ``home-exists``, ``folder-not-empty``,
    ``database-not-empty`` before anything is written. A killed one is run again and starts over."""
    clock, path = clock or SystemClock(), os.path.abspath(order.backup)
    listed = open_backup(path)
    check_files(path, listed)
    secrets = read_secrets(path, listed, order.passphrase)
    settings = parse_settings(secrets[SETTINGS], f"{path}: {SETTINGS}")
    text = _settings_text(secrets[SETTINGS], settings, order)
    planned = Home(path=os.path.abspath(order.home), settings=parse_settings(text))
    _refuse_filled_database(planned)
    with restored_copy(path, listed) as database:
        _refuse_unsigned_url(order, settings, database)
        site = planned.settings.site
        code = SiteCode(listed.site)
        new = begin(order.home, Plan(action="restore", code=code, name=site.name, listen=site.listen, url=planned.url))
        try:
            home = Home(path=new.home.path, settings=planned.settings)
            _put_files(home, path, listed, secrets)
            _put_database(home, database)
            # The settings while the home is still unfinished: what follows opens it as it will be.
            write_durable(home.file(SETTINGS), text, mode=0o600)
            view = _begin_new_life(home, listed, order, actor, clock)
            _finish(new, home)
        finally:
            new.release()
    return {"id": listed.site, "code": listed.site, "home": home.path, "url": home.url, "taken": listed.taken, **view}


def _settings_text(data: bytes, settings: Settings, order: RestoreOrder) -> bytes:
    """As they were, byte for byte; made anew only if something is to be different."""
    if not (order.listen or order.url or order.database):
        return data
    table: dict[str, dict[str, str]] = tomllib.loads(data.decode())
    site = table.setdefault("site", {})
    if order.listen or order.url:
        listen, url = choose_address(order.listen or settings.site.listen, order.url or None)
        site["listen"] = listen
        if order.url:
            site["url"] = url
    if order.database:
        table.setdefault("database", {})["url"] = order.database
    fixed: Mapping[str, Mapping[str, str]] = {section: _tuples(values) for section, values in table.items()}
    return settings_text(fixed).encode()


def _tuples(values: Mapping[str, object]) -> dict[str, str]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}  # type: ignore[misc]


def _refuse_filled_database(home: Home) -> None:
    url = home.database_url
    if url.startswith("postgresql"):
        database = open_database(url)
        try:
            refuse_filled(database)
        finally:
            database.close()
        return
    file = url.removeprefix("sqlite:///")
    if not file.startswith(home.path + "/") and os.path.lexists(file):
        raise ConflictError(
            "database-not-empty",
            f"There is a database at {file} already; nothing was changed.",
            "Move it away, or name another one with --database.",
        )


def _put_files(home: Home, path: str, listed: BackupList, secrets: Mapping[str, bytes]) -> None:
    make_folder(home.file("keys"), mode=0o700)
    make_folder(home.file("trust"))
    for name, data in secrets.items():
        if name.startswith("keys/"):
            write_secret(home.file(name), data)
    for file in listed.files:
        if file.path.startswith("trust/"):
            with open(os.path.join(path, file.path), "rb") as trusted:
                write_durable(home.file(file.path), trusted.read())
    if not os.path.exists(home.token_path):
        write_token(home.token_path, new_token())
    if listed.content and not (os.path.isdir(home.content) and os.listdir(home.content)):
        # A store that is there already outlived what was lost: it is newer, and looked at chunk by chunk.
        _copy_tree(os.path.join(path, CONTENT), home.content)


def _copy_tree(source: str, target: str) -> None:
    make_folder(target, mode=0o700)
    for folder, _folders, names in os.walk(source):
        there = os.path.join(target, os.path.relpath(folder, source)) if folder != source else target
        make_folder(there, mode=0o700)
        for name in names:
            files.copy(os.path.join(folder, name), os.path.join(there, name))
            sync_path(os.path.join(there, name))
        sync_folder(there)


def _put_database(home: Home, snapshot: str) -> None:
    url = home.database_url
    if url.startswith("postgresql"):
        database = open_database(url)
        try:
            copy_in(snapshot, database)
        finally:
            database.close()
        return
    file = url.removeprefix("sqlite:///")
    write_durable(file, b"", mode=0o600)
    files.copy(snapshot, file)
    sync_path(file)


def _begin_new_life(home: Home, listed: BackupList, order: RestoreOrder, actor: str, clock: Clock) -> View:
    """In one transaction, durable before the first server starts on it."""
    opened = open_site(home, clock)
    try:
        core = opened.core
        with core.database.writing() as tx:
            lost = core.begin_new_life(tx)
            held = len(transit.all_holdings(tx))
            epoch = estate.epoch(tx)
            core.journal.record(tx, on_requests.RESTORE_DONE, actor=actor, taken=listed.taken)
            _restore_people(core.journal, tx, listed)
            names = [f"{package}:{number}" for package, number in lost]
            if lost:
                named = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
                core.journal.record(tx, on_backups.CONTENT_ABSENT, held=held, versions=held + len(lost), list=named)
            if order.url:
                _say_url(opened, tx, clock)
        return {"epoch": epoch, "versions_held": held, "versions_absent": names}
    finally:
        opened.close()


def _restore_people(journal: Journal, tx: Transaction, listed: BackupList) -> None:
    """Nobody is signed in any more; but users and tokens are back as they were, those taken away since among them."""
    people.remove_all_sessions(tx)
    users, tokens = people.count_users(tx), people.count_tokens(tx)
    if users or tokens:
        journal.record(tx, on_people.PEOPLE_AS_OF_BACKUP, users=users, tokens=tokens, taken=listed.taken)


def _refuse_unsigned_url(order: RestoreOrder, settings: Settings, database: str) -> None:
    """Where a site is reached is signed by the central site, which alone can sign itself a new one here."""
    copy = open_database(f"sqlite:///{database}")
    try:
        with copy.reading() as tx:
            identity = estate.read_identity(tx)
            me = None if identity is None else estate.find_site(tx, identity.code)
    finally:
        copy.close()
    if identity is not None and identity.parent is not None and order.url and (me is None or order.url.rstrip("/") != me.url):
        raise UsageError(
            "url-not-ours",
            f"Site {identity.code} is reached at {me.url if me is not None else settings.site.url}, which the central site signed.",
            "Let that name lead to the new machine, or leave --url out: a site without children needs none.",
        )


def _say_url(opened: OpenedSite, tx: Transaction, clock: Clock) -> None:
    """The central site tells everybody where it is now, and signs itself a certificate for that name."""
    home, core = opened.home, opened.core
    known = core.definitions.find(tx, Kind.SITE, home.code)
    if known is None or not home.keys.has("hierarchy"):
        return
    state = state_of(known, SiteState)
    if state.url == home.url:
        return
    authority = KeyPair(key_pem=home.keys.read("ca"), certificate_pem=opened.root.authority_pem)
    request = make_csr(home.keys.read("tls"), code=home.code, url=home.url)
    certificate = issue(authority, request, code=home.code, url=home.url, now=clock.now())
    core.definitions.issue(tx, Kind.SITE, home.code, msgspec.structs.replace(state, url=home.url, certificate=certificate))


def _finish(new: NewHome, home: Home) -> None:
    for name in (home.file("trust"), home.file("keys"), home.path):
        sync_folder(name)
    remove_durable(new.home.file(UNFINISHED))
