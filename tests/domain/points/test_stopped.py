"""A point whose copying somebody holds or cancels while it is written."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from haulage.base.ids import Place
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.operations import orders
from haulage.operations.orders import Word
from tests.domain.points.test_resume import POINT, Site
from tests.domain.worlds import ACTOR, HQ1, ONE, lab


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    with lab(ONE) as here:
        yield Site(here, tmp_path / "point")


def say(site: Site, word: Word) -> None:
    orders.say_of_transfer(site.here.desk(HQ1), ACTOR, word, site.package, Place(POINT))


def while_it_is_written(site: Site, word: Word) -> None:
    """Say it before the first bytes of a file are written, and let everything come to rest."""
    write = site._pwrite
    said: list[str] = []

    def saying(fd: int, data: Any, offset: int) -> int:
        if not said:
            said.append(word)
            say(site, word)
        return write(fd, data, offset)

    site._pwrite = saying  # type: ignore[method-assign]
    site.here.work()
    assert said


def staged(site: Site) -> bool:
    return os.path.isdir(site.root / site.package / ".staging.1")


def test_f24_held_while_it_is_written_it_shows_nothing_and_goes_on_with_what_was_finished(site: Site) -> None:
    while_it_is_written(site, "hold")
    row = site.row()
    assert (row.state, row.reason, row.due, row.present) == (ShipmentState.WAITING, Reason.HELD, None, 0)
    assert site.folder.current(site.package) == 0
    assert staged(site), "what was finished is kept"
    written = len(site.written)
    say(site, "release")
    site.settle()
    assert len(site.written) == written, "nothing is written twice"


def test_f24_cancelled_while_it_is_written_nothing_of_it_is_left(site: Site) -> None:
    while_it_is_written(site, "cancel")
    site.here.settle()
    row = site.row()
    assert (row.state, row.error_code, row.due) == (ShipmentState.FAILED, "cancelled", None)
    assert not staged(site)
    assert site.folder.current(site.package) == 0
    site.here.order(site.package, POINT, "retry")
    site.settle()
