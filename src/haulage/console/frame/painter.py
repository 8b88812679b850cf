"""Templates, and what every one of them knows besides its view: who looks, at which site, and when. Decides nothing."""

from __future__ import annotations

from typing import Any

from haulage.base.clock import iso
from haulage.base.errors import HaulageError
from haulage.console.frame.assets import Assets
from haulage.console.frame.menu import menu_for
from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.frame.rendering import make_environment
from haulage.domain.people.roles import Role
from haulage.server.refusals import STATUS_OF_CODE, STATUS_OF_FAMILY

LIVE_BLOCK = "live"
"""The part of a template that is sent again when it changed."""


class Painter:
    """All templates of the console."""

    def __init__(self, assets: Assets) -> None:
        self._templates = make_environment(assets)

    def page(self, template: str, visit: Visit, shown: Shown, *, place: str = "", page: Page | None = None) -> bytes:
        """A whole page, in UTF-8."""
        text = self._templates.get_template(template).render(self._context(visit, shown, place, page))
        return text.encode("utf-8", "replace")

    def live(self, page: Page, visit: Visit, shown: Shown) -> str:
        """What changes of a page by itself."""
        template = self._templates.get_template(page.template)
        context = template.new_context(self._context(visit, shown, page.place, page))
        return "".join(template.blocks[LIVE_BLOCK](context))

    def error(self, visit: Visit, error: HaulageError) -> tuple[int, bytes]:
        """A page about what was not possible, and its HTTP status."""
        status = STATUS_OF_CODE.get(error.code) or STATUS_OF_FAMILY.get(error.family, 500)
        view = {"code": error.code, "message": error.message, "hint": error.hint, "status": status}
        title = {404: "Not found", 500: "Defect"}.get(status, "Not possible")
        return status, self.page("error.html", visit, Shown(title=title, view=view))

    def _context(self, visit: Visit, shown: Shown, place: str, page: Page | None) -> dict[str, Any]:
        session = visit.session
        role = session.role if session is not None else None
        return {
            "view": shown.view,
            "title": shown.title,
            "place": place,
            "menu": menu_for(role),
            "site": visit.service.code,
            "version": visit.service.version,
            "now": visit.service.clock.now(),
            "now_text": iso(visit.service.clock.now()),
            "signed_in": session is not None,
            "who": session.actor if session is not None else "",
            "role": role.value if role is not None else "",
            "may_operate": role is not None and role >= Role.OPERATOR,
            "may_administer": role is not None and role >= Role.ADMINISTRATOR,
            "token": session.token if session is not None else "",
            "target": visit.target,
            "light": visit.light.value,
            "said": visit.said,
            "live_url": live_address(visit.target) if page is not None and page.live else "",
            "json_url": beside(visit.target, ".json") if page is not None and page.has_json else "",
            "csv_url": beside(visit.target, ".csv") if page is not None and page.rows is not None else "",
        }


def beside(target: str, ending: str) -> str:
    """The address of a page in another form, with the same filter."""
    path, mark, query = target.partition("?")
    return f"{'/overview' if path == '/' else path}{ending}{mark}{query}"


def live_address(target: str) -> str:
    """Where what changes of a page comes from."""
    return beside(target, ".live")
