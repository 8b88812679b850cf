"""A site at one glance, over a made-up estate."""

from __future__ import annotations

import msgspec

from haulage.cli.top_frame import Wish, frame
from haulage.domain.reporting.glance import glance
from haulage.engine.status.message import Severity
from haulage.server.sight import sight_of
from haulage.testing.estate.opened import Estate


def test_it_tells_what_the_estate_is(small_estate: Estate) -> None:
    service = small_estate.service()
    core = service.core
    with core.database.reading() as tx:
        found = glance(tx, sight_of(service), core.journal, rows=5)
        bad = glance(tx, sight_of(service), core.journal, rows=5, least=Severity.WARNING)
    assert found.site == "HQ1"
    assert sum(found.sites.values()) >= 10
    assert {row.code for row in found.neighbours} == {"CHI", "LON", "L02"}
    assert all(row.state in ("moving", "verifying") for row in found.moving)
    assert found.stuck[0].state == "failed"
    assert len(found.messages) == len(bad.messages) == 5
    assert all(one["severity"] != "information" for one in bad.messages)
    lines = frame(msgspec.to_builtins(found), Wish(width=80, height=24))
    assert len(lines) == 24
