"""The steps from what there is to what a file declares, in an order in which each can be done. Pure."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from haulage.base.errors import ConflictError
from haulage.base.ids import Place, SiteCode, site_of
from haulage.domain.declared.model import (
    ORDER,
    Act,
    Declared,
    DeclaredPackage,
    Kind,
    Present,
    PresentPackage,
    Standing,
    Step,
)
from haulage.domain.declared.naming import check_places, check_sites, matched
from haulage.domain.declared.problems import Problems
from haulage.domain.declared.running import Running, totals

REMOVALS_UNASKED = 20
"""More removals than these, or more than a fifth of what there is, must be asked for by their number."""
SHARE_UNASKED = 0.2

_REMOVING: dict[Act, str] = {Act.REMOVE_POINT: "points", Act.REMOVE_GROUP: "groups", Act.REMOVE_PACKAGE: "packages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs."""

    steps: tuple[Step, ...]
    """In the order in which they are done."""
    kept: dict[str, int]
    """What there is, is not declared and stays, because the file does not say that it is to be removed."""
    removals: dict[str, int]
    """How many places packages leave, and how many points, groups and packages go."""
    present: dict[str, int]
    """How much of each there is."""

    @property
    def ready(self) -> tuple[Step, ...]:
        """What applying the file does now."""
        return tuple(step for step in self.steps if step.standing is Standing.READY)

    @property
    def digest(self) -> str:
        """Names exactly these steps, so that what was shown is what is done."""
        return hashlib.sha256(repr(self.steps).encode()).hexdigest()

    @property
    def must_allow(self) -> int:
        """How many removals must be asked for by their number; 0 if so few need no asking."""
        return sum(self.removals.values()) if self._many() else 0

    def guard(self, allowed: int) -> None:
        """Raises ConflictError ``too-many-removals``: a file that lost half of its lines does not empty the shops (I11)."""
        if self.must_allow > allowed:
            raise ConflictError(
                "too-many-removals",
                f"This would remove {', '.join(self._many())}; more than {REMOVALS_UNASKED}, or a fifth, must be asked for.",
                f"If it is meant: --allow-removing {self.must_allow}",
            )

    def _many(self) -> list[str]:
        return [
            f"{count} of {self.present[what]} {what}"
            for what, count in self.removals.items()
            if count > REMOVALS_UNASKED or count > SHARE_UNASKED * self.present[what]
        ]


def compare(declared: Declared, present: Present, problems: Problems, *, publish: bool = False) -> Comparison:
    """The steps. ``publish``: those of declared packages that nobody has captured yet are among them.
    Raises UsageError ``bad-declaration`` with every mistake."""
    meant = matched(declared, present, problems)
    check_sites(declared, present, problems)
    check_places(declared, present, problems)
    problems.refuse()
    differ = _Differ(declared, present, meant)
    steps = sorted(differ.steps(publish=publish), key=lambda step: ORDER.index(step.act))
    running = Running(present)
    had = dict(totals(present, running))
    removals = {"places": 0, "points": 0, "groups": 0, "packages": 0}
    out = []
    for step in steps:
        if step.standing is not Standing.READY:
            out.append(step)
            continue
        users = running.named_at(Place(step.name)) if step.act is Act.REMOVE_POINT else []
        if users:
            why = f"{', '.join(users[:5])} {'are' if len(users) > 1 else 'is'} assigned to it by its own name."
            out.append(dataclasses.replace(step, standing=Standing.IMPOSSIBLE, why=why))
            continue
        done = dataclasses.replace(step, moves=running.perform(step))
        out.append(done)
        what = _REMOVING.get(step.act, "places")
        removals[what] += 1 if step.act in _REMOVING else 0
        removals["places"] += done.lost
    return Comparison(steps=tuple(out), kept=differ.kept(), removals=removals, present=had)


