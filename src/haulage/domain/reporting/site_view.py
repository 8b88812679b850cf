"""One site as people look at it: what it is, how it is reached, what it holds and should hold, and what removing it would mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from haulage.base.clock import iso
from haulage.base.errors import HaulageError
from haulage.base.ids import Place, SiteCode, make_place
from haulage.domain.estate import records as estate
from haulage.domain.estate.model import Site, SiteStatus
from haulage.domain.replication.definitions import Definitions
from haulage.domain.replication.records import list_definitions
from haulage.domain.reporting import records
from haulage.domain.reporting.contact import LinkView
from haulage.domain.reporting.hierarchy_view import Estate, SiteRow
from haulage.domain.reporting.place_view import Ages, AtPlace, Likely, Trouble, ages_of, at_place, troubles_at
from haulage.domain.reporting.point_view import PointRow, points_of_site
from haulage.domain.reporting.standing import Health, Standing, StateCount, Tally, rank
from haulage.domain.telling.views import status_view
from haulage.domain.transit.hourly import traffic_view
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import InvitationState, Kind, state_of
from haulage.engine.status.journal import Journal
from haulage.engine.status.message import StatusFilter
from haulage.engine.trust.certificates import expires_at

CHILDREN_SHOWN = 12
POINTS_SHOWN = 50
MESSAGES_SHOWN = 8
HOURS = 24
View = Mapping[str, object]


class SiteView(msgspec.Struct, frozen=True, kw_only=True):
    """One site. Counts and ``own`` are of its own store, ``standing`` of it and its points together."""

    code: SiteCode
    name: str
    parent: SiteCode | None
    above: Sequence[tuple[SiteCode, str]]
    url: str
    state: str
    here: bool
    life: int
    version: str
    """Of its program, where that is known."""
    certificate_until: str | None
    invited_until: str | None
    health: Health
    link: LinkView
    standing: Standing
    own: Standing
    counts: Sequence[StateCount]
    bytes_wanted: int
    bytes_present: int
    ages: Ages
    children: Sequence[SiteRow]
    """Worst first, and no more than a look takes in."""
    children_count: int
    below: int
    below_healths: Mapping[str, int]
    points: Sequence[PointRow]
    points_count: int
    troubles: Sequence[Trouble]
    packages: AtPlace
    traffic: View
    messages: Sequence[View]
    may_change: bool
    """Whether it is this site or below it."""
    may_remove: bool
    """Whether this is the central site, and that one has no children and is another."""


class SiteReach(msgspec.Struct, frozen=True, kw_only=True):
    """What removing a site would reach."""

    state: str
    packages: int
    """That should be there or at its points."""
    points: int
    own_packages: int
    """That this site made: nobody can publish them any more."""
    children: Sequence[SiteCode]
    backlog: int


def site_view(
    tx: Transaction,
    whole: Estate,
    site: Site,
    journal: Journal,
    definitions: Definitions,
    likely: Likely,
    *,
    version: str,
    group: str = "",
    words: str = "",
    after: str = "",
    limit: int = 50,
) -> SiteView:
    """Everything about one site that is in the tree."""
    code, sight = site.code, whole.sight
    place = make_place(code)
    tallies = records.tallies_of_site(tx, code, sight.now)
    both = Tally()
    for tally in tallies.values():
        both.take(tally)
    own = tallies.get(place, Tally())
    row, below = whole.row(code), whole.below(code)
    wanted, present = records.bytes_at(tx, place)
    children = sorted(whole.tree.children(code), key=lambda child: (rank(whole.health(child)), child))
    within = whole.tree.is_within(code, sight.code)
    return SiteView(
        code=code,
        name=site.name,
        parent=site.parent,
        above=[(one, whole.name(one)) for one in list(whole.tree.upwards(code))[:0:-1]],
        url=site.url,
        state=site.status.value,
        here=row.here,
        life=site.life,
        version=version if row.here else "",
        certificate_until=_certificate_until(site),
        invited_until=_invited_until(tx, site, definitions),
        health=row.health,
        link=row.link,
        standing=both.standing,
        own=own.standing,
        counts=own.rows(),
        bytes_wanted=wanted,
        bytes_present=present,
        ages=ages_of(tx, place),
        children=[whole.row(child) for child in children[:CHILDREN_SHOWN]],
        children_count=len(children),
        below=below.sites,
        below_healths=below.healths,
        points=points_of_site(tx, sight, code, POINTS_SHOWN),
        points_count=row.points,
        troubles=_troubles(tx, whole, list(tallies), code, journal, likely),
        packages=at_place(tx, place, sight.now, group=group, words=words, after=after, limit=limit),
        traffic=traffic_view(tx, now=sight.now, site=code, hours=HOURS),
        messages=[status_view(one) for one in journal.find(tx, StatusFilter(sites=(code,)), limit=MESSAGES_SHOWN, newest=True)][
            ::-1
        ],
        may_change=within,
        may_remove=whole.tree.central == sight.code and not row.here and not children,
    )


def _troubles(
    tx: Transaction, whole: Estate, places: Sequence[Place], code: SiteCode, journal: Journal, likely: Likely
) -> list[Trouble]:
    """Of its own store; those of its points stand on their pages."""
    return troubles_at(tx, make_place(code), whole.sight.now, journal, likely) if make_place(code) in places else []


def _certificate_until(site: Site) -> str | None:
    if not site.certificate:
        return None
    try:
        return iso(expires_at(site.certificate))
    except HaulageError:
        return None


def _invited_until(tx: Transaction, site: Site, definitions: Definitions) -> str | None:
    """The end of its last invitation that was made at this site."""
    if site.status is not SiteStatus.INVITED:
        return None
    found = []
    for stored in list_definitions(tx, Kind.INVITATION):
        definition = definitions.find(tx, Kind.INVITATION, stored.id)
        if definition is not None and not definition.deleted:
            state = state_of(definition, InvitationState)
            if state.code == site.code:
                found.append(state.expires)
    return max(found, default=None)


def site_reach(tx: Transaction, whole: Estate, site: Site) -> SiteReach:
    """Before it is removed."""
    row = whole.row(site.code)
    wanted = sum(tally.standing.wanted for tally in records.tallies_of_site(tx, site.code, whole.sight.now).values())
    return SiteReach(
        state=site.status.value,
        packages=wanted,
        points=row.points,
        own_packages=records.packages_of(tx, site.code),
        children=whole.tree.children(site.code),
        backlog=row.link.backlog or 0,
    )


def find_site(tx: Transaction, whole: Estate, code: str) -> Site | None:
    """A site that is in the tree."""
    return estate.find_site(tx, SiteCode(code)) if code in whole else None
