"""Topic: bytes that cross a line when a place that holds one version of a package gets the next one."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks import rounds
from benchmarks.contenders import OURS
from benchmarks.packages import NotFetched, unpack
from benchmarks.process import CommandFailed, run
from benchmarks.table import mebibytes, print_table

PAIRS = ("pip:24.2:24.3.1", "sqlalchemy:2.0.40:2.0.41", "django:5.2.7:5.2.8", "cryptography:46.0.3:46.0.4", "numpy:2.3.4:2.3.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """Two unpacked versions, and a folder to work in."""

    old: str
    new: str
    work: str


Way = Callable[[Versions], int]
"""Bytes that cross the line; both directions, where there are two."""


def measure(work: str, cache: str, pairs: Sequence[str]) -> None:
    """Measure and print."""
    ways = [(title, way) for title, programs, way in WAYS if all(shutil.which(program) for program in programs)]
    rows = [row for pair in pairs if (row := _row(pair, work, cache, [way for _, way in ways]))]
    print("### An update: bytes over the line, from one published version to the next\n")
    print_table(["package", "size", "haulage: full parcel", "haulage: update", *[title for title, _ in ways]], rows)


def _row(pair: str, work: str, cache: str, ways: Sequence[Way]) -> list[str] | None:
    name, old, new = pair.split(":")
    folder = os.path.join(work, name)
    versions = Versions(old=os.path.join(folder, "old"), new=os.path.join(folder, "new"), work=folder)
    try:
        unpack(name, old, cache, versions.old)
        unpack(name, new, cache, versions.new)
    except NotFetched as error:
        print(f"left out: {error}")
        return None
    full, update = _parcels(versions)
    cells = [_cell(way, versions, update) for way in ways]
    size = mebibytes(rounds.count(versions.new)[1])
    return [f"{name} {old} → {new}", size, f"{mebibytes(full)} ({full / update:.1f}×)", mebibytes(update), *cells]


def _cell(way: Way, versions: Versions, update: int) -> str:
    try:
        size = way(versions)
    except CommandFailed as error:
        print(error)
        return "failed"
    return f"{mebibytes(size)} ({size / update:.2g}×)" if size < 10 * update else f"{mebibytes(size)} ({size / update:.0f}×)"


def _ours(action: str, *arguments: str) -> dict[str, object]:
    line = run(" ".join([OURS.capture.split(" capture")[0], action, *arguments]), environment=OURS.environment).output
    found: dict[str, object] = json.loads(line)
    return found


def _parcels(versions: Versions) -> tuple[int, int]:
    store = f"{versions.work}/store"
    base = str(_ours("capture", versions.old, store)["manifest"])
    _ours("capture", versions.new, store)
    update = _ours("parcel", store, f"{versions.work}/update.parcel", base)
    full = _ours("parcel", store, f"{versions.work}/full.parcel")
    return int(str(full["size"])), int(str(update["size"]))


def _rsync(versions: Versions) -> int:
    here = f"{versions.work}/rsync"
    run(f"cp -a {versions.old} {here}")
    command = f"rsync -a -z --no-whole-file --delete --stats {versions.new}/ {here}/"
    output = run(command, environment={"LC_ALL": "C"}).output
    return sum(int(figure.replace(",", "")) for figure in re.findall(r"Total bytes (?:sent|received): ([\d,]+)", output))


def _casync(versions: Versions) -> int:
    store = f"{versions.work}/casync"
    run(f"mkdir {store}")
    held: set[str] = set()
    for version in (versions.old, versions.new):
        before, held = held, set()
        run(f"casync make --compression=zstd --store={store}/chunks {store}/index.caidx {version} > /dev/null")
        held = {os.path.join(at, name) for at, _, names in os.walk(f"{store}/chunks") for name in names}
    return sum(os.path.getsize(path) for path in held - before) + os.path.getsize(f"{store}/index.caidx")


def _patch(versions: Versions, level: str) -> int:
    for version in (versions.old, versions.new):
        run(f"tar -C {version} --sort=name -cf {version}.tar .")
    run(f"zstd -q -f {level} --long=27 --patch-from={versions.old}.tar {versions.new}.tar -o {versions.work}/patch.zst")
    return os.path.getsize(f"{versions.work}/patch.zst")


def _archive(versions: Versions) -> int:
    run(f"tar -C {versions.new} --sort=name -cf - . | zstd -q -f -9 -T2 -o {versions.work}/full.tar.zst")
    return os.path.getsize(f"{versions.work}/full.tar.zst")


WAYS: tuple[tuple[str, tuple[str, ...], Way], ...] = (
    ("rsync -z", ("rsync",), _rsync),
    ("casync", ("casync",), _casync),
    ("zstd -9 --patch-from", ("zstd", "tar"), lambda versions: _patch(versions, "-9")),
    ("zstd -19 --patch-from", ("zstd", "tar"), lambda versions: _patch(versions, "-19")),
    ("whole: tar, zstd -9", ("zstd", "tar"), _archive),
)
