"""Which held content a new one is probably made from, by what is in it, for those whose name does not say: the one that shares
most chunks, else the one whose fine fingerprints agree most. Work and memory are bounded; what is found is a hint.
"""

from __future__ import annotations

import bisect
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef
from haulage.engine.content.model import ChunkId
from haulage.engine.delta.fine import sketch
from haulage.engine.parcels.base_finding import Bases, Held, labels
from haulage.engine.parcels.content_view import ChunkCache, ContentView, prefetch
from haulage.engine.parcels.model import At

_LEAST_BYTES = 2048
_MOST_BYTES = 8 * 1024 * 1024
"""Read of one content; the sketch is of that."""
_POOL_BYTES = 1024 * 1024 * 1024
_POOL_CONTENTS = 32_768
_VOTES = 32
"""Chunks of a content that are looked for."""
_SKETCH = 32
_LEAST_AGREED = 2
_GUESSED = 4
"""Votes that a name counts for."""
_READ_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A content of the target without a base that is certain."""

    path: bytes
    content: ContentRef
    guess: Held | None
    """What its name suggests."""


def by_chunks(doubtful: Sequence[Doubtful], target: Manifest, bases: Bases, ordinals: Mapping[ChunkId, int]) -> dict[int, Held]:
    """For each content (by its number) that has chunks the bases hold: the one that holds most of them. Reads manifests only."""
    wanted: dict[ChunkId, list[int]] = {}
    for number, one in enumerate(doubtful):
        taken = 0
        for _length, chunk in read_chunks(one.content, target.read):
            if taken < _VOTES and chunk not in ordinals:
                wanted.setdefault(chunk, []).append(number)
                taken += 1
    votes: dict[int, Counter[tuple[int, At]]] = {}
    if wanted:
        for base, at, content in _all(bases.manifests):
            for _length, chunk in read_chunks(content, bases.manifests[base].read):
                for number in wanted.get(chunk, ()):
                    votes.setdefault(number, Counter())[base, at] += 1
    return {number: bases.content(*_most(counter)) for number, counter in votes.items()}


def _most(counter: Counter[tuple[int, At]]) -> tuple[int, At]:
    return min(counter, key=lambda place: (-counter[place], place))


def _all(manifests: Sequence[Manifest]) -> Iterator[tuple[int, At, ContentRef]]:
    for base, manifest in enumerate(manifests):
        for page in range(len(manifest.pages())):
            for number, entry in enumerate(manifest.page(page)):
                for part, content in enumerate(entry.contents()):
                    if content.size:
                        yield base, At(page, number, part), content


class Sketches:
    """Contents that the bases hold and the target has no more, by their fine fingerprints. Memory: some 300 bytes for each."""

    def __init__(self, target: Manifest, bases: Bases, cache: ChunkCache, kinds: frozenset[bytes]) -> None:
        """``kinds``: the ends of names to care about."""
        self._bases = bases
        self._cache = cache
        self._places: list[tuple[int, At]] = []
        keys: list[int] = []
        for number, found in self._sketched(_gone(target, bases, kinds)):
            keys += [key | number for key in found]
        keys.sort()
        self._keys = array("Q", keys)

    def _sketched(self, gone: Iterable[Held]) -> Iterator[tuple[int, list[int]]]:
        views: list[ContentView] = []
        size = 0
        for held in gone:
            if len(self._places) >= _POOL_CONTENTS or size > _POOL_BYTES:
                break
            self._places.append((held.base, held.at))
            views.append(ContentView(held.content, self._bases.manifests[held.base], self._cache))
            size += min(held.content.size, _MOST_BYTES)
        yield from enumerate(sketches(views, self._cache))

    def find(self, found: list[int], guess: Held | None) -> Held | None:
        """The content that agrees most with a sketch, if any does in more than by chance; what was guessed by name is preferred."""
        votes: Counter[int] = Counter()
        for key in found:
            at = bisect.bisect_left(self._keys, key)
            while at < len(self._keys) and self._keys[at] & ~_NUMBER == key:
                votes[self._keys[at] & _NUMBER] += 1
                at += 1
        if not votes:
            return None
        if guess is not None:
            at = bisect.bisect_left(self._places, (guess.base, guess.at))
            if at in votes and self._places[at] == (guess.base, guess.at):
                votes[at] += _GUESSED
        best = min(votes, key=lambda number: (-votes[number], number))
        return self._bases.content(*self._places[best]) if votes[best] >= min(_LEAST_AGREED, len(found)) else None


_NUMBER = 0xFFFF
assert _POOL_CONTENTS <= _NUMBER


def sketches(views: Sequence[ContentView], cache: ChunkCache) -> Iterator[list[int]]:
    """The sketch of each content, as keys whose lowest 16 bits are free."""
    at = 0
    while at < len(views):
        group: list[ContentView] = []
        size = 0
        while at < len(views) and (not group or size + views[at].size <= _READ_BYTES):
            group.append(views[at])
            size += views[at].size
            at += 1
        prefetch(cache, [(view, 0, min(view.size, _MOST_BYTES)) for view in group])
        for view in group:
            some = sketch(view.read(0, min(view.size, _MOST_BYTES)))[:_SKETCH]
            yield [int.from_bytes(ident[:6]) << 16 for ident in some]


def kind_of(path: bytes) -> bytes:
    """The end of a name after its last dot."""
    return path.rpartition(b"/")[2].rpartition(b".")[2]


def worth_a_sketch(content: ContentRef) -> bool:
    """Shorter contents have too few fingerprints."""
    return content.size >= _LEAST_BYTES


def up_to_budget(numbers: Iterable[int], doubtful: Sequence[Doubtful]) -> Iterator[int]:
    """As many of the contents, in order, as may be read."""
    size = 0
    for number in numbers:
        size += min(doubtful[number].content.size, _MOST_BYTES)
        if size > _POOL_BYTES:
            return
        yield number


def _gone(target: Manifest, bases: Bases, kinds: frozenset[bytes]) -> Iterator[Held]:
    there = Bases([target])
    pages = {page.id for page in target.pages()}
    for base, manifest in enumerate(bases.manifests):
        for page, ref in enumerate(manifest.pages()):
            if ref.id in pages:
                continue
            for number, entry in enumerate(manifest.page(page)):
                if worth_a_sketch(entry.content) and kind_of(entry.path) in kinds and there.same(entry.path, None) is None:
                    for part, name, content in labels(entry):
                        if name is None:
                            yield Held(base, At(page, number, part), entry.path, content)
