"""What a peer is to this benchmark: commands that make an update and apply it, and how its bytes on the wire are counted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where one tool works on one pair."""

    old: str
    new: str
    shared: str
    """Holds ``old.tar`` and ``new.tar``, which several tools start from."""
    work: str
    """The tool's own folder, empty at first."""
    out: str
    """Where applying puts the new tree; absent at first."""
    aside: str
    """Where both go when the tool is done, until the pair is."""
    tools: str
    """Where tools built by this benchmark stand."""
    port: int = 0
    """Of the file server over ``work/served``, if the tool fetches from one."""

    def fill(self, command: str) -> str:
        """The command with its names filled in."""
        return command.format(**{name: getattr(self, name) for name in self.__slots__})


Wire = Callable[[Place, str, int], int]
"""Bytes that cross the line, from the place, what applying printed, and what the file server sent and received."""


def size_of(name: str) -> Wire:
    """One file of the work folder crosses the line, nothing else."""
    return lambda place, _printed, _served: os.path.getsize(os.path.join(place.work, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Commands may name ``{old} {new} {shared} {work} {out} {tools} {port}``."""

    name: str
    needs: tuple[str, ...]
    """Programs."""
    version: str
    """A command that prints it."""
    begin: str = ""
    """What stands on both sides before: not timed."""
    make: str = ""
    """At the sender. A tool whose two ends talk has none: all its time is in ``apply``."""
    prepare: str = ""
    """Brings what was made over, not timed."""
    apply: str
    """At the receiver, up to a durable new tree in ``{out}``."""
    wire: Wire
    served: bool = False
    tars: bool = False
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def lacking(self, tools: str) -> list[str]:
        """Programs that are not here."""
        return [each for each in self.needs if not shutil.which(each) and not os.access(os.path.join(tools, each), os.X_OK)]


SYNC = "sync -f {out}"
"""Haulage makes what it writes durable by itself; for a peer that does not, this does."""
UNTAR = "mkdir {out}; tar -C {out} -xpf"
