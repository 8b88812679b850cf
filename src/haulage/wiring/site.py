"""One site opened from its home: every implementation chosen and connected, nothing running yet."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from haulage.base.clock import Clock
from haulage.base.errors import ConflictError
from haulage.base.files import make_folder
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.transit.parcel_cache import Parcels
from haulage.domain.transit.retry import RetryPolicy
from haulage.engine.archives.fingerprint import abilities
from haulage.engine.articles.archive import walk
from haulage.engine.articles.in_order import in_order
from haulage.engine.articles.read_ahead import read_ahead
from haulage.engine.content.model import ManifestId
from haulage.engine.content.store import LocalStore
from haulage.engine.database.alone import alone
from haulage.engine.database.fitness import check_fit
from haulage.engine.database.schema import upgrade
from haulage.engine.database.transaction import Database, Transaction, open_database
from haulage.engine.delta.level import Level
from haulage.engine.links.https import HttpsLink
from haulage.engine.links.loop import LoopThread
from haulage.engine.parcels.build import build
from haulage.engine.parcels.head import ParcelHead
from haulage.engine.protocol.asks import Claim
from haulage.engine.trust.certificates import KeyPair, issue
from haulage.engine.trust.keys import PublicKey, SigningKey
from haulage.engine.trust.root import TrustedRoot
from haulage.operations.desk import Desk
from haulage.server.core import Parts, SiteCore
from haulage.wiring import tables
from haulage.wiring.bundles import BUNDLES
from haulage.wiring.databases import OURS
from haulage.wiring.documents import Documents
from haulage.wiring.home import Home
from haulage.wiring.knowledge import INDEX, LocalIndexes, Uploads, check_importable, check_importable_from_afar
from haulage.wiring.parent_link import ParentLink
from haulage.wiring.points import LocalPoints
from haulage.wiring.seal import KeySeal
from haulage.wiring.sources import LocalSources, capture_rules

PARCEL_THREADS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakes:
    """Whom to wake; must return at once."""

    jobs: Callable[[], None]
    peer: Callable[[SiteCode], None]
    site_changed: Callable[[SiteCode], None]
    """A site became known or changed, durably."""
    repair: Callable[[], None] = lambda: None


SILENT = Wakes(jobs=lambda: None, peer=lambda _code: None, site_changed=lambda _code: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSite:
    """A site ready to run, and how to let go of it."""

    home: Home
    clock: Clock
    core: SiteCore
    desk: Desk
    """As the local administrator has it."""
    far_desk: Desk
    """As everybody else has it: only paths that the settings name."""
    root: TrustedRoot
    root_document: bytes
    site_key: SigningKey
    link: ParentLink | None
    points: LocalPoints
    store: LocalStore
    upgraded: tuple[str | None, str | None]
    """The database's schema before and after."""
    close: Callable[[], None]


def open_site(home: Home, clock: Clock, wakes: Wakes = SILENT, *, founding: bool = False) -> OpenedSite:
    """Open everything. Raises HaulageError naming what is wrong with the home; then nothing stays open."""
    with contextlib.ExitStack() as opened:
        root_document, _pinned = home.root_document()
        root = home.root(clock)
        site_key = home.keys.load("site")
        hierarchy_key = home.keys.load("hierarchy") if home.keys.has("hierarchy") else None
        seal = KeySeal(site_key, hierarchy_key, root)
        database, upgraded = _open_database(opened, home, founding=founding)
        # Packages may hold what not every user of this machine should read.
        make_folder(home.content, mode=0o700)
        store = LocalStore(home.content)
        opened.callback(store.close)
        loop = LoopThread()
        opened.callback(loop.close)
        link = _parent_link(home, clock, database, root, site_key, loop)
        if link is not None:
            opened.callback(link.close)
        executor = ThreadPoolExecutor(PARCEL_THREADS, thread_name_prefix="haulage-parcels")
        opened.callback(executor.shutdown, wait=False, cancel_futures=True)
        written = [("the home", home.path), ("the store", store.folder)]
        points = LocalPoints(home.code, database, home.path, written[1:])
        backups = [("the folder of backups", target)] if (target := home.settings.backup.target) else []
        kept = home.file(BUNDLES)
        sources = LocalSources(home.code, database, [*written, *backups], home.settings.capture.allowed, kept)
        parcels = Parcels(_folder(home.content, "parcels"))
        core = SiteCore(
            Parts(
                code=home.code,
                database=database,
                store=store,
                store_path=store.folder,
                clock=clock,
                chance=random.Random(),  # noqa: S311  (spreads retries; no secret)
                seal=seal,
                root_sha256=root.sha256,
                link=link,
                sources=sources,
                open_point=points.open,
                establish_point=points.establish,
                documents=Documents(store, root_document),
                parcels=parcels,
                build=functools.partial(_build, store, parcels.work),
                executor=executor,
                issue_certificate=_issuer(home, root, clock) if hierarchy_key is not None else None,
                free_bytes=lambda: _free_bytes(home.content),
                wake_jobs=wakes.jobs,
                wake_peer=wakes.peer,
                wake_repair=wakes.repair,
                site_changed=lambda tx, code: _site_changed(tx, code, database, link, wakes),
                indexes=LocalIndexes(home.file(INDEX)),
                article_files=lambda path, name, known: read_ahead(in_order(walk(path, name=name)), known),
                drop_upload=Uploads(home).drop,
                hints_folder=_folder(home.content, "hints"),
                capture_rules=capture_rules(home.settings.capture, home.keys.folder),
                retry=_retry(home),
                cache_bytes=home.settings.parcels.cache_bytes,
                level=home.settings.updates.level,
                abilities=abilities(),
            )
        )
        opened.callback(core.librarian.close)
        desk = _desk(home, root, core, sources, points)
        return OpenedSite(
            home=home,
            clock=clock,
            core=core,
            desk=desk,
            far_desk=_far(desk, home, sources),
            root=root,
            root_document=root_document,
            site_key=site_key,
            link=link,
            points=points,
            store=store,
            upgraded=upgraded,
            close=opened.pop_all().close,
        )


