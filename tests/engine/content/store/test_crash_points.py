"""Stopped at every durable step, by a kill or a power cut, the store opens again and holds what it had promised."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from haulage.base.files import watching_steps
from haulage.engine.content.model import ChunkId, Pin
from haulage.engine.content.store import LocalStore
from tests.engine.content.store.promises import NOW, manifest, put_all, some
from tests.engine.content.store.test_local_store import SMALL


class Killed(BaseException):
    """The process ends here; nothing handles it."""


class Machine:
    """Runs a scenario, stops it at one step, and knows what had been promised and what had reached the disk by then."""

    def __init__(self, folder: Path, stop_at: int) -> None:
        self.folder = folder
        self.promised: set[ChunkId] = set()
        self.pins: dict[str, int] = {}
        self.contents: dict[int, list[ChunkId]] = {}
        self.synced: dict[str, int] = {}
        self._syncing: dict[str, int] = {}
        self._steps_left = stop_at
        self._store: LocalStore | None = None

    def _watch(self, name: str) -> None:
        self.synced |= self._syncing
        self._syncing = self._sizes() if name == "pack-fsync" else {}
        self._steps_left -= 1
        if self._steps_left < 0:
            raise Killed(name)

    def _sizes(self) -> dict[str, int]:
        packs = self.folder / "packs"
        return {str(path): path.stat().st_size for path in packs.glob("*.pack")} if packs.exists() else {}

    def run(self) -> bool:
        """Whether the scenario came to its end."""
        with contextlib.suppress(Killed), watching_steps(self._watch):
            self._scenario()
            return True
        if self._store:
            self._store.close()
        return False

    def _scenario(self) -> None:
        store = self._store = LocalStore(self.folder, settings=SMALL)
        self._first_versions(store)
        store.sweep(lambda which: self.contents[int.from_bytes(which, "big")], now=NOW)
        self._another_version(store)
        store.close()
        store = self._store = LocalStore(self.folder, settings=SMALL)
        self.pins.pop("held:2")
        store.unpin("held:2")
        self.promised = {*self.contents[1], *self.contents[3]}  # the sweep that follows may take the rest
        store.sweep(lambda which: self.contents[int.from_bytes(which, "big")], now=NOW)
        store.close()

    def _first_versions(self, store: LocalStore) -> None:
        with store.session("first") as session:
            one = put_all(session, [some(seed) for seed in range(8)])
            session.checkpoint()
            self.promised |= set(one)
            two = put_all(session, [some(seed) for seed in range(8, 24)])
            session.checkpoint()
            self.promised |= set(two)
            self.contents |= {1: one, 2: two}
            for number in (1, 2):
                store.pin(Pin(owner=f"held:{number}", manifest=manifest(number)))
                self.pins[f"held:{number}"] = number

    def _another_version(self, store: LocalStore) -> None:
        with store.session("second") as session:
            three = put_all(session, [some(seed) for seed in (1, 9, *range(40, 45))])
            self.contents[3] = three
            store.pin(Pin(owner="held:3", manifest=manifest(3)))
            self.pins["held:3"] = 3
            session.checkpoint()
            self.promised |= set(three)
            put_all(session, [some(seed) for seed in range(60, 65)])

    def verify(self) -> None:
        with contextlib.closing(LocalStore(self.folder, settings=SMALL)) as store:
            assert {pin.owner for pin in store.pins()} >= self.pins.keys()
            assert not store.missing(self.promised)
            assert {one for one, _ in store.read_many(list(self.promised))} == self.promised
            assert not store.check().damages
            store.sweep(lambda which: self.contents[int.from_bytes(which, "big")], now=NOW)
            pinned = {one for pin in store.pins() for one in self.contents[int.from_bytes(pin.manifest, "big")]}
            assert not store.missing(self.promised & pinned)


def _killed(_machine: Machine) -> None:
    """A kill: what was written stays in the page cache."""


def _power_cut(machine: Machine) -> None:
    """What was not synced is gone, whole files included."""
    for path in (machine.folder / "packs").glob("*.pack"):
        size = machine.synced.get(str(path), 0)
        if size:
            os.truncate(path, min(size, path.stat().st_size))
        elif not path.with_suffix(".index").exists():
            path.unlink()


def _torn(machine: Machine) -> None:
    """Half of what was not synced arrived, and its last part as zeros (a length without its data)."""
    for path in (machine.folder / "packs").glob("*.pack"):
        size, synced = path.stat().st_size, machine.synced.get(str(path), 0)
        if size > synced:
            half = synced + (size - synced) // 2
            os.truncate(path, half)
            os.truncate(path, size)


@pytest.mark.parametrize("fate", [_killed, _power_cut, _torn], ids=["f1_killed", "f5_power_cut", "f5_torn"])
def test_stopped_at_every_step(tmp_path: Path, fate: Callable[[Machine], None]) -> None:
    stop_at = 0
    while True:
        machine = Machine(tmp_path / str(stop_at), stop_at)
        finished = machine.run()
        if (machine.folder / "packs").exists():
            fate(machine)
        machine.verify()
        if finished:
            break
        stop_at += 1
    assert stop_at > 50


def test_f1_recovery_itself_may_be_killed_at_every_step(tmp_path: Path) -> None:
    template = LocalStore(tmp_path / "template", settings=SMALL)
    session = template.session("killed").__enter__()
    ids = put_all(session, [some(seed) for seed in range(9)])
    session.checkpoint()
    template.close()
    for stop_at in range(50):
        folder = tmp_path / str(stop_at)
        (folder / "packs").mkdir(parents=True)
        (folder / "pins").mkdir()
        for path in (tmp_path / "template").rglob("*"):
            if path.is_file():
                (folder / path.relative_to(tmp_path / "template")).write_bytes(path.read_bytes())
        left = [stop_at]

        def watch(_name: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed

        finished = False
        with contextlib.suppress(Killed), watching_steps(watch):
            LocalStore(folder, settings=SMALL).close()
            finished = True
        with contextlib.closing(LocalStore(folder, settings=SMALL)) as store:
            assert not store.missing(ids)
            assert not store.check().damages
        if finished:
            assert stop_at > 5
            return
    pytest.fail("recovery never ended")
