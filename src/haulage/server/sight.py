"""From where and when this server looks at the estate. Knows no page and no table."""

from __future__ import annotations

from haulage.domain.reporting.contact import Sight
from haulage.server.housekeeping import AWAY_SECONDS
from haulage.server.service import Service


def sight_of(service: Service) -> Sight:
    """Now, with whoever was heard since the server started."""
    return Sight(code=service.code, now=service.clock.now(), heard=service.presence.heard(), away_seconds=AWAY_SECONDS)
