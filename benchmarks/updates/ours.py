"""Haulage as a tool of this benchmark, level by level: both versions are in the sender's store before, as they are in a site's; the
receiver's store holds the old one. Applying ends with a verified new tree on disk.
"""

from __future__ import annotations

from benchmarks.contenders import OURS
from benchmarks.updates.peer import Peer, size_of

LEVELS = ("fast", "balanced", "smallest")
_COMMAND = OURS.capture.split(" capture")[0]


def ours(level: str) -> Peer:
    """One level."""
    receive = f"{_COMMAND} receive {{work}}/here {{work}}/update.parcel"
    return Peer(
        name=f"haulage {level}",
        needs=(),
        version="git -C . rev-parse --short HEAD 2> /dev/null || true",
        begin=f"{_COMMAND} capture {{old}} {{work}}/sender; cp {{work}}/sender.version {{work}}/base; "
        f"{_COMMAND} capture {{new}} {{work}}/sender; {_COMMAND} capture {{old}} {{work}}/here",
        make=f"{_COMMAND} parcel {{work}}/sender {{work}}/update.parcel $(cat {{work}}/base) {level}",
        apply=f"{receive}; {_COMMAND} restore {{work}}/here {{out}}",
        wire=size_of("update.parcel"),
        environment=OURS.environment,
    )
