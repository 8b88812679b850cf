"""All steps together, and the page that says where the way stands."""

from __future__ import annotations

from haulage.console.first_run.arriving import arriving_pages
from haulage.console.first_run.folder import folder_page
from haulage.console.first_run.places import place_page
from haulage.console.first_run.publish import publish_page
from haulage.console.first_run.steps import MENU_PLACE, PATH, StepQuery, StepView, run_of, shown
from haulage.console.frame.page import Page, Shown, Visit


def first_run_pages() -> tuple[Page, ...]:
    """Every page of the first run."""
    begin = Page(path=PATH, template="first_run.html", show=_begin, query=StepQuery, place=MENU_PLACE)
    return (begin, folder_page(), publish_page(), place_page(), *arriving_pages())


def _begin(visit: Visit) -> Shown:
    return shown("where it stands", StepView(step="", run=run_of(visit)))
