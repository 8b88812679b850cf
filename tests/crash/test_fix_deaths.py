"""Servicing dies before any of its durable steps, by a kill or by a power cut, and any command that is started next ends it exactly
as before or exactly as after: bytes, modes, attributes, times, record, services; no service is ever started on half a product.

``python -m haulage.testing.crash_points --scenario fix-install`` tries all and prints the table.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable, Iterable

import pytest

from haulage.engine.servicing import backup, durable, healing, servicing, switch
from haulage.testing.crash_points import table
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.fix_bench import FixBench
from haulage.testing.crash_points.fix_scenarios import FIX_SCENARIOS
from haulage.testing.crash_points.real_kill import kill_really

LONG = os.environ.get("HAULAGE_LONG") == "1"
SLICE = 8
BY_NAME = {one.name: one for one in FIX_SCENARIOS}


@pytest.mark.parametrize("name", BY_NAME)
def test_f1_f5_i12_a_death_in_servicing_ends_as_before_or_as_after(name: str) -> None:
    with contextlib.closing(FixBench(BY_NAME[name])) as bench:
        deaths = [(point, left) for point in range(1, len(bench.steps) + 1) for left in Left]
        chosen = deaths if LONG else random.Random(name).sample(deaths, SLICE)
        assert table.failures(bench.try_point(point, left) for point, left in chosen) == []


@pytest.mark.parametrize("name", ["fix-install", "fix-fail-check", "fix-uninstall"])
def test_f1_i12_servicing_killed_really(name: str) -> None:
    with contextlib.closing(FixBench(BY_NAME[name])) as bench:
        points = range(1, len(bench.steps) + 1)
        for point in random.Random(name).sample(points, 25 if LONG else 1):
            assert kill_really(bench, point) == "", f"{name} at {point}"


def _no_folder_sync(_path: str) -> None:
    durable.step("fsync-folder")


def _no_file_sync(path: str, pieces: Iterable[bytes], settle: Callable[[str], None], *, mode: int = 0o600) -> int:
    durable.step("create")
    with open(path, "wb") as file:
        size = file.write(b"".join(pieces))
    os.chmod(path, mode)
    settle(path)
    return size


def _no_tidying(_places: object, _record: object) -> None:
    return None


def _no_keeping(_places: object, _sequence: int, _changes: object) -> None:
    return None


FORGOTTEN: dict[str, tuple[object, str, Callable[..., object], Left]] = {
    "the bytes of files": (durable, "write_new", _no_file_sync, Left.EMPTY),
    "names in folders": (durable, "sync_folder", _no_folder_sync, Left.LOST),
    "to clear away": (healing, "tidy", _no_tidying, Left.KILLED),
    "to keep what changes": (backup, "keep_files", _no_keeping, Left.KILLED),
    "to give files back": (switch, "switch_back", lambda *_any: None, Left.KILLED),
    "the journal before the switch": (servicing, "save_journal", lambda *_any: None, Left.KILLED),
}


@pytest.mark.parametrize("what", FORGOTTEN)
def test_f5_servicing_that_forgets_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, name, forgetful, left = FORGOTTEN[what]
    monkeypatch.setattr(owner, name, forgetful)
    with contextlib.closing(FixBench(BY_NAME["fix-install"])) as bench:
        assert any(not bench.try_point(point, left).held for point in range(len(bench.steps), 0, -1))
