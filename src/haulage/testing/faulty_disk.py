"""A disk that fails on demand: every durable step of the product passes ``base.files.step``, and so can be refused with any of the
system's errors, once, from then on, or until somebody makes room. Knows nothing of what is written."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from haulage.base.files import watching_steps

FULL, QUOTA, BROKEN, READ_ONLY = errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS

_TAKES_SPACE = ("write", "mkdir", "rename", "create", "fsync", "syncfs", "commit")
"""Parts of the names of steps that a full disk refuses (a rename may need a new block for its folder, a late write an fsync)."""


@dataclass(slots=True)
class FaultyDisk:
    """Refuses the ``at``-th step (from 0) that this kind of trouble can refuse; None refuses none and only counts."""

    number: int
    """The system's error."""
    at: int | None = None
    lasting: bool = False
    """Whether every later step fails, too."""
    seen: list[str] = field(default_factory=list)

    def step(self, name: str) -> None:
        """One durable step is about to happen."""
        if self.number in (FULL, QUOTA) and not any(part in name for part in _TAKES_SPACE):
            return
        if self.at is not None and (len(self.seen) == self.at or (self.lasting and len(self.seen) > self.at)):
            self.seen.append(name)
            raise OSError(self.number, os.strerror(self.number))
        self.seen.append(name)

    @contextlib.contextmanager
    def failing(self) -> Iterator[None]:
        """While open, this disk is the one everything goes to."""
        with watching_steps(self.step):
            yield


def refused_steps(number: int, count: int, *, every: int = 1) -> Iterator[FaultyDisk]:
    """A disk for each of so many steps, failing there once, and one failing there from then on."""
    for at in range(0, count, every):
        yield FaultyDisk(number, at)
        yield FaultyDisk(number, at, lasting=True)
