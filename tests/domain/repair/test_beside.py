"""The files that are made from the store: every flipped byte of them is found, and they are made again."""

from __future__ import annotations

import os
from pathlib import Path

from haulage.domain.repair.beside import check_beside
from haulage.engine.content.capture import CaptureOptions, capture
from haulage.engine.content.memory_store import MemoryStore
from haulage.engine.trees.memory import MemoryReader, MemoryTree
from haulage.testing.clock import HandClock
from tests.domain.worlds import CHAIN, HQ1, lab


def flips(path: Path, step: int) -> list[bytes]:
    data = path.read_bytes()
    return [data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :] for at in range(0, len(data), step)]


def test_each_byte_of_a_parcel_is_found() -> None:
    with lab(CHAIN) as sites:
        package = sites.package("CHI")
        sites.publish(package)
        sites.settle()
        provider = sites.core(HQ1).provider
        (name,) = provider.cache.parcels.names()
        path = Path(provider.cache.parcels.path(name))
        whole = path.read_bytes()
        assert check_beside(provider, None) == []
        for damaged in flips(path, 3):
            path.write_bytes(damaged)
            (damage,) = check_beside(provider, None)
            assert damage.where == str(path)
            assert not path.exists(), "it is built again when somebody asks"
        path.write_bytes(whole)
        assert check_beside(provider, None) == []


def test_each_byte_of_hints_is_found(tmp_path: Path) -> None:
    tree = MemoryTree()
    tree.file(b"a", b"text", mtime_ns=1)
    hints = tmp_path / "HQ100001.hints"
    capture(MemoryReader(tree), MemoryStore(), HandClock(), options=CaptureOptions(threads=0, hints=str(hints)))
    whole = hints.read_bytes()
    with lab(CHAIN) as sites:
        provider = sites.core(HQ1).provider
        assert check_beside(provider, str(tmp_path)) == []
        for damaged in flips(hints, 1):
            hints.write_bytes(damaged)
            (damage,) = check_beside(provider, str(tmp_path))
            assert damage.where == str(hints)
            assert os.listdir(tmp_path) == [], "the next capture reads every file again"
        hints.write_bytes(whole)
        assert check_beside(provider, str(tmp_path)) == []
        assert check_beside(provider, str(tmp_path / "absent")) == []
