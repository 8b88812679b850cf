"""One site, put together: the rooms of the domain around given implementations, and what connects them.

The real site and the simulated one are both made here, so they cannot differ in what follows from what. Chooses no implementation.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.catalog.publish import Publisher, Sources, package_state
from haulage.domain.catalog.rules import PackageRules, VersionRules
from haulage.domain.estate import records as estate
from haulage.domain.estate.enrolment import Enrolment, IssueCertificate
from haulage.domain.estate.model import Point, epoch_of
from haulage.domain.estate.neighbourhood import EstateNeighbourhood
from haulage.domain.estate.rules import InvitationRules, PointRules, SiteRules, joined_children, keys_of
from haulage.domain.fixes import records as fixes
from haulage.domain.fixes.rules import FixRules
from haulage.domain.groups import records as groups
from haulage.domain.groups.regrouping import Regrouping
from haulage.domain.groups.rules import GroupRules
from haulage.domain.knowledge.importing import Files, Importer
from haulage.domain.knowledge.librarian import Indexes, Librarian
from haulage.domain.knowledge.rules import ShelfRules, forget_owner, is_shelf
from haulage.domain.points.backend import PointBackend
from haulage.domain.points.duty import Documents, OpenPoint, PointDuty
from haulage.domain.points.survey import AFTER_SECONDS, Survey
from haulage.domain.repair.healing import Healer
from haulage.domain.repair.lending import Lender
from haulage.domain.repair.nearby import Nearby
from haulage.domain.replication.definitions import Definitions, Relations
from haulage.domain.replication.seal import Seal
from haulage.domain.replication.streams import Applier, Renderer, Streams
from haulage.domain.reporting.forecast import Forecaster
from haulage.domain.reporting.packages.contents import Contents
from haulage.domain.transit import records as transit
from haulage.domain.transit.asking import Asking
from haulage.domain.transit.attempt import Attempts
from haulage.domain.transit.departure import Departure
from haulage.domain.transit.duties import Duties
from haulage.domain.transit.holdings import Holdings
from haulage.domain.transit.ledger import Ledger
from haulage.domain.transit.levels import AUTO
from haulage.domain.transit.line_rate import LineRate
from haulage.domain.transit.mirror import Mirror
from haulage.domain.transit.notices import Notices
from haulage.domain.transit.orders import OrderRules
from haulage.domain.transit.parcel_cache import Check, ParcelCache, Parcels
from haulage.domain.transit.provider import Build, Provider
from haulage.domain.transit.relay import Relay
from haulage.domain.transit.retry import RetryPolicy
from haulage.domain.transit.site_duty import SiteDuty
from haulage.engine.content.capture_rules import CaptureRules
from haulage.engine.content.model import ChunkStore
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.links.link import Link
from haulage.engine.parcels.file import check_parcel
from haulage.engine.protocol.definitions import Definition, Kind
from haulage.engine.protocol.envelopes import MessageKind
from haulage.engine.status import on_places, on_sites
from haulage.engine.status.journal import Journal
from haulage.server.heralds import FailureHerald, PointHerald, PressHerald, SiteHerald, StreamHerald
from haulage.server.knowledge_herald import KnowledgeHerald
from haulage.server.status_relay import StatusRelay
from haulage.server.store_herald import StoreHerald


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The implementations a site is made of."""

    code: SiteCode
    database: Database
    store: ChunkStore
    clock: Clock
    chance: random.Random
    seal: Seal
    root_sha256: str
    link: Link | None
    """To the parent; None at the central site."""
    sources: Sources
    open_point: OpenPoint
    establish_point: Callable[[Transaction, Point], None]
    """Mark the folder of a new point as its own; refuses overlaps."""
    documents: Documents
    parcels: Parcels
    build: Build
    check: Check = check_parcel
    executor: Executor
    issue_certificate: IssueCertificate | None
    """At the central site only."""
    free_bytes: Callable[[], int]
    wake_jobs: Callable[[], None]
    wake_peer: Callable[[SiteCode], None]
    site_changed: Callable[[Transaction, SiteCode], None]
    """Told of every site that became known or changed (this one included: its certificate may have come)."""
    wake_repair: Callable[[], None] = lambda: None
    """Something of the store, or of a neighbour's, wants repair; must return at once."""
    store_path: str = "the store"
    """Where the store is, for people."""
    indexes: Indexes
    """Where the index of articles is."""
    article_files: Files
    drop_upload: Callable[[str], None]
    hints_folder: str | None = None
    capture_rules: CaptureRules = field(default_factory=CaptureRules)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    grace_seconds: float = 86_400.0
    cache_bytes: int = 10 * 1024**3
    level: str = AUTO
    """At which level parcels are made."""
    abilities: frozenset[str] = frozenset()
    """Which compressed forms this machine makes again exactly."""
    threads: int = 2


