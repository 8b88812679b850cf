"""``haulage serve``: a home opened, every part chosen, and run until it is asked to stop."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import importlib.metadata
import logging
import os
import sys
import threading
from typing import NoReturn

from haulage.base.clock import Clock, SystemClock
from haulage.base.errors import HaulageError
from haulage.base.files import make_folder
from haulage.base.ids import SiteCode
from haulage.base.log import set_up_logging
from haulage.base.memory import give_back_large_blocks
from haulage.base.settings import MetricsSettings
from haulage.engine.jobs.engine import JobEngine
from haulage.engine.jobs.threaded import ThreadedJobs
from haulage.engine.status import on_server
from haulage.engine.trust.requests import NonceCache, signed_time
from haulage.engine.trust.tokens import new_token, read_token, token_digest, write_token
from haulage.operations.knowledge import stock_product_articles
from haulage.server.api.hop import peer_bell
from haulage.server.bells import JOBS, Bells
from haulage.server.care import REPAIR, StoreCare
from haulage.server.core import SiteCore
from haulage.server.housekeeping import Housekeeper
from haulage.server.lifecycle import IDENTITY_BELL, Process, run
from haulage.server.limits import limits_for, raise_open_files
from haulage.server.metrics import Metrics, Sources
from haulage.server.presence import Presence
from haulage.server.reception import Reception
from haulage.server.service import Scraping, Service
from haulage.server.store_acts import StoreActs
from haulage.server.telling.teller import Teller
from haulage.server.uplinks import Uplinks
from haulage.wiring.backing_up import Backups, schedule_of
from haulage.wiring.browsing import folders_in
from haulage.wiring.bundles import Bundles, assess
from haulage.wiring.clearing import clear_home
from haulage.wiring.console import console_of
from haulage.wiring.extracting import Extractor
from haulage.wiring.findings import Findings
from haulage.wiring.home import Home, HomeLock, load_home, url_of
from haulage.wiring.knowledge import Uploads, product_articles, wanted_uploads
from haulage.wiring.parent_link import ParentLink
from haulage.wiring.parent_version import ParentVersion
from haulage.wiring.settings_file import settings_of
from haulage.wiring.site import OpenedSite, Wakes, open_site
from haulage.wiring.telling import teller_of
from haulage.wiring.tls import ServerFiles


def serve(path: str, *, log_format: str | None = None) -> NoReturn:
    """Serve a home in this process, in the foreground, until SIGTERM or SIGINT, and end the process. Raises HaulageError if it
    cannot start."""
    give_back_large_blocks()
    home = load_home(path)
    lock = HomeLock(home)
    try:
        clear_home(home)
        if not os.path.lexists(home.token_path):
            write_token(home.token_path, new_token())
        make_folder(home.file("logs"), mode=0o700)
        set_up_logging(form=log_format or home.settings.log.format, level=home.settings.log.level, folder=home.file("logs"))
        logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every start
        clock, bells = SystemClock(), Bells()
        opened = open_site(home, clock, wakes_of(home.code, bells))
        try:
            stock_product_articles(opened.desk, product_articles())
            process = assemble(home, opened, clock, bells)
        except BaseException:
            opened.close()
            raise
        run(process)
    finally:
        lock.release()
    _leave()


def assemble(home: Home, opened: OpenedSite, clock: Clock, bells: Bells) -> Process:
    """The process of an opened site; nothing runs yet."""
    core, presence = opened.core, Presence(clock)
    engine = ThreadedJobs(clock, on_defect=lambda job, defect: _say_defect(core, job, defect))
    link = opened.link
    uplinks = None if link is None else _uplinks_of(home, core, link, clock, bells, presence)
    started, version = clock.now(), importlib.metadata.version("haulage")
    teller = teller_of(home, core, clock, version)
    care = StoreCare(
        core,
        bells,
        clock,
        scrub_path=opened.store.scrub_path,
        scrub_days=home.settings.content.scrub_days,
        rate_bytes=home.settings.content.scrub_rate_bytes,
    )
    findings = _findings_of(home, core, clock, uplinks, link, care, teller)
    opened.store.watch(care.met)
    backups = Backups(opened)
    uploads, bundles = Uploads(home), Bundles(home)
    uploads.clear(wanted_uploads(core))
    bundles.clear()
    service = Service(
        code=home.code,
        core=core,
        desk=opened.far_desk,
        local_desk=opened.desk,
        store=opened.store,
        clock=clock,
        bells=bells,
        presence=presence,
        nonces=NonceCache(started=started),
        settings=settings_of(home, core.database),
        reception=Reception(core.database, core.journal, clock, opened.desk.hasher, token_digest(home.token)),
        root_document=opened.root_document,
        version=version,
        home=home.path,
        url=lambda: home.url,
        started=started,
        sign_time=lambda nonce: signed_time(home.code, nonce, clock.now(), opened.site_key),
        extract=Extractor(opened.store, opened.points),
        looking_only=opened.points.looking_only,
        browse=functools.partial(folders_in, home.settings.capture.allowed),
        care=care,
        store_acts=StoreActs(clock),
        take_backup=backups.take,
        findings=findings,
        troubles=findings.of_server,
        keep_upload=uploads.keep,
        drop_upload=uploads.drop,
        stage_bundle=bundles.staged,
        fix_keys=bundles.keys,
        assess=functools.partial(assess, clock),
        metrics=_metrics_of(core, care, engine, presence, started, version, uplinks, teller),
        teller=teller,
        scraping=scraping_of(home.settings.metrics),
    )
    return Process(
        service=service,
        engine=engine,
        workers=home.settings.jobs.workers,
        housekeeper=Housekeeper(core, engine, clock, presence, home.settings.status),
        uplinks=uplinks,
        schedule=schedule_of(home, clock, backups),
        limits=limits_for(home.settings.site.connections_per_address, raise_open_files()),
        listen=ServerFiles(home, core.database, clock, opened.root.authority_pem),
        server_file=home.file("run", "server.json"),
        local_url=url_of(home.settings.site.listen),
        upgraded=opened.upgraded,
        interrupt=(lambda: None) if link is None else link.close,
        close=opened.close,
        pages=console_of(service),
    )


def _findings_of(
    home: Home, core: SiteCore, clock: Clock, uplinks: Uplinks | None, link: ParentLink | None, care: StoreCare, teller: Teller
) -> Findings:
    return Findings(
        home,
        core,
        clock,
        parent_silent_since=lambda: uplinks.contact.failing_since if uplinks is not None else None,
        parent_said_removed=lambda: uplinks.contact.removed if uplinks is not None else "",
        clock_offset_seconds=lambda: link.clock_offset_seconds if link is not None else 0.0,
        scrub_late_days=lambda: care.scrub.late.days if care.scrub.late else 0,
        notifiers=teller.views,
    )


def _uplinks_of(home: Home, core: SiteCore, link: ParentLink, clock: Clock, bells: Bells, presence: Presence) -> Uplinks | None:
    """The threads that talk to the parent, if there is one; what version it has is kept for who services this site."""
    with core.database.reading() as tx:
        parent = core.neighbourhood.parent(tx)
    if parent is None:
        return None
    return Uplinks(
        parent,
        core,
        link,
        clock,
        bells,
        presence,
        clock_offset_seconds=lambda: link.clock_offset_seconds,
        hear_version=ParentVersion(home.file("run"), parent, lambda: link.peer_version).keep,
    )


def wakes_of(code: SiteCode, bells: Bells) -> Wakes:
    """Whom an opened site wakes when it is served: whoever listens to these bells."""

    def site_changed(changed: SiteCode) -> None:
        if changed == code:
            bells.ring(IDENTITY_BELL)

    return Wakes(
        jobs=lambda: bells.ring(JOBS),
        peer=lambda peer: bells.ring(peer_bell(peer)),
        site_changed=site_changed,
        repair=lambda: bells.ring(REPAIR),
    )


def _metrics_of(
    core: SiteCore,
    care: StoreCare,
    engine: JobEngine,
    presence: Presence,
    started: dt.datetime,
    version: str,
    uplinks: Uplinks | None,
    teller: Teller,
) -> Metrics:
    return Metrics(
        Sources(
            core=core,
            care=care,
            engine=engine,
            presence=presence,
            clock=core.parts.clock,
            started=started,
            version=version,
            parent_silent_since=lambda: uplinks.contact.failing_since if uplinks is not None else None,
            notifiers=teller.views,
        )
    )


def scraping_of(settings: MetricsSettings) -> Scraping:
    """Who may read figures, as the settings say; their token is made if it is not there. Raises what reading it raises."""
    path = settings.token_file
    if path and not os.path.lexists(path):
        write_token(path, new_token())
    return Scraping(local=settings.local, token_digest=token_digest(read_token(path)) if path else "")


def _say_defect(core: SiteCore, job: str, defect: BaseException) -> None:
    """It was logged already; a manager is told what, never the inner text (I19)."""
    with contextlib.suppress(HaulageError), core.database.writing() as tx:
        core.journal.record(tx, on_server.JOB_DEFECT, job=job, cause=type(defect).__name__)


def _leave() -> NoReturn:
    """Everything is closed, so end here. The interpreter would first take apart all it has loaded, which takes longer than the
    whole stop, and wait for ever for the thread of a job that was cut off in its work."""
    rest = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    if rest:
        logging.getLogger("haulage.server").info("%d threads are cut off: %s", len(rest), ", ".join(one.name for one in rest))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
