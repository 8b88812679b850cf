"""A site's figures as Prometheus reads them: what each is called and where it comes from. Counts nothing itself; whoever scrapes
asks the tables once, in one reading transaction, and the rest is in memory.

Labels are bounded: sites, states, message numbers of the catalogue; never packages, places or texts.
"""

from __future__ import annotations

import collections
import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from haulage.base.clock import Clock
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import SiteStatus
from haulage.domain.knowledge.records import count_articles
from haulage.domain.replication import records as replication
from haulage.domain.telling.views import NotifierView
from haulage.domain.transit import records as transit
from haulage.domain.transit.states import ShipmentState
from haulage.domain.transit.tallies import records as tallies
from haulage.engine.database.transaction import Transaction
from haulage.engine.jobs.engine import JobEngine
from haulage.engine.status import catalogue
from haulage.engine.trust.certificates import expires_at
from haulage.server.care import StoreCare
from haulage.server.core import SiteCore
from haulage.server.housekeeping import AWAY_SECONDS
from haulage.server.pipeline import JOB_KINDS
from haulage.server.presence import Presence

Families = Iterator[Metric]
Labels = TypeVar("Labels", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the figures come from."""

    core: SiteCore
    care: StoreCare
    engine: JobEngine
    presence: Presence
    clock: Clock
    started: dt.datetime
    version: str
    parent_silent_since: Callable[[], dt.datetime | None]
    """Since when the parent does not answer; None while it does, or if there is none."""
    notifiers: Callable[[], Sequence[NotifierView]] = tuple
    """Who is told of status messages; their names are from the settings, so they are few."""


class Metrics:
    """The page. One is written at a time: who scrapes too often waits, the server does not."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_SiteFigures(sources))
        ProcessCollector(registry=self._registry)
        self._turn = threading.Lock()

    def page(self, accept: str) -> tuple[bytes, str]:
        """The figures now and their media type, in the form asked for: OpenMetrics or the older text form."""
        encoder, media_type = choose_encoder(accept)
        with self._turn:
            return encoder(self._registry), media_type


class _SiteFigures(Collector):
    def __init__(self, sources: Sources) -> None:
        self._from = sources

    def describe(self) -> Families:
        """Nothing beforehand: registering must not read a database."""
        return iter(())

    def collect(self) -> Families:
        core = self._from.core
        with core.database.reading() as tx:
            yield from self._site(tx)
            yield from self._links(tx)
            yield from _shipments(tx)
            yield from _knowledge(tx, core)
        yield from self._traffic()
        yield from self._store()
        yield from self._jobs()
        yield from _messages(core)
        yield from _telling(self._from.notifiers())

    def _site(self, tx: Transaction) -> Families:
        code = self._from.core.code
        yield _gauge("haulage_build_info", "This server: always 1.", ("site", "version"), {(code, self._from.version): 1})
        started = self._from.started.timestamp()
        yield _gauge("haulage_start_time_seconds", "When this server started, in seconds since 1970.", (), {(): started})
        counted = estate.count_sites(tx)
        figures = {(status.value,): counted.get(status, 0) for status in SiteStatus}
        yield _gauge("haulage_sites", "Sites known here, by where they stand.", ("state",), figures)
        me = estate.find_site(tx, code)
        until = {(): expires_at(me.certificate).timestamp()} if me is not None and me.certificate else {}
        name = "haulage_certificate_expiry_timestamp_seconds"
        yield _gauge(name, "When this site's certificate expires, in seconds since 1970.", (), until)

    def _links(self, tx: Transaction) -> Families:
        core, heard, now = self._from.core, self._from.presence.heard(), self._from.clock.now()
        children, parent = sorted(core.children(tx)), core.neighbourhood.parent(tx)
        kept = {stream.peer: stream.heard for stream in replication.list_streams(tx)}
        up: dict[tuple[str, ...], float] = {}
        last: dict[tuple[str, ...], float] = {}
        for peer in [*([parent] if parent is not None else []), *children]:
            moment = max((one for one in (heard.get(peer), kept.get(peer)) if one is not None), default=None)
            if moment is not None:
                last[(peer,)] = moment.timestamp()
            fresh = moment is not None and (now - moment).total_seconds() <= AWAY_SECONDS
            is_up = self._from.parent_silent_since() is None and peer in heard if peer == parent else fresh
            up[(peer, "parent" if peer == parent else "child")] = int(is_up)
        yield _gauge("haulage_link_up", "1 while the neighbour is heard.", ("peer", "direction"), up)
        name = "haulage_link_last_heard_timestamp_seconds"
        yield _gauge(name, "When the neighbour was last heard, in seconds since 1970.", ("peer",), last)
        waiting = replication.count_dirty_of_all(tx)
        backlog = {(peer,): float(waiting.get(SiteCode(peer), 0)) for peer, _direction in up}
        yield _gauge("haulage_link_backlog_objects", "What the neighbour is still to be told.", ("peer",), backlog)
        rates = {(site,): float(rate) for site, rate in transit.line_rates(tx).items()}
        name = "haulage_link_rate_bytes_per_second"
        yield _gauge(name, "The line to the site that receives, as it was last measured.", ("site",), rates)

    def _traffic(self) -> Families:
        core = self._from.core
        tally, sent = core.site_duty.traffic.tally, dict(core.provider.served_bytes)
        served = {(child,): float(size) for child, size in sent.items()}
        yield _counter("haulage_link_sent_bytes_total", "Bytes of parcels handed to a child.", ("peer",), served)
        crossed = {(): float(tally.received_bytes)}
        yield _counter("haulage_received_bytes_total", "Bytes of parcels that crossed the line to this site.", (), crossed)
        spared = {(): float(tally.reused_bytes)}
        text = "Bytes of arrived versions that were here already and did not cross the line."
        yield _counter("haulage_reused_bytes_total", text, (), spared)

    def _store(self) -> Families:
        core, care = self._from.core, self._from.care
        store = core.parts.store
        stats, scrub = store.stats(), care.scrub
        figures = {
            "haulage_store_chunks": ("Chunks in the store.", stats.chunks),
            "haulage_store_content_bytes": ("What the chunks of the store are unpacked.", stats.bytes_raw),
            "haulage_store_disk_bytes": ("What the packs of the store take on disk.", stats.bytes_stored),
            "haulage_store_packs": ("Packs of the store.", stats.packs),
            "haulage_store_free_bytes": ("Free space where the store is.", core.parts.free_bytes()),
            "haulage_store_damaged_chunks": ("Chunks known to be damaged and not replaced yet.", len(store.damaged())),
            "haulage_store_scrub_late_seconds": (
                "How long ago the whole store was read, if that is longer than it should be; else 0.",
                scrub.late.total_seconds() if scrub.late else 0,
            ),
        }
        for name, (text, value) in figures.items():
            yield _gauge(name, text, (), {(): value})

    def _jobs(self) -> Families:
        kinds = collections.Counter(job.partition(":")[0] for job in self._from.engine.running())
        figures = {(kind,): kinds.get(kind, 0) for kind in JOB_KINDS}
        yield _gauge("haulage_jobs", "Jobs in hand, waiting for a worker or running.", ("kind",), figures)


def _shipments(tx: Transaction) -> Families:
    counts: collections.Counter[tuple[str, ...]] = collections.Counter()
    for kind in ("site", "point"):
        counts.update({(kind, state.value): 0 for state in ShipmentState})
    waiting: collections.Counter[tuple[str, ...]] = collections.Counter()
    left = 0
    for row in tallies.totals(tx):
        counts[row.kind, row.state] += row.count
        if row.reason:
            waiting[row.reason,] += row.count
        left += max(0, row.left_bytes) if row.state in _ON_ITS_WAY else 0
    text = "Packages at places, of this site and those below, by where they stand."
    yield _gauge("haulage_shipments", text, ("kind", "state"), dict(counts))
    yield _gauge("haulage_shipments_waiting", "Packages at places that wait, by what for.", ("reason",), dict(waiting))
    yield _gauge("haulage_shipments_left_bytes", "Planned and not there yet, of all that is on its way.", (), {(): left})


_ON_ITS_WAY = tuple(state.value for state in (ShipmentState.PLANNED, ShipmentState.MOVING, ShipmentState.RETRYING))


def _knowledge(tx: Transaction, core: SiteCore) -> Families:
    yield _gauge("haulage_knowledge_articles", "Articles on the shelves.", (), {(): count_articles(tx)})
    behind = {(): core.librarian.behind(tx)}
    yield _gauge("haulage_knowledge_articles_behind", "Articles that are not searched as they are now.", (), behind)


def _messages(core: SiteCore) -> Families:
    figures: dict[tuple[str, ...], float] = {}
    for number, count in core.journal.stored().items():
        known = catalogue.MESSAGES.get(number)
        figures[(str(number), known.severity.value) if known is not None else ("other", "unknown")] = count
    text = "Status messages stored since the server started, this site's and those from below."
    yield _counter("haulage_status_messages_total", text, ("number", "severity"), figures)


def _telling(notifiers: Sequence[NotifierView]) -> Families:
    up = {(one.name, one.kind): float(one.state == "working") for one in notifiers}
    yield _gauge("haulage_notifier_up", "1 while a receiver of status messages takes them.", ("notifier", "kind"), up)
    behind = {(one.name,): float(one.waiting) for one in notifiers}
    yield _gauge("haulage_notifier_waiting_messages", "Status messages a receiver is still to be told.", ("notifier",), behind)
    told = {(one.name,): float(one.told) for one in notifiers}
    yield _counter("haulage_notifier_told_messages_total", "Status messages a receiver was told.", ("notifier",), told)
    skipped = {(one.name,): float(one.skipped) for one in notifiers}
    text = "Status messages a receiver will never be told, because they waited too long."
    yield _counter("haulage_notifier_skipped_messages_total", text, ("notifier",), skipped)
    failures = {(one.name,): float(one.failures) for one in notifiers}
    yield _counter("haulage_notifier_failures_total", "Tries that failed since the server started.", ("notifier",), failures)


def _gauge(name: str, text: str, labels: tuple[str, ...], figures: Mapping[Labels, float]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in figures.items():
        family.add_metric(list(values), figure)
    return family


def _counter(name: str, text: str, labels: tuple[str, ...], figures: Mapping[Labels, float]) -> Metric:
    family = CounterMetricFamily(name.removesuffix("_total"), text, labels=labels)
    for values, figure in figures.items():
        family.add_metric(list(values), figure)
    return family
