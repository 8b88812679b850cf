"""Refusing places that overlap a source: nothing Haulage writes may lie in a source, nor a source in it (Q263376, B20)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from haulage.base.errors import ConflictError
from haulage.engine.trees.mounts import behind_mounts
from haulage.engine.trees.paths import shown

_Identity = tuple[int, int]


def refuse_overlap(source: str | bytes, places: Iterable[tuple[str, str | bytes]]) -> None:
    """Raise ConflictError ``source-overlaps`` if ``source`` equals, contains or lies inside one of ``places`` (label, path).

    Compared by device and inode of every folder on the way up from the real path, so that links, bind mounts, letter case and
    spelling do not matter. A place that does not exist yet is judged by the nearest folder above it that does, and by its name.
    """
    source_real, source_up = _ancestors(os.fsencode(source))
    for label, place in places:
        place_real, place_up = _ancestors(os.fsencode(place))
        # The first identity is the folder's own when it exists; a missing one stands for itself alone.
        if (
            _nested(source_real, place_real)
            or source_up[0] in place_up
            or place_up[0] in source_up
            or _nested_behind_mounts(source_real, place_real)
        ):
            raise ConflictError(
                "source-overlaps",
                f"The source {shown(os.fsencode(source))} and {label} {shown(os.fsencode(place))} overlap.",
                "A source must lie apart from everything Haulage writes; choose another folder for one of them.",
            )


def _nested(one: bytes, other: bytes) -> bool:
    """Whether one of two paths is, or lies in, the other."""
    one, other = one.rstrip(b"/") + b"/", other.rstrip(b"/") + b"/"
    return one.startswith(other) or other.startswith(one)


def _nested_behind_mounts(one: bytes, other: bytes) -> bool:
    """The same where a part of one is mounted elsewhere and holds the other, which no folder above either would show."""
    first, second = behind_mounts(one), behind_mounts(other)
    return first is not None and second is not None and first[0] == second[0] and _nested(first[1], second[1])


def _ancestors(path: bytes) -> tuple[bytes, list[_Identity | bytes]]:
    """The real path, and who it is and what holds it, from itself to the root; its own path where it is not there yet."""
    real = os.path.realpath(path)
    identities: list[_Identity | bytes] = []
    for folder in (real, *_above(real)):
        try:
            status = os.stat(folder)
        except OSError:
            if not identities:
                identities.append(folder)
            continue
        identities.append((status.st_dev, status.st_ino))
    return real, identities


def _above(path: bytes) -> list[bytes]:
    found = []
    while (parent := os.path.dirname(path)) != path:
        found.append(parent)
        path = parent
    return found
