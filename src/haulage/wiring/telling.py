"""Who is told of status messages at this site: put together from its settings."""

from __future__ import annotations

import datetime as dt
import random

from haulage.base.clock import Clock
from haulage.domain.telling.cursors import Cursors
from haulage.server.core import SiteCore
from haulage.server.telling.teller import Teller
from haulage.wiring.home import Home


def teller_of(home: Home, core: SiteCore, clock: Clock, version: str) -> Teller:
    """Nothing is sent before it is started."""
    settings = home.settings.notify

    def newest() -> int:
        with core.database.reading() as tx:
            return core.journal.last_id(tx)

    cursors = Cursors(
        core.code,
        database=core.database,
        journal=core.journal,
        clock=clock,
        chance=random.Random(),  # noqa: S311  (spreads tries, guards nothing)
        keep=dt.timedelta(days=settings.keep_days),
        keep_messages=settings.keep_messages,
    )
    return Teller(
        settings,
        cursors,
        code=core.code,
        database=core.database,
        clock=clock,
        version=version,
        console=lambda: home.url,
        newest=newest,
    )
