"""The tree of sites as a value: who is above, below, next on the way. Pure; knows no SQL and no wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from haulage.base.errors import ConflictError, NotFoundError
from haulage.base.ids import Place, SiteCode, site_of


class Hierarchy:
    """Sites and their parents. Unknown parents and circles in the input are refused, so every walk ends."""

    def __init__(self, parents: Mapping[SiteCode, SiteCode | None]) -> None:
        self._parents = dict(parents)
        self._children: dict[SiteCode, list[SiteCode]] = {code: [] for code in self._parents}
        for code, parent in sorted(self._parents.items()):
            if parent is not None:
                if parent not in self._children:
                    raise NotFoundError("parent-unknown", f"Site {code} names {parent} as its parent, which is not known here.")
                self._children[parent].append(code)
        for code in self._parents:
            self._refuse_circle(code)

    def _refuse_circle(self, start: SiteCode) -> None:
        seen = {start}
        at = self._parents[start]
        while at is not None:
            if at in seen:
                raise ConflictError("hierarchy-circle", f"Site {start} would be above itself.", "Choose another parent.")
            seen.add(at)
            at = self._parents[at]

    def __contains__(self, code: SiteCode) -> bool:
        return code in self._parents

    @property
    def central(self) -> SiteCode | None:
        """The site without a parent."""
        return next((code for code, parent in self._parents.items() if parent is None), None)

    def parent(self, code: SiteCode) -> SiteCode | None:
        """The parent; None for the central site and for unknown sites."""
        return self._parents.get(code)

    def children(self, code: SiteCode) -> list[SiteCode]:
        """The direct children, by code."""
        return self._children.get(code, [])

    def upwards(self, code: SiteCode) -> Iterator[SiteCode]:
        """The site itself, its parent, and so on to the central site. Empty for unknown sites."""
        at: SiteCode | None = code if code in self._parents else None
        while at is not None:
            yield at
            at = self._parents[at]

    def is_within(self, code: SiteCode, top: SiteCode) -> bool:
        """Whether ``code`` is ``top`` or below it."""
        return top in self.upwards(code)

    def subtree(self, top: SiteCode) -> list[SiteCode]:
        """``top`` and everything below it, parents first."""
        out = [top] if top in self._parents else []
        for code in out:
            out.extend(self._children[code])
        return out

    def holds_place(self, where: Place, top: SiteCode) -> bool:
        """Whether a place belongs to ``top`` or to a site below it."""
        return self.is_within(site_of(where), top)

    def next_hop(self, here: SiteCode, to: SiteCode) -> SiteCode | None:
        """The child of ``here`` on the way down to ``to``; None when ``to`` is not below ``here``."""
        below: SiteCode | None = None
        for at in self.upwards(to):
            if at == here:
                return below
            below = at
        return None
