"""Entries that are in one of two trees only: which belong together, and which names were changed all over the tree. *Pure.*"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef
from haulage.engine.parcels.structure_entry import Kind
from haulage.engine.parcels.structure_paths import MOST_RENAME_BYTES, MOST_RENAMES, Rename, undone

MOST_LONE = 200_000
"""Beyond these only names that were changed all over the tree are looked for: memory."""
_PAIRS = 1_000
_SAMPLE = 300
_CANDIDATES = 16
_PATH_BYTES = 5
"""What a path costs that has to be told, about."""
_VARYING = re.compile(rb"[0-9a-f]*[0-9][0-9a-f]{7,}|[0-9]+")
_TOKENS = re.compile(rb"([/_+~-])")
_COMPONENTS = re.compile(rb"(/)")


class Lone(NamedTuple):
    """A path that is in one of the trees only."""

    path: bytes
    place: tuple[int, int]
    """Base and number of the entry."""
    kind: Kind
    content: bytes
    """The first chunk, to be compared."""


def small(content: ContentRef) -> bytes:
    """What is compared of a content."""
    return content.chunks[: CHUNK_ROW.size]


def by_name_or_content(came: Sequence[Lone], gone: Sequence[Lone]) -> dict[bytes, tuple[int, int]]:
    """For paths that came, the place of the one that went and is most like it: with the same content, else with the same name but
    for numbers and hashes in it."""
    by_content = {(lone.kind, lone.content): lone.place for lone in reversed(gone) if lone.content}
    by_name: dict[tuple[Kind, bytes], list[tuple[int, int]]] = {}
    for lone in reversed(gone):
        by_name.setdefault((lone.kind, _VARYING.sub(b"0", lone.path)), []).append(lone.place)
    found: dict[bytes, tuple[int, int]] = {}
    for lone in came:
        place = by_content.get((lone.kind, lone.content)) if lone.content else None
        if place is None:
            alike = by_name.get((lone.kind, _VARYING.sub(b"0", lone.path)))
            place = alike.pop() if alike else None
        if place is not None:
            found[lone.path] = place
    return found


def widespread(
    came: Sequence[Lone], gone: Sequence[Lone], found: dict[bytes, tuple[int, int]], path_of: Callable[[tuple[int, int]], bytes]
) -> tuple[Rename, ...]:
    """Renames that explain more paths than they cost to tell, the best first; judged by a sample."""
    paired = [lone.path for lone in came if lone.path in found]
    paired = paired[:: len(paired) // _PAIRS + 1]
    candidates = Counter([rename for path in paired for rename in _differences(path_of(found[path]), path)])
    names = {lone.path for lone in gone}
    stride = len(came) // _SAMPLE + 1
    left = [lone.path for lone in came[::stride]]
    chosen: list[Rename] = []
    likely = [rename for rename, _count in candidates.most_common(_CANDIDATES)]
    while likely and len(chosen) < MOST_RENAMES:
        gains = [(sum([undone(path, [*chosen, rename]) in names for path in left]), len(rename[0]), rename) for rename in likely]
        gain, _length, best = max(gains)
        if gain * stride * _PATH_BYTES <= len(best[0]) + len(best[1]):
            break
        chosen.append(best)
        likely.remove(best)
        left = [path for path in left if undone(path, chosen) not in names]
    return tuple(chosen)


def _differences(old: bytes, new: bytes) -> Iterator[Rename]:
    """Pieces in which two paths differ, small and whole components."""
    for pattern in (_TOKENS, _COMPONENTS):
        one, two = pattern.split(old), pattern.split(new)
        if len(one) == len(two):
            for before, after in zip(one, two, strict=True):
                if before != after and 0 < len(before) <= MOST_RENAME_BYTES and 0 < len(after) <= MOST_RENAME_BYTES:
                    yield before, after
