"""The field at the top: straight to what is named exactly, otherwise a few best matches of each kind."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from haulage.console.frame.addresses import at_address, package_address, place_address
from haulage.console.frame.page import Page, Shown, Visit
from haulage.domain.reporting.finding.view import Exactly, Kind, find
from haulage.server.core import SiteCore


class FindQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed."""

    q: str = ""


def find_page(core: SiteCore) -> Page:
    """The page."""

    def show(visit: Visit) -> Shown:
        asked: FindQuery = visit.query
        with core.database.reading() as tx:
            view = find(tx, core.code, asked.q, core.librarian.search)
        to = "" if view.exactly is None else address_of(view.exactly)
        return Shown(title=f"{view.q} · Find" if view.q else "Find", view=view, to=to)

    return Page(path="/find", template="find.html", show=show, query=FindQuery, place="overview")


def address_of(one: Exactly) -> str:
    """Where the page of a thing is."""
    name = quote(one.name, safe="")
    return {
        Kind.PACKAGE: package_address(one.name),
        Kind.VERSION: f"{package_address(one.name)}/versions/{one.more}",
        Kind.PACKAGE_AT: at_address(one.name, one.more),
        Kind.SITE: place_address(one.name),
        Kind.POINT: place_address(one.name),
        Kind.GROUP: f"/groups/{name}",
        Kind.NUMBER: f"/status/numbers/{name}",
        Kind.ARTICLE: f"/knowledge/{name}",
        Kind.FIX: f"/fixes/{name}",
    }[one.kind]
