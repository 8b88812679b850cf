"""The tree of sites as it is looked at: each site with its health and link, what lies below it rolled up, and as much of it opened
as can be taken in at once. Reads nothing but bounded sums."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from haulage.base.ids import SiteCode, site_of
from haulage.domain.estate import records as estate
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.estate.model import SiteStatus
from haulage.domain.reporting import records
from haulage.domain.reporting.contact import Contacts, LinkView, Sight
from haulage.domain.reporting.standing import PROBLEMS, Health, Standing, Tally, rank, worst
from haulage.engine.database.transaction import Transaction

_NOTHING = Standing()


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One site as a list shows it. ``standing`` counts what is not settled at it and its points."""

    code: SiteCode
    name: str
    parent: SiteCode | None
    state: str
    here: bool
    depth: int
    health: Health
    link: LinkView
    standing: Standing
    points: int
    children: int


class Below(msgspec.Struct, frozen=True, kw_only=True):
    """Sites below a site, all of them together."""

    sites: int
    health: Health
    healths: Mapping[str, int]
    """How many of each health."""

    @property
    def problems(self) -> int:
        """How many sites have one."""
        return sum(count for name, count in self.healths.items() if Health(name) in PROBLEMS)


class Estate:
    """All sites, read once: for the picture, the list, and the site itself."""

    def __init__(self, tx: Transaction, sight: Sight) -> None:
        self.sight = sight
        self.tree: Hierarchy = estate.hierarchy(tx)
        self.contacts = Contacts(tx, sight, self.tree)
        self._outlines = {code: (name, parent, status) for code, name, parent, status in records.site_outlines(tx)}
        self._points = records.points_of_sites(tx)
        tallies: dict[SiteCode, Tally] = {}
        for where, tally in records.open_tallies(tx, sight.now).items():
            tallies.setdefault(site_of(where), Tally()).take(tally)
        self._standings = {code: tally.standing for code, tally in tallies.items()}
        self.order = self._tree_order()
        self.rows = {code: self._row(code, depth) for code, depth in self.order}
        self.below = self._rolled_up()

    def _tree_order(self) -> list[tuple[SiteCode, int]]:
        """Parents before children, each with how deep it is; without recursion, for a tree may be deep."""
        central = self.tree.central
        left, out = ([(central, 0)] if central is not None else []), []
        while left:
            code, depth = left.pop()
            out.append((code, depth))
            left += [(child, depth + 1) for child in reversed(self.tree.children(code))]
        return out

    def _row(self, code: SiteCode, depth: int) -> SiteRow:
        name, parent, status = self._outlines[code]
        standing, link = self._standings.get(code, _NOTHING), self.contacts.link(code)
        return SiteRow(
            code=code,
            name=name,
            parent=parent,
            state=status,
            here=code == self.sight.code,
            depth=depth,
            health=_health(status, standing, link),
            link=link,
            standing=standing,
            points=self._points.get(code, 0),
            children=len(self.tree.children(code)),
        )

    def _rolled_up(self) -> dict[SiteCode, Below]:
        counts: dict[SiteCode, dict[Health, int]] = {code: {} for code in self.rows}
        for code, _depth in reversed(self.order):
            parent = self.rows[code].parent
            if parent is not None:
                into = counts[parent]
                for health, count in (*counts[code].items(), (self.rows[code].health, 1)):
                    into[health] = into.get(health, 0) + count
        return {
            code: Below(
                sites=sum(found.values()),
                health=worst(found),
                healths={health.value: found[health] for health in sorted(found, key=rank)},
            )
            for code, found in counts.items()
        }

    def totals(self, codes: Iterable[SiteCode] | None = None) -> dict[str, int]:
        """How many sites of each health, worst first; none are left out."""
        found = dict.fromkeys((health.value for health in Health), 0)
        for code in self.rows if codes is None else codes:
            found[self.rows[code].health.value] += 1
        return found

    def matching(self, words: str) -> list[SiteCode]:
        """Sites with every word in their code or name, in the order of the tree."""
        parts = words.casefold().split()
        return [code for code, row in self.rows.items() if all(part in f"{code} {row.name}".casefold() for part in parts)]


