"""How a place stands, in one word: the worst of what is the matter with it. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from haulage.domain.transit.states import Reason, ShipmentState


class Health(enum.Enum):
    """From worst to best; a place is as well as the worst of what is at it."""

    FAILED = "failed"
    STUCK = "stuck"
    AWAY = "away"
    LATE = "late"
    BUSY = "busy"
    WELL = "well"
    INVITED = "invited"
    UNKNOWN = "unknown"


HEALTH_MEANING: dict[Health, str] = {
    Health.FAILED: "Something failed for a cause that trying again does not change.",
    Health.STUCK: "Something waits for a person, or for free space.",
    Health.AWAY: "Its server has not been heard for minutes.",
    Health.LATE: "Something failed and is tried again, or takes longer than it should.",
    Health.BUSY: "Something is on its way.",
    Health.WELL: "Everything that should be there is.",
    Health.INVITED: "No server has joined yet.",
    Health.UNKNOWN: "Nothing is known of it here.",
}
PROBLEMS = frozenset({Health.FAILED, Health.STUCK, Health.AWAY, Health.LATE})
_RANK = {health: rank for rank, health in enumerate(Health)}

STUCK = (Reason.PERSON, Reason.SPACE)
"""Reasons to wait that do not go away by themselves."""
_STUCK = frozenset(reason.value for reason in STUCK)
_GROUP_OF = {
    ShipmentState.FAILED.value: "failed",
    ShipmentState.RETRYING.value: "late",
    ShipmentState.PRESENT.value: "present",
    ShipmentState.REMOVING.value: "leaving",
    ShipmentState.REMOVED.value: "",
}
"""States that tell everything by themselves; the others are under way unless their reason says more."""


def group_of(state: str, reason: str) -> str:
    """Under which figure a shipment is counted: failed, stuck, late, busy, held, leaving, present; "" for what is gone."""
    if state == ShipmentState.WAITING.value:
        return "stuck" if reason in _STUCK else "held" if reason == Reason.HELD.value else "busy"
    return _GROUP_OF.get(state, "busy")


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many shipments stand how. ``late`` are tried again or take too long, ``busy`` are on their way or wait for content,
    ``leaving`` are being removed."""

    failed: int = 0
    stuck: int = 0
    late: int = 0
    busy: int = 0
    held: int = 0
    leaving: int = 0
    present: int = 0

    @property
    def wanted(self) -> int:
        """How many there should be, as far as they were counted."""
        return self.failed + self.stuck + self.late + self.busy + self.held + self.present

    @property
    def health(self) -> Health:
        """By what is there alone."""
        busy = self.busy + self.leaving
        rules = ((Health.FAILED, self.failed), (Health.STUCK, self.stuck), (Health.LATE, self.late), (Health.BUSY, busy))
        for health, count in rules:
            if count:
                return health
        return Health.WELL


@dataclass(slots=True)
class Tally:
    """The shipments at one place, counted by state and reason, and those of each that are overdue."""

    counts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def add(self, state: str, reason: str, count: int, overdue: int) -> None:
        """So many more."""
        before = self.counts.get((state, reason), (0, 0))
        self.counts[state, reason] = (before[0] + count, before[1] + overdue)

    def take(self, other: Tally) -> None:
        """All of another one."""
        for (state, reason), (count, overdue) in other.counts.items():
            self.add(state, reason, count, overdue)

    @property
    def standing(self) -> Standing:
        """In groups. What is on its way and overdue counts as late, once."""
        found = dict.fromkeys(Standing.__struct_fields__, 0)
        for (state, reason), (count, overdue) in self.counts.items():
            group = group_of(state, reason)
            if group == "busy":
                found["late"] += overdue
                count -= overdue
            if group:
                found[group] += count
        return Standing(**found)

    def rows(self) -> list[StateCount]:
        """For people: worst first."""
        order = {group: rank for rank, group in enumerate(Standing.__struct_fields__)}
        rows = [StateCount(state=state, reason=reason, count=count) for (state, reason), (count, _late) in self.counts.items()]
        return sorted(rows, key=lambda row: (order.get(group_of(row.state, row.reason), 9), row.state, row.reason))


class StateCount(msgspec.Struct, frozen=True, kw_only=True):
    """So many in one state for one reason."""

    state: str
    reason: str
    count: int


def worst(healths: Iterable[Health]) -> Health:
    """The worst of some; well of none."""
    return min(healths, key=_RANK.__getitem__, default=Health.WELL)


def rank(health: Health) -> int:
    """0 is worst."""
    return _RANK[health]
