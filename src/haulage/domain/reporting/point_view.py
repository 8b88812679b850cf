"""Points as people look at them: how each stands, and everything about one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from haulage.base.ids import PackageId, Place, SiteCode, owner_of, point_name
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Point
from haulage.domain.groups import records as groups
from haulage.domain.points.space import Space
from haulage.domain.reporting import records
from haulage.domain.reporting.contact import Contacts, LinkView, Sight
from haulage.domain.reporting.place_view import Ages, AtPlace, Likely, Trouble, ages_of, at_place, troubles_at
from haulage.domain.reporting.standing import PROBLEMS, Health, Standing, StateCount, rank
from haulage.engine.database.transaction import Transaction
from haulage.engine.status.journal import Journal

_NOTHING = Standing()
SLICE = 500


class PointRow(msgspec.Struct, frozen=True, kw_only=True):
    """One point as a list shows it. ``standing`` counts what is not settled; the figures behind it everything."""

    id: Place
    place: Place
    site: SiteCode
    kind: str
    url: str
    owner: SiteCode
    health: Health
    standing: Standing
    wanted: int
    """How many packages should be there; on a page of a list only."""
    present: int


class PointsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which points a list is about."""

    q: str = ""
    site: str = ""
    kind: str = ""
    health: str = ""
    problems: bool = False
    after: str = ""


class PointsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of points."""

    rows: Sequence[PointRow]
    next: str
    totals: Mapping[str, int]
    """All points by health, worst first."""
    points: int
    kinds: Sequence[str]


class PointView(msgspec.Struct, frozen=True, kw_only=True):
    """One point. Sizes in bytes; ``space`` None where only another site can look."""

    place: Place
    site: SiteCode
    name: str
    kind: str
    url: str
    owner: SiteCode
    here: bool
    link: LinkView
    health: Health
    standing: Standing
    counts: Sequence[StateCount]
    bytes_wanted: int
    bytes_present: int
    space: Space | None
    ages: Ages
    troubles: Sequence[Trouble]
    packages: AtPlace
    groups: Sequence[str]
    may_change: bool
    """Whether this site may change and remove it."""


class PointReach(msgspec.Struct, frozen=True, kw_only=True):
    """What removing a point, or everything from it, would reach."""

    packages: int
    """That lie there."""
    bytes: int
    own: Sequence[PackageId]
    """Assigned to it by its own name, by this site."""
    foreign: Sequence[PackageId]
    """Assigned to it by other sites."""
    grouped: int
    """Assigned only by groups it is in."""
    groups: Sequence[str]


def points_view(tx: Transaction, sight: Sight, wanted: PointsWanted, *, limit: int) -> PointsView:
    """Points by place behind the cursor. By health they are filtered before they are cut."""
    standings = {place: tally.standing for place, tally in records.open_tallies(tx, sight.now).items() if "/" in place}
    totals = dict.fromkeys((health.value for health in Health if health not in (Health.AWAY, Health.INVITED, Health.UNKNOWN)), 0)
    known = records.point_kinds(tx)
    for place in known:
        totals[standings.get(place, _NOTHING).health.value] += 1
    filtered = wanted.health or wanted.problems
    found: list[Point] = []
    for point in _points(tx, wanted, None if filtered else limit + 1):
        if not filtered or _fits(standings.get(point.place, _NOTHING).health, wanted):
            found.append(point)
            if len(found) > limit:
                break
    rows = _rows(tx, sight, found[:limit], standings)
    return PointsView(
        rows=rows,
        next=rows[-1].place if len(found) > limit else "",
        totals=totals,
        points=len(known),
        kinds=sorted(set(known.values())),
    )


def all_points(tx: Transaction, sight: Sight, wanted: PointsWanted) -> Iterator[PointRow]:
    """Every row the filter leaves, read in slices within this transaction."""
    standings = {place: tally.standing for place, tally in records.open_tallies(tx, sight.now).items() if "/" in place}
    chosen = [point for point in _points(tx, wanted) if _fits(standings.get(point.place, _NOTHING).health, wanted)]
    for start in range(0, len(chosen), SLICE):
        yield from _rows(tx, sight, chosen[start : start + SLICE], standings)


def _points(tx: Transaction, wanted: PointsWanted, limit: int | None = None) -> Sequence[Point]:
    return records.points_page(tx, site=wanted.site, words=wanted.q, kind=wanted.kind, after=wanted.after, limit=limit)


def _fits(health: Health, wanted: PointsWanted) -> bool:
    return (not wanted.health or health.value == wanted.health) and (not wanted.problems or health in PROBLEMS)


def _rows(tx: Transaction, sight: Sight, points: Sequence[Point], standings: Mapping[Place, Standing]) -> list[PointRow]:
    counts = records.tallies_at(tx, [point.place for point in points], sight.now)
    rows = []
    for point in points:
        whole = counts[point.place].standing if point.place in counts else _NOTHING
        open_ = standings.get(point.place, _NOTHING)
        rows.append(
            PointRow(
                id=point.place,
                place=point.place,
                site=point.site,
                kind=point.kind,
                url=point.url,
                owner=point.owner,
                health=open_.health,
                standing=open_,
                wanted=whole.wanted,
                present=whole.present,
            )
        )
    return rows


def points_of_site(tx: Transaction, sight: Sight, code: SiteCode, limit: int) -> list[PointRow]:
    """The points of one site, worst first."""
    tallies = records.tallies_of_site(tx, code, sight.now)
    standings = {place: tally.standing for place, tally in tallies.items()}
    rows = _rows(tx, sight, records.points_page(tx, site=code, limit=limit), standings)
    return sorted(rows, key=lambda row: (rank(row.health), row.place))


def point_view(
    tx: Transaction,
    sight: Sight,
    point: Point,
    journal: Journal,
    likely: Likely,
    *,
    space: Space | None,
    group: str = "",
    words: str = "",
    after: str = "",
    limit: int = 50,
) -> PointView:
    """Everything about one point."""
    tree = estate.hierarchy(tx)
    tally = records.tallies_at(tx, [point.place], sight.now).get(point.place)
    standing = tally.standing if tally is not None else _NOTHING
    wanted, present = records.bytes_at(tx, point.place)
    return PointView(
        place=point.place,
        site=point.site,
        name=point_name(point.place.partition("/")[2]),
        kind=point.kind,
        url=point.url,
        owner=point.owner,
        here=point.site == sight.code,
        link=Contacts(tx, sight, tree).link(point.site),
        health=standing.health,
        standing=standing,
        counts=tally.rows() if tally is not None else (),
        bytes_wanted=wanted,
        bytes_present=present,
        space=space,
        ages=ages_of(tx, point.place),
        troubles=troubles_at(tx, point.place, sight.now, journal, likely),
        packages=at_place(tx, point.place, sight.now, group=group, words=words, after=after, limit=limit),
        groups=groups.groups_with(tx, sight.code, point.place),
        may_change=tree.is_within(point.site, sight.code),
    )


def point_reach(tx: Transaction, sight: Sight, place: Place) -> PointReach:
    """Before something is taken away."""
    tally = records.tallies_at(tx, [place], sight.now).get(place)
    assigned = records.assigned_at(tx, place)
    named = [package for package, by_name in assigned if by_name]
    return PointReach(
        packages=tally.standing.wanted if tally is not None else 0,
        bytes=records.bytes_at(tx, place)[1],
        own=[package for package in named if owner_of(package) == sight.code],
        foreign=[package for package in named if owner_of(package) != sight.code],
        grouped=len(assigned) - len(named),
        groups=groups.groups_with(tx, sight.code, place),
    )
