"""What the tests of the lab do again and again: sources, packages, points, and looking whether a tree is what it was."""

from __future__ import annotations

import contextlib
import json
import os
import random
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from haulage.engine.trees.compare import compare_trees
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.model import TreeReader
from haulage.testing.folders import noise
from haulage.testing.lab.lab import Lab

KILL_BYTES = (8 + 8 + 2) << 20
"""What a kill may cost on the line: a batch that was not whole, the piece that was asked for after it, and some for their edges."""
MIB = 1 << 20


def write_bulk(folder: Path, megabytes: int, *, seed: int = 0) -> Path:
    """Files of many sizes: three quarters incompressible, the rest text."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    left, index = megabytes * MIB, 0
    while left > 0:
        size = min(left, chance.choice((70_000, 300_000, MIB, 5 * MIB)))
        text = b"".join(b"line %d of file %d, %x\n" % (line, index, chance.getrandbits(24)) for line in range(400))
        content = noise(size, seed * 1000 + index) if index % 4 else (text * (size // len(text) + 1))[:size]
        (folder / f"{index:04}.bin").write_bytes(content)
        left, index = left - size, index + 1
    return folder


def change_bulk(folder: Path, megabytes: int, *, seed: int) -> None:
    """New content for that much of it, so that a new version has that much to move."""
    left = megabytes * MIB
    paths = sorted(folder.iterdir())
    random.Random(seed).shuffle(paths)
    for path in paths:
        size = path.stat().st_size
        path.write_bytes(noise(size, 7_000_000 + seed))
        left -= size
        if left <= 0:
            return


def add_point(lab: Lab, place: str, folder: Path, *, at: str = "HQ1") -> Path:
    """A folder point, known to its own site when this returns."""
    lab.quick(at, "point", "add", place, "--url", f"folder:{folder}")
    site = place.split("/")[0]
    lab.until(lambda: any(row["place"] == place for row in lab[site].api.rows("/points")), f"{site} knows {place}")
    return folder


def create(lab: Lab, source: object, *places: str, at: str = "HQ1", name: str = "Payload") -> str:
    """A package assigned to places, not published."""
    package: str = lab.quick(at, "package", "create", name, "--source", str(source))["id"]
    if places:
        lab.quick(at, "package", "assign", package, "--to", *places)
    return package


def publish(lab: Lab, package: str, *, at: str = "HQ1") -> dict[str, Any]:
    """Publish and wait for the capture."""
    made: dict[str, Any] = lab.quick(at, "package", "publish", package, "--wait", "--timeout", "120")
    return made


def on_point(folder: Path, package: str, version: int) -> LocalReader:
    """The tree of a version on a folder point."""
    return LocalReader(str(folder / package / str(version)))


def current_on(folder: Path, package: str) -> int:
    """The version a client would take from a folder point; 0 if there is none."""
    with contextlib.suppress(FileNotFoundError):
        number: int = json.loads((folder / package / ".haulage" / "current").read_bytes())["version"]
        return number
    return 0


def assert_same(expected: TreeReader, found: TreeReader, **how: bool) -> None:
    """Bytes, streams, attributes, times, links."""
    differences = list(islice(compare_trees(expected, found, **how), 10))
    assert differences == []


def bytes_served(lab: Lab, parent: str, child: str) -> int:
    """Bytes of parcels a site handed to a child since it started."""
    served: int = lab[parent].api.get("/site")["served"].get(child, {"bytes": 0})["bytes"]
    return served


def wait_moving(lab: Lab, package: str, place: str, share: float, *, version: int) -> bool:
    """Return when that share of a transfer is done, looking at the place's own site. False: it was over before it was seen."""
    site = place.split("/")[0]

    def look() -> str | None:
        row = lab.status(package, site).get(place)
        if row is None or row["wanted"] != version:
            return None
        if row["present"] == version:
            return "over"
        started = row["state"] in ("moving", "verifying") and row["bytes_planned"] + row["bytes_total"] > 0
        return "moving" if started and row["bytes_done"] >= share * row["bytes_planned"] else None

    return bool(lab.until(look, f"{package} moves to {place}", every_seconds=0.02) == "moving")


def link_counters(lab: Lab, parent: str) -> dict[str, tuple[int, ...]]:
    """For each neighbour of a site: messages and bytes sent and received, parcels served."""
    counted: dict[str, tuple[int, ...]] = {}
    served = lab[parent].api.get("/site")["served"]
    for row in lab[parent].api.rows("/sites"):
        link = row["link"]
        if link:
            figures = (link["messages_sent"], link["messages_waiting"], link["bytes_sent"], link["messages_received"])
            counted[row["code"]] = (*figures, served.get(row["code"], {"bytes": 0})["bytes"])
    return counted


def wait_quiet(lab: Lab, look: Callable[[], object], *, seconds: float = 1.5) -> Any:
    """Wait until what is looked at has not changed for a while; returns it."""
    before: list[object] = [look(), lab.clock.monotonic()]

    def quiet() -> bool:
        now = look()
        if now != before[0]:
            before[:] = [now, lab.clock.monotonic()]
        return lab.clock.monotonic() - float(str(before[1])) >= seconds

    lab.until(quiet, "it is quiet")
    return before[0]


def files_below(folder: str | os.PathLike[str]) -> list[str]:
    """Every file below a folder."""
    return sorted(os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)
