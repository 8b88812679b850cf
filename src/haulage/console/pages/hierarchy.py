"""The hierarchy: the tree of sites as a picture, and the same sites as a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.ids import SiteCode
from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.places.tree_layout import TreePicture, lay_out
from haulage.domain.reporting.hierarchy_view import (
    Estate,
    HierarchyView,
    SiteRow,
    SitesWanted,
    Wanted,
    after,
    hierarchy_view,
    listed_sites,
)
from haulage.domain.reporting.standing import Health
from haulage.server.core import SiteCore
from haulage.server.sight import sight_of

ROWS = 100
PATH = "/hierarchy"


class HierarchyQuery(msgspec.Struct, frozen=True, kw_only=True, rename={"form": "as", "opened": "open", "closed": "close"}):
    """What the address may say."""

    q: str = ""
    problems: bool = False
    top: str = ""
    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    form: str = ""
    """``list`` for the list."""
    health: str = ""
    parent: str = ""
    sort: str = ""
    after: str = ""

    @property
    def words(self) -> dict[str, object]:
        """As an address has them."""
        return {name: value for name, value in msgspec.to_builtins(self).items() if value not in ("", False, (), [])}


class HierarchyPage(msgspec.Struct, frozen=True, kw_only=True):
    """The picture (``view``, ``picture``) or the list (``rows``)."""

    query: Mapping[str, object]
    sites: int
    totals: Mapping[str, int]
    top: SiteCode | None
    above: Sequence[SiteCode]
    matches: int | None
    picture: TreePicture | None = None
    rows: Sequence[SiteRow] = ()
    next: str = ""
    names: Mapping[str, str] = {}
    """Of the sites above the one on top, for people."""
    healths: Sequence[str] = tuple(health.value for health in Health)


def hierarchy_pages(_core: SiteCore) -> tuple[Page, ...]:
    """One page in two forms."""
    return (
        Page(
            path=PATH,
            template="hierarchy.html",
            show=_show,
            query=HierarchyQuery,
            place="hierarchy",
            live=True,
            rows=_rows,
        ),
    )


def _show(visit: Visit) -> Shown:
    asked: HierarchyQuery = visit.query
    whole = _read(visit)
    if asked.form == "list":
        return Shown(title="Hierarchy", view=_list(whole, asked))
    wanted = Wanted(q=asked.q, problems=asked.problems, top=asked.top, opened=asked.opened, closed=asked.closed)
    return Shown(title="Hierarchy", view=_picture(whole, hierarchy_view(whole, wanted), asked))


def _read(visit: Visit) -> Estate:
    with visit.service.core.database.reading() as tx:
        return Estate(tx, sight_of(visit.service))


def _picture(whole: Estate, view: HierarchyView, asked: HierarchyQuery) -> HierarchyPage:
    return HierarchyPage(
        query=asked.words,
        sites=view.sites,
        totals=view.totals,
        top=view.top if asked.top else None,
        above=view.above if asked.top else (),
        matches=view.matches,
        picture=lay_out(view.nodes),
        names={code: whole.name(code) for code in (*view.above, *([view.top] if view.top else []))},
    )


def _list(whole: Estate, asked: HierarchyQuery) -> HierarchyPage:
    found = listed_sites(whole, _sites_wanted(asked))
    codes, behind = after(found, asked.after, ROWS)
    within = whole.tree.subtree(SiteCode(asked.top)) if asked.top in whole else None
    return HierarchyPage(
        query=asked.words,
        sites=len(whole) if within is None else len(within),
        totals=whole.totals(within),
        top=SiteCode(asked.top) if within is not None else None,
        above=list(whole.tree.upwards(SiteCode(asked.top)))[:0:-1] if within is not None else (),
        matches=len(found),
        rows=[whole.row(code) for code in codes],
        next=behind,
        names={code: whole.name(code) for code in whole.tree.upwards(SiteCode(asked.top))},
    )


def _sites_wanted(asked: HierarchyQuery) -> SitesWanted:
    return SitesWanted(q=asked.q, problems=asked.problems, health=asked.health, parent=asked.parent, top=asked.top, sort=asked.sort)


def _rows(visit: Visit) -> Iterator[Mapping[str, object]]:
    whole = _read(visit)
    return (site_cells(whole.row(code)) for code in listed_sites(whole, _sites_wanted(visit.query)))


def site_cells(row: SiteRow) -> dict[str, object]:
    """A site as a line of a spreadsheet."""
    standing = row.standing
    return {
        "code": row.code,
        "name": row.name,
        "parent": row.parent or "",
        "state": row.state,
        "health": row.health.value,
        "link": row.link.state,
        "heard": row.link.heard or "",
        "away_since": row.link.away_since or "",
        "messages_waiting": row.link.backlog,
        "points": row.points,
        "children": row.children,
        **{name: getattr(standing, name) for name in ("failed", "stuck", "late", "busy", "held", "leaving")},
    }