def _health(status: str, standing: Standing, link: LinkView) -> Health:
    if status == SiteStatus.INVITED.value:
        return Health.INVITED
    found = [standing.health]
    if link.state == "away":
        found.append(Health.AWAY)
    if link.state in ("behind", "unknown", "never"):
        found.append(Health.UNKNOWN)
        return worst(found) if standing.health is not Health.WELL else Health.UNKNOWN
    return worst(found)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the tree is to be seen."""

    q: str = ""
    problems: bool = False
    top: str = ""
    """The site whose subtree it is; the whole tree without."""
    opened: Collection[str] = ()
    """Sites whose children are to be shown."""
    closed: Collection[str] = ()
    """Sites whose children are not."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One site of the picture, or (``more``) what was left out of the children of its parent."""

    site: SiteRow | None
    parent: SiteCode | None
    """The node it hangs below."""
    opened: bool
    hidden: Below | None
    """What is below it and not shown; None if nothing is."""
    found: bool = False
    """It is what was searched for."""


class HierarchyView(msgspec.Struct, frozen=True, kw_only=True):
    """The picture, parents before children."""

    sites: int
    totals: Mapping[str, int]
    """Sites by health, of the whole tree or of the subtree looked at."""
    top: SiteCode | None
    above: Sequence[SiteCode]
    """From the central site down to the one above ``top``."""
    nodes: Sequence[Node]
    matches: int | None
    """How many sites were found; None if nothing was searched for."""


MOST_NODES = 60
"""The picture is opened level by level up to so many."""
MOST_CHILDREN = 30
"""Of one site at first; the worst of them, and the others together."""
MOST_ASKED = 400
"""What is opened by hand may go on to here."""


def hierarchy_view(whole: Estate, wanted: Wanted) -> HierarchyView:
    """The part that is wanted. An unknown site as top counts as none."""
    top = SiteCode(wanted.top) if wanted.top in whole.rows else whole.tree.central
    within = list(whole.rows) if top == whole.tree.central or top is None else whole.tree.subtree(top)
    kept, hits = _kept(whole, wanted, within)
    nodes = [] if top is None else _Opening(whole, wanted, kept, hits, top).nodes()
    above = [] if top is None else list(whole.tree.upwards(top))[:0:-1]
    return HierarchyView(
        sites=len(within),
        totals=whole.totals(within),
        top=top,
        above=above,
        nodes=nodes,
        matches=len(hits) if wanted.q or wanted.problems else None,
    )


def _kept(whole: Estate, wanted: Wanted, within: Sequence[SiteCode]) -> tuple[frozenset[SiteCode] | None, frozenset[SiteCode]]:
    """What a search leaves: the sites found and all above them; None for everything."""
    if not wanted.q and not wanted.problems:
        return None, frozenset()
    inside = set(within)
    hits = [code for code in whole.matching(wanted.q) if code in inside]
    if wanted.problems:
        hits = [code for code in hits if whole.rows[code].health in PROBLEMS]
    kept: set[SiteCode] = set()
    for code in hits:
        for above in whole.tree.upwards(code):
            if above in kept:
                break
            kept.add(above)
    return frozenset(kept), frozenset(hits)


