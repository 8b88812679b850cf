"""What the steps of the first run share: what an address may say, what a step shows, and where the next one is. Knows no operation.

What is done is seen in what there is, so the way can be left at any time. A mistake is told beside the field, and what was typed
stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from haulage.base.errors import HaulageError
from haulage.base.ids import package_id
from haulage.console.frame.page import Shown, Visit
from haulage.domain.people.roles import Role
from haulage.domain.reporting.first_run import FirstRun, first_run
from haulage.server.refusals import STATUS_OF_CODE, STATUS_OF_FAMILY

PATH = "/first-run"
MENU_PLACE = "overview"
FIELD_OF = {
    "bad-name": "name",
    "bad-streams": "streams",
    "bad-point-name": "point",
    "point-exists": "point",
    "bad-site-code": "code",
    "site-exists": "code",
    "no-such-site": "parent",
}
"""Beside which field an error stands; any other beside the field that names the thing."""


class StepQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the address may say: the package, and what was chosen but not made yet."""

    package: str = ""
    source: str = ""
    name: str = ""
    streams: str = "keep"
    at: str = ""
    """The folder that is looked into."""
    place: str = ""
    """What is offered first."""


class Mistake(msgspec.Struct, frozen=True, kw_only=True):
    """What was wrong with what somebody typed, and beside which field that stands."""

    field: str
    code: str
    message: str
    hint: str
    status: int


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step, with the whole way."""

    step: str
    run: FirstRun
    typed: Mapping[str, str] = {}
    mistake: Mistake | None = None


def shown(title: str, view: StepView, to: str = "") -> Shown:
    """A step as a page."""
    status = view.mistake.status if view.mistake is not None else 200
    return Shown(title=f"First run: {title}", view=view, status=status, to=to)


def run_of(visit: Visit) -> FirstRun:
    """The way as it stands. Where the server keeps its files is left out for whoever is no administrator. Raises UsageError
    ``bad-package-id``."""
    text = asked(visit, "package")
    package = package_id(text) if text else None
    service = visit.service
    with service.core.database.reading() as tx:
        run = first_run(tx, service.code, service.url(), package, service.core.publisher.under_way)
    if may(visit, Role.ADMINISTRATOR):
        return run
    hidden = [msgspec.structs.replace(one, detail="") if one.kind == "point" else one for one in run.places]
    package_view = None if run.package is None else msgspec.structs.replace(run.package, source="")
    return msgspec.structs.replace(run, package=package_view, places=hidden)


def may(visit: Visit, role: Role) -> bool:
    """Whether whoever looks has a role."""
    return visit.caller.role >= role


def asked(visit: Visit, name: str) -> str:
    """Of the form, or of the address."""
    return visit.form.get(name, "") if visit.form else str(getattr(visit.query, name, ""))


def mistake_of(error: HaulageError, otherwise: str) -> Mistake:
    """An error beside its field."""
    return Mistake(
        field=FIELD_OF.get(error.code, otherwise),
        code=error.code,
        message=error.message,
        hint=error.hint,
        status=STATUS_OF_CODE.get(error.code) or STATUS_OF_FAMILY.get(error.family, 500),
    )


def step_address(step: str, package: str = "", **more: str) -> str:
    """Where a step is."""
    pairs = {name: value for name, value in {"package": package, **more}.items() if value}
    return f"{PATH}/{step}" + (f"?{urlencode(pairs)}" if pairs else "")


def missing(run: FirstRun, step: str) -> str:
    """Where to go instead of a step that has nothing to be about yet; empty if it has."""
    if run.package is None:
        return step_address("folder")
    return step_address("assign", run.package.id) if step == "arrive" and not run.deliveries else ""
