"""How large an estate is. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """So many of each; ``captured`` of the packages really lie in the store, with every version."""

    sites: int
    points: int
    packages: int
    captured: int
    shipments: int
    messages: int
    days: int = 30
    """How far back the messages go."""


SMALL = Size(sites=12, points=14, packages=15, captured=15, shipments=0, messages=400)
"""Everything can be looked at: for tests and pictures."""
MIDDLE = Size(sites=100, points=100, packages=200, captured=3, shipments=6_000, messages=5_000)
BIG = Size(sites=1_000, points=1_000, packages=2_000, captured=5, shipments=200_000, messages=100_000)
HUGE = Size(sites=1_000, points=1_000, packages=2_000, captured=5, shipments=2_000_000, messages=100_000)

SIZES = {"small": SMALL, "middle": MIDDLE, "big": BIG, "huge": HUGE}
