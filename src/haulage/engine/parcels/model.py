"""The words of an update: where old bytes stand, of which pieces new ones are made, and what one batch carries. *Pure values.*"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from haulage.engine.archives.recipe import Member, Recipe
from haulage.engine.archives.view import View


class At(NamedTuple):
    """Where a content stands in a manifest: number of the page, of the entry in it, and of the content in ``entry.contents()``."""

    page: int
    entry: int
    part: int


class Source(NamedTuple):
    """Old bytes a receiver has: a content of a base, or what an earlier batch put aside."""

    base: int
    """Index among the parcel's bases; ``SCRATCH`` for something put aside, whose label then stands in ``at.page``."""
    at: At
    members: tuple[Member, ...] = ()
    """Members in whose place their raw bytes are read: offsets then count in the expanded form. Empty: the bytes as they are."""


SCRATCH = -1


class Copy(NamedTuple):
    """Bytes taken from a source as they are."""

    source: int
    """Index among the batch's sources."""
    offset: int
    length: int


class Fresh(NamedTuple):
    """The next bytes of what the batch decodes to."""

    length: int


Piece = Copy | Fresh


class Window(NamedTuple):
    """A range of a source against which the batch is encoded; all of a batch's windows, one after the other, are its old bytes."""

    source: int
    offset: int
    length: int


class ObjectKind(enum.IntEnum):
    """What the pieces of an object make, once put together."""

    RUN = 0
    """New chunks with consecutive ordinals, one after the other."""
    ARCHIVE = 1
    """The expanded form of a content, which is then made again by its recipe; its new chunks are stored."""
    SCRATCH = 2
    """Bytes that a later batch refers to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One object of a batch."""

    kind: ObjectKind
    first: int
    """RUN, ARCHIVE: the first ordinal of the new chunks it makes. SCRATCH: the label."""
    count: int
    """RUN, ARCHIVE: how many ordinals; an archive makes those that first appear in it. SCRATCH: 0."""
    pieces: tuple[Piece, ...]
    at: At | None = None
    """ARCHIVE: which content of the target."""
    recipe: Recipe | None = None
    """ARCHIVE: how it is made again."""

    @property
    def size(self) -> int:
        """Bytes its pieces make."""
        return sum([piece.length for piece in self.pieces])


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """One batch, planned but not encoded."""

    sources: tuple[Source, ...]
    windows: tuple[Window, ...]
    objects: tuple[Made, ...]
    origins: tuple[tuple[View, int], ...]
    """For each object: the new bytes it stands for, and where in them it begins. Only who builds has these."""
    text: bool

    @property
    def fresh_bytes(self) -> int:
        """What the payload decodes to."""
        return sum([piece.length for made in self.objects for piece in made.pieces if isinstance(piece, Fresh)])

    @property
    def window_bytes(self) -> int:
        """The old bytes it is encoded against."""
        return sum([window.length for window in self.windows])


class Why(enum.Enum):
    """Why a file, or part of it, travels as it does."""

    COPIED = "its bytes are held already"
    DELTA = "encoded against what is held"
    INSIDE = "encoded against what is held, by the contents of the archive"
    NOTHING_ALIKE = "nothing alike is held"
    PACKED = "it is compressed already, in a way that cannot be made again exactly"
    NO_BASE = "the receiver holds no version to start from"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """What one changed content costs. Sizes in bytes."""

    path: bytes
    stream: bytes | None
    size: int
    bytes_reused: int
    bytes_new: int
    base: bytes | None
    """Path of the held file it is compared with."""
    why: Why
