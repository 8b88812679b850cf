"""Changing a group: its definition, and those of the packages assigned to it whose places differ by that, in one transaction.
Lower sites hear of packages only."""

from __future__ import annotations

from collections.abc import Iterable

from haulage.base.ids import GroupName, Place, SiteCode
from haulage.domain.catalog import records as catalog
from haulage.domain.catalog.publish import package_state
from haulage.domain.groups import records
from haulage.domain.groups.model import Members, Reach, assigned, moved
from haulage.domain.replication.definitions import Definitions
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import GroupState, Kind


class Regrouping:
    """Changes of the groups of this site."""

    def __init__(self, code: SiteCode, definitions: Definitions) -> None:
        self._code = code
        self._definitions = definitions

    def put(self, tx: Transaction, name: GroupName, places: Iterable[Place]) -> Reach:
        """From now on the group holds these places. What it held already changes nothing: no revision, no message (Q281754)."""
        known = records.find_group(tx, self._code, name)
        before = () if known is None else known.places
        after = tuple(sorted(set(places)))
        if known is None or before != after:
            self._definitions.issue(tx, Kind.GROUP, f"{self._code}.{name}", GroupState(name=name, places=after))
        return self._follow(tx, name, before, after, leaving=False)

    def remove(self, tx: Transaction, name: GroupName) -> Reach:
        """The group is no more; packages keep what they are assigned to otherwise."""
        known = records.find_group(tx, self._code, name)
        before = () if known is None else known.places
        self._definitions.issue(tx, Kind.GROUP, f"{self._code}.{name}", None)
        return self._follow(tx, name, before, (), leaving=True)

    def left(self, tx: Transaction, where: Place) -> list[Reach]:
        """A place is no more (of a site: with its points): it leaves every group of this site."""
        out = []
        for name in records.groups_with(tx, self._code, where):
            known = records.find_group(tx, self._code, name)
            places = () if known is None else known.places
            out.append(self.put(tx, name, [one for one in places if one != where and not one.startswith(f"{where}/")]))
        return out

    def _follow(
        self, tx: Transaction, name: GroupName, before: tuple[Place, ...], after: tuple[Place, ...], *, leaving: bool
    ) -> Reach:
        following = catalog.in_group(tx, self._code, name)
        changes = []
        known: dict[tuple[GroupName, ...], Members] = {}
        for package_id in following:
            package = catalog.find_package(tx, package_id)
            if package is None:
                continue
            through = tuple([one for one in package.groups if not (leaving and one == name)])
            if through not in known:
                known[through] = records.members_of(tx, self._code, through)
            becomes = assigned(package, package.direct, through, known[through])
            if becomes != package:
                self._definitions.issue(tx, Kind.PACKAGE, package_id, package_state(becomes))
            change = moved(package, becomes)
            if change.gained or change.lost:
                changes.append(change)
        was, is_now = set(before), set(after)
        return Reach(
            name=name,
            gained=tuple(sorted(is_now - was)),
            lost=tuple(sorted(was - is_now)),
            packages=len(following),
            moved=tuple(changes),
        )
