"""What an update would take, before; and why it took what it did."""

from __future__ import annotations

import msgspec

from haulage.base.errors import NotFoundError, UsageError
from haulage.base.ids import PackageId, Place, make_place, package_id, parted, place, site_of
from haulage.domain.knowledge.diagnosis import likely
from haulage.domain.people.roles import Role
from haulage.domain.reporting import explain as reporting
from haulage.domain.transit import records as transit
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.message import Severity, StatusFilter
from haulage.operations.desk import require_group, require_package, require_place
from haulage.server.endpoint import Answer, Call, Endpoint, Permission
from haulage.server.service import View

PLACES_MAX = 1000


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place; ``files``: account for each file, too, which reads what changed."""

    at: str
    files: bool = False


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Places and groups (@NAME), separated by commas."""

    to: str
    files: bool = False


def _explain(call: Call) -> Answer:
    asked: At = call.query
    if asked.files:
        call.require(Role.OPERATOR)
    package, where = package_id(call.path["id"]), place(asked.at)
    core = call.service.core
    with core.database.reading() as tx:
        known = require_package(tx, package)
        view = reporting.explain(tx, known, where)
        row = transit.find_shipment(tx, package, make_place(site_of(where)))
        parcel = reporting.parcel_for(tx, known, row)
        articles = _articles(call, tx, package, where, view)
    if view is None:
        raise NotFoundError(
            "not-assigned", f"{package} is not meant for {where}.", f"haulage package assign {package} --to {where}"
        )
    files = core.forecaster.account(known, parcel) if asked.files else {}
    return Answer(value=view | files | {"id": f"{package}@{where}", "articles": articles})


def _articles(call: Call, tx: Transaction, package: PackageId, where: Place, view: View | None) -> list[View]:
    """What is known about a failure like this one: by its error, and by what was said of it last."""
    error = view.get("error") if view is not None else None
    if not isinstance(error, dict):
        return []
    core = call.service.core
    wanted = StatusFilter(packages=(package,), places=(where,), at_least=Severity.WARNING)
    said = [one.record.number for one in core.journal.find(tx, wanted, limit=1, newest=True)]
    return likely(tx, core.code, core.librarian, f"{error['code']}\n{error['message']}", messages=said)


def _plan(call: Call) -> Answer:
    asked: To = call.query
    package = package_id(call.path["id"])
    named, groups = parted(asked.to.split(","))
    core = call.service.core
    with core.database.reading() as tx:
        known = require_package(tx, package)
        places = list(named)
        for name in groups:
            places += require_group(call.service.desk, tx, name).places
        places = list(dict.fromkeys(places))
        if len(places) > PLACES_MAX:
            raise UsageError("too-many-places", f"{len(places)} places are more than {PLACES_MAX}.", "Ask for some of them.")
        for where in places:
            require_place(tx, where)
    return Answer(value={"items": core.forecaster.plan(known, places, files=asked.files), "cursor": None})


_ONE = "/api/v1/packages/{id}"

ENDPOINTS = (
    Endpoint(
        method="GET", path=f"{_ONE}/explain", permission=Permission.READ, act=_explain, query=At, summary="Why, what next, when"
    ),
    Endpoint(
        method="GET",
        path=f"{_ONE}/plan",
        permission=Permission.OPERATE,
        act=_plan,
        query=To,
        summary="What it would take to bring the newest version to places",
    ),
)
