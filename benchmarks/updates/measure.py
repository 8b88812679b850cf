"""Runs one tool on one pair: make, apply, compare byte for byte. A tool that fails is a result too, with the reason."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import subprocess

from benchmarks import rounds
from benchmarks.process import CommandFailed, Measured, run
from benchmarks.updates.cell import Cell, Step
from benchmarks.updates.peer import Peer, Place
from benchmarks.updates.ranges import Counted, serving

_MEMORY_KIB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024 * 3 // 4
"""A tool that wants more fails by itself instead of taking the machine with it."""


class Differs(Exception):
    """What came out is not the new tree."""


def identify(pair: str, peer: Peer, place: Place) -> Cell:
    """The cell as it is before it is measured: which tool in which version on what."""
    command = place.fill(peer.version)
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False).stdout.strip()
    version = said.splitlines()[0] if said else "unknown"
    mark = hashlib.blake2b("\0".join((version, peer.begin, peer.make, peer.apply)).encode(), digest_size=5).hexdigest()
    return Cell(pair=pair, tool=peer.name, version=version, mark=mark, tree_bytes=rounds.count(place.new)[1])


def measure(cell: Cell, peer: Peer, place: Place, *, limit_seconds: float) -> Cell:
    """Everything one tool does on a pair, in folders of its own that are moved to ``place.aside`` afterwards."""
    os.makedirs(place.work)
    try:
        return _measured(cell, peer, place, limit_seconds)
    except (CommandFailed, Differs, OSError) as error:
        return dataclasses.replace(cell, failed=_reason(error))
    finally:
        _put_aside(place)


def _put_aside(place: Place) -> None:
    """Nothing is removed while others are still to be measured: ext4 gives out inodes slowly for half a minute after many were
    given up, and creating files would cost the next tool up to ten times its time."""
    os.makedirs(place.aside, exist_ok=True)
    for folder in (place.work, place.out):
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, os.path.join(place.aside, os.path.basename(folder)))


def _measured(cell: Cell, peer: Peer, place: Place, limit: float) -> Cell:
    def step(command: str, at: Place = place) -> Measured:
        return run(f"ulimit -v {_MEMORY_KIB}; {at.fill(command)}", environment=peer.environment, limit_seconds=limit)

    step(peer.begin)
    os.sync()
    made = _step(step(peer.make)) if peer.make else None
    step(peer.prepare)
    os.sync()
    with serving(f"{place.work}/served") if peer.served else contextlib.nullcontext(Counted(0)) as served:
        there = dataclasses.replace(place, port=served.port)
        applied = step(peer.apply, there)
        wire = peer.wire(there, applied.output, served.count)
    _require_same(place.new, place.out)
    return dataclasses.replace(cell, wire_bytes=wire, make=made, apply=_step(applied))


def _step(measured: Measured) -> Step:
    return Step(wall_seconds=measured.wall_seconds, processor_seconds=measured.processor_seconds, peak_bytes=measured.peak_bytes)


def _require_same(new: str, out: str) -> None:
    done = subprocess.run(["diff", "-rq", "--no-dereference", new, out], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Differs(f"what it made is not the new tree: {(done.stdout or done.stderr).splitlines()[0]}")


def _reason(error: Exception) -> str:
    """The last line, which is where tools say why; the command itself is long."""
    return str(error).strip().splitlines()[-1][:200]
