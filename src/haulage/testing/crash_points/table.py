"""The table of points and models, for people: how many deaths of each kind were tried, and what did not hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from haulage.testing.crash_points.disk import Left
from haulage.testing.crash_points.trial import Trial


class Named(Protocol):
    """A scenario of whatever kind."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def faults(self) -> tuple[str, ...]: ...


def head() -> str:
    """The first two lines."""
    names = ["scenario", "what it does", "faults", "points", *(left.value for left in Left), "held"]
    return "\n".join((_line(names), _line(["---"] * len(names))))


def row(scenario: Named, points: int, trials: Sequence[Trial]) -> str:
    """One scenario: deaths that held, of those tried, for each model."""
    counts = []
    for left in Left:
        mine = [trial for trial in trials if trial.left is left]
        good = sum(trial.held for trial in mine)
        counts.append("–" if not mine else str(good) if good == len(mine) else f"**{good} of {len(mine)}**")
    held = "yes" if all(trial.held for trial in trials) else "**no**"
    return _line([scenario.name, scenario.title, " ".join(scenario.faults), str(points), *counts, held])


def total(points: int, trials: Sequence[Trial]) -> str:
    """The last line."""
    good = sum(trial.held for trial in trials)
    per_model = [str(sum(trial.left is left for trial in trials)) for left in Left]
    return _line(["all", "", "", str(points), *per_model, f"{good} of {len(trials)}"])


def failures(trials: Iterable[Trial]) -> list[str]:
    """What did not hold, each with the command that replays it."""
    return [
        f"{trial.scenario}, point {trial.point} ({trial.step}), {trial.left.value}: {trial.failure}\n"
        f"    python -m haulage.testing.crash_points --scenario {trial.scenario} --model {trial.left.value} --point {trial.point}"
        for trial in trials
        if not trial.held
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
