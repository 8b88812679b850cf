"""A compressed stream that a container's own tables, or its first bytes, speak of; nothing of it is believed yet."""

from __future__ import annotations

from dataclasses import dataclass, field

from haulage.engine.archives.coding import Unpacking
from haulage.engine.archives.recipe import Codec
from haulage.engine.archives.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an archive may cost, whatever it says of itself."""

    most_members: int = 1 << 17
    most_ratio: int = 200
    """A member with more raw bytes for each of its stored bytes stays compressed: it is small, or a bomb."""
    free_raw_bytes: int = 1 << 20
    """Below this many raw bytes the ratio does not matter."""
    most_raw_bytes: int = 1 << 37
    """Of all members together."""
    least_stored_bytes: int = 64
    """Smaller members stay compressed: nothing is gained."""

    def raw_bytes(self, stored_bytes: int) -> int:
        """The most that so many stored bytes may become."""
        return min(self.free_raw_bytes + stored_bytes * self.most_ratio, self.most_raw_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A stream at ``offset`` that ends at ``end`` at the latest."""

    offset: int
    end: int
    codec: Codec
    raw_bytes: int | None = None
    """If it was unpacked already; then ``end`` is where it ends."""
    hint: tuple[int, ...] = field(default=())
    """What the container says of the parameters; by codec."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """A range that may be a container itself."""

    offset: int
    end: int


def measured(view: View, found: Found, bounds: Bounds) -> Found | None:
    """The stream with its true end and raw size, or None if it is none or larger than it may be."""
    if found.raw_bytes is not None:
        return found
    most = bounds.raw_bytes(found.end - found.offset)
    unpacking = Unpacking(view, found.offset, found.end, found.codec, found.hint, most=most)
    for _ in unpacking:
        pass
    if not unpacking.whole or unpacking.raw_bytes > bounds.raw_bytes(unpacking.stored_bytes):
        return None
    end = found.offset + unpacking.stored_bytes
    return Found(offset=found.offset, end=end, codec=found.codec, raw_bytes=unpacking.raw_bytes, hint=found.hint)
