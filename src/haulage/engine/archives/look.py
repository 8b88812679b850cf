"""Looks for compressed members in bytes that may be anything, and proves which of them can be made again. The door of this room
for makers; receivers have ``expand`` and ``rebuild``."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from haulage.engine.archives.coding import to_unpack
from haulage.engine.archives.finder import streams
from haulage.engine.archives.found import Bounds, Found, measured
from haulage.engine.archives.lanes import in_lanes
from haulage.engine.archives.prove import Way, proven
from haulage.engine.archives.recipe import Codec, Member, Recipe
from haulage.engine.archives.view import View
from haulage.engine.archives.ways import fits, ways_of

_SAMPLE = 16
_HOPELESS = 4
"""With as many of the largest in vain, a container's writer is not known here."""
_SAMPLE_MOST_BYTES = 1 << 20
_TOGETHER_BYTES = 256 * 1024
"""Stored bytes of small members that are worth a task."""
_UNDER_WAY_BYTES = 1 << 40
BOUNDS = Bounds()


class Effort(enum.Enum):
    """How much time a member may cost, here and where it is made again."""

    FAST = "fast"
    BALANCED = "balanced"
    SMALLEST = "smallest"


TRIED = {
    Effort.FAST: frozenset({Codec.DEFLATE, Codec.BZIP2}),
    Effort.BALANCED: frozenset({Codec.DEFLATE, Codec.BZIP2}),
    Effort.SMALLEST: frozenset(Codec),
}
"""Codecs that are worth proving: LZMA2 takes a core a second for every 3 MB, wherever it is packed."""


def never() -> bool:
    """Do not stop."""
    return False


def look(
    view: View,
    name: bytes,
    *,
    level: Effort = Effort.SMALLEST,
    prove: bool = True,
    bounds: Bounds = BOUNDS,
    threads: int = 2,
    stop: Callable[[], bool] = never,
) -> Recipe | None:
    """The members of a container, or None where there are none. ``name`` is its file name.

    With ``prove`` only members whose stored bytes come back, all of them, with the parameters given; the same bytes and level give
    the same recipe. Without, every member that can be unpacked. Takes a few MiB whatever the size, and ends soon, with what it has,
    once ``stop`` says so. Raises what ``view`` raises, and nothing for what the bytes hold.
    """
    found = [each for each in find(view, name, bounds) if not prove or each.codec in TRIED[level]]
    return look_at(view, found, level=level, prove=prove, bounds=bounds, threads=threads, stop=stop)


def find(view: View, name: bytes, bounds: Bounds = BOUNDS) -> list[Found]:
    """The streams that a container speaks of, ascending, none over another, without those too small to gain anything."""
    kept: list[Found] = []
    end = 0
    for found in sorted(streams(view, name, bounds), key=lambda each: (each.offset, each.end)):
        if found.offset >= end and found.end - found.offset >= bounds.least_stored_bytes and len(kept) < bounds.most_members:
            kept.append(found)
            end = found.end
    return kept


def look_at(
    view: View,
    found: Sequence[Found],
    *,
    level: Effort = Effort.SMALLEST,
    prove: bool = True,
    bounds: Bounds = BOUNDS,
    threads: int = 2,
    stop: Callable[[], bool] = never,
) -> Recipe | None:
    """:func:`look` for streams that were found already, or some of them."""
    members: list[Member] = []
    raw = 0
    act = _Prover(view, found, level, bounds, stop) if prove else _Measurer(view, bounds)
    for group in in_lanes(_tasks(found, act), threads=threads, most_weight=_UNDER_WAY_BYTES):
        for member in group:
            if member is not None and raw + member.raw_bytes <= bounds.most_raw_bytes:
                members.append(member)
                raw += member.raw_bytes
        if stop():
            break
    return Recipe(tuple(members), view.size) if members else None


def _tasks(
    found: Sequence[Found], act: Callable[[Found], Member | None]
) -> Iterator[tuple[int, Callable[[], list[Member | None]]]]:
    group: list[Found] = []
    size = 0
    for each in found:
        group.append(each)
        size += each.end - each.offset
        if size >= _TOGETHER_BYTES:
            yield size, _each(act, group)
            group, size = [], 0
    yield size, _each(act, group)


def _each(act: Callable[[Found], Member | None], group: list[Found]) -> Callable[[], list[Member | None]]:
    return lambda: [act(found) for found in group]


class _Measurer:
    """Members as they can be expanded."""

    def __init__(self, view: View, bounds: Bounds) -> None:
        self._view, self._bounds = view, bounds

    def __call__(self, found: Found) -> Member | None:
        whole = measured(self._view, found, self._bounds)
        if whole is None or whole.raw_bytes is None:
            return None
        return Member(whole.offset, whole.end - whole.offset, whole.raw_bytes, whole.codec, to_unpack(whole.codec, whole.hint))


class _Prover:
    """Members as they can be made again. A sample, largest first, tells which ways to try first, and whether others are worth it:
    small members come back in many ways, so those of large ones are preferred."""

    def __init__(self, view: View, found: Sequence[Found], level: Effort, bounds: Bounds, stop: Callable[[], bool]) -> None:
        self._view, self._bounds, self._stop = view, bounds, stop
        self._quick = level is Effort.FAST
        self._known: dict[int, Member | None] = {}
        self._seen: dict[Codec, list[Way]] = {}
        self._missed: Counter[Codec] = Counter()
        self._hit: Counter[Codec] = Counter()
        samples = sorted((each for each in found if each.end - each.offset <= _SAMPLE_MOST_BYTES), key=lambda each: each.offset)
        samples = samples[:: max(1, len(samples) // _SAMPLE)][:_SAMPLE]
        for each in sorted(samples, key=lambda each: each.offset - each.end):
            if self._hit[each.codec] or self._missed[each.codec] < _HOPELESS:
                self._sample(each)
        self._only_seen = {codec for codec, missed in self._missed.items() if missed > self._hit[codec]}

    def _sample(self, found: Found) -> None:
        seen = self._seen.setdefault(found.codec, [])
        member = self._known[found.offset] = self._try(found, seen, others=True)
        (self._hit if member else self._missed)[found.codec] += 1
        if member is not None and member.parameters not in seen:
            seen.append(member.parameters)

    def __call__(self, found: Found) -> Member | None:
        if found.offset in self._known:
            return self._known[found.offset]
        return self._try(found, self._seen.get(found.codec, []), others=found.codec not in self._only_seen)

    def _try(self, found: Found, seen: list[Way], *, others: bool) -> Member | None:
        ways = [way for way in seen if fits(found, way)]
        if others:
            ways += [way for way in ways_of(found, quick=self._quick) if way not in ways]
        return proven(self._view, found, ways, self._bounds, self._stop)


def unproven(recipe: Recipe) -> Recipe:
    """The recipe without what only makers of stored bytes need."""
    return recipe.only(tuple(replace(member, parameters=to_unpack(member.codec, member.parameters)) for member in recipe.members))
