"""How packages stand at the places that are to hold them: the same truth as a package's status, reckoned for many at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from haulage.base.ids import NO_VERSION, PackageId, Place, SiteCode, VersionNumber, is_point, make_place, owner_of, site_of
from haulage.domain.estate import records as estate
from haulage.domain.estate.hierarchy import Hierarchy
from haulage.domain.reporting.packages import records
from haulage.domain.reporting.packages.records import Stand
from haulage.domain.transit.states import Reason, ShipmentState
from haulage.engine.database.transaction import Transaction

WORST_FIRST = ("failed", "retrying", "waiting", "moving", "verifying", "planned", "removing", "present")
_STUCK = (Reason.PERSON.value, Reason.SPACE.value)


class StateCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many places stand alike."""

    state: str
    reason: str
    count: int


class At(msgspec.Struct, frozen=True, kw_only=True):
    """A package at one place, as far as lists need it."""

    place: Place
    kind: str
    """``site`` or ``point``."""
    state: str
    reason: str
    wanted: int
    present: int
    verified: dt.datetime | None
    updated: dt.datetime | None
    """None: its site never said a word of it."""


class Land:
    """Which sites and points there are, read once for many packages."""

    def __init__(self, tree: Hierarchy, points: frozenset[Place]) -> None:
        self.tree = tree
        self._points = points

    @classmethod
    def look(cls, tx: Transaction) -> Land:
        """As known here now."""
        return cls(estate.hierarchy(tx), frozenset([point.place for point in estate.list_points(tx)]))

    def expected(self, package: PackageId, assignments: Iterable[Place]) -> set[Place]:
        """Every place that must hold a package: those assigned, the sites on the way, the owner."""
        owner = owner_of(package)
        found, walked = {make_place(owner)}, {owner}
        for where in assignments:
            site = site_of(where)
            if site not in self.tree or (is_point(where) and where not in self._points):
                continue
            found.add(where)
            at: SiteCode | None = site
            while at is not None and at not in walked:
                walked.add(at)
                found.add(make_place(at))
                at = self.tree.parent(at)
        return found


def at_places(version: VersionNumber, expected: set[Place], stands: Iterable[Stand]) -> list[At]:
    """How one package stands, at every place that must hold it or still has it. A place whose site has not said that it knows what
    is wanted waits for its report."""
    expected = expected if version != NO_VERSION else set()
    found: list[At] = []
    heard: set[Place] = set()
    for one in stands:
        heard.add(one.place)
        if one.place in expected and one.wanted != version:
            found.append(_at(one, ShipmentState.WAITING.value, Reason.REPORT.value, version))
        elif one.state != ShipmentState.REMOVED.value:
            found.append(_at(one, one.state, one.reason, one.wanted))
    for where in expected - heard:
        found.append(
            At(
                place=where,
                kind=_kind(where),
                state=ShipmentState.WAITING.value,
                reason=Reason.REPORT.value,
                wanted=version,
                present=0,
                verified=None,
                updated=None,
            )
        )
    return sorted(found, key=order_of)


def order_of(one: At) -> tuple[int, str]:
    """What needs a person first; then by place."""
    rank = WORST_FIRST.index(one.state) * 2 + 1
    if one.state == ShipmentState.WAITING.value and one.reason in _STUCK:
        rank -= 1
    return rank, one.place


def counted(rows: Iterable[At]) -> list[StateCount]:
    """How many of each state and reason, worst first."""
    return _ordered(Counter((one.state, one.reason) for one in rows))


def _ordered(counts: Counter[tuple[str, str]]) -> list[StateCount]:
    ordered = sorted(counts, key=lambda key: (WORST_FIRST.index(key[0]), key[1]))
    return [StateCount(state=state, reason=reason, count=counts[state, reason]) for state, reason in ordered]


def standing_of(
    tx: Transaction, packages: Mapping[PackageId, VersionNumber], land: Land | None = None
) -> dict[PackageId, list[At]]:
    """How several packages (each with its newest version) stand at all their places."""
    land = land or Land.look(tx)
    names = list(packages)
    assigned = records.assigned(tx, names)
    stands: dict[PackageId, list[Stand]] = {name: [] for name in names}
    for one in records.stands(tx, names):
        stands[one.package].append(one)
    return {name: at_places(packages[name], land.expected(name, assigned[name]), stands[name]) for name in names}


def counts_of(tx: Transaction, packages: Mapping[PackageId, VersionNumber]) -> dict[PackageId, list[StateCount]]:
    """The same, only counted: at once where every place said that it knows what is wanted, which is nearly everywhere."""
    names = list(packages)
    told, unheard = records.tallies(tx, names), records.unheard(tx, names)
    odd = {name for name in names if name in unheard or any(wanted not in (0, packages[name]) for _s, _r, wanted, _n in told[name])}
    exact = standing_of(tx, {name: packages[name] for name in odd}) if odd else {}
    found = {}
    for name in names:
        if name in odd:
            found[name] = counted(exact[name])
            continue
        sums: Counter[tuple[str, str]] = Counter()
        for state, reason, _wanted, count in told[name]:
            sums[state, reason] += count
        sums = Counter({key: count for key, count in sums.items() if key[0] != ShipmentState.REMOVED.value})
        found[name] = _ordered(sums)
    return found


def chosen(rows: Sequence[At], *, words: str = "", state: str = "", reason: str = "", kind: str = "") -> list[At]:
    """Those a filter leaves."""
    needles = [word.upper() for word in words.split()]
    return [
        one
        for one in rows
        if (not state or one.state == state)
        and (not reason or one.reason == reason)
        and (not kind or one.kind == kind)
        and all(needle in one.place.upper() for needle in needles)
    ]


def _at(one: Stand, state: str, reason: str, wanted: int) -> At:
    return At(
        place=one.place,
        kind=_kind(one.place),
        state=state,
        reason=reason,
        wanted=wanted,
        present=one.present,
        verified=one.verified,
        updated=one.updated,
    )


def _kind(where: Place) -> str:
    return "point" if is_point(where) else "site"