class _Differ:
    """One kind of thing after the other; the order of steps is made afterwards, within a kind it is kept."""

    def __init__(self, declared: Declared, present: Present, meant: dict[str, PresentPackage | None]) -> None:
        self._declared = declared
        self._present = present
        self._meant = meant
        self._absent: dict[SiteCode, str] = {}
        """Sites that are not there after this, and why."""

    def steps(self, *, publish: bool) -> Iterator[Step]:
        yield from self._sites()
        yield from self._points()
        yield from self._groups()
        for key, package in self._declared.packages.items():
            known = self._meant[key]
            yield from self._new(package) if known is None else self._known(package, known)
            if publish and (known is None or not known.captured):
                yield Step(act=Act.PUBLISH, name=_called(package), package=known.id if known else None)
        yield from self._gone()

    def kept(self) -> dict[str, int]:
        """What is left as it is."""
        declared, present = self._declared, self._present
        meant = {known.id for known in self._meant.values() if known is not None}
        counts = {
            Kind.POINTS: len([where for where in self._own_points() if where not in declared.points]),
            Kind.GROUPS: len([name for name in present.groups if name not in declared.groups]),
            Kind.PACKAGES: len(present.packages) - len(meant),
            Kind.MEMBERS: sum(len(present.groups.get(name, frozenset()) - places) for name, places in declared.groups.items()),
            Kind.ASSIGNMENTS: sum(
                len(known.direct - one.places) + len(known.groups - one.groups)
                for key, known in self._meant.items()
                if known is not None and (one := declared.packages[key]).places is not None
            ),
        }
        return {kind.value: count for kind, count in counts.items() if count and kind not in declared.remove}

    def _sites(self) -> Iterator[Step]:
        present = self._present
        for code in self._parents_first():
            site = self._declared.sites[code]
            known = present.sites.get(code)
            if known is None:
                yield self._invitation(code)
            elif site.parent is not None and site.parent != known.parent:
                why = f"{code} is below {known.parent or 'no site'}, and no command moves a site yet."
                yield Step(act=Act.INVITE_SITE, name=code, site=site, standing=Standing.IMPOSSIBLE, why=why)
            elif site.name is not None and site.name != known.name:
                why = f"{code} is called {known.name!r}, and no command renames a site yet."
                yield Step(act=Act.INVITE_SITE, name=code, site=site, standing=Standing.IMPOSSIBLE, why=why)

    def _invitation(self, code: SiteCode) -> Step:
        present, site = self._present, self._declared.sites[code]
        parent = site.parent or present.code
        step = Step(act=Act.INVITE_SITE, name=code, site=dataclasses.replace(site, parent=parent))
        above = present.sites.get(parent)
        if present.tree.central != present.code:
            why = f"Only the central site, {present.tree.central}, lets sites in; apply this there."
            self._absent[code] = why
            return dataclasses.replace(step, standing=Standing.IMPOSSIBLE, why=why)
        if parent != present.code and (above is None or not above.joined):
            why = f"{parent}, which it will be below, has not joined yet."
            self._absent[code] = why
            return dataclasses.replace(step, standing=Standing.LATER, why=why)
        return step

    def _parents_first(self) -> list[SiteCode]:
        out: dict[SiteCode, None] = {}
        for code in sorted(self._declared.sites):
            way = []
            at: SiteCode | None = code
            while at is not None and at in self._declared.sites and at not in out and at not in way:
                way.append(at)
                at = self._declared.sites[at].parent
            out |= dict.fromkeys(reversed(way))
        return list(out)

    def _points(self) -> Iterator[Step]:
        for where, url in sorted(self._declared.points.items()):
            known = self._present.points.get(where)
            step = Step(act=Act.ADD_POINT, name=where, url=url)
            if known is None:
                yield self._placed(step, [where])
            elif known.url != url:
                why = f"{where} is at {known.url} already; remove it first, or choose another name."
                yield dataclasses.replace(step, standing=Standing.IMPOSSIBLE, why=why)

    def _own_points(self) -> list[Place]:
        return sorted(where for where, point in self._present.points.items() if point.owner == self._present.code)

    def _groups(self) -> Iterator[Step]:
        for name, places in sorted(self._declared.groups.items()):
            known = self._present.groups.get(name)
            fresh = places - (known or frozenset())
            if known is None or fresh:
                yield from self._split(Step(act=Act.FILL_GROUP, name=f"@{name}", group=name), fresh, even_empty=known is None)
            left = (known or frozenset()) - places
            if left and Kind.MEMBERS in self._declared.remove:
                yield Step(act=Act.DROP_FROM_GROUP, name=f"@{name}", group=name, places=tuple(sorted(left)))

    def _new(self, package: DeclaredPackage) -> Iterator[Step]:
        said = [(word, getattr(package, word)) for word in ("source", "streams", "keep", "keep_special_bits")]
        step = Step(
            act=Act.CREATE_PACKAGE, name=package.key, changes=tuple((word, value) for word, value in said if value is not None)
        )
        ready, later = self._parted(package.places or frozenset())
        yield dataclasses.replace(step, places=ready, groups=tuple(sorted(package.groups)))
        if later:
            yield self._later(Step(act=Act.ASSIGN, name=package.key, places=later))

    def _known(self, package: DeclaredPackage, known: PresentPackage) -> Iterator[Step]:
        name = known.name
        said = [(word, getattr(package, word)) for word in ("name", "source", "streams", "keep", "keep_special_bits")]
        changes = tuple((word, value) for word, value in said if value is not None and value != getattr(known, word))
        if changes:
            was = tuple((word, getattr(known, word)) for word, _value in changes)
            yield Step(act=Act.CHANGE_PACKAGE, name=name, package=known.id, changes=changes, was=was)
        if package.places is None:
            return
        places, groups = package.places - known.direct, tuple(sorted(package.groups - known.groups))
        if places or groups:
            yield from self._split(
                Step(act=Act.ASSIGN, name=name, package=known.id, groups=groups), places, even_empty=bool(groups)
            )
        places, groups = known.direct - package.places, tuple(sorted(known.groups - package.groups))
        if (places or groups) and Kind.ASSIGNMENTS in self._declared.remove:
            yield Step(act=Act.UNASSIGN, name=name, package=known.id, places=tuple(sorted(places)), groups=groups)

    def _gone(self) -> Iterator[Step]:
        declared, present = self._declared, self._present
        if Kind.GROUPS in declared.remove:
            for name in sorted(set(present.groups) - set(declared.groups)):
                yield Step(act=Act.REMOVE_GROUP, name=f"@{name}", group=name)
        if Kind.POINTS in declared.remove:
            for where in self._own_points():
                if where not in declared.points:
                    yield Step(act=Act.REMOVE_POINT, name=where)
        if Kind.PACKAGES in declared.remove:
            meant = {known.id for known in self._meant.values() if known is not None}
            for package in present.packages.values():
                if package.id not in meant:
                    yield Step(act=Act.REMOVE_PACKAGE, name=package.name, package=package.id)

    def _split(self, step: Step, places: frozenset[Place], *, even_empty: bool) -> Iterator[Step]:
        """What can be done now, and what waits for sites."""
        ready, later = self._parted(places)
        if ready or even_empty:
            yield dataclasses.replace(step, places=ready)
        if later:
            yield self._later(dataclasses.replace(step, places=later, groups=()))

    def _parted(self, places: frozenset[Place]) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        later = tuple(sorted(where for where in places if site_of(where) in self._absent))
        return tuple(sorted(places - set(later))), later

    def _placed(self, step: Step, places: Sequence[Place]) -> Step:
        return self._later(step, places) if any(site_of(where) in self._absent for where in places) else step

    def _later(self, step: Step, places: Sequence[Place] = ()) -> Step:
        absent = sorted({site_of(where) for where in (*places, *step.places)} & set(self._absent))
        return dataclasses.replace(step, standing=Standing.LATER, why=f"{', '.join(absent)} must be let in first.")


def _called(package: DeclaredPackage) -> str:
    return package.name or package.key
