"""A small product on a disk, fixes for it, and what runs beside: services and programs that are made up, so that their every moment
can be a death. Services refuse to start on a product that is neither as before nor as after a fix."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from haulage.engine.servicing import durable
from haulage.engine.servicing.definition import (
    FileAction,
    FixDefinition,
    FixFile,
    KnownState,
    ProductRange,
    Program,
    Service,
    ServiceKind,
    When,
)
from haulage.engine.servicing.log import Log
from haulage.engine.servicing.machine import Machine
from haulage.engine.servicing.places import Places
from haulage.engine.servicing.services import Controller, State
from haulage.testing.folders import noise

PRODUCT = "haulage-demo-press"
Tree = dict[str, tuple[object, ...]]

OLD = {
    "bin/press.exe": noise(3_000, 1),
    "bin/i386/distmgr.dll": noise(2_500, 2),
    "etc/press.conf": b"copies = 1\n",
    "old/legacy.txt": b"kept for no reason\n",
    "data/press.db": b"schema 1\n" + noise(1_500, 3),
}
NEW = {
    "bin/press.exe": noise(3_200, 11),
    "bin/i386/distmgr.dll": noise(2_400, 12),
    "lib/new/streams.dll": noise(1_800, 13),
}
LATER = {"bin/press.exe": noise(3_300, 21), "lib/new/streams.dll": noise(1_900, 22)}
TOOL = b"a migration\n"
MIGRATED = b"schema 2\n"


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class Carried:
    """A payload in memory."""

    def __init__(self, *contents: bytes) -> None:
        self._contents = {sha256(each): each for each in contents}

    def contents(self, wanted: Collection[str]) -> Iterator[tuple[str, Iterable[bytes]]]:
        for name in sorted(wanted):
            if name in self._contents:
                data = self._contents[name]
                yield name, [data[:1000], data[1000:]]


def write_product(root: str) -> None:
    """The product as its maker installs it."""
    for path, data in OLD.items():
        full = os.path.join(root, *path.split("/"))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(data)
        os.utime(full, ns=(1_000_000_000_000_000_000, 1_000_000_000_123_456_789))
    os.chmod(os.path.join(root, "bin", "press.exe"), 0o755)  # noqa: S103  (a program)
    os.setxattr(os.path.join(root, "bin", "press.exe"), "user.origin", b"the press maker")
    listed = {path: {"sha256": sha256(OLD[path]), "version": "2.0.1493.1"} for path in ("bin/press.exe", "bin/i386/distmgr.dll")}
    manifest = {"format": 1, "id": PRODUCT, "version": "2.0.1493", "service_level": "SP4", "files": listed}
    with open(os.path.join(root, "product.json"), "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)


def _file(path: str, data: bytes, *before: bytes, mode: int = 0o644, action: FileAction | None = None) -> FixFile:
    known = tuple(KnownState(sha256(each)) for each in before)
    chosen = action or (FileAction.REPLACE if before else FileAction.ADD)
    return FixFile(path=path, action=chosen, sha256=sha256(data), size=len(data), mode=mode, version="2.0.1493.2038", before=known)


SERVICES = (
    Service(kind=ServiceKind.SYSTEMD, name="press-executive", stop_seconds=5, start_seconds=5),
    Service(kind=ServiceKind.SYSTEMD, name="press-monitor", stop_seconds=5, start_seconds=5),
    Service(kind=ServiceKind.SYSTEMD, name="press-rarely", stop_seconds=5, start_seconds=5),
)
RUNNING = ("press-executive", "press-monitor")

FIX = FixDefinition(
    id="Q316316",
    title="The press stops at files with streams",
    product=ProductRange(id=PRODUCT, versions=">=2.0.1380,<2.1", service_levels=("SP4",), levels_order=("SP3", "SP4")),
    files=(
        _file("bin/press.exe", NEW["bin/press.exe"], OLD["bin/press.exe"], mode=0o755),
        _file("bin/i386/distmgr.dll", NEW["bin/i386/distmgr.dll"], OLD["bin/i386/distmgr.dll"]),
        _file("lib/new/streams.dll", NEW["lib/new/streams.dll"]),
        FixFile(path="old/legacy.txt", action=FileAction.REMOVE, before=(KnownState(sha256(OLD["old/legacy.txt"])),)),
        _file("migrate", TOOL, action=FileAction.TOOL, mode=0o755),
    ),
    programs=(
        Program(When.BEFORE, ("{tools}/migrate", "prepare"), undo=("{tools}/migrate", "unprepare")),
        Program(When.AFTER, ("{tools}/migrate", "up"), undo=("{tools}/migrate", "down")),
        Program(When.VERIFY, ("bin/press.exe", "--check"), undo=None),
    ),
    services=SERVICES,
    keep=("data/press.db", "data/press.db-wal"),
)
ROLLUP = dataclasses.replace(
    FIX,
    id="Q323206",
    title="All fixes of the year",
    files=(
        _file("bin/press.exe", LATER["bin/press.exe"], OLD["bin/press.exe"], NEW["bin/press.exe"], mode=0o755),
        _file("lib/new/streams.dll", LATER["lib/new/streams.dll"], NEW["lib/new/streams.dll"], action=FileAction.ADD),
    ),
    programs=(),
    keep=(),
    contains=("Q316316",),
)
FIX_CONTENT = Carried(*NEW.values(), TOOL)
ROLLUP_CONTENT = Carried(*LATER.values())


class Sham(BaseException):
    """A service was started on a product that is neither as before nor as after. Not an Exception: nobody may survive it."""


class Surroundings:
    """The machine around the product: time, services that run, programs that change data. What runs is kept in a file outside the
    disk that is watched, as a machine keeps it outside the process that dies."""

    def __init__(self, root: str, state: str, sound: Callable[[], bool] = lambda: True) -> None:
        self.root = root
        self._state = state
        self.sound = sound
        """Whether the product may be run as it is now."""
        self.fails: set[str] = set()
        """Programs (by their last word) that end with 1, and services that do not come up with the new product."""
        self.seconds = 0.0

    def running(self) -> set[str]:
        """Names of services."""
        with open(self._state, encoding="utf-8") as file:
            return set(json.load(file))

    def set_running(self, names: Iterable[str]) -> None:
        """As the machine would have it after it was switched on, say."""
        with open(self._state, "w", encoding="utf-8") as file:
            json.dump(sorted(names), file)

    def is_old(self) -> bool:
        """Whether the product is the one its maker installed."""
        with open(os.path.join(self.root, "bin", "press.exe"), "rb") as file:
            return file.read() == OLD["bin/press.exe"]

    @property
    def machine(self) -> Machine:
        """For servicing."""
        return Machine(
            clock=self, controllers=self._controller, programs=self._programs, users_of=lambda _paths: {}, actor="operator"
        )

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC) + dt.timedelta(seconds=int(self.seconds))

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def _controller(self, service: Service, _places: Places) -> Controller:
        return _FakeService(self, service.name)

    def _programs(self, _clock: object, _log: Log) -> _FakePrograms:
        return _FakePrograms(self)


class _FakeService:
    def __init__(self, around: Surroundings, name: str) -> None:
        self._around = around
        self._name = name

    def state(self) -> State:
        return State.RUNNING if self._name in self._around.running() else State.STOPPED

    def ask_to_stop(self) -> None:
        self._around.set_running(self._around.running() - {self._name})

    def ask_to_start(self) -> None:
        if not self._around.sound():
            raise Sham(f"{self._name} was started on half a product")
        if self._name not in self._around.fails or self._around.is_old():
            self._around.set_running(self._around.running() | {self._name})

    def kill(self) -> None:
        self.ask_to_stop()

    def check_rights(self) -> None:
        """A test may do all."""


class _FakePrograms:
    """Each changes the data in place, as badly as a program can: no sync, in two writes, a step between them."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    def run(self, command: Sequence[str], *, folder: str, timeout_seconds: float) -> int:
        assert folder == self._around.root
        assert timeout_seconds > 0
        word = command[-1]
        if word in ("prepare", "up", "unprepare", "down"):
            with open(command[0], "rb") as tool:
                assert tool.read() == TOOL, "the tool is whole"
        if word == "prepare":
            self._write("data/press.db-wal", b"prepared\n")
        elif word == "up":
            self._write("data/press.db", MIGRATED + OLD["data/press.db"][9:])
        elif word == "down":
            self._write("data/press.db", OLD["data/press.db"])
        elif word == "unprepare" and os.path.exists(self._path("data/press.db-wal")):
            os.unlink(self._path("data/press.db-wal"))
        return 1 if word in self._around.fails else 0

    def end_left(self, *, folder: str) -> None:
        """They are of this process, and end with it."""
        assert folder == self._around.root

    def _path(self, path: str) -> str:
        return os.path.join(self._around.root, path)

    def _write(self, path: str, data: bytes) -> None:
        with open(self._path(path), "r+b" if os.path.exists(self._path(path)) else "wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            durable.step("within-program")
            file.write(data[len(data) // 2 :])
            file.truncate()


def tree(root: str, *, times: bool) -> Tree:
    """All below a root but logs and what servicing keeps: bytes, modes, attributes, and times of files if asked."""
    found: Tree = {}
    for folder, folders, names in os.walk(root):
        at = os.path.relpath(folder, root)
        if at == ".":
            folders[:] = [name for name in folders if name not in (".servicing", "Logs")]
        found[at] = ("folder",)
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            facts = os.stat(path)
            attributes = tuple((key, os.getxattr(path, key)) for key in sorted(os.listxattr(path)))
            mtime = facts.st_mtime_ns if times else 0
            found[os.path.join(at, name)] = (sha256(data), len(data), stat.S_IMODE(facts.st_mode), attributes, mtime)
    return found
