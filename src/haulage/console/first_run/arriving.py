"""The last steps: send the package to a place, watch it arrive there, and see what comes next."""

from __future__ import annotations

from haulage.base.errors import HaulageError, UsageError
from haulage.base.ids import package_id, place
from haulage.console.first_run.steps import (
    MENU_PLACE,
    PATH,
    StepQuery,
    StepView,
    asked,
    missing,
    mistake_of,
    run_of,
    shown,
    step_address,
)
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.people.roles import Role
from haulage.operations.packages import assign_package

AT = "at."
"""Fields of the form that choose a place begin so."""


def arriving_pages() -> tuple[Page, ...]:
    """Assign (a POST does it), arrive, next."""
    return (
        Page(
            path=f"{PATH}/assign",
            template="first_run_assign.html",
            show=_assign,
            query=StepQuery,
            place=MENU_PLACE,
            takes_form=True,
        ),
        Page(path=f"{PATH}/arrive", template="first_run_arrive.html", show=_arrive, query=StepQuery, place=MENU_PLACE, live=True),
        Page(path=f"{PATH}/next", template="first_run_next.html", show=_next, query=StepQuery, place=MENU_PLACE),
    )


def _assign(visit: Visit) -> Shown:
    chosen = {name.removeprefix(AT) for name in visit.form if name.startswith(AT)}
    mistake, to = None, ""
    if visit.form:
        visit.caller.require(Role.OPERATOR)
        try:
            package = package_id(asked(visit, "package"))
            if not chosen:
                raise UsageError("no-places", "No place was chosen.", "Choose at least one.")
            assign_package(visit.desk, visit.actor, package, [place(where) for where in sorted(chosen)])
            to = step_address("arrive", package)
        except HaulageError as error:
            mistake = mistake_of(error, "places")
    run = run_of(visit)
    offered = asked(visit, "place")
    picked = chosen or ({offered} if offered else {one.place for one in run.places[:1]} if not visit.form else set())
    view = StepView(step="assign", run=run, typed=dict.fromkeys(sorted(picked), "true"), mistake=mistake)
    return shown("send it there", view, to=to or missing(run, "assign"))


def _arrive(visit: Visit) -> Shown:
    run = run_of(visit)
    return shown("watch it arrive", StepView(step="arrive", run=run), to=missing(run, "arrive"))


def _next(visit: Visit) -> Shown:
    return shown("what comes next", StepView(step="next", run=run_of(visit)))
