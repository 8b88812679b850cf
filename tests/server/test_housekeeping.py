"""What a site does for its own order in the night."""

from __future__ import annotations

import pytest

from haulage.base.settings import StatusSettings
from haulage.engine.database.transaction import Database
from haulage.engine.jobs.stepped import SteppedJobs
from haulage.engine.status.on_server import DATABASE_DAMAGED
from haulage.server.housekeeping import NIGHTLY, Housekeeper
from haulage.server.presence import Presence
from tests.domain.worlds import HQ1, ONE, lab


def test_f11_the_database_is_checked_every_night_and_damage_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with lab(ONE) as here:
        clock = here.world.clock
        keeper = Housekeeper(here.core(HQ1), SteppedJobs(clock), clock, Presence(clock), StatusSettings())
        found: tuple[str, ...] = ()
        monkeypatch.setattr(Database, "damages", lambda _self: found)
        clock.move(3700)
        keeper.turn()
        assert here.said(HQ1, DATABASE_DAMAGED.number) == []
        found = ("page 3 is used twice", "page 4 is not used")
        keeper.turn()
        assert here.said(HQ1, DATABASE_DAMAGED.number) == [], "not before the next night"
        clock.move(NIGHTLY.total_seconds())
        keeper.turn()
        (said,) = here.said(HQ1, DATABASE_DAMAGED.number)
        assert said.fields["cause"] == "page 3 is used twice"
