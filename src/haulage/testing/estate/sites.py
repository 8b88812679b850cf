"""The sites and points of a made-up estate, how they hang together and what is the matter with some of them. Pure but for keys."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from haulage.base.ids import Place, SiteCode, make_place
from haulage.domain.estate.model import Point, Site, SiteStatus
from haulage.engine.trust.keys import SigningKey
from haulage.testing.estate.size import Size
from haulage.testing.estate.words import BRANCHES, POINT_NAMES, REGIONS, site_codes

CENTRAL = SiteCode("HQ1")
_AWAY_HOURS = (53, 5, 170, 29, 1, 400)


@dataclass(slots=True, kw_only=True)
class Land:
    """Who is where, and who is in trouble."""

    sites: list[Site]
    """Without the central one; parents first."""
    points: list[Point]
    parents: dict[SiteCode, SiteCode]
    keys: dict[SiteCode, SigningKey]
    away: dict[SiteCode, dt.datetime] = field(default_factory=dict)
    """Since when nobody heard of a site."""
    full: set[Place] = field(default_factory=set)
    unmounted: set[Place] = field(default_factory=set)
    refusing: set[SiteCode] = field(default_factory=set)
    """Sites that refuse what they are sent."""
    slow: set[SiteCode] = field(default_factory=set)
    ways: dict[SiteCode, list[SiteCode]] = field(default_factory=dict)

    def way_down(self, code: SiteCode) -> list[SiteCode]:
        """From the central site to this one, both included."""
        if code not in self.ways:
            self.ways[code] = [CENTRAL] if code == CENTRAL else [*self.way_down(self.parents[code]), code]
        return self.ways[code]

    def silent_since(self, code: SiteCode) -> dt.datetime | None:
        """Since when nothing comes from a site, because it or one above it is away."""
        return min((self.away[one] for one in self.way_down(code) if one in self.away), default=None)


Certify = Callable[[SiteCode, str], str]
"""The certificate of a site's server, by its code and URL."""


def make_land(size: Size, chance: random.Random, now: dt.datetime, certify: Certify) -> Land:
    """Regions below the central site, cities below those, branches below these; a few branches right below the central one."""
    land = Land(sites=[], points=[], parents={}, keys={})
    regions = REGIONS[: max(2, min(len(REGIONS), size.sites // 20))]
    cities = [(SiteCode(text[:3]), text[4:], SiteCode(region)) for region, _name, below in regions for text in below.split("|")]
    # Not all of the first region first, so that a small estate has some of each.
    cities = [city for _index, city in sorted((index % 9, city) for index, city in enumerate(cities))]
    cities = cities[: min(len(cities), (size.sites - 1 - len(regions)) // 2)]
    for region, name, _below in regions:
        _add(land, SiteCode(region), f"{name} hub", CENTRAL, certify)
    for code, name, region_code in cities:
        _add(land, code, name, region_code, certify)
    taken: set[str] = {CENTRAL, *land.parents}
    codes = {letter: site_codes(taken, letter) for letter in {code[0] for code, _name, _region in cities}}
    branches: list[SiteCode] = []
    for number, (code, name, _region) in enumerate(itertools.cycle(cities)):
        if len(land.sites) + 1 >= size.sites:
            break
        branch = SiteCode(next(codes[code[0]]))
        round_number = number // len(cities)
        label = BRANCHES[(round_number + number) % len(BRANCHES)]
        _add(land, branch, f"{name} {label}", CENTRAL if number % 101 == 4 else code, certify)
        branches.append(branch)
    _add_points(land, [*branches, *(code for code, _name, _region in cities)], size, chance)
    _afflict(land, branches, now)
    return land


def _add(land: Land, code: SiteCode, name: str, parent: SiteCode, certify: Certify) -> None:
    land.keys[code] = SigningKey.generate()
    land.parents[code] = parent
    url = f"https://haulage.{code.lower()}.example.org:8440"
    land.sites.append(
        Site(
            code=code,
            name=name,
            parent=parent,
            url=url,
            key=land.keys[code].public.text,
            certificate=certify(code, url),
            status=SiteStatus.ACTIVE,
        )
    )


def _add_points(land: Land, codes: list[SiteCode], size: Size, chance: random.Random) -> None:
    """One for each branch and city, then second ones."""
    made: set[Place] = set()
    for number, code in enumerate(itertools.cycle(codes)):
        if len(land.points) >= size.points:
            return
        name = POINT_NAMES[0] if number < len(codes) else chance.choice(POINT_NAMES[1:])
        where = make_place(code, name)
        if where not in made:
            made.add(where)
            url = f"folder:/srv/points/{name.lower()}"
            land.points.append(Point(place=where, kind="folder", url=url, owner=CENTRAL, options={}))


def _afflict(land: Land, branches: list[SiteCode], now: dt.datetime) -> None:
    """Every kind of trouble at least once, and in a large estate no more often than in a real one."""
    by_site = {point.site: point.place for point in reversed(land.points)}
    for number, code in enumerate(branches):
        kind = number % 60 if len(branches) >= 60 else number
        if kind == 0:
            land.full.add(by_site[code])
        elif kind == 1:
            land.unmounted.add(by_site[code])
        elif kind == 2:
            land.refusing.add(code)
        elif kind == 3:
            land.slow.add(code)
        elif kind == 4:
            land.away[code] = now - dt.timedelta(hours=_AWAY_HOURS[number // 60 % len(_AWAY_HOURS)], minutes=7 + number % 50)
    if len(branches) >= 60:
        city = next(site.code for site in reversed(land.sites) if site.code not in set(branches))
        land.away[city] = now - dt.timedelta(hours=3, minutes=12)