class SiteCore:
    """The rooms of one site, connected."""

    def __init__(self, parts: Parts) -> None:
        code, database, clock = parts.code, parts.database, parts.clock
        self.parts = parts
        self.code = code
        self.database = database
        self.neighbourhood = EstateNeighbourhood(
            code, [self._snapshot], epoch_risen=self._epoch_risen, peer_restored=self._peer_restored
        )
        self.journal = Journal(database, clock=clock, site=code, epoch=estate.epoch, on_record=self._on_status)
        self.relay = StatusRelay(code, self.journal)
        heralds = StreamHerald(self.journal)
        renderers: dict[str, Renderer] = {}
        appliers: dict[str, Applier] = {}
        self.streams = Streams(
            code,
            database=database,
            seal=parts.seal,
            clock=clock,
            neighbourhood=self.neighbourhood,
            events=heralds,
            renderers=renderers,
            appliers=appliers,
            wake=parts.wake_peer,
            is_late=is_shelf,
        )
        self.ledger = Ledger(
            code, database=database, clock=clock, tell_parent=self._tell_parent(MessageKind.SHIPMENT), wake_jobs=parts.wake_jobs
        )
        self.duties = Duties(code, self.ledger)
        self.holdings = Holdings(code, database=database, store=parts.store, clock=clock)
        self.mirror = Mirror(code, self._tell_parent(MessageKind.SHIPMENT), clock)
        self.notices = Notices(code, streams=self.streams, ledger=self.ledger)
        self.definitions = self._make_definitions(heralds)
        self.regrouping = Regrouping(code, self.definitions)
        self.enrolment = Enrolment(
            code,
            clock=clock,
            streams=self.streams,
            definitions=self.definitions,
            root_sha256=parts.root_sha256,
            issue_certificate=parts.issue_certificate,
            herald=heralds,
        )
        self.departure = Departure(self.duties, self.enrolment.forget)
        self._heralds = heralds
        self.cache = ParcelCache(parts.parcels, database=database, clock=clock, check=parts.check, cache_bytes=parts.cache_bytes)
        self._make_workers()
        self._make_provider()
        self.contents = Contents(code, database, parts.store)
        self.forecaster = Forecaster(
            code,
            database=database,
            store=parts.store,
            clock=clock,
            provider=self.provider,
            folder=parts.parcels.work,
        )
        self._make_repair()
        self._make_knowledge()
        renderers |= {
            MessageKind.LACKING: self.healer.render,
            MessageKind.DEFINITION: self.definitions.render,
            MessageKind.SHIPMENT: self.mirror.render,
            MessageKind.STATUS: self.relay.render,
            MessageKind.AVAILABLE: self.notices.render,
            MessageKind.CLAIM: self.enrolment.render,
        }
        appliers |= {
            MessageKind.LACKING: self.lender.take,
            MessageKind.DEFINITION: self.definitions.take,
            MessageKind.SHIPMENT: self.mirror.take,
            MessageKind.STATUS: self.relay.take,
            MessageKind.AVAILABLE: self.notices.take,
            MessageKind.CLAIM: self.enrolment.take,
        }

    def _make_definitions(self, heralds: StreamHerald) -> Definitions:
        """The kinds of definitions: what each means here, and what follows from a change of it."""
        parts, code = self.parts, self.code
        hierarchy_keys = lambda: parts.seal.hierarchy_keys  # noqa: E731
        package_effects = [self.duties.refresh, self._tell_version]
        return Definitions(
            code,
            seal=parts.seal,
            clock=parts.clock,
            streams=self.streams,
            relations=Relations(
                parent=self.neighbourhood.parent,
                is_mine_or_below=self.neighbourhood.is_mine_or_below,
                next_revision=lambda tx, past: estate.next_number(tx, "revision", past=past),
                is_lost=estate.is_lost,
                found_again=self._found_again,
            ),
            rules={
                Kind.SITE: SiteRules(
                    code,
                    hierarchy_keys,
                    changed=[self._site_known, parts.site_changed],
                    gone=[self._site_gone, parts.site_changed],
                ),
                Kind.INVITATION: InvitationRules(code, hierarchy_keys),
                Kind.POINT: PointRules(code, taken=self._point_known, changed=self._point_changed),
                Kind.PACKAGE: PackageRules(code, keys_of, package_effects),
                Kind.VERSION: VersionRules(code, keys_of, [self.duties.refresh]),
                Kind.ORDER: OrderRules(code, clock=parts.clock, ledger=self.ledger, herald=heralds),
                Kind.SHELF: ShelfRules(code, keys_of, self._articles_changed),
                Kind.FIX: FixRules(code, keys_of, parts.clock),
                Kind.GROUP: GroupRules(keys_of),
            },
            alarms=heralds,
        )

    def _make_workers(self) -> None:
        parts, code = self.parts, self.code
        self.attempts = Attempts(
            code,
            database=self.database,
            ledger=self.ledger,
            clock=parts.clock,
            retry=parts.retry,
            chance=parts.chance,
            on_failure=FailureHerald(self.journal).failed,
            on_superseded=SiteHerald(self.journal).superseded,
        )
        self.site_duty = SiteDuty(
            code,
            database=self.database,
            store=parts.store,
            clock=parts.clock,
            attempts=self.attempts,
            holdings=self.holdings,
            link=parts.link,
            asking=Asking(
                code,
                database=self.database,
                seal=parts.seal,
                line=LineRate(parts.clock, self._known_rate()),
                abilities=parts.abilities,
            ),
            relay=Relay(code, database=self.database, clock=parts.clock, cache=self.cache, free_bytes=parts.free_bytes),
            free_bytes=parts.free_bytes,
            announce=self._announce,
            herald=SiteHerald(self.journal),
            recall=lambda: self.healer.recall(),  # noqa: PLW0108  (the healer is made later)
            work=parts.parcels.work,
        )
        self.point_duty = PointDuty(
            database=self.database,
            store=parts.store,
            clock=parts.clock,
            attempts=self.attempts,
            open_point=parts.open_point,
            documents=parts.documents,
            herald=PointHerald(self.journal),
            grace_seconds=parts.grace_seconds,
            found=self._found_at_point,
            threads=parts.threads,
        )
        self.survey = Survey(
            code,
            database=self.database,
            clock=parts.clock,
            ledger=self.ledger,
            open_point=parts.open_point,
            is_deleted=lambda tx, package: self.definitions.find(tx, Kind.PACKAGE, package) is not None,
            herald=PointHerald(self.journal),
            after_seconds=min(parts.grace_seconds, AFTER_SECONDS),
        )
        self.publisher = Publisher(
            code,
            database=self.database,
            store=parts.store,
            clock=parts.clock,
            definitions=self.definitions,
            sources=parts.sources,
            hints_folder=parts.hints_folder,
            hold=self.holdings.hold,
            press=PressHerald(self.journal),
            wake_jobs=parts.wake_jobs,
            threads=parts.threads,
            rules=parts.capture_rules,
        )

    def _make_provider(self) -> None:
        """Who serves the children."""
        parts = self.parts
        self.provider = Provider(
            self.code,
            database=self.database,
            store=parts.store,
            clock=parts.clock,
            seal=parts.seal,
            cache=self.cache,
            build=parts.build,
            executor=parts.executor,
            abilities=parts.abilities,
            level=parts.level,
        )

    def _make_repair(self) -> None:
        """Who replaces what the store lost, and who gives to neighbours that did."""
        parts, code = self.parts, self.code
        nearby = Nearby(code, database=self.database, open_point=parts.open_point, sources=parts.sources)
        self.store_herald = StoreHerald(self.journal)
        self.lender = Lender(code, database=self.database, store=parts.store, link=parts.link, wake=parts.wake_repair)
        self.healer = Healer(
            code,
            database=self.database,
            store=parts.store,
            clock=parts.clock,
            link=parts.link,
            parent=self.neighbourhood.parent,
            streams=self.streams,
            children=self.children,
            holdings=self.holdings,
            trees=nearby.trees,
            pages=nearby.pages,
            herald=self.store_herald,
            recalled=lambda tx, package: self.ledger.wake(tx, package, [make_place(code)]),
            wake=parts.wake_repair,
        )

    def _make_knowledge(self) -> None:
        """Who takes articles in, and who keeps what is searched up with them."""
        parts, herald = self.parts, KnowledgeHerald(self.journal)
        self.librarian = Librarian(self.code, database=self.database, indexes=parts.indexes, herald=herald, wake=parts.wake_jobs)
        self.importer = Importer(
            self.code,
            database=self.database,
            clock=parts.clock,
            definitions=self.definitions,
            files=parts.article_files,
            herald=herald,
            indexing=self.librarian,
            drop=parts.drop_upload,
        )

    def _known_rate(self) -> int:
        """What an earlier process measured of the line to the parent."""
        with self.database.reading() as tx:
            return transit.find_receiver(tx, self.code).rate

    def _announce(self, tx: Transaction, version: Version) -> None:
        """A version is in this site's store: its points may go on, and the children that wait may ask."""
        rows = transit.list_shipments(tx, package=version.package, owner=self.code)
        self.ledger.wake(tx, version.package, [row.place for row in rows if row.kind == "point"])
        self.notices.announce(tx, version)

    def _tell_parent(self, kind: str) -> Callable[[Transaction, str], None]:
        def tell(tx: Transaction, key: str) -> None:
            parent = self.neighbourhood.parent(tx)
            if parent is not None:
                self.streams.mark(tx, parent, kind, key)

        return tell

    def _on_status(self, tx: Transaction, local_id: int) -> None:
        self._tell_parent(MessageKind.STATUS)(tx, str(local_id))

    def _tell_version(self, tx: Transaction, package_id: PackageId) -> None:
        """A new assignment needs the statement of a version that is known here for long."""
        package = catalog.find_package(tx, package_id)
        if package is not None and package.version:
            self.definitions.extend(tx, Kind.VERSION, f"{package_id}:{package.version}")

    def _site_known(self, tx: Transaction, code: SiteCode) -> None:
        self.definitions.retry_parked(tx)
        # One that was removed and comes back finds what is still assigned to it: those on its way hold it again.
        self.duties.refresh_site(tx, code)

    def _point_known(self, tx: Transaction, where: Place) -> None:
        """A point of this site was defined, here or above: take its folder, or say why not; the definition stands either way."""
        point = estate.find_point(tx, where)
        if point is None:
            return
        self.database.after_commit(tx, lambda: self._plan_survey(where))
        try:
            self.parts.establish_point(tx, point)
        except HaulageError as error:
            self.journal.record(
                tx,
                on_places.DEFINITION_REFUSED_AT_POINT,
                place=where,
                site=self.code,
                cause=error.message,
                code=error.code,
            )

    def _point_changed(self, tx: Transaction, where: Place) -> None:
        if estate.find_point(tx, where) is None:
            self._leave_groups(tx, where)
        self.duties.refresh_place(tx, where)

    def _leave_groups(self, tx: Transaction, where: Place) -> None:
        """A place that is no more is in no group; what is assigned to it by its own name waits for it to come back."""
        for reach in self.regrouping.left(tx, where):
            self.journal.record(tx, on_sites.PLACE_LEFT_GROUP, place=where, group=reach.name, packages=reach.packages)

    def _plan_survey(self, where: Place) -> None:
        self.survey.plan(where)
        # Whoever waits for due times must not sleep past it.
        self.parts.wake_jobs()

    def _articles_changed(self, tx: Transaction) -> None:
        """What is searched falls behind what is on the shelves."""
        self.database.after_commit(tx, self.parts.wake_jobs)

    def _site_gone(self, tx: Transaction, code: SiteCode) -> None:
        self._leave_groups(tx, make_place(code))
        groups.forget_owner(tx, code)
        self.departure.leave(tx, code)
        forget_owner(tx, code)
        fixes.forget_owner(tx, code)
        self._heralds.left(tx, code)

    def _epoch_risen(self, tx: Transaction) -> None:
        estate.leave_out_lost(tx)
        self.ledger.restate(tx)

    def begin_new_life(self, tx: Transaction) -> Sequence[tuple[PackageId, VersionNumber]]:
        """This site was restored from a backup: nothing it says from now on can be taken for anything it said before, and what its
        store does not hold counts as absent. Returns the versions that are to be got again."""
        me = estate.find_site(tx, self.code)
        above = epoch_of(me.life if me is not None else 0, self.parts.clock.now())
        self.streams.begin_anew(tx, above)
        lost = self.holdings.forget_lost(tx)
        held = {(package, number) for package, number, _manifest in transit.all_holdings(tx)}
        own = [row for row in transit.list_shipments(tx, owner=self.code) if row.kind == "site" and row.wanted]
        self.ledger.lose(tx, [row.package for row in own if (row.package, row.wanted) not in held])
        self.ledger.look_again(tx)
        return lost

    def _found_at_point(self, package: PackageId, version: VersionNumber, backend: PointBackend) -> None:
        """What lies beside a version at a point was signed by its owner: a restored site learns from it what it has forgotten."""
        for name in ("package.json", "version.json"):
            with contextlib.suppress(HaulageError):
                document = backend.document(package, version, name)
                if document is not None:
                    with self.database.writing() as tx:
                        self.definitions.adopt(tx, document, source=None)

    def _found_again(self, tx: Transaction, definition: Definition) -> None:
        """This restored site learns of an object of its own that it had lost: its number is taken. A version beyond the newest
        known one lives on below, while somebody has edited its package here: the edit stands, and so does the version (I6)."""
        if definition.kind == Kind.PACKAGE:
            estate.lift_number(tx, "package", int(definition.id[len(definition.owner) :], 16))
        if definition.kind == Kind.VERSION and not definition.deleted:
            known, number = catalog.find_package(tx, PackageId(definition.id[:8])), VersionNumber(int(definition.id[9:]))
            if known is not None and known.version < number:
                self.definitions.issue(tx, Kind.PACKAGE, known.id, package_state(known, version=number))

    def _peer_restored(self, tx: Transaction, peer: SiteCode, epoch: int) -> None:
        self.mirror.void(tx, peer, epoch)
        self.definitions.remind(tx, peer)

    def _snapshot(self, tx: Transaction, peer: SiteCode) -> Sequence[tuple[str, str]]:
        """Everything a neighbour must be told who knows nothing."""
        told = list(self.definitions.snapshot(tx, peer))
        if peer == self.neighbourhood.parent(tx):
            return [*told, *self.enrolment.snapshot(tx), *self.mirror.snapshot(tx), *self.relay.snapshot(tx)]
        return [*told, *self.notices.snapshot(tx, peer)]

    def own_claim(self) -> bytes | None:
        """The claim this site joined with; None at the central one."""
        with self.database.reading() as tx:
            return estate.find_claim(tx, self.code)

    def children(self, tx: Transaction) -> set[SiteCode]:
        """The joined children."""
        return joined_children(tx, self.code)
