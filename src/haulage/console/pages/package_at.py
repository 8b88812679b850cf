"""One package at one place: how it stands and why, what happens next, what one can do about it, and all that happened."""

from __future__ import annotations

from collections.abc import Callable

from haulage.base.errors import NotFoundError
from haulage.base.ids import Place, make_place, package_id, point_name, site_code
from haulage.console.frame.addresses import at_address
from haulage.console.frame.page import Done, Page, Shown, Visit, Write, inward
from haulage.domain.reporting.at_place import at_place
from haulage.operations import orders
from haulage.operations.desk import require_package
from haulage.server.core import SiteCore

PATHS = ("/packages/{id}/at/{site}", "/packages/{id}/at/{site}/{point}")
SAID: dict[orders.Action, str] = {
    "retry": "is tried again",
    "verify": "is read again, every byte of it",
    "repair": "is read again, and what is damaged is written anew",
}


def package_at_pages(_core: SiteCore) -> tuple[Page, ...]:
    """The same page for a site's store and for a point."""
    return tuple(Page(path=path, template="package_at.html", show=_show, place="packages", live=True) for path in PATHS)


def package_at_writes(_core: SiteCore) -> tuple[Write, ...]:
    """Trying again, verifying, repairing."""
    return tuple(Write(path=f"{path}/{action}", act=_orderer(action)) for action in SAID for path in PATHS)


def _where(visit: Visit) -> Place:
    point = visit.path.get("point", "")
    return make_place(site_code(visit.path["site"]), point_name(point) if point else None)


def _show(visit: Visit) -> Shown:
    package, where = package_id(visit.path["id"]), _where(visit)
    core = visit.service.core
    with core.database.reading() as tx:
        known = require_package(tx, package)
        now = visit.service.clock.now()
        view = at_place(tx, core.journal, core.librarian, known, where, now=now, here=core.code)
    if view is None:
        raise NotFoundError(
            "not-assigned",
            f"{package} is not meant for {where}.",
            f"haulage package assign {package} --to {where} brings it there.",
        )
    return Shown(title=f"{package} at {where}", view=view)


def _orderer(action: orders.Action) -> Callable[[Visit], Done]:
    def act(visit: Visit) -> Done:
        package, where = package_id(visit.path["id"]), _where(visit)
        orders.give_order(visit.service.desk, visit.actor, action, package, where)
        back = inward(visit.form.get("to", at_address(package, where)))
        return Done(to=back, said=f"{package} at {where} {SAID[action]}, as soon as its site hears of it.")

    return act
