"""How much processor time an update is worth: chosen from the line it will travel, so that nobody spends minutes of processor to
save seconds of line. *Pure.*"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from haulage.engine.delta.level import Level

AUTO = "auto"
"""The setting that leaves it to the line."""
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a level costs and brings, measured on real pairs of versions (Python packages, Ansible, npm packages)."""

    bytes_per_second: float
    """New bytes a machine with two cores makes an update of in a second."""
    updated: float
    """Share of its new bytes that an update on top of an older version puts on the line."""
    whole: float
    """The same where nothing is held to start from."""


PACES: dict[Level, Pace] = {
    Level.FAST: Pace(bytes_per_second=45e6, updated=0.09, whole=0.38),
    Level.BALANCED: Pace(bytes_per_second=8e6, updated=0.0280, whole=0.33),
    Level.SMALLEST: Pace(bytes_per_second=5e6, updated=0.0255, whole=0.29),
}
UNKNOWN_SMALLEST_BYTES = 64 * MIB
"""Over a line of unknown rate, so many new bytes at most are made as small as they get: that takes some ten seconds."""
UNKNOWN_WHOLE_BYTES = 8 * MIB
"""The same where nothing is held to start from: beyond it a level gains a tenth or a quarter, and a new site waits for it."""
WORTH = 20.0
"""So many seconds of this machine's processors are given to save one of a line, which is shared, and often paid by the byte."""
_EASE = tuple(PACES)
"""From least time to fewest bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A level, and the sentence that says why it is this one."""

    level: Level
    why: str


def at_least(level: Level, wanted: Level) -> bool:
    """Whether an update made at one level is as small as one made at another would be."""
    return _EASE.index(level) >= _EASE.index(wanted)


def seconds_at(level: Level, rate_bytes_per_second: int, bytes_new: int, *, based: bool) -> tuple[float, float]:
    """(to make it, on the line): what an update with so many new bytes takes. ``based``: something older is held there; the line's
    rate is not 0."""
    pace = PACES[level]
    return bytes_new / pace.bytes_per_second, expected_wire(level, bytes_new, based=based) / rate_bytes_per_second


def expected_wire(level: Level, bytes_new: int, *, based: bool) -> int:
    """Bytes on the line to be expected of so many new ones. Real updates differ by several times in both directions."""
    pace = PACES[level]
    return math.ceil(bytes_new * (pace.updated if based else pace.whole))


def choose_level(setting: str, rates: Sequence[int], bytes_new: int, *, based: bool = True, made: Collection[Level] = ()) -> Choice:
    """The level for an update with ``bytes_new`` bytes that no base has.

    ``setting``: ``auto`` or the name of a level. ``rates``: bytes per second of the line of each receiver that will want this very
    update, 0 where it is not known. It is made once and sent to each, so making is weighed against all their lines together.
    ``made``: levels at which it has been made already, which costs nothing any more.
    """
    if setting != AUTO:
        return Choice(level=Level(setting), why="The setting updates.level says so.")
    known = [rate for rate in rates if rate > 0]
    if not known:
        return _unmeasured(bytes_new, made, based=based)
    # Who is not measured yet counts as the slowest of the others.
    lines = known + [min(known)] * (len(rates) - len(known))

    def cost(level: Level) -> float:
        make = 0.0 if level in made else seconds_at(level, 1, bytes_new, based=based)[0]
        return make + WORTH * sum([seconds_at(level, rate, bytes_new, based=based)[1] for rate in lines])

    best = min(_EASE, key=cost)
    make, line = seconds_at(best, min(lines), bytes_new, based=based)
    return Choice(level=best, why=f"Over the slowest line it takes about {_words(line)}, and about {_words(make)} to make.")


def _unmeasured(bytes_new: int, made: Collection[Level], *, based: bool) -> Choice:
    if made:
        return Choice(level=max(made, key=_EASE.index), why="The line is not measured yet, and at this level it is made already.")
    if not based and bytes_new > UNKNOWN_WHOLE_BYTES:
        return Choice(level=Level.FAST, why="The line is not measured yet, and nothing is held that much could be saved by.")
    if bytes_new <= UNKNOWN_SMALLEST_BYTES:
        return Choice(level=Level.SMALLEST, why="The line is not measured yet, and it is little.")
    return Choice(level=Level.BALANCED, why="The line is not measured yet, and it is much.")


def _words(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
