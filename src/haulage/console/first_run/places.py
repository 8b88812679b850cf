"""The third step: a place to bring it to. A folder of this site, or another site, which is invited and waited for."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from haulage.base.errors import HaulageError, UsageError
from haulage.base.ids import Place, make_place, point_name, site_code
from haulage.console.first_run.steps import (
    MENU_PLACE,
    PATH,
    StepQuery,
    StepView,
    asked,
    may,
    mistake_of,
    run_of,
    shown,
    step_address,
)
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.people.roles import Role
from haulage.operations.points import FOLDER, add_point
from haulage.operations.sites import Invited, invite_site

_SPACES = re.compile(r"\s+")
POINT, SITE = "point", "site"
"""What the two forms of the page ask for."""


class PlaceView(StepView, frozen=True, kw_only=True):
    """The places there are; right after an invitation its join string, once."""

    suggested: str
    """A folder that would do for a point; empty for whoever may not name one."""
    invited: str = ""
    join: str = ""
    expires: str = ""


def place_page() -> Page:
    """The page; a POST adds a point or invites a site."""
    return Page(
        path=f"{PATH}/place",
        template="first_run_place.html",
        show=_show,
        query=StepQuery,
        place=MENU_PLACE,
        live=True,
        takes_form=True,
    )


def _show(visit: Visit) -> Shown:
    typed = {name: visit.form.get(name, "").strip() for name in ("act", "point", "folder", "code", "title", "parent")}
    mistake, invited, to = None, None, ""
    if visit.form:
        visit.caller.require(Role.ADMINISTRATOR)
        try:
            if typed["act"] == POINT:
                to = step_address("assign", asked(visit, "package"), place=_added(visit, typed))
            else:
                invited = _invited(visit, typed)
                typed |= {"code": "", "title": ""}
        except HaulageError as error:
            mistake = mistake_of(error, "folder" if typed["act"] == POINT else "code")
    view = PlaceView(
        step="place",
        run=run_of(visit),
        typed=typed,
        mistake=mistake,
        suggested=os.path.join(visit.service.home, "points", "shop") if may(visit, Role.ADMINISTRATOR) else "",
        invited=invited.code if invited is not None else "",
        join=invited.join if invited is not None else "",
        expires=f"{invited.expires:%Y-%m-%d %H:%M} UTC" if invited is not None else "",
    )
    return shown("name a place", view, to=to)


def _added(visit: Visit, typed: Mapping[str, str]) -> Place:
    """A point at this site; its folder is checked against everything else there is before it is marked. Raises HaulageError."""
    where = make_place(visit.service.code, point_name(typed["point"]))
    folder = typed["folder"].removeprefix(FOLDER)
    if not folder.startswith("/"):
        raise UsageError("bad-point-url", "A point's folder is named by its whole path.", "Write it from the first slash on.")
    return add_point(visit.desk, visit.actor, where, FOLDER + folder).place


def _invited(visit: Visit, typed: Mapping[str, str]) -> Invited:
    """Raises HaulageError."""
    parent = typed["parent"].upper()
    return invite_site(
        visit.desk,
        visit.actor,
        site_code(typed["code"].upper()),
        parent=site_code(parent) if parent else None,
        name=_SPACES.sub(" ", typed["title"]),
    )
