"""Transfers over a slow line that people hold, release, cancel and try again; what crosses the line is counted, and what arrives is
compared."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from haulage.engine.trees.local_reader import LocalReader
from haulage.testing.folders import noise
from haulage.testing.lab.lab import Lab
from tests.lab.scenes import (
    KILL_BYTES,
    MIB,
    add_point,
    assert_same,
    create,
    on_point,
    publish,
    wait_moving,
    wait_quiet,
    write_bulk,
)

POINT = "CHI/SHOP"


@pytest.fixture
def slow(new_lab: Callable[[], Lab]) -> Lab:
    """HQ1, and CHI below it on a line of eight megabytes a second."""
    lab = new_lab()
    lab.central("HQ1", bytes_per_second=8 * MIB)
    lab.site("CHI", parent="HQ1")
    return lab


def of(lab: Lab, package: str, at: str, place: str = "CHI") -> dict[str, Any]:
    row: dict[str, Any] = lab[at].api.get(f"/transfers/{package}", {"at": place})
    return row


def say(lab: Lab, word: str, package: str, *more: str, place: str = "CHI") -> None:
    lab.quick("HQ1", "transfer", word, package, "--at", place, "--timeout", "60", *more)


def test_f24_e3_f8_held_released_cancelled_and_tried_again_over_a_slow_line(slow: Lab, tmp_path: Path) -> None:
    lab, line = slow, slow.lines["HQ1"]
    folder = add_point(lab, POINT, tmp_path / "point")
    source = write_bulk(tmp_path / "source", 64, seed=11)
    package = create(lab, source, POINT)

    # Held in the middle: it stops, and stays stopped with what has come.
    begun = line.sent_bytes
    publish(lab, package)
    assert wait_moving(lab, package, "CHI", 0.5, version=1)
    moving = lab.until(lambda: (row := of(lab, package, "HQ1"))["rate"] and row, "HQ1 hears how fast it comes")
    assert MIB / 4 < moving["rate"] < 32 * MIB
    say(lab, "hold", package, "--wait")
    held = of(lab, package, "HQ1")
    assert (held["state"], held["reason"], held["word"], held["asked"]) == ("waiting", "held", "held", None)
    assert held["word_by"].endswith("at HQ1")
    wait_quiet(lab, lambda: line.sent_bytes // (64 * 1024))
    stopped, row = line.sent_bytes - begun, of(lab, package, "CHI")
    assert 0 < row["bytes_done"] < row["bytes_planned"]
    assert lab.status(package, "CHI")[POINT]["state"] == "waiting"
    lab.stop("CHI")
    lab.start("CHI")
    assert of(lab, package, "CHI")["word"] == "held", "a hold survives a restart"

    # Released it brings the rest, and only that.
    say(lab, "release", package)
    lab.wait_present(package)
    assert of(lab, package, "CHI")["bytes_wire"] <= row["bytes_planned"], "not one batch came twice"
    assert line.sent_bytes - begun < row["bytes_planned"] + KILL_BYTES
    assert stopped > row["bytes_planned"] // 4, "it was held in the middle"
    with contextlib.closing(on_point(folder, package, 1)) as found, contextlib.closing(LocalReader(str(source))) as expected:
        assert_same(expected, found)

    # Cancelled it ends at once; what is there stays, until somebody wants it after all.
    for number in range(6):
        (source / f"new-{number}").write_bytes(noise(5 * MIB, 900 + number))
    publish(lab, package)
    assert wait_moving(lab, package, "CHI", 0.1, version=2)
    say(lab, "cancel", package, "--wait")
    gone = of(lab, package, "HQ1")
    assert (gone["state"], gone["error"]["code"], gone["present"], gone["bytes_done"]) == ("failed", "cancelled", 1, 0)
    wait_quiet(lab, lambda: line.sent_bytes // (64 * 1024))
    assert lab.status(package, "CHI")[POINT]["present"] == 1
    lab.quick("HQ1", "package", "retry", package, "--at", "CHI", "--wait", "--timeout", "60")
    lab.wait_present(package, 2)

    # A site that is away is asked, and answers when it is back.
    lab.stop("CHI")
    say(lab, "hold", package)
    assert of(lab, package, "HQ1")["asked"]["action"] == "hold"
    say(lab, "hold", package, place=POINT)
    assert [one["place"] for one in lab["HQ1"].api.get("/transfers", {"state": "asked"})["items"]] == ["CHI", POINT]
    lab.start("CHI")
    say(lab, "hold", package, "--wait")
    assert of(lab, package, "HQ1")["asked"] is None
    lab.quick("HQ1", "transfer", "release", "--site", "CHI", "--yes", "--wait")
    assert lab["HQ1"].api.get("/transfers", {"state": "held"})["items"] == []

    # What crossed the line was counted where it arrived, and is known above.
    traffic = {code: lab[code].api.get("/traffic")["bytes_wire"] for code in ("CHI", "HQ1")}
    assert traffic["CHI"] == traffic["HQ1"] > 64 * MIB // 2
