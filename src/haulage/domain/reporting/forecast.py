"""What bringing a version to a place would take, before it is begun: bytes, from what, at which level, how long, and for each file
why. Reads only. What it cannot know it does not guess: an estimate is called one."""

from __future__ import annotations

import base64
import datetime as dt
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haulage.base.clock import Clock, iso
from haulage.base.errors import ConflictError
from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_place, site_of
from haulage.domain.catalog.model import Package
from haulage.domain.estate import records as estate
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.transit import records
from haulage.domain.transit.bases import CANDIDATES, Candidate, by_nearness
from haulage.domain.transit.levels import expected_wire, seconds_at
from haulage.domain.transit.provider import Outlook, Provider
from haulage.domain.transit.records import ParcelRecord, Receiver
from haulage.domain.transit.route import concerned_children
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import shown
from haulage.engine.content.model import ChunkStore, ManifestId
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.delta.level import Level
from haulage.engine.parcels.model import FilePlan, Why
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.planning import plan_update

View = dict[str, object]
HELD_LOOKED_AT = 16 * CANDIDATES
"""Versions of a site, of which those that are held here, too, may become what an update starts from."""
FILES_SHOWN = 100
"""Of a plan: those that cost most; the others are counted by their reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the tables say, read once."""

    tree: Hierarchy
    number: VersionNumber
    target: ManifestId
    here: dict[tuple[PackageId, VersionNumber], ManifestId]
    present: dict[SiteCode, dict[PackageId, VersionNumber]]
    """What each site asked about holds, as it reported."""
    receivers: dict[SiteCode, Receiver]
    lines: tuple[int, ...]
    parcels: tuple[ParcelRecord, ...]


