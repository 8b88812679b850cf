"""Servers killed with SIGKILL while they receive, serve, capture and write: it always ends present and identical, unaided, and
little of what had crossed the line crosses it again."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
from pathlib import Path

import pytest

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import (
    KILL_BYTES,
    MIB,
    add_point,
    assert_same,
    bytes_served,
    change_bulk,
    create,
    current_on,
    on_point,
    publish,
    wait_moving,
    write_bulk,
)

PARENTS = {"CHI": "HQ1", "LA1": "CHI"}
_numbers = itertools.count(1)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """For each test its own moments and contents, the same every time unless HAULAGE_SEED says otherwise."""
    return random.Random(os.environ.get("HAULAGE_SEED", "2") + request.node.name)


def same_at(folder: Path, package: str, version: int, source: Path) -> None:
    with contextlib.closing(on_point(folder, package, version)) as found, contextlib.closing(LocalReader(str(source))) as expected:
        assert_same(expected, found)


@pytest.mark.parametrize("victim", ["CHI", "LA1"])
def test_a_killed_receiver_goes_on_where_it_was(lab: Lab, tmp_path: Path, chance: random.Random, rounds: int, victim: str) -> None:
    place = f"LA1/KILLED-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 84, seed=chance.randrange(1 << 30))
    package = create(lab, source, place)
    before = bytes_served(lab, PARENTS[victim], victim)
    publish(lab, package)
    parent, kills = PARENTS[victim], 0
    for number in range(rounds):
        last = number == rounds - 1
        if not wait_moving(lab, package, victim, chance.uniform(0.6, 0.9) if last else chance.uniform(0.0, 0.3), version=1):
            break
        lab.kill(victim)
        kills += 1
        lab.start(victim)
    rows = lab.wait_present(package)
    assert kills, "the transfer was over before anybody was killed"
    same_at(folder, package, 1, source)
    size = rows[victim]["bytes_planned"]
    assert size > 50 * MIB
    assert rows[victim]["bytes_wire"] <= size, "what was durable was taken again"
    assert rows[victim]["bytes_wire"] >= size - (1 + 10 * kills) * MIB  # a batch may be durable and not yet counted
    assert size <= bytes_served(lab, parent, victim) - before <= size + kills * KILL_BYTES
    assert rows[victim]["tries"] == 0


def test_a_killed_sender_costs_nothing_but_time(lab: Lab, tmp_path: Path, chance: random.Random, rounds: int) -> None:
    """HQ1 dies while it captures, builds and serves; nobody asks for anything again."""
    place = f"CHI/SENDER-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 48, seed=chance.randrange(1 << 30))
    package = create(lab, source, place)
    lab.quick("HQ1", "package", "publish", package)
    for _ in range(rounds):
        lab.clock.sleep(chance.uniform(0, 0.8))
        lab.kill("HQ1")
        lab.start("HQ1")
    lab.until(lambda: lab["HQ1"].api.get(f"/packages/{package}")["version"] == 1, "the capture is done")
    for _ in range(rounds // 2):
        if not wait_moving(lab, package, "CHI", chance.uniform(0.0, 0.9), version=1):
            break
        lab.kill("HQ1")
        lab.start("HQ1")
    rows = lab.wait_present(package, 1)
    same_at(folder, package, 1, source)
    assert rows["CHI"]["bytes_wire"] <= rows["CHI"]["bytes_planned"]
    assert [row["version"] for row in lab.quick("HQ1", "package", "versions", package)] == [1]


def test_a_point_killed_while_it_is_updated_shows_one_whole_version(
    lab: Lab, tmp_path: Path, chance: random.Random, rounds: int
) -> None:
    place = f"LA1/UPDATED-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 40, seed=chance.randrange(1 << 30))
    package = create(lab, source, place)
    publish(lab, package)
    lab.wait_present(package)
    trees = {1: tmp_path / "tree-1"}
    shutil.copytree(source, trees[1], symlinks=True)
    version = 1
    for _ in range(rounds):
        change_bulk(source, 16, seed=chance.randrange(1 << 30))
        version += 1
        trees[version] = tmp_path / f"tree-{version}"
        shutil.copytree(source, trees[version], symlinks=True)
        publish(lab, package)
        wait_moving(lab, package, place, 0.0, version=version)
        lab.clock.sleep(chance.uniform(0, 0.5))
        lab.kill("LA1")
        shown = current_on(folder, package)
        assert shown in (version - 1, version)
        same_at(folder, package, shown, trees[shown])
        lab.start("LA1")
        lab.wait_present(package, version)
        assert current_on(folder, package) == version
        same_at(folder, package, version, trees[version])
    assert not [name for name in os.listdir(folder / package) if name.startswith(".staging")]


def test_everybody_killed_at_once_and_again(lab: Lab, tmp_path: Path, chance: random.Random, rounds: int) -> None:
    """A power cut in every building, while an older version is still under way to the last of them (Q235788, Q258424)."""
    place = f"LA1/ALL-{next(_numbers)}"
    folder = add_point(lab, place, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 32, seed=chance.randrange(1 << 30))
    package = create(lab, source, place)
    publish(lab, package)
    for number in range(rounds):
        lab.clock.sleep(chance.uniform(0, 1.0))
        for site in lab:
            site.kill()
        if number == 0:
            change_bulk(source, 8, seed=chance.randrange(1 << 30))
        for site in chance.sample(list(lab), 3):
            site.begin()
        for site in lab:
            site.wait_ready()
        if number == 0:
            publish(lab, package)
    lab.wait_present(package, 2)
    same_at(folder, package, 2, source)
    assert current_on(folder, package) == 2
    for site in lab:
        assert site.quick("store", "check")["damaged"] == 0


@pytest.mark.parametrize("victim", ["CHI", "HQ1"])
def test_q317893_an_orderly_stop_in_mid_transfer_is_quick_and_costs_little(
    lab: Lab, tmp_path: Path, chance: random.Random, victim: str
) -> None:
    """SIGTERM to the receiver and to the sender: exit code 0 within ten seconds, and it goes on after the next start."""
    source = write_bulk(tmp_path / "source", 72, seed=chance.randrange(1 << 30))
    package = create(lab, source, "CHI")
    before = bytes_served(lab, "HQ1", "CHI")
    publish(lab, package)
    moving = wait_moving(lab, package, "CHI", 0.1, version=1)
    lab.stop(victim)  # raises unless it ends well in time
    assert moving
    lab.start(victim)
    rows = lab.wait_present(package)
    if victim == "CHI":
        served = bytes_served(lab, "HQ1", "CHI") - before
        assert served <= rows["CHI"]["bytes_planned"] + KILL_BYTES
    assert rows["CHI"]["bytes_wire"] <= rows["CHI"]["bytes_planned"]
