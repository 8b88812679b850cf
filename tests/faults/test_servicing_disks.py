"""Servicing on file systems that are full or cannot be written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from haulage.engine.servicing import durable
from haulage.engine.servicing.errors import ServicingError
from haulage.testing.crash_points.press import RUNNING
from tests.engine.servicing.around import Press
from tests.faults.conftest import SmallDisk


def _on(disk: SmallDisk) -> Press:
    return Press(disk.path)


def test_q259781_a_root_that_cannot_be_written_is_named(small_disk: Callable[[int], SmallDisk]) -> None:
    disk = small_disk(8)
    press = _on(disk)
    disk.remount("ro")
    assert {each.code for each in press.check().refusals} == {"read-only-root"}
    with pytest.raises(ServicingError) as refused:
        press.install()
    assert refused.value.code == "read-only-root"
    disk.remount("rw")
    press.install()


def test_i13_a_disk_that_is_full_is_named_before_anything_is_changed(small_disk: Callable[[int], SmallDisk]) -> None:
    disk = small_disk(8)
    press = _on(disk)
    before = press.everything()
    disk.fill(leave_bytes=64 << 10)
    with pytest.raises(ServicingError) as refused:
        press.install()
    assert refused.value.code == "no-space"
    assert press.everything().items() >= before.items()
    disk.make_room()
    press.install()


@pytest.mark.parametrize("step", ["stop-service", "mkdir", "rename"])
def test_i13_a_disk_that_somebody_fills_meanwhile_is_undone(small_disk: Callable[[int], SmallDisk], step: str) -> None:
    disk = small_disk(8)
    press = _on(disk)
    press.places.make()
    before = press.everything()
    filled: list[str] = []

    def fill(name: str) -> None:
        if name == step and not filled:
            disk.fill()
            filled.append(name)

    with durable.watching_steps(fill), pytest.raises(ServicingError) as failed:
        press.install()
    assert failed.value.code in ("disk-failed", "unfinished")
    disk.make_room()
    press.check()
    assert press.everything() == before
    assert press.around.running() == set(RUNNING)
    press.install()
