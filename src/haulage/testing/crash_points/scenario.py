"""What a scenario is: how the world is before, what is asked for, and whose deaths are tried. Each act may be repeated from its
beginning: that is what a person or a supervisor does after a death."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from haulage.base.ids import SiteCode
from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.world import HQ, World

Act = Callable[[World], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The death that a scenario begins with: of whom, in which scenario, before which occurrence of which step."""

    scenario: str
    step: str
    occurrence: int
    left: Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One row of the table."""

    name: str
    title: str
    faults: tuple[str, ...]
    """Ids in the catalogue of faults."""
    victim: SiteCode = HQ
    prepare: Act
    """Once; whatever follows from it has come to rest before the scenario begins."""
    act: Act
    """Ask for what the scenario is about, unless it was asked for already."""
    asleep: frozenset[SiteCode] = frozenset()
    """Not switched on before the scenario begins, so that what they do when they start is part of it."""
    shown_whole: bool = True
    """Whether what the points show is whole all the time: not where it is repaired."""
    after: Broken | None = None
    """Begin on the disk that the victim of another scenario left."""
