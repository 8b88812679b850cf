"""How much processor time an update may cost for every byte it saves. A level decides what is tried, never what can be read."""

from __future__ import annotations

import enum


class Level(enum.Enum):
    """From least time to fewest bytes."""

    FAST = "fast"
    BALANCED = "balanced"
    SMALLEST = "smallest"
