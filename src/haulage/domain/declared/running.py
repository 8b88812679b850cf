"""Groups and packages while steps are done one after the other: who comes to which place by which step, and who leaves it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from haulage.base.ids import GroupName, Place
from haulage.domain.declared.model import Act, Move, Present, Step

Assigned = tuple[frozenset[Place], frozenset[GroupName]]
"""Places by themselves, and groups."""


class Running:
    """What there is, changing. Packages go by their id, new ones by their name."""

    def __init__(self, present: Present) -> None:
        self.groups: dict[GroupName, frozenset[Place]] = dict(present.groups)
        self.packages: dict[str, Assigned] = {one.id: (one.direct, one.groups) for one in present.packages.values()}
        self._within: dict[GroupName, set[str]] = {}
        for name, (_direct, groups) in self.packages.items():
            for group in groups:
                self._within.setdefault(group, set()).add(name)
        self._known: dict[tuple[Assigned, tuple[frozenset[Place], ...]], frozenset[Place]] = {}

    def places(self, package: str) -> frozenset[Place]:
        """Where a package goes now."""
        return self._expanded(self.packages.get(package, (frozenset(), frozenset())))

    def pairs(self) -> int:
        """How many packages at how many places."""
        return sum(len(self.places(package)) for package in self.packages)

    def perform(self, step: Step) -> tuple[Move, ...]:
        """Do a step; where packages come and go by it."""
        if step.act in (Act.FILL_GROUP, Act.DROP_FROM_GROUP, Act.REMOVE_GROUP):
            return self._group(step)
        if step.act is Act.REMOVE_POINT:
            return self._leave(Place(step.name))
        name = step.package or step.name
        direct, groups = self.packages.get(name, (frozenset(), frozenset()))
        if step.act in (Act.CREATE_PACKAGE, Act.ASSIGN):
            return self._assign(name, (direct | set(step.places), groups | set(step.groups)))
        if step.act is Act.UNASSIGN:
            return self._assign(name, (direct - set(step.places), groups - set(step.groups)))
        if step.act is Act.REMOVE_PACKAGE:
            moves = self._assign(name, (frozenset(), frozenset()))
            self.packages.pop(name, None)
            return moves
        return ()

    def _group(self, step: Step) -> tuple[Move, ...]:
        assert step.group is not None
        concerned = sorted(self._within.get(step.group, ()))
        before = {name: self.places(name) for name in concerned}
        held = self.groups.get(step.group, frozenset())
        if step.act is Act.FILL_GROUP:
            self.groups[step.group] = held | set(step.places)
        elif step.act is Act.DROP_FROM_GROUP:
            self.groups[step.group] = held - set(step.places)
        else:
            self.groups.pop(step.group, None)
            for name in concerned:
                direct, groups = self.packages[name]
                self.packages[name] = (direct, groups - {step.group})
            self._within.pop(step.group, None)
        return _moves((name, before[name], self.places(name)) for name in concerned)

    def named_at(self, where: Place) -> list[str]:
        """Packages that are assigned to a place by its own name."""
        return sorted(name for name, (direct, _groups) in self.packages.items() if where in direct)

    def _leave(self, where: Place) -> tuple[Move, ...]:
        """A point is no more: it leaves every group."""
        holding = [name for name, places in self.groups.items() if where in places]
        concerned = sorted({package for name in holding for package in self._within.get(name, ())})
        before = {name: self.places(name) for name in concerned}
        for name in holding:
            self.groups[name] -= {where}
        return _moves((name, before[name], self.places(name)) for name in concerned)

    def _assign(self, name: str, assigned: Assigned) -> tuple[Move, ...]:
        before = self.places(name)
        for group in self.packages.get(name, (frozenset(), frozenset()))[1] - assigned[1]:
            self._within[group].discard(name)
        self.packages[name] = assigned
        for group in assigned[1]:
            self._within.setdefault(group, set()).add(name)
        return _moves([(name, before, self.places(name))])

    def _expanded(self, assigned: Assigned) -> frozenset[Place]:
        """Many packages go to the same places: each set is made once."""
        members = tuple(self.groups.get(name, frozenset()) for name in sorted(assigned[1]))
        known = self._known.get((assigned, members))
        if known is None:
            known = self._known[assigned, members] = assigned[0].union(*members)
        return known


def _moves(changes: Iterable[tuple[str, frozenset[Place], frozenset[Place]]]) -> tuple[Move, ...]:
    """Those that come or go; packages that share a change share its places."""
    shared: dict[frozenset[Place], tuple[Place, ...]] = {}

    def listed(places: frozenset[Place]) -> tuple[Place, ...]:
        return shared.setdefault(places, tuple(sorted(places))) if places not in shared else shared[places]

    return tuple(
        Move(package=name, gained=listed(after - before), lost=listed(before - after))
        for name, before, after in changes
        if before != after
    )


def totals(present: Present, running: Running) -> Mapping[str, int]:
    """How much there is of what may be removed."""
    own = sum(point.owner == present.code for point in present.points.values())
    return {"places": running.pairs(), "points": own, "groups": len(present.groups), "packages": len(present.packages)}
