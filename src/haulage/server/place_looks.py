"""Everything about one site or one point, as pages and API show it. Knows no request."""

from __future__ import annotations

from haulage.base.errors import NotFoundError
from haulage.base.ids import Place
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.reporting.hierarchy_view import Estate
from haulage.domain.reporting.point_view import PointView, point_view
from haulage.domain.reporting.site_view import SiteView, find_site, site_view
from haulage.engine.database.transaction import Transaction
from haulage.server.service import Service
from haulage.server.sight import sight_of

PACKAGES = 50
"""Of a place at once."""


def look_at_site(service: Service, code: str, **which: str) -> SiteView:
    """Everything about one site; ``which`` of its packages: group, words, after. Raises NotFoundError ``no-such-site``."""
    core = service.core
    with core.database.reading() as tx:
        whole = Estate(tx, sight_of(service))
        site = find_site(tx, whole, code)
        if site is None:
            raise NotFoundError("no-such-site", f"There is no site {code}.", "The hierarchy shows those there are.")
        return site_view(
            tx,
            whole,
            site,
            core.journal,
            core.definitions,
            lambda text, numbers: likely(tx, core.code, core.librarian, text, messages=numbers),
            version=service.version,
            limit=PACKAGES,
            **which,
        )


def look_at_point(service: Service, where: Place, **which: str) -> PointView:
    """Everything about one point; a point of this site is looked at itself. Raises NotFoundError ``no-such-point``."""
    core = service.core
    with core.database.reading() as tx:
        point = require_point(tx, where)
    # Not within the transaction: a place that hangs is waited for a moment.
    space = core.point_duty.space.of(point) if point.site == service.code else None
    with core.database.reading() as tx:
        return point_view(
            tx,
            sight_of(service),
            point,
            core.journal,
            lambda text, numbers: likely(tx, core.code, core.librarian, text, messages=numbers),
            space=space,
            limit=PACKAGES,
            **which,
        )


def require_point(tx: Transaction, where: Place) -> Point:
    """A point that is known here. Raises NotFoundError ``no-such-point``."""
    found = estate.find_point(tx, where)
    if found is None:
        raise NotFoundError("no-such-point", f"There is no point {where}.", "The list of points shows those there are.")
    return found
