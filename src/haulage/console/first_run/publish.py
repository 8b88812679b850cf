"""The second step: watch the capture, until there is a version; and have it tried again where it failed."""

from __future__ import annotations

from haulage.base.errors import HaulageError
from haulage.base.ids import package_id
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
from haulage.operations.packages import publish_package


def publish_page() -> Page:
    """The page; a POST asks for a capture."""
    return Page(
        path=f"{PATH}/publish",
        template="first_run_publish.html",
        show=_show,
        query=StepQuery,
        place=MENU_PLACE,
        live=True,
        takes_form=True,
    )


def _show(visit: Visit) -> Shown:
    mistake, to = None, ""
    if visit.form:
        visit.caller.require(Role.OPERATOR)
        try:
            package = package_id(asked(visit, "package"))
            publish_package(visit.desk, visit.actor, package)
            to = step_address("publish", package)
        except HaulageError as error:
            mistake = mistake_of(error, "package")
    run = run_of(visit)
    return shown("publish it", StepView(step="publish", run=run, mistake=mistake), to=to or missing(run, "publish"))
