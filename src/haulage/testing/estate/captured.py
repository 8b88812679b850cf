"""Packages of a made-up estate that are really captured: small folders with streams and attributes, and their versions."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections.abc import Callable, Iterator

from haulage.base.ids import PackageId, Place
from haulage.domain.catalog import records as catalog
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.trees.memory import MemoryTree
from haulage.engine.trees.model import Attribute, Entry, EntryType
from haulage.operations.packages import assign_package, create_package, publish_package
from haulage.server.pipeline import Pump
from haulage.testing.clock import HandClock
from haulage.testing.estate.packages import Stocked
from haulage.testing.estate.words import FILES, FOLDERS
from haulage.testing.folders import local_owner, noise, write_folder
from haulage.wiring.site import OpenedSite

ACTOR = "administrator"


def work(opened: OpenedSite, clock: HandClock) -> None:
    """Everything that is due at this site now, as a running server would."""
    jobs = SteppedJobs(clock)
    pump = Pump(opened.core, jobs, clock)
    jobs.start()
    while pump.turn() or jobs.step():
        pass


def create(opened: OpenedSite, name: str, folder: str, places: Callable[[PackageId], set[Place]]) -> PackageId:
    """A package whose source is a folder that is made for it, assigned."""
    os.makedirs(folder, exist_ok=True)
    package = create_package(opened.desk, ACTOR, name=name, source=folder, keep=6).id
    assign_package(opened.desk, ACTOR, package, sorted(places(package)))
    return package


def publish_all(
    opened: OpenedSite, clock: HandClock, folders: dict[PackageId, str], within_seconds: float, chance: random.Random
) -> list[Stocked]:
    """One to four versions of each package, mixed, evenly spread over the time given; each is captured from its folder."""
    trees = {package: _trees(clock, chance) for package in folders}
    turns = [package for package in folders for _ in range(chance.choice((1, 2, 2, 3, 4)))]
    chance.shuffle(turns)
    for package in turns:
        shutil.rmtree(folders[package])
        write_folder(next(trees[package]), folders[package])
        publish_package(opened.desk, ACTOR, package)
        work(opened, clock)
        clock.move(within_seconds / len(turns))
    with opened.core.database.reading() as tx:
        known = [catalog.find_package(tx, package) for package in folders]
        return [
            Stocked(package=one, versions=list(reversed(catalog.list_versions(tx, one.id)))) for one in known if one is not None
        ]


def _trees(clock: HandClock, chance: random.Random) -> Iterator[MemoryTree]:
    """Ever newer ones, each as it is when it is asked for."""
    files: dict[str, bytes] = {}
    for number in range(chance.randint(8, 30)):
        path = f"{chance.choice(FOLDERS)}/{number:02}-{chance.choice(FILES)}"
        files[path] = noise(chance.choice((300, 2_000, 20_000, 90_000)), chance.randint(1, 1 << 30))
    files["setup.exe"] = noise(120_000, chance.randint(1, 1 << 30))
    for version in itertools.count(1):
        files["version.txt"] = f"build {version}\n".encode()
        yield _tree(files, int(clock.now().timestamp()) * 10**9, version)
        edited, moved, _kept = chance.sample(sorted(files), 3)
        files[edited] += b"\n; edited\n"
        if "/" in moved:
            files[f"{os.path.dirname(moved)}/renamed-{os.path.basename(moved)}"] = files.pop(moved)
        files[f"share/doc/changes-{version + 1}.txt"] = f"What is new in build {version + 1}\n".encode()


def _tree(files: dict[str, bytes], moment_ns: int, version: int) -> MemoryTree:
    tree, owner = MemoryTree(), local_owner()
    folders = {""} | {path[:end] for path in files for end in range(len(path)) if path[end] == "/"}
    for path in sorted(folders):
        tree.put(Entry(path=path.encode(), type=EntryType.FOLDER, mode=0o755, owner=owner, mtime_ns=moment_ns))
    for path, content in sorted(files.items()):
        streams: dict[bytes, bytes] = {}
        attributes: tuple[Attribute, ...] = ()
        if path == "setup.exe":
            streams = {b"Zone.Identifier": b"[ZoneTransfer]\r\nZoneId=3\r\n", b"installer.cab": noise(30_000, version)}
            attributes = (Attribute(name=b"user.build", value=b"%d" % version), Attribute(name=b"user.origin", value=b"vendor"))
        elif path.endswith((".dll", ".ini")):
            streams = {b"notes": f"checked for build {version}".encode()}
        entry = Entry(path=path.encode(), type=EntryType.FILE, mode=0o644, owner=owner, mtime_ns=moment_ns, attributes=attributes)
        tree.put(entry, content, streams)
    return tree
