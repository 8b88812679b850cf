"""Made-up estates and files about them, and what a file that manages everything must lead to."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from haulage.base.ids import GroupName, PackageId, Place, SiteCode, make_package_id
from haulage.domain.declared.model import (
    Declared,
    DeclaredPackage,
    DeclaredSite,
    Kind,
    Present,
    PresentPackage,
    PresentPoint,
    PresentSite,
)
from haulage.domain.estate.hierarchy import Hierarchy

HERE = SiteCode("HQ1")
SITES = [SiteCode(code) for code in ("BOS", "CHI", "LA1", "NY1")]
POINTS = [Place(f"{code}/P{number}") for code in SITES[:3] for number in (1, 2)]
GROUPS = [GroupName(name) for name in ("east", "shops", "west")]
NAMES = ["Office", "Drivers", "Till software", "Ä \"quoted\" \x7f.\n'x'", "HQ1FFFFF"]

ASSIGNED = tuple[frozenset[Place], frozenset[GroupName]]


@dataclass(frozen=True)
class Wanted:
    """What there is to be at the end, in one form for both ways of saying it."""

    points: frozenset[Place]
    groups: dict[GroupName, frozenset[Place]]
    packages: dict[str, ASSIGNED]


@st.composite
def wanted(draw: st.DrawFn, names: list[str] = NAMES) -> Wanted:
    """Some points, groups of what is there, packages assigned to what is there."""
    points = draw(st.frozensets(st.sampled_from(POINTS)))
    places = st.frozensets(st.sampled_from(sorted([*map(Place, [HERE, *SITES]), *points])), max_size=5)
    groups = draw(st.dictionaries(st.sampled_from(GROUPS), places))
    some = st.frozensets(st.sampled_from(sorted(groups)), max_size=3) if groups else st.just(frozenset[GroupName]())
    packages = draw(st.dictionaries(st.sampled_from(names), st.tuples(places, some)))
    return Wanted(points=points, groups=groups, packages=packages)


def present_of(one: Wanted) -> Present:
    """It as what there is."""
    sites: dict[SiteCode, SiteCode | None] = {HERE: None, **dict.fromkeys(SITES, HERE)}
    packages = {}
    for number, (name, (direct, groups)) in enumerate(sorted(one.packages.items()), 1):
        package = make_package_id(HERE, number)
        packages[package] = _package(package, name, direct, groups)
    return Present(
        code=HERE,
        tree=Hierarchy(sites),
        sites={code: PresentSite(name="", parent=parent, joined=True) for code, parent in sites.items()},
        points={where: PresentPoint(url=f"folder:/{where}", owner=HERE) for where in one.points},
        groups=one.groups,
        packages=packages,
    )


def _package(package: PackageId, name: str, direct: frozenset[Place], groups: frozenset[GroupName]) -> PresentPackage:
    return PresentPackage(
        id=package,
        name=name,
        source=f"/{package}",
        streams="keep",
        keep=2,
        keep_special_bits=False,
        direct=direct,
        groups=groups,
        captured=False,
    )


def declared_of(one: Wanted, remove: frozenset[Kind] = frozenset(Kind)) -> Declared:
    """It as a file that manages everything, or less."""
    return Declared(
        sites={code: DeclaredSite(parent=HERE) for code in SITES},
        points={where: f"folder:/{where}" for where in one.points},
        groups=one.groups,
        packages={
            name: DeclaredPackage(key=name, name=name, source="/new", places=direct, groups=groups)
            for name, (direct, groups) in one.packages.items()
        },
        remove=remove,
    )
