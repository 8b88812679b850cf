"""One point that fails for ever is its own trouble and nobody else's (Q319207)."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import add_point, assert_same, create, link_counters, on_point, publish, wait_quiet, write_bulk

TRIES = 20
_numbers = itertools.count(1)


def break_point(folder: Path) -> None:
    """What an unmounted disk looks like: the folder is there, our mark is not."""
    (folder / ".haulage-point").rename(folder.parent / f"{folder.name}-mark")


def mend_point(folder: Path) -> None:
    (folder.parent / f"{folder.name}-mark").rename(folder / ".haulage-point")


def test_q319207_a_broken_point_costs_the_children_nothing(lab: Lab, tmp_path: Path) -> None:
    number = next(_numbers)
    broken, good = f"HQ1/BROKEN-{number}", f"LA1/GOOD-{number}"
    folder, far = add_point(lab, broken, tmp_path / "broken"), add_point(lab, good, tmp_path / "good")
    package = create(lab, write_bulk(tmp_path / "source", 1), broken, good)
    break_point(folder)
    publish(lab, package)
    lab.until(lambda: lab.status(package)[good]["state"] == "present", "the children have it")
    lab.until(lambda: lab.status(package)[broken]["tries"] >= 2, "the broken point was tried")

    counters = wait_quiet(lab, lambda: (link_counters(lab, "HQ1"), link_counters(lab, "CHI"), link_counters(lab, "LA1")))
    before = lab.status(package)
    lab.until(lambda: lab.status(package)[broken]["tries"] >= before[broken]["tries"] + TRIES, f"{TRIES} more tries")
    assert (link_counters(lab, "HQ1"), link_counters(lab, "CHI"), link_counters(lab, "LA1")) == counters
    after = lab.status(package)
    assert after.pop(broken)["error"]["code"] == "point-not-there"
    assert after == {place: row for place, row in before.items() if place != broken}

    # Another package passes by, to the same sites; the broken row is not armed anew by it.
    other = create(lab, write_bulk(tmp_path / "other", 1, seed=2), good)
    publish(lab, other)
    lab.wait_present(other)
    with contextlib.closing(on_point(far, other, 1)) as found:
        assert_same(LocalReader(str(tmp_path / "other")), found)
    row = lab.status(package)[broken]
    assert row["generation"] == before[broken]["generation"]
    tries = row["tries"]

    lab.kill("HQ1")
    lab.start("HQ1")
    assert lab.status(package)[broken]["tries"] >= tries
    mend_point(folder)
    lab.wait_present(package)


def test_q319207_a_broken_point_of_a_middle_site_costs_its_children_nothing(lab: Lab, tmp_path: Path) -> None:
    """Its own parent hears of the tries, for a person may look there; a bounded message each, no parcel."""
    broken = f"CHI/BROKEN-{next(_numbers)}"
    folder = add_point(lab, broken, tmp_path / "broken")
    package = create(lab, write_bulk(tmp_path / "source", 1), broken, "LA1")
    break_point(folder)
    publish(lab, package)
    lab.until(lambda: lab.status(package)["LA1"]["state"] == "present", "the child has it")
    lab.until(lambda: lab.status(package, "CHI")[broken]["tries"] >= 2, "the broken point was tried")
    downwards = wait_quiet(lab, lambda: (link_counters(lab, "LA1"), link_counters(lab, "CHI")["LA1"]))
    served = lab["HQ1"].api.get("/site")["served"]
    start = lab.status(package, "CHI")[broken]["tries"]
    lab.until(lambda: lab.status(package, "CHI")[broken]["tries"] >= start + TRIES, f"{TRIES} more tries")
    assert (link_counters(lab, "LA1"), link_counters(lab, "CHI")["LA1"]) == downwards
    assert lab["HQ1"].api.get("/site")["served"] == served
    mend_point(folder)
    lab.wait_present(package)
