"""Haulage's engine as a command, so that it is measured like any peer: a process of its own, interpreter start included.

    python -m benchmarks.ours capture TREE STORE | restore STORE OUT | compare STORE OUT | check STORE
    python -m benchmarks.ours parcel STORE OUT [BASE [LEVEL]] | receive STORE PARCEL

A version is named by the file ``STORE.version``; ``capture`` replaces it. The hints stand in ``STORE.hints``.
What only updates need is loaded for them alone, as a command of Haulage does.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable

from haulage.base.clock import SystemClock
from haulage.base.memory import give_back_large_blocks
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.model import ManifestId
from haulage.engine.content.restore import restore
from haulage.engine.content.store import LocalStore
from haulage.engine.content.verify import verify_tree
from haulage.engine.trees.local_reader import LocalReader
from haulage.engine.trees.local_writer import LocalWriter


def _capture(tree: str, folder: str) -> dict[str, object]:
    with contextlib.closing(LocalStore(folder)) as store, contextlib.closing(LocalReader(tree)) as reader:
        report = capture(reader, store, SystemClock(), options=CaptureOptions(hints=f"{folder}.hints"))
    with open(f"{folder}.version", "w") as file:
        file.write(report.manifest.id.hex())
    return {"manifest": report.manifest.id.hex(), "new": report.bytes_new, "read": report.bytes_read}


def _version(folder: str) -> ManifestId:
    with open(f"{folder}.version") as file:
        return ManifestId(bytes.fromhex(file.read()))


def _restore(folder: str, out: str) -> dict[str, object]:
    with contextlib.closing(LocalStore(folder)) as store:
        report = restore(Manifest.open(_version(folder), store.read), store, LocalWriter(out))
    return {"bytes": report.bytes_total, "omissions": len(report.omissions)}


def _compare(folder: str, out: str) -> dict[str, object]:
    with contextlib.closing(LocalStore(folder)) as store, contextlib.closing(LocalReader(out)) as reader:
        differences = list(verify_tree(Manifest.open(_version(folder), store.read), reader))
    if differences:
        raise SystemExit(f"{len(differences)} differences, the first: {differences[0]}")
    return {"differences": 0}


def _check(folder: str) -> dict[str, object]:
    with contextlib.closing(LocalStore(folder)) as store:
        report = store.check()
    if report.damages:
        raise SystemExit(f"{len(report.damages)} damages, the first: {report.damages[0]}")
    return {"chunks": report.chunks_checked}


def _parcel(folder: str, out: str, base: str = "", level: str = "balanced") -> dict[str, object]:
    from haulage.engine.archives.fingerprint import abilities
    from haulage.engine.delta.level import Level
    from haulage.engine.parcels.build import build

    bases = [ManifestId(bytes.fromhex(base))] if base else []
    with contextlib.closing(LocalStore(folder)) as store:
        head = build(_version(folder), bases, store, out, level=Level(level), folder=folder, abilities=abilities())
    return {"size": os.path.getsize(out), "new": head.bytes_new, "total": head.bytes_total}


def _receive(folder: str, path: str) -> dict[str, object]:
    """Read from a file, as fast as it can be had: what the line costs is not the engine's."""
    from haulage.engine.parcels.file import ParcelFile
    from haulage.engine.parcels.receive import receive

    with contextlib.closing(LocalStore(folder)) as store, contextlib.closing(ParcelFile.open(path)) as parcel:
        with store.session("benchmark") as session:
            report = receive(parcel.head, parcel.read, store, session, folder=folder, owner="benchmark")
        with open(f"{folder}.version", "w") as file:
            file.write(parcel.head.target.hex())
    return {"wire": report.bytes_wire}


COMMANDS: dict[str, Callable[..., dict[str, object]]] = {
    "capture": _capture,
    "restore": _restore,
    "compare": _compare,
    "check": _check,
    "warm": dict,
    "parcel": _parcel,
    "receive": _receive,
}

if __name__ == "__main__":
    give_back_large_blocks()  # as a server does
    print(json.dumps(COMMANDS[sys.argv[1]](*sys.argv[2:])))
