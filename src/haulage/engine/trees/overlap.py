"""Refusing places that overlap a source: nothing Haulage writes or deletes may lie in a source, nor a source in it (Q263376, B20)."""

from __future__ import annotations

import os
from collections.abc import Iterable

from haulage.base.errors import ConflictError
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
        if place_real == source_real or source_real in _above(place_real) or place_real in _above(source_real):
            overlaps = True
        else:
            # The first identity is the folder's own when it exists; a missing one stands for itself alone.
            overlaps = source_up[0] in place_up or (place_up[0] in source_up)
        if overlaps:
            raise ConflictError(
                "source-overlaps",
                f"The source {shown(os.fsencode(source))} and {label} {shown(os.fsencode(place))} overlap.",
                "A source must lie apart from everything Haulage writes; choose another folder for one of them.",
            )


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
