"""What must be true of a site that came back after a death, and of all when everything has come to rest. Names the invariant it
finds broken."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator

from haulage.base.ids import Place
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.model import Version
from haulage.domain.estate import records as estate
from haulage.domain.points.backend import PointBackend
from haulage.domain.replication import records as replication
from haulage.domain.transit import records as transit
from haulage.domain.transit.holdings import RECEIVING
from haulage.engine.content.manifest import Manifest, live_chunks
from haulage.engine.content.model import ChunkId, ManifestId
from haulage.engine.content.verify import verify_tree
from haulage.engine.database.transaction import Database, Transaction
from haulage.server.housekeeping import sweep_store
from haulage.testing.crash_points.machine import Machine, Process
from haulage.testing.crash_points.world import World
from haulage.wiring.home import load_home

_LEFT_BEHIND = re.compile(r"\..*\.tmp|\.(staging|partial|old|gone)\..*|building-.*|.*\.damaged|\.haulage-unfinished|.*\.tmp")
_SAME_TIME_NEXT_TIME = re.compile(r"content/(packs|parcels)/|site\.db|run/")
"""Where names differ from one run to the next."""


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, invariant: str, sentence: str) -> None:
    """Raises Broken."""
    if not holds:
        raise Broken(f"{invariant}: {sentence}")


def check_returned(world: World, machine: Machine, *, shown_whole: bool) -> None:
    """A process runs again; nobody did anything. Raises Broken."""
    process = machine.process
    assert process is not None
    damages = process.opened.store.check().damages
    require(not damages, "I12", f"the store is damaged: {damages[:1]}")
    wrong = process.core.database.damages()
    require(not wrong, "I12", f"the database is damaged: {wrong[:1]}")
    _check_holdings(process)
    if shown_whole:
        _check_points(machine, process)
    check_acknowledged(world)


def check_acknowledged(world: World) -> None:
    """I7: what a site believes its neighbour to have stored is stored there."""
    for sender in world.machines.values():
        for receiver in world.machines.values():
            if sender.process is None or receiver.process is None or sender is receiver:
                continue
            with sender.core.database.reading() as tx:
                sent, epoch = replication.find_stream(tx, receiver.code), estate.epoch(tx)
            with receiver.core.database.reading() as tx:
                stored = replication.find_stream(tx, sender.code)
            if (stored.in_epoch, stored.in_stream) == (epoch, sent.out_stream):
                require(
                    sent.out_acknowledged <= stored.in_sequence,
                    "I7",
                    f"{sender.code} believes {receiver.code} has {sent.out_acknowledged}, it has {stored.in_sequence}",
                )


def _check_holdings(process: Process) -> None:
    store = process.opened.store
    with process.core.database.reading() as tx:
        holdings = transit.all_holdings(tx)
        rows = transit.list_shipments(tx, owner=process.core.code)
    for package, number, manifest in holdings:
        lacking = store.missing(live_chunks(ManifestId(manifest), store))
        require(not lacking, "I5", f"{package}:{number} is held without {len(lacking)} of its chunks")
    pins = {pin.owner for pin in store.pins()}
    expected = {f"held:{package}:{number}" for package, number, _manifest in holdings}
    arriving = {f"{RECEIVING}{row.package}" for row in rows if row.kind == "site" and not row.settled}
    require(pins - arriving == expected, "I10", f"the pins {sorted((pins - arriving) ^ expected)} are too many or too few")


def _backends(process: Process) -> Iterator[PointBackend]:
    with process.core.database.reading() as tx:
        points = estate.list_points(tx, process.core.code)
    for point in points:
        yield process.opened.points.open(point)


def _check_points(machine: Machine, process: Process) -> None:
    """I5: every version that a point shows is there, every byte of it."""
    store = process.opened.store
    with process.core.database.reading() as tx:
        manifests = {(one.package, one.number): one.manifest for one in _versions(tx)}
    for backend in _backends(process):
        backend.probe()
        for package in backend.packages():
            shown = set(backend.versions(package))
            current = backend.current(package)
            require(current in shown or not current, "I5", f"{machine.code} points at {package}:{current}, which is not there")
            for number in shown:
                manifest = manifests.get((package, number))
                if manifest is None or store.missing([ChunkId(manifest)]):
                    continue
                with contextlib.closing(backend.reader(package, number)) as reader:
                    wrong = next(iter(verify_tree(Manifest.open(ManifestId(manifest), store.read), reader)), None)
                require(wrong is None, "I5", f"{package}:{number} at the point is not what was verified: {wrong}")


def _versions(tx: Transaction) -> list[Version]:
    return [version for package in catalog.list_packages(tx) for version in catalog.list_versions(tx, package.id)]


State = dict[str, object]


def final_state(world: World) -> State:
    """Housekeeping is done, and then: everything that must be the same however often somebody died on the way. Raises Broken."""
    state: State = {"sources": _tree(world.sources)}
    for machine in world.machines.values():
        if machine.process is not None:
            with world.at(machine.code):
                _tidy(machine.core.database, machine)
    world.settle()
    for machine in world.machines.values():
        if machine.process is not None:
            state |= {f"{machine.code} {what}": value for what, value in _state_of(machine, machine.process).items()}
            require(not machine.defects, "I12", f"a job ended by a defect: {machine.defects}")
            _check_holdings(machine.process)
        state[f"{machine.code} files"] = _files(machine)
    check_acknowledged(world)
    return state


def _tidy(database: Database, machine: Machine) -> None:
    """What housekeeping does each night."""
    with database.reading() as tx:
        packages = [package.id for package in catalog.list_packages(tx)]
    for package in packages:
        with database.writing() as tx:
            machine.core.holdings.retire(tx, package)
    machine.core.provider.tidy()
    sweep_store(machine.core)


def _state_of(machine: Machine, process: Process) -> State:
    code, store = machine.code, process.opened.store
    with process.core.database.reading() as tx:
        packages = sorted((one.id, one.version, one.keep, one.name, one.assignments) for one in catalog.list_packages(tx))
        versions = sorted((one.package, one.number, one.manifest) for one in _versions(tx))
        holdings = sorted(transit.all_holdings(tx))
        rows = sorted((one.package, one.place, one.state.value, one.wanted, one.present) for one in transit.list_shipments(tx))
        sites = sorted((one.code, one.parent, one.status.value) for one in estate.list_sites(tx))
        points = sorted(point.place for point in estate.list_points(tx))
        sources = sorted((one.package, one.state.value) for one in catalog.list_sources(tx))
        told = [row for table in (replication.dirty,) for row in tx.execute(table.select())]
        parcels = {record.id for record in transit.list_parcels(tx)}
    require(not told, "converged", f"{code} still has to tell {told[:1]}")
    live = {chunk for _package, _number, manifest in holdings for chunk in live_chunks(ManifestId(manifest), store)}
    require(store.stats().chunks == len(live), "I10", f"{code} keeps {store.stats().chunks} chunks, {len(live)} are needed")
    require(not store.check().damages, "I15", "the store is damaged")
    folder = os.path.join(machine.home, "content", "parcels")
    require(not os.listdir(os.path.join(folder, "work")), "I12", f"{code} left something that nobody works on any more")
    there = {name.removesuffix(".parcel") for name in os.listdir(folder) if name != "work"}
    require(there == parcels, "I12", f"{code} has the parcels {there ^ parcels} too many or too few")
    for row in rows:
        if row[2] == "present" and row[1] == Place(code):
            require(any((row[0], row[4]) == one[:2] for one in holdings), "I5", f"{code} says it has {row[0]}:{row[4]}")
    shown = [
        (package, backend.current(package), list(backend.versions(package)))
        for backend in _backends(process)
        for package in backend.packages()
    ]
    load_home(machine.home)
    return {
        "packages": packages, "versions": versions, "holdings": holdings, "shipments": rows, "sites": sites, "points": points,
        "captures": sources, "shown": shown,
    }  # fmt: skip


def _files(machine: Machine) -> State:
    """Names of all files, and of those at a point the contents, too. Raises Broken for what nobody will ever clear away."""
    found: State = {}
    for part in ("home", "point"):
        top = os.path.join(machine.folder, part)
        for folder, folders, files in os.walk(top):
            for name in (*folders, *files):
                path = os.path.join(folder, name)
                shown = os.path.relpath(path, machine.folder)
                require(not _LEFT_BEHIND.fullmatch(name), "left behind", shown)
                if part == "home" and not _SAME_TIME_NEXT_TIME.search(shown):
                    found[shown] = ""
                elif part == "point":
                    found[shown] = _digest(path) if "/.haulage/" not in shown else ""
    return found


def _tree(top: str) -> State:
    return {
        os.path.relpath(os.path.join(folder, name), top): _digest(os.path.join(folder, name))
        for folder, folders, files in os.walk(top)
        for name in (*folders, *files)
    }


def _digest(path: str) -> str:
    if os.path.islink(path):
        return os.readlink(path)
    if os.path.isdir(path):
        return "folder"
    with open(path, "rb") as file:
        return hashlib.blake2b(file.read(), digest_size=8).hexdigest()