def _open_database(opened: contextlib.ExitStack, home: Home, *, founding: bool) -> tuple[Database, tuple[str | None, str | None]]:
    """The database with this version's tables, this process's alone until ``opened`` ends; its schema before and after."""
    database = open_database(home.database_url)
    opened.callback(database.close)
    opened.enter_context(alone(database))
    if not check_fit(database, OURS) and not founding:
        raise _empty(home, database)
    upgraded = upgrade(database)
    _check_identity(home, database, founding=founding)
    return database, upgraded


def _check_identity(home: Home, database: Database, *, founding: bool) -> None:
    """A home and its database must speak of one site: they may have been mixed up while copying."""
    with database.reading() as tx:
        identity = estate.read_identity(tx)
    if identity is None and not founding:
        raise _empty(home, database)
    if identity is not None and identity.code != home.code:
        raise ConflictError(
            "home-mixed-up",
            f"The settings in {home.path} are of site {home.code}, its database is of site {identity.code}.",
            "Restore both from the same backup.",
        )


def _empty(home: Home, database: Database) -> ConflictError:
    return ConflictError(
        "database-empty",
        f"The database {database.where} holds no site, but {home.path} is the home of {home.code}.",
        "Check [database] url in haulage.toml: it must name the database this site was made with.",
    )


def _parent_link(
    home: Home, clock: Clock, database: Database, root: TrustedRoot, key: SigningKey, loop: LoopThread
) -> ParentLink | None:
    with database.reading() as tx:
        identity = estate.read_identity(tx)
        parent = None if identity is None or identity.parent is None else estate.find_site(tx, identity.parent)
    if parent is None:
        return None
    code = parent.code

    def keys() -> list[PublicKey]:
        with database.reading() as tx:
            known = estate.find_site(tx, code)
        return [PublicKey.parse(known.key)] if known is not None and known.key else []

    def open_link(url: str) -> HttpsLink:
        return HttpsLink(
            url=url,
            site=home.code,
            peer=code,
            key=key,
            peer_keys=keys,
            authority_pem=root.authority_pem,
            clock=clock,
            loop=loop,
        )

    # A parent that was restored elsewhere can tell its new place only to whoever finds it there.
    return ParentLink(home.settings.site.parent_url.rstrip("/") or parent.url, open_link)


def _site_changed(tx: Transaction, code: SiteCode, database: Database, link: ParentLink | None, wakes: Wakes) -> None:
    identity = estate.read_identity(tx)
    if link is not None and identity is not None and identity.parent == code:
        parent = estate.find_site(tx, code)
        url = parent.url if parent is not None else ""
        database.after_commit(tx, lambda: link.follow(url))
    database.after_commit(tx, lambda: wakes.site_changed(code))


def _issuer(home: Home, root: TrustedRoot, clock: Clock) -> Callable[[Claim], str]:
    authority = KeyPair(key_pem=home.keys.read("ca"), certificate_pem=root.authority_pem)
    return lambda claim: issue(authority, claim.csr, code=SiteCode(claim.code), url=claim.url, now=clock.now())


def _desk(home: Home, root: TrustedRoot, core: SiteCore, sources: LocalSources, points: LocalPoints) -> Desk:
    return Desk(
        code=home.code,
        url=lambda: home.url,
        root_sha256=root.sha256,
        database=core.database,
        clock=core.parts.clock,
        journal=core.journal,
        definitions=core.definitions,
        regrouping=core.regrouping,
        publisher=core.publisher,
        holdings=core.holdings,
        store=core.parts.store,
        check_source=sources.check,
        establish_point=points.establish,
        check_articles=lambda path: check_importable(path, home.settings.capture.allowed, home.path),
        wake_jobs=core.parts.wake_jobs,
    )


def _far(desk: Desk, home: Home, sources: LocalSources) -> Desk:
    allowed = home.settings.capture.allowed
    return dataclasses.replace(
        desk,
        check_source=sources.check_from_afar,
        check_articles=lambda path: check_importable_from_afar(path, allowed, home.path),
    )


def _build(
    store: LocalStore,
    work: str,
    target: ManifestId,
    bases: Sequence[ManifestId],
    path: str,
    *,
    level: Level,
    abilities: frozenset[str],
) -> ParcelHead:
    return build(target, bases, store, path, level=level, folder=work, abilities=abilities, threads=PARCEL_THREADS)


def _retry(home: Home) -> RetryPolicy:
    asked = home.settings.retry
    return RetryPolicy(first_seconds=asked.first_seconds, cap_seconds=asked.cap_seconds, tries=asked.tries)


def _free_bytes(folder: str) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def _folder(*parts: str) -> str:
    path = os.path.join(*parts)
    make_folder(path)
    return path


REGISTERED = tables.TABLES
"""Importing this module has registered every table."""