class Forecaster:
    """Plans for places below this site."""

    def __init__(
        self, code: SiteCode, *, database: Database, store: ChunkStore, clock: Clock, provider: Provider, folder: str
    ) -> None:
        """``folder``: for temporary files."""
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._provider = provider
        self._folder = folder

    def plan(self, package: Package, places: Sequence[Place], *, files: bool = False) -> list[View]:
        """One row per place, for the newest version: assigned or not, published or not to it. With ``files`` what changed is read
        and each file accounted for. Raises ConflictError ``no-version-here``, ``not-below``."""
        with self._database.reading() as tx:
            known = self._look(tx, package, places)
        alike: dict[tuple[object, ...], tuple[Outlook, NewChunks]] = {}
        return [self._row(package, where, known, alike, files) for where in places]

    def _look(self, tx: Transaction, package: Package, places: Sequence[Place]) -> _Known:
        tree = estate.hierarchy(tx)
        here = {(name, number): ManifestId(manifest) for name, number, manifest in records.all_holdings(tx)}
        target = here.get((package.id, package.version))
        if target is None:
            raise _not_here(package, self._code)
        sites = {site_of(where) for where in places}
        for site in sorted(sites):
            if not tree.is_within(site, self._code):
                raise ConflictError("not-below", f"{site} is not at or below {self._code}.", "Ask its own server, or one above it.")
        present = {site: records.held_at(tx, site, package.id, HELD_LOOKED_AT) for site in sites}
        concerned = concerned_children((*package.assignments, *places), self._code, tree)
        have = {
            row.owner
            for row in records.list_shipments(tx, package=package.id, places=[make_place(child) for child in concerned])
            if row.present == package.version
        }
        children = tree.children(self._code)
        receivers = {child: records.find_receiver(tx, child) for child in children}
        return _Known(
            tree=tree,
            number=package.version,
            target=target,
            here=here,
            present=present,
            receivers=receivers,
            lines=tuple([receivers[child].rate for child in sorted(concerned - have)]),
            parcels=tuple(records.list_parcels(tx)),
        )

    def _row(
        self,
        package: Package,
        where: Place,
        known: _Known,
        alike: dict[tuple[object, ...], tuple[Outlook, NewChunks]],
        files: bool,
    ) -> View:
        """``alike``: what was found for sites before; hundreds of shops hold the same."""
        site = site_of(where)
        held = known.present.get(site, {})
        here: View = {
            "id": f"{package.id}@{where}",
            "package": package.id,
            "version": known.number,
            "place": where,
            "site": site,
            "via": [code for code in known.tree.upwards(site) if known.tree.is_within(code, self._code)][1:-1][::-1],
            "present": held.get(package.id, 0),
        }
        target = Manifest.open(known.target, self._store.read)
        if site == self._code or held.get(package.id) == known.number:
            nothing: View = {"files": [], "reasons": []}
            return here | _nothing(target.totals.bytes_total) | (nothing if files else {})
        receiver = self._receiver(site, known)
        candidates = self._candidates(package, held, known)
        key = (tuple([one.manifest for one in candidates[:CANDIDATES]]), receiver.abilities)
        if key not in alike:
            outlook = self._provider.outlook(known.target, package.id, candidates, receiver, known.lines)
            alike[key] = outlook, NewChunks(target, [Manifest.open(base, self._store.read) for base in outlook.bases])
        outlook, new = alike[key]
        figures = self._figures(package, site, receiver, outlook, target.totals.bytes_total, new.bytes_new, known)
        level, abilities = outlook.level.level, outlook.abilities
        if not files:
            return here | figures
        bases = [Manifest.open(base, self._store.read) for base in outlook.bases]
        return here | figures | self._account(target, bases, new, level, abilities)

    def _figures(
        self, package: Package, site: SiteCode, receiver: Receiver, outlook: Outlook, total: int, bytes_new: int, known: _Known
    ) -> View:
        wire, said, note = _wire(package.id, outlook, bytes_new, known)
        parent = known.tree.parent(site)
        if parent != self._code:
            note += f" The line to it begins at {parent} and is measured there."
        elif not receiver.rate:
            note += " The line to it is not measured yet."
        seconds = None
        if receiver.rate:
            level = outlook.level.level
            make = 0.0 if outlook.made else seconds_at(level, receiver.rate, bytes_new, based=bool(outlook.bases))[0]
            seconds = round(make + wire / receiver.rate, 1)
        return {
            "bytes_total": total,
            "bytes_reused": total - bytes_new,
            "bytes_new": bytes_new,
            "bytes_wire": wire,
            "wire": said,
            "bases": names_of(outlook.bases, known.here),
            "level": outlook.level.level.value,
            "level_why": outlook.level.why,
            "rate": receiver.rate or None,
            "seconds": seconds,
            "finish": None if seconds is None else iso(self._clock.now() + dt.timedelta(seconds=seconds)),
            "note": note,
        }

    def _receiver(self, site: SiteCode, known: _Known) -> Receiver:
        """What is known of it; one that never said what it can do is taken to be like this site."""
        said = known.receivers.get(site)
        own = tuple(sorted(self._provider.abilities))
        if said is None:
            return Receiver(site=site, abilities=own)
        return said if said.abilities or said.rate else Receiver(site=site, abilities=own)

    def _candidates(self, package: Package, held: dict[PackageId, VersionNumber], known: _Known) -> list[Candidate]:
        both = [
            Candidate(package=name, number=number, manifest=known.here[name, number])
            for name, number in held.items()
            if (name, number) in known.here
        ]
        return by_nearness(package.id, known.number, both)

    def account(self, package: Package, parcel: ParcelRecord | None) -> View:
        """Each changed file of the newest version and why it costs what it does: on top of what a parcel was made from, or of the
        version before. Raises ConflictError ``no-version-here``."""
        with self._database.reading() as tx:
            held = records.held_versions(tx, package.id)
        if package.version not in held:
            raise _not_here(package, self._code)
        older = [ManifestId(manifest) for number, manifest in held.items() if number < package.version][:1]
        wanted = [ManifestId(bytes.fromhex(base)) for base in parcel.bases] if parcel is not None else older
        target = Manifest.open(ManifestId(held[package.version]), self._store.read)
        bases = [Manifest.open(base, self._store.read) for base in wanted]
        level = Level(parcel.level) if parcel is not None else Level.SMALLEST
        abilities = frozenset(parcel.abilities) if parcel is not None else self._provider.abilities
        return self._account(target, bases, NewChunks(target, bases), level, abilities)

    def _account(
        self, target: Manifest, bases: Sequence[Manifest], new: NewChunks, level: Level, abilities: frozenset[str]
    ) -> View:
        plan = plan_update(target, bases, self._store, new, level=level, folder=self._folder, abilities=abilities)
        counts, sizes, fresh = Counter[Why](), Counter[Why](), Counter[Why]()
        numbers = itertools.count()
        most: list[tuple[int, int, FilePlan]] = []
        for file in plan.files():
            counts[file.why] += 1
            sizes[file.why] += file.size
            fresh[file.why] += file.bytes_new
            item = (file.bytes_new, -next(numbers), file)
            if len(most) < FILES_SHOWN:
                heapq.heappush(most, item)
            else:
                heapq.heappushpop(most, item)
        reasons = [
            {"why": why.name.lower(), "meaning": why.value, "files": counts[why], "size": sizes[why], "bytes_new": fresh[why]}
            for why in Why
            if counts[why]
        ]
        return {"files": [_file_view(file) for _size, _number, file in sorted(most, reverse=True)], "reasons": reasons}


