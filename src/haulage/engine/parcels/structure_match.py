"""Finding for each entry of a target the held entry it comes from: the same path, the same path with a name that was changed all
over the tree, the same content, or a path that differs in numbers only. Reads manifests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.parcels.structure_entry import Kind, kind_of
from haulage.engine.parcels.structure_held import Held
from haulage.engine.parcels.structure_paths import MOST_RENAME_BYTES, MOST_RENAMES, Rename, renamed

_MOST_UNMATCHED = 200_000
"""Beyond these only whole-tree renames are looked for: memory."""
_SAMPLE = 1_000
_VARYING = re.compile(rb"[0-9a-f]*[0-9][0-9a-f]{7,}|[0-9]+")
_TOKENS = re.compile(rb"([/_+~-])")
_COMPONENTS = re.compile(rb"(/)")


class Place(NamedTuple):
    """A held entry."""

    base: int
    entry: int


class _Lone(NamedTuple):
    """A path that is in one of the two trees only."""

    path: bytes
    place: Place
    kind: Kind
    content: bytes
    """The rows of a small content, to be compared."""


class Matches:
    """The held entries of a target's entries."""

    def __init__(self, target: Held, fresh_pages: Sequence[int], bases: Sequence[Held]) -> None:
        """Memory: some 300 bytes for each of at most 200,000 paths that are in one tree only."""
        self._bases = bases
        self.renames: tuple[Rename, ...] = ()
        self._found: dict[bytes, Place] = {}
        came = list(self._came(target, fresh_pages)) if bases else []
        if came:
            gone = list(self._gone(target))
            self._by_name_or_content(came, gone)
            self.renames = self._widespread(came, {lone.path for lone in gone})

    def find(self, entry: ManifestEntry) -> Place | None:
        """The held entry that is most like it."""
        kind, path = kind_of(entry), entry.path
        same = self._same_path(path, kind)
        if same is not None:
            return same
        before = _undone(path, self.renames)
        if before != path:
            same = self._same_path(before, kind)
            if same is not None:
                return same
        return self._found.get(path)

    def _same_path(self, path: bytes, kind: Kind) -> Place | None:
        for number, base in enumerate(self._bases):
            at = base.find(path)
            if at is not None and kind_of(base.entry(at)) is kind:
                return Place(number, at)
        return None

    def _came(self, target: Held, fresh_pages: Sequence[int]) -> Iterator[_Lone]:
        count = 0
        for page in fresh_pages:
            first = target.starts[page]
            for at, entry in enumerate(target.manifest.page(page)):
                kind = kind_of(entry)
                if self._same_path(entry.path, kind) is None:
                    yield _Lone(entry.path, Place(-1, first + at), kind, _small(entry.content))
                    count += 1
                    if count >= _MOST_UNMATCHED:
                        return

    def _gone(self, target: Held) -> Iterator[_Lone]:
        count, kept = 0, {page.id for page in target.manifest.pages()}
        for number, base in enumerate(self._bases):
            for page, ref in enumerate(base.manifest.pages()):
                if ref.id in kept:
                    continue
                for at, entry in enumerate(base.manifest.page(page)):
                    if target.find(entry.path) is None:
                        yield _Lone(entry.path, Place(number, base.starts[page] + at), kind_of(entry), _small(entry.content))
                        count += 1
                        if count >= _MOST_UNMATCHED:
                            return

    def _by_name_or_content(self, came: list[_Lone], gone: list[_Lone]) -> None:
        by_content = {(lone.kind, lone.content): lone.place for lone in reversed(gone) if lone.content}
        by_name: dict[tuple[Kind, bytes], list[Place]] = {}
        for lone in gone:
            by_name.setdefault((lone.kind, _VARYING.sub(b"0", lone.path)), []).append(lone.place)
        for places in by_name.values():
            places.reverse()
        for lone in came:
            place = by_content.get((lone.kind, lone.content)) if lone.content else None
            if place is None:
                alike = by_name.get((lone.kind, _VARYING.sub(b"0", lone.path)))
                place = alike.pop() if alike else None
            if place is not None:
                self._found[lone.path] = place

    def _widespread(self, came: list[_Lone], gone: set[bytes]) -> tuple[Rename, ...]:
        """Renames that explain at least two of a sample of paths, the best first."""
        pairs = [(self._path(self._found[lone.path]), lone.path) for lone in came if lone.path in self._found]
        pairs = pairs[:: len(pairs) // _SAMPLE + 1]
        sample = [lone.path for lone in came[:: len(came) // _SAMPLE + 1]]
        candidates = Counter([rename for old, new in pairs for rename in _differences(old, new)])
        chosen: list[Rename] = []
        for _ in range(MOST_RENAMES):
            gains = [
                (sum([_undone(path, [*chosen, rename]) in gone for path in sample]), len(rename[0]), rename)
                for rename, _count in candidates.most_common(24)
                if rename not in chosen
            ]
            explained = sum([_undone(path, chosen) in gone for path in sample]) if chosen else 0
            best = max(gains, default=(0, 0, None))
            if best[2] is None or best[0] < explained + 2:
                break
            chosen.append(best[2])
        return tuple(chosen)

    def _path(self, place: Place) -> bytes:
        return self._bases[place.base].entry(place.entry).path


def _undone(path: bytes, renames: Sequence[Rename]) -> bytes:
    """The held path that the renames turn into this one, as far as that can be told."""
    return renamed(path, [(new, old) for old, new in reversed(renames)])


def _differences(old: bytes, new: bytes) -> Iterator[Rename]:
    """Pieces in which two paths differ, small and whole components."""
    for pattern in (_TOKENS, _COMPONENTS):
        one, two = pattern.split(old), pattern.split(new)
        if len(one) == len(two):
            for before, after in zip(one, two, strict=True):
                if before != after and 0 < len(before) <= MOST_RENAME_BYTES and 0 < len(after) <= MOST_RENAME_BYTES:
                    yield before, after


def _small(content: ContentRef) -> bytes:
    return content.chunks[:36]
