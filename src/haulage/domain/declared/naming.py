"""Which package of this site a file means, and whether the places it names are there or come to be. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from haulage.base.ids import GroupName, PackageId, Place, SiteCode, is_point, site_of
from haulage.base.text import shown
from haulage.domain.declared.model import Declared, DeclaredPackage, Kind, Present, PresentPackage
from haulage.domain.declared.problems import Problems


def matched(declared: Declared, present: Present, problems: Problems) -> dict[str, PresentPackage | None]:
    """The package of each key; None for one that is to be made. Two keys never mean one package."""
    by_name: dict[str, list[PresentPackage]] = {}
    alike: dict[str, PresentPackage] = {}
    for package in present.packages.values():
        by_name.setdefault(package.name, []).append(package)
        alike.setdefault(_alike(package.name), package)
    out: dict[str, PresentPackage | None] = {}
    meant: dict[PackageId, str] = {}
    for key, wanted in declared.packages.items():
        found = _match(wanted, present, by_name, alike, problems)
        if found is not None and found.id in meant:
            problems.add(f"{shown(key, limit=80)} and {shown(meant[found.id], limit=80)} are one package.", "packages", key)
        if found is not None:
            meant[found.id] = key
        out[key] = found
    return out


def _match(
    wanted: DeclaredPackage,
    present: Present,
    by_name: Mapping[str, list[PresentPackage]],
    alike: Mapping[str, PresentPackage],
    problems: Problems,
) -> PresentPackage | None:
    if wanted.id is not None:
        if wanted.id not in present.packages:
            problems.add(
                f"site {present.code} has no package {wanted.id}; a new one is declared by its name, and gets its id then.",
                "packages",
                wanted.key,
            )
        return present.packages.get(wanted.id)
    named = by_name.get(wanted.key, [])
    if len(named) > 1:
        ids = ", ".join(sorted(package.id for package in named))
        problems.add(f"{ids} have this name; write [packages.ID] with name.", "packages", wanted.key)
    near = alike.get(_alike(wanted.key))
    if not named and near is not None:
        problems.add(
            f"{near.id} is called {shown(near.name, limit=80)!r}, which looks the same; write its name exactly, or its id.",
            "packages",
            wanted.key,
        )
    if not named and near is None and wanted.source is None:
        problems.add(
            f"there is no package {shown(wanted.key, limit=80)}; to make it, its source is needed.", "packages", wanted.key
        )
    return named[0] if named else None


def _alike(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def check_places(declared: Declared, present: Present, problems: Problems) -> None:
    """Every place and group that is named is known or declared, and at this site or below it."""
    for where in declared.points:
        _check(where, declared, present, problems, "points", where, is_new=True)
    for name, places in declared.groups.items():
        for where in sorted(places):
            _check(where, declared, present, problems, "groups", name, word=where)
    for key, package in declared.packages.items():
        for where in sorted(package.places or ()):
            _check(where, declared, present, problems, "packages", key, "to", word=where)
        for group in sorted(package.groups):
            if group not in declared.groups and group not in present.groups:
                problems.add(f"@{group} is neither declared nor known.", "packages", key, "to", word=f"@{group}")
            elif group not in declared.groups and Kind.GROUPS in declared.remove:
                problems.add(
                    f"@{group} is not declared, and this file removes such groups.", "packages", key, "to", word=f"@{group}"
                )


def check_sites(declared: Declared, present: Present, problems: Problems) -> None:
    """Every new site leads up to one that is there."""
    for code, site in declared.sites.items():
        parent = site.parent
        if parent is not None and parent not in present.sites and parent not in declared.sites:
            problems.add(f"the parent of {code}, {parent}, is neither declared nor known.", "sites", code, "parent")
        if code not in present.sites and in_ring(code, declared, present):
            problems.add(f"{code} would be above itself.", "sites", code, "parent")


def in_ring(code: SiteCode, declared: Declared, present: Present) -> bool:
    """Whether a site that is not there yet is declared below itself."""
    seen: set[SiteCode] = set()
    at: SiteCode | None = code
    while at is not None and at not in present.sites:
        if at in seen:
            return True
        seen.add(at)
        site = declared.sites.get(at)
        at = None if site is None else site.parent
    return False


def _check(
    where: Place, declared: Declared, present: Present, problems: Problems, *path: str, word: str = "", is_new: bool = False
) -> None:
    site = site_of(where)
    if site not in present.sites:
        if site not in declared.sites:
            problems.add(f"{where}: site {site} is neither declared nor known.", *path, word=word)
    elif not present.tree.is_within(site, present.code):
        problems.add(f"{where} is not at or below site {present.code}, whose server this is.", *path, word=word)
    elif is_point(where) and not is_new and where not in present.points and where not in declared.points:
        problems.add(f"point {where} is neither declared nor known.", *path, word=word)
    elif not is_new and where not in declared.points and Kind.POINTS in declared.remove and _own(where, present):
        problems.add(f"point {where} is not declared, and this file removes such points.", *path, word=word)


def _own(where: Place, present: Present) -> bool:
    point = present.points.get(where)
    return point is not None and point.owner == present.code


def groups_and_places(groups: Iterable[GroupName], places: Iterable[Place]) -> str:
    """As people write them."""
    return ", ".join([*(f"@{name}" for name in sorted(groups)), *sorted(places)])