def names_of(manifests: Iterable[ManifestId], here: Mapping[tuple[PackageId, VersionNumber], bytes]) -> list[str]:
    """Versions as people call them, as far as they are held here."""
    named = {bytes(manifest): f"{package}:{number}" for (package, number), manifest in here.items()}
    return [named.get(bytes(one), one.hex()) for one in manifests]


def _not_here(package: Package, code: SiteCode) -> ConflictError:
    sentence = f"The newest version of {package.id} is not held at {code}." if package.version else f"{package.id} has no version."
    return ConflictError("no-version-here", sentence, f"haulage package status {package.id}")


def _nothing(total: int) -> View:
    return {
        "bytes_total": total,
        "bytes_reused": total,
        "bytes_new": 0,
        "bytes_wire": 0,
        "wire": "none",
        "bases": [],
        "level": None,
        "level_why": None,
        "rate": None,
        "seconds": 0.0,
        "finish": None,
        "note": "The site holds it already.",
    }


def _wire(package: PackageId, outlook: Outlook, bytes_new: int, known: _Known) -> tuple[int, str, str]:
    """(bytes on the line, ``made`` or ``estimated``, the sentence that says from what)."""
    if outlook.made is not None:
        return outlook.made.size, "made", "The update is made already; its size is exact."
    own = {bytes(manifest) for (name, _number), manifest in known.here.items() if name == package}
    alike = [
        one
        for one in known.parcels
        if bytes(one.target) in own and bool(one.bases) == bool(outlook.bases) and one.figures.get("bytes_new", 0) > 0
    ]
    if alike:
        last = alike[-1]
        wire = round(bytes_new * last.size / last.figures["bytes_new"])
        return wire, "estimated", "The bytes on the line are reckoned from the last update of this package that was made here."
    wire = expected_wire(outlook.level.level, bytes_new, based=bool(outlook.bases))
    return wire, "estimated", "The bytes on the line are what such updates take on average; this one may take several times that."


def _file_view(file: FilePlan) -> View:
    view: View = {
        "path": shown(file.path),
        "stream": None if file.stream is None else shown(file.stream),
        "size": file.size,
        "bytes_reused": file.bytes_reused,
        "bytes_new": file.bytes_new,
        "base": None if file.base is None else shown(file.base),
        "why": file.why.name.lower(),
        "meaning": file.why.value,
    }
    try:
        file.path.decode("utf-8")
    except UnicodeDecodeError:
        view["path_b64"] = base64.b64encode(file.path).decode()
    return view