class _Opening:
    """Decides which sites are shown: level by level, what is worst first where there are too many."""

    def __init__(
        self, whole: Estate, wanted: Wanted, kept: frozenset[SiteCode] | None, hits: frozenset[SiteCode], top: SiteCode
    ) -> None:
        self._whole, self._kept, self._hits, self._top = whole, kept, hits, top
        self._asked = {SiteCode(code) for code in wanted.opened if code in whole.rows}
        self._closed = {SiteCode(code) for code in wanted.closed}
        self._shown: dict[SiteCode, tuple[list[SiteCode], list[SiteCode]]] = {}
        """Of each opened site the children shown and those left out."""

    def nodes(self) -> list[Node]:
        """In the order of the tree."""
        self._open()
        out: list[Node] = []
        left: list[tuple[SiteCode, SiteCode | None, Below | None]] = [(self._top, None, None)]
        while left:
            code, parent, more = left.pop()
            if more is not None:
                out.append(Node(site=None, parent=parent, opened=False, hidden=more))
                continue
            out.append(self._node(code, parent))
            shown, hidden = self._shown.get(code, ([], []))
            if hidden:
                left.append((code, code, self._together(hidden)))
            left += [(child, code, None) for child in reversed(shown)]
        return out

    def _open(self) -> None:
        """A level is opened whole or not at all; what was asked for by name is opened wherever it is."""
        level, count = [self._top], 1
        while level:
            fresh = [code for code in level if code not in self._closed and self._children(code)]
            size = sum(min(len(self._children(code)), MOST_CHILDREN + 1) for code in fresh)
            if count + size > MOST_NODES and count > 1:
                fresh = [code for code in fresh if code in self._asked]
            level = []
            for code in fresh:
                shown, hidden = self._parted(code)
                if count + len(shown) > MOST_ASKED:
                    continue
                self._shown[code] = (shown, hidden)
                count += len(shown)
                level += shown

    def _parted(self, code: SiteCode) -> tuple[list[SiteCode], list[SiteCode]]:
        children = self._children(code)
        if len(children) <= MOST_CHILDREN + 1:
            return children, []
        ordered = sorted(
            children, key=lambda child: (child not in self._asked, self._rank(child), -len(self._children(child)), child)
        )
        first = set(ordered[:MOST_CHILDREN])
        return [child for child in children if child in first], [child for child in children if child not in first]

    def _rank(self, code: SiteCode) -> int:
        return min(rank(self._whole.rows[code].health), rank(self._whole.below[code].health))

    def _children(self, code: SiteCode) -> list[SiteCode]:
        children = self._whole.tree.children(code)
        return children if self._kept is None else [child for child in children if child in self._kept]

    def _node(self, code: SiteCode, parent: SiteCode | None) -> Node:
        opened = code in self._shown
        below = self._whole.below[code]
        return Node(
            site=self._whole.rows[code],
            parent=parent,
            opened=opened,
            hidden=below if below.sites and not opened and self._children(code) else None,
            found=code in self._hits,
        )

    def _together(self, codes: Sequence[SiteCode]) -> Below:
        """Sites and all below them as one."""
        found: dict[Health, int] = {}
        for code in codes:
            below = self._whole.below[code]
            for health, count in (*below.healths.items(), (self._whole.rows[code].health.value, 1)):
                found[Health(health)] = found.get(Health(health), 0) + count
        healths = {health.value: found[health] for health in sorted(found, key=rank)}
        return Below(sites=sum(found.values()), health=worst(found), healths=healths)


class SitesWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which sites a list is about, and in which order."""

    q: str = ""
    problems: bool = False
    health: str = ""
    parent: str = ""
    """Only the children of this site."""
    top: str = ""
    """Only this site and what is below it."""
    sort: str = ""
    """tree, code, name, health, open, points, heard."""


_SORTS = {
    "code": lambda row: row.code,
    "name": lambda row: (row.name.casefold(), row.code),
    "health": lambda row: (rank(row.health), row.code),
    "open": lambda row: (-(row.standing.wanted), row.code),
    "points": lambda row: (-row.points, row.code),
    "heard": lambda row: (row.link.heard or "", row.code),
}


def listed_sites(whole: Estate, wanted: SitesWanted) -> list[SiteRow]:
    """All that the filter leaves, in order; that of the tree unless asked otherwise."""
    inside = set(whole.tree.subtree(SiteCode(wanted.top))) if wanted.top else None
    rows = [whole.rows[code] for code in whole.matching(wanted.q)]
    rows = [
        row
        for row in rows
        if (inside is None or row.code in inside)
        and (not wanted.parent or row.parent == wanted.parent)
        and (not wanted.health or row.health.value == wanted.health)
        and (not wanted.problems or row.health in PROBLEMS)
    ]
    order = _SORTS.get(wanted.sort)
    return rows if order is None else sorted(rows, key=order)


def after(rows: Sequence[SiteRow], cursor: str, limit: int) -> tuple[Sequence[SiteRow], str]:
    """The rows behind the one of a code, and the code to go on behind; "" at the end. From the first if that one is gone."""
    start = next((index + 1 for index, row in enumerate(rows) if row.code == cursor), 0) if cursor else 0
    chosen = rows[start : start + limit]
    return chosen, chosen[-1].code if chosen and start + limit < len(rows) else ""
