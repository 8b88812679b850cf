"""Paths from paths: prefixes, suffixes, and renames that hold for a whole tree (a version number in a folder's name). *Pure.*"""

from __future__ import annotations

from collections.abc import Sequence

from haulage.engine.content.manifest_wire import MAX_PATH_BYTES
from haulage.engine.parcels.structure_columns import Reader, bad

Rename = tuple[bytes, bytes]
"""What stands in held paths, and what stands in its place in the target's."""
MOST_RENAMES = 16
MOST_RENAME_BYTES = 255


def renamed(path: bytes, renames: Sequence[Rename]) -> bytes:
    """A held path with every rename made, one after the other; as it is if that would make it too long."""
    found = path
    for old, new in renames:
        found = found.replace(old, new)
        if len(found) > MAX_PATH_BYTES:
            return path
    return found


def undone(path: bytes, renames: Sequence[Rename]) -> bytes:
    """The held path that the renames turn into this one, as far as that can be told."""
    for old, new in reversed(renames):
        path = path.replace(new, old)
    return path


def shared_prefix(one: bytes, two: bytes) -> int:
    """How many bytes two paths begin with alike."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shared_suffix(one: bytes, two: bytes) -> int:
    """How many bytes two paths end with alike."""
    return shared_prefix(one[::-1], two[::-1])


def read_path(prefixes: Reader, names: Reader, before: bytes, suffix: bytes) -> bytes:
    """A path made of a prefix of another one, a text, and a suffix."""
    prefix = prefixes.number()
    if prefix > len(before):
        raise bad("a path shares more with another than that has")
    path = before[:prefix] + names.text() + suffix
    if len(path) > MAX_PATH_BYTES:
        raise bad("a path is too long")
    return path


def read_suffix(suffixes: Reader, held: bytes) -> bytes:
    """A suffix of a held path."""
    size = suffixes.number()
    if size > len(held):
        raise bad("a path shares more with another than that has")
    return held[len(held) - size :]
