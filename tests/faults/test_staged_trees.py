"""A tree that was staged and did not reach the disk is not found finished by the next try."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from haulage.base.files import watching_steps
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.trees import local_writer
from haulage.engine.trees.local_durable import sync_tree
from haulage.testing.faulty_disk import BROKEN, FULL
from tests.domain.points.test_resume import Site
from tests.domain.worlds import ONE, lab


def failing(number: int) -> Callable[[str], None]:
    def step(name: str) -> None:
        if name == "syncfs":
            raise OSError(number, os.strerror(number))

    return step


@pytest.mark.parametrize("number", [BROKEN, FULL])
def test_a_staged_tree_that_is_not_durable_is_not_taken_over_by_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """It was: files are taken over by size and time, and read back from memory they were always right."""

    def fail(root_fd: int) -> None:
        with watching_steps(failing(number)):
            sync_tree(root_fd)

    with lab(ONE) as here:
        site = Site(here, tmp_path / "point")
        with monkeypatch.context() as patched:
            patched.setattr(local_writer, "sync_tree", fail)
            site.until_tries(1)
        row = site.row()
        assert row.error_code == ("disk-full" if number == FULL else "not-durable")
        assert ((row.state, row.reason) == (ShipmentState.WAITING, Reason.SPACE)) == (number == FULL)
        left = os.listdir(site.root / site.package)
        assert not [name for name in left if name.startswith((".staging", ".partial"))], "nothing is left to be found finished"
        site.written.clear()
        site.settle()
        assert len(site.written) == 2, "every file was written again"
