"""The tree of sites as it is looked at: each site with its health and link, what lies below it rolled up, and as much of it opened
as can be taken in at once. Reads nothing but bounded sums."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import SiteStatus
from haulage.domain.reporting import records
from haulage.domain.reporting.contact import Contacts, LinkView, Sight
from haulage.domain.reporting.standing import PROBLEMS, Health, Standing, rank, worst
from haulage.engine.database.transaction import Transaction

_NOTHING = Standing()


class SiteRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    """All sites, read once: for the picture, the list, and the site itself. Of thousands only the health is reckoned; what else is
    known of one is put together when it is asked for."""

    def __init__(self, tx: Transaction, sight: Sight) -> None:
        self.sight = sight
        self._outlines = {code: (name, parent, status) for code, name, parent, status in records.site_outlines(tx)}
        self.tree = estate.tree_of({code: parent for code, (_name, parent, _status) in self._outlines.items()})
        self.contacts = Contacts(tx, sight, self.tree)
        self._points = records.points_of_sites(tx)
        self._standings = {code: tally.standing for code, tally in records.open_tallies_of_sites(tx, sight.now).items()}
        self.depths = self._tree_order()
        self._healths = {code: self._health(code) for code in self.depths}
        self._below = self._rolled_up()
        self._rows: dict[SiteCode, SiteRow] = {}

    def __contains__(self, code: object) -> bool:
        return code in self.depths

    def __len__(self) -> int:
        return len(self.depths)

    @property
    def rows(self) -> dict[SiteCode, SiteRow]:
        """All of them, in the order of the tree."""
        return {code: self.row(code) for code in self.depths}

    def row(self, code: SiteCode) -> SiteRow:
        """One site as a list shows it."""
        known = self._rows.get(code)
        if known is None:
            name, parent, status = self._outlines[code]
            known = self._rows[code] = SiteRow(
                code=code,
                name=name,
                parent=parent,
                state=status,
                here=code == self.sight.code,
                depth=self.depths[code],
                health=self._healths[code],
                link=self.contacts.link(code),
                standing=self._standings.get(code, _NOTHING),
                points=self._points.get(code, 0),
                children=len(self.tree.children(code)),
            )
        return known

    def health(self, code: SiteCode) -> Health:
        """Of one site itself."""
        return self._healths[code]

    def name(self, code: SiteCode) -> str:
        """What people call it."""
        return self._outlines[code][0]

    def below(self, code: SiteCode) -> Below:
        """All sites below one, together."""
        return together(self._below.get(code, ()))

    def with_below(self, codes: Iterable[SiteCode]) -> Below:
        """Some sites and all below them, together."""
        found = [0] * len(Health)
        for code in codes:
            found[rank(self._healths[code])] += 1
            _add(found, self._below.get(code, ()))
        return together(found)

    def totals(self, codes: Iterable[SiteCode] | None = None) -> dict[str, int]:
        """How many sites of each health, worst first; none are left out."""
        found = dict.fromkeys(Health, 0)
        for code in self.depths if codes is None else codes:
            found[self._healths[code]] += 1
        return {health.value: count for health, count in found.items()}

    def matching(self, words: str) -> list[SiteCode]:
        """Sites with every word in their code or name, in the order of the tree."""
        parts = words.casefold().split()
        if not parts:
            return list(self.depths)
        return [code for code in self.depths if all(part in f"{code} {self.name(code)}".casefold() for part in parts)]

    def _tree_order(self) -> dict[SiteCode, int]:
        """Parents before children, each with how deep it is; without recursion, for a tree may be deep."""
        central = self.tree.central
        left: list[tuple[SiteCode, int]] = [(central, 0)] if central is not None else []
        out: dict[SiteCode, int] = {}
        while left:
            code, depth = left.pop()
            out[code] = depth
            left += [(child, depth + 1) for child in reversed(self.tree.children(code))]
        return out

    def _health(self, code: SiteCode) -> Health:
        if self._outlines[code][2] == SiteStatus.INVITED.value:
            return Health.INVITED
        standing = self._standings.get(code)
        found = Health.WELL if standing is None else standing.health
        if self.contacts.is_away(code):
            return worst((found, Health.AWAY))
        return Health.UNKNOWN if found is Health.WELL and not self.contacts.hears(code) else found

    def _rolled_up(self) -> dict[SiteCode, list[int]]:
        """For every site with children: how many below it are of each health, by rank."""
        counts: dict[SiteCode, list[int]] = {}
        for code in reversed(self.depths):
            parent = self._outlines[code][1]
            if parent is not None:
                into = counts.setdefault(parent, [0] * len(Health))
                into[rank(self._healths[code])] += 1
                _add(into, counts.get(code, ()))
        return counts


def _add(into: list[int], more: Sequence[int]) -> None:
    for number, count in enumerate(more):
        into[number] += count


def together(counts: Sequence[int]) -> Below:
    """Sites of each health, by its rank."""
    found = {health: count for health, count in zip(Health, counts, strict=False) if count}
    return Below(
        sites=sum(counts), health=next(iter(found), Health.WELL), healths={health.value: count for health, count in found.items()}
    )


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
    top = SiteCode(wanted.top) if wanted.top in whole else whole.tree.central
    within = list(whole.depths) if top == whole.tree.central or top is None else whole.tree.subtree(top)
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
        hits = [code for code in hits if whole.health(code) in PROBLEMS]
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
        self._asked = {SiteCode(code) for code in wanted.opened if code in whole}
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
                left.append((code, code, self._whole.with_below(hidden)))
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
        return min(rank(self._whole.health(code)), rank(self._whole.below(code).health))

    def _children(self, code: SiteCode) -> list[SiteCode]:
        children = self._whole.tree.children(code)
        return children if self._kept is None else [child for child in children if child in self._kept]

    def _node(self, code: SiteCode, parent: SiteCode | None) -> Node:
        opened = code in self._shown
        below = self._whole.below(code)
        return Node(
            site=self._whole.row(code),
            parent=parent,
            opened=opened,
            hidden=below if below.sites and not opened and self._children(code) else None,
            found=code in self._hits,
        )


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


_SORTS: dict[str, Callable[[SiteRow], tuple[object, ...]]] = {
    "name": lambda row: (row.name.casefold(), row.code),
    "health": lambda row: (rank(row.health), row.code),
    "open": lambda row: (-row.standing.wanted, row.code),
    "points": lambda row: (-row.points, row.code),
    "heard": lambda row: (row.link.heard or "", row.code),
}


def listed_sites(whole: Estate, wanted: SitesWanted) -> list[SiteCode]:
    """All that the filter leaves, in order; that of the tree unless asked otherwise."""
    inside = set(whole.tree.subtree(SiteCode(wanted.top))) if wanted.top else None
    found = [
        code
        for code in whole.matching(wanted.q)
        if (inside is None or code in inside)
        and (not wanted.parent or whole.tree.parent(code) == wanted.parent)
        and (not wanted.health or whole.health(code).value == wanted.health)
        and (not wanted.problems or whole.health(code) in PROBLEMS)
    ]
    if wanted.sort in ("", "code"):
        return sorted(found) if wanted.sort else found
    order = _SORTS.get(wanted.sort)
    return found if order is None else sorted(found, key=lambda code: order(whole.row(code)))


def after(codes: Sequence[SiteCode], cursor: str, limit: int) -> tuple[Sequence[SiteCode], str]:
    """The sites behind one, and the one to go on behind; "" at the end. From the first if that one is gone."""
    start = next((index + 1 for index, code in enumerate(codes) if code == cursor), 0) if cursor else 0
    chosen = codes[start : start + limit]
    return chosen, chosen[-1] if chosen and start + limit < len(codes) else ""
