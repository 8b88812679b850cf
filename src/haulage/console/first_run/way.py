"""All steps together, and the address that leads to the one that is next."""

from __future__ import annotations

from haulage.console.first_run.arriving import arriving_pages
from haulage.console.first_run.folder import folder_page
from haulage.console.first_run.places import place_page
from haulage.console.first_run.publish import publish_page
from haulage.console.first_run.steps import MENU_PLACE, PATH, StepQuery, StepView, run_of, shown, step_address
from haulage.console.frame.page import Page, Shown, Visit


def first_run_pages() -> tuple[Page, ...]:
    """Every page of the first run."""
    begin = Page(path=PATH, template="first_run_next.html", show=_begin, query=StepQuery, place=MENU_PLACE)
    return (begin, folder_page(), publish_page(), place_page(), *arriving_pages())


def _begin(visit: Visit) -> Shown:
    run = run_of(visit)
    to = step_address(run.current, run.package.id if run.package is not None else "")
    return shown("where it stands", StepView(step=run.current, run=run), to=to)
