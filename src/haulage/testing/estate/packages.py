"""The packages of a made-up estate: names, versions and where each is meant to be. Pure."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import math
import random
from collections.abc import Iterator, Sequence

from haulage.base.ids import PackageId, Place, SiteCode, VersionNumber, make_package_id, make_place, owner_of, site_of
from haulage.domain.catalog.model import Package, Version
from haulage.testing.estate.sites import CENTRAL, Land
from haulage.testing.estate.size import Size


@dataclasses.dataclass(slots=True, kw_only=True)
class Stocked:
    """One package with all its versions, oldest first."""

    package: Package
    versions: list[Version]

    @property
    def newest(self) -> Version:
        """What every place is to have."""
        return self.versions[-1]


def make_packages(
    land: Land, size: Size, names: Iterator[str], first: int, chance: random.Random, now: dt.datetime
) -> list[Stocked]:
    """Those that are only written down; ``first`` is the number of the first one. One in twenty belongs to a region."""
    regions = [
        code for code, parent in land.parents.items() if parent == CENTRAL and any(code == up for up in land.parents.values())
    ]
    found, numbers = [], dict.fromkeys(regions, 1) | {CENTRAL: first}
    for _ in range(size.packages - size.captured):
        owner = chance.choice(regions) if chance.random() < 0.05 else CENTRAL
        package = make_package_id(owner, numbers[owner])
        numbers[owner] += 1
        versions = _versions(package, chance, now)
        made = Package(
            id=package, name=next(names), revision=len(versions) + 1, version=versions[-1].number, keep=2, assignments=()
        )
        found.append(Stocked(package=made, versions=versions))
    return found


def _versions(package: PackageId, chance: random.Random, now: dt.datetime) -> list[Version]:
    size_bytes = int(math.exp(chance.gauss(16.8, 1.9)))
    age_days = chance.choice((0.04, 0.3, 0.8, 1.5)) if chance.random() < 0.04 else chance.uniform(2, 400)
    captured = now - dt.timedelta(days=age_days, minutes=chance.uniform(0, 60))
    count = chance.choice((1, 1, 2, 2, 3, 4, 5, 6))
    moments = [captured - dt.timedelta(days=chance.uniform(5, 60) * back) for back in range(count)]
    found = []
    for number, moment in enumerate(sorted(moments), 1):
        seed = f"{package}:{number}".encode()
        files = max(1, int(size_bytes / chance.uniform(20_000, 400_000)))
        found.append(
            Version(
                package=package,
                number=VersionNumber(number),
                manifest=hashlib.blake2b(seed, digest_size=32).digest(),
                sha256=hashlib.sha256(seed).hexdigest(),
                files=files,
                folders=1 + files // 12,
                symlinks=0,
                streams=files // 3 if chance.random() < 0.3 else 0,
                bytes=size_bytes,
                new_bytes=size_bytes if number == 1 else int(size_bytes * chance.uniform(0.005, 0.2)),
                captured=moment,
            )
        )
        size_bytes = int(size_bytes * chance.uniform(0.98, 1.08))
    return found


class Spread:
    """Chooses where packages are meant to be, until there are as many duties as wanted."""

    def __init__(self, land: Land, chance: random.Random) -> None:
        self._land = land
        self._chance = chance
        self._points_below: dict[SiteCode, list[Place]] = {}
        for point in land.points:
            for code in land.way_down(point.site):
                self._points_below.setdefault(code, []).append(point.place)
        self._areas = [code for code in self._points_below if code != CENTRAL and len(self._points_below[code]) > 1]

    def assign(self, packages: Sequence[Stocked], shipments: int) -> dict[PackageId, set[Place]]:
        """The places of each package: every point of some areas. ``shipments`` 0: a few of everything."""
        if not shipments:
            return {one.package.id: self.some(one.package.id) for one in packages}
        found: dict[PackageId, set[Place]] = {one.package.id: set() for one in packages}
        total = 0
        # Some packages are everywhere, most are in a few areas, a handful nowhere yet.
        everywhere = max(1, shipments // 20 // max(1, len(self._land.sites) + len(self._land.points)))
        for one in packages[:everywhere]:
            found[one.package.id] = set(self._within(one.package.id, CENTRAL))
            total += len(expected_places(one.package.id, found[one.package.id], self._land))
        rest = packages[everywhere : len(packages) - max(1, len(packages) // 100)]
        while rest and total < shipments:
            chosen = self._chance.choice(rest).package.id
            before = len(expected_places(chosen, found[chosen], self._land))
            found[chosen] |= set(self._within(chosen, self._chance.choice(self._areas)))
            total += len(expected_places(chosen, found[chosen], self._land)) - before
        return found

    def some(self, package: PackageId) -> set[Place]:
        """A handful of places, or all."""
        everything = self._within(package, CENTRAL)
        if self._chance.random() < 0.4:
            return set(everything)
        return set(self._chance.sample(everything, self._chance.randint(2, max(2, len(everything) // 2))))

    def _within(self, package: PackageId, area: SiteCode) -> list[Place]:
        owner = owner_of(package)
        below = self._points_below.get(area, [])
        if owner == CENTRAL:
            return below
        return [where for where in below if owner in self._land.way_down(site_of(where))] or self._points_below.get(owner, [])


def expected_places(package: PackageId, assigned: set[Place], land: Land) -> list[Place]:
    """Every place that must hold it, sites before what lies below them."""
    owner = owner_of(package)
    found = {make_place(owner): None}
    for where in sorted(assigned):
        way = land.way_down(site_of(where))
        for code in way[way.index(owner) :]:
            found.setdefault(make_place(code))
        found.setdefault(where)
    return list(found)
