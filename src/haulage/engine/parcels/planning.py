"""The plan of an update: for every content with new chunks what it is made from, and all of them in batches. Nothing is encoded
here. Memory does not grow with the trees beyond a few dozen bytes for each of the bases' contents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from haulage.engine.content.content_list import chunk_count, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef
from haulage.engine.content.model import ChunkStore
from haulage.engine.delta.level import Level
from haulage.engine.parcels.anchors import Gap, Places, find_gaps
from haulage.engine.parcels.base_finding import Bases, Held, labels
from haulage.engine.parcels.batching import FRESH_BYTES, WINDOW_BYTES, Batcher
from haulage.engine.parcels.content_view import ChunkCache, ContentView, chunks_of
from haulage.engine.parcels.inside import Arena, ArenaPart, inside_regions, look_inside
from haulage.engine.parcels.islands import Islands
from haulage.engine.parcels.model import SCRATCH, At, FilePlan, Fresh, ObjectKind, PlannedBatch, Source, Why
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.regions import MIB, Bounds, Group, Old, Region, Slice, cut_gap, likely_windows
from haulage.engine.parcels.similar import Doubtful, Sketches, by_chunks, kind_of, sketches, up_to_budget, worth_a_sketch

_WINDOW_CONTENTS = 12_288
_SMALL_BYTES = MIB
"""Contents up to this size are put alike with alike."""
_GROUP_UNITS = 16_384
_MOST_SCANS = 8
"""Of all of the bases' chunks, for contents without a certain name."""
_MOST_POOLS = 8
_LEAST_ARCHIVE = 4096
_LEAST_FOR_ISLANDS = 32 * MIB
"""What moved within a shorter content is mostly still in the window."""
_ARCHIVE_HEADS = (b"PK\3\4", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"!<arch>", b"MSCF")
_ARENA_BYTES = 256 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A content of the target with chunks that are new and its own: it is the first to need them."""

    at: At
    path: bytes
    label: bytes | None
    content: ContentRef
    first: int
    count: int
    base: Held | None
    certain: bool
    """Whether the base was found by a name that only it has."""

    @property
    def key(self) -> tuple[bool, bytes, bytes, bytes]:
        """Sorts alike to alike."""
        large = self.content.size > _SMALL_BYTES
        name = self.path.rpartition(b"/")[2]
        kind = b"" if large else name.rpartition(b".")[2] if b"." in name else b""
        return large, kind, self.path, self.label or b""


@dataclass(slots=True)
class _Tally:
    """What became of a content."""

    fresh_bytes: int = 0
    packed_bytes: int = 0
    inside: list[Region] | None = None
    """Once it was looked at: what makes it by what is inside, empty if that is not the way."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A gap with all that is needed to cut it; without one, the end of a content."""

    wanted: Wanted
    gap: Gap | None
    new: ContentView
    old: Old | None
    ranges: tuple[tuple[ContentView, int, int], ...]
    tally: _Tally
    islands: Islands | None = None


class UpdatePlan:
    """A plan that is made as it is read; every reading gives the same."""

    def __init__(
        self,
        target: Manifest,
        bases: Sequence[Manifest],
        store: ChunkStore,
        new: NewChunks,
        *,
        level: Level,
        folder: str,
        abilities: frozenset[str],
        cache: ChunkCache | None,
    ) -> None:
        self._target, self._bases, self._new = target, tuple(bases), new
        self._level, self._folder, self._abilities = level, folder, abilities
        self._cache = cache or ChunkCache(store)

    def files(self) -> Iterator[FilePlan]:
        """What every changed content costs, in the order in which they are put into batches. Reads what differs."""
        for item in self.both():
            if isinstance(item, FilePlan):
                yield item

    def batches(self) -> Iterator[PlannedBatch]:
        """The batches in order. Their views are to be read before the next is drawn: what they share is kept for so long."""
        for item in self.both():
            if isinstance(item, PlannedBatch):
                yield item

    def both(self) -> Iterator[FilePlan | PlannedBatch]:
        """Files and batches in one go."""
        planner = _Planner(self._target, self._bases, self._cache, self._new, self._level, self._folder, self._abilities)
        try:
            yield from planner.run()
        finally:
            planner.close()


def plan_update(
    target: Manifest,
    bases: Sequence[Manifest],
    store: ChunkStore,
    new: NewChunks,
    *,
    level: Level,
    folder: str,
    abilities: frozenset[str] = frozenset(),
    cache: ChunkCache | None = None,
) -> UpdatePlan:
    """Plan what turns ``bases`` into ``target``. ``folder``: for temporary files, ``abilities``: what the receiver can make
    again exactly (``archives.fingerprint``); without any, archives stay as they are; ``cache``: that of whoever reads the same
    bytes next, so that they are read once.

    Nothing is read until the plan is; reading it raises NotFoundError ``chunk-missing``, IntegrityError ``chunk-damaged``.
    """
    return UpdatePlan(target, bases, store, new, level=level, folder=folder, abilities=abilities, cache=cache)


class _Planner:
    """One reading of a plan."""

    def __init__(
        self,
        target: Manifest,
        bases: tuple[Manifest, ...],
        cache: ChunkCache,
        new: NewChunks,
        level: Level,
        folder: str,
        abilities: frozenset[str],
    ) -> None:
        self._target = target
        self._bases = Bases(bases)
        self._new = new
        self._new_cache = cache
        self._batcher = Batcher()
        fast = level is Level.FAST
        self._bounds = Bounds(
            fresh_bytes=FRESH_BYTES,
            window_bytes=WINDOW_BYTES,
            margin=(64 if level is Level.SMALLEST else 16) * 1024,
            margin_least=(8 if level is Level.SMALLEST else 4) * 1024,
            margin_times=16 if level is Level.SMALLEST else 4,
            reference=4 * MIB,
            grow=True,
        )
        self._level, self._folder = level, folder
        self._abilities = frozenset[str]() if fast else abilities
        self._arenas: list[Arena] = []
        self._labels = 0
        self._sketches: dict[bytes, Sketches] = {}
        self._pools = self._scans = 0

    def run(self) -> Iterator[FilePlan | PlannedBatch]:
        window: list[Wanted] = []
        for item in self._survey():
            if isinstance(item, FilePlan):
                yield item
                continue
            window.append(item)
            if len(window) >= _WINDOW_CONTENTS:
                yield from self._window(window)
                window = []
        yield from self._window(window)
        yield from self._batcher.rest()

    def _survey(self) -> Iterator[Wanted | FilePlan]:
        """Every content of the changed pages that differs from the base's at the same path: to make, or what is told of it."""
        following = 0
        ordinals = self._new.ordinals
        for page in self._new.fresh_pages:
            for number, entry in enumerate(self._target.page(page)):
                for part, label, content in labels(entry):
                    first = following
                    for _length, chunk in read_chunks(content, self._target.read):
                        if ordinals.get(chunk) == following:
                            following += 1
                    base = self._bases.same(entry.path, label)
                    if following == first:
                        if base is None or base.content != content:
                            yield _told(entry.path, label, content, base, 0, Why.COPIED)
                        continue
                    yield Wanted(
                        at=At(page, number, part),
                        path=entry.path,
                        label=label,
                        content=content,
                        first=first,
                        count=following - first,
                        base=base,
                        certain=base is not None,
                    )

    def _named(self, wanted: Wanted) -> Wanted:
        """With the base that its name suggests, if it has none."""
        if wanted.base is not None or wanted.label is not None or not self._bases.manifests:
            return wanted
        found = self._bases.alike(wanted.path, wanted.content.size)
        return wanted if found is None else replace(wanted, base=found[0], certain=found[1])

    def _resembling(self, window: list[Wanted]) -> list[Wanted]:
        """With the bases that contents suggest, for those whose name says nothing certain."""
        numbers = [number for number, wanted in enumerate(window) if not wanted.certain and wanted.label is None]
        doubtful = [Doubtful(window[number].path, window[number].content, window[number].base) for number in numbers]
        if not doubtful or not self._bases.manifests:
            return window
        found: dict[int, Held] = {}
        if self._scans < _MOST_SCANS:
            found = by_chunks(doubtful, self._target, self._bases, self._new.ordinals)
            self._scans += bool(found)
        if self._level is not Level.FAST:
            rest = [number for number, one in enumerate(doubtful) if number not in found and worth_a_sketch(one.content)]
            found.update(self._sketched(list(up_to_budget(rest, doubtful)), doubtful))
        window = list(window)
        for number, held in found.items():
            window[numbers[number]] = replace(window[numbers[number]], base=held)
        return window

    def _sketched(self, numbers: list[int], doubtful: list[Doubtful]) -> Iterator[tuple[int, Held]]:
        lacking = frozenset([kind_of(doubtful[number].path) for number in numbers]) - self._sketches.keys()
        if lacking and self._pools < _MOST_POOLS:
            pool = Sketches(self._target, self._bases, self._new_cache, lacking)
            self._sketches.update(dict.fromkeys(lacking, pool))
            self._pools += 1
        numbers = [number for number in numbers if kind_of(doubtful[number].path) in self._sketches]
        views = [ContentView(doubtful[number].content, self._target, self._new_cache) for number in numbers]
        for number, found in zip(numbers, sketches(views, self._new_cache), strict=True):
            one = doubtful[number]
            held = self._sketches[kind_of(one.path)].find(found, one.guess)
            if held is not None:
                yield number, held

    def _window(self, window: list[Wanted]) -> Iterator[FilePlan | PlannedBatch]:
        window = self._resembling([self._named(wanted) for wanted in window])
        window.sort(key=lambda wanted: wanted.key)
        for item in self._cut(window):
            if isinstance(item, FilePlan):
                yield item
            else:
                yield from self._add(item)

    def _add(self, region: Region) -> Iterator[PlannedBatch]:
        if region.kind is ObjectKind.ARCHIVE and any(_is_aside(piece) for piece in region.pieces):
            yield from self._batcher.rest()
        for batch in self._batcher.add(region):
            yield batch
            self._clear_arenas()

    def close(self) -> None:
        """Give all temporary space back."""
        for arena in self._arenas:
            arena.close()
        self._arenas = []

    def _clear_arenas(self) -> None:
        """After a batch was used: expanded forms that no open batch needs go."""
        used = {view.arena for view in self._batcher.views() if isinstance(view, ArenaPart)}
        for arena in [arena for arena in self._arenas[:-1] if arena not in used]:
            arena.close()
            self._arenas.remove(arena)

    def _arena(self) -> Arena:
        if not self._arenas or self._arenas[-1].size > _ARENA_BYTES:
            self._arenas.append(Arena(self._folder))
        return self._arenas[-1]

    def _cut(self, window: Iterable[Wanted]) -> Iterator[Region | FilePlan]:
        for group in _groups((unit for wanted in window for unit in self._units(wanted)), self._new_cache.room_bytes):
            soon = chunks_of([part for unit in group for part in unit.ranges])
            self._new_cache.expect(soon)
            for unit in group:
                if unit.islands is not None:
                    unit.islands.find()
            self._new_cache.stage(soon)
            del soon
            group.reverse()
            while group:
                unit = group.pop()
                if unit.tally.inside is None:
                    unit.tally.inside = regions = self._inside(unit)
                    yield from regions
                if unit.tally.inside and unit.gap is not None:
                    continue
                if unit.gap is None:
                    yield _outcome(unit.wanted, unit.tally, has_bases=bool(self._bases.manifests))
                    continue
                for region in cut_gap(unit.gap, unit.new, unit.old, self._bounds, unit.islands):
                    unit.tally.fresh_bytes += region.fresh_bytes
                    unit.tally.packed_bytes += region.fresh_bytes if region.group is Group.PACKED else 0
                    yield region

    def _inside(self, unit: _Unit) -> list[Region]:
        """What makes the content of a unit, if it is an archive and its inside is the better way."""
        wanted, old = unit.wanted, unit.old
        if old is None or wanted.base is None or not self._abilities or wanted.content.size < _LEAST_ARCHIVE:
            return []
        if not unit.new.read(0, 8).startswith(_ARCHIVE_HEADS):
            return []
        inside = look_inside(old.view, wanted.base.path, unit.new, wanted.path, self._level, self._abilities)
        if inside is None:
            return []
        part = self._arena().part()
        regions = inside_regions(wanted.at, inside, old, unit.new, part, self._folder, self._bounds, self._labels)
        self._labels += len(regions) - 1
        unit.tally.fresh_bytes = sum([region.fresh_bytes for region in regions])
        return [*regions[:-1], replace(regions[-1], first=wanted.first, count=wanted.count)]

    def _units(self, wanted: Wanted) -> Iterator[_Unit]:
        new = ContentView(wanted.content, self._target, self._new_cache)
        places, old = None, None
        if wanted.base is not None:
            base = wanted.base
            manifest = self._bases.manifests[base.base]
            if chunk_count(base.content) > 1:
                places = Places(read_chunks(base.content, manifest.read))
            old = Old(Source(base.base, base.at), ContentView(base.content, manifest, self._new_cache))
        tally = _Tally()

        old_size = old.view.size if old is not None else 0

        def gaps() -> Iterator[Gap]:
            rows = read_chunks(wanted.content, self._target.read)
            return find_gaps(rows, self._new.ordinals, wanted.first, wanted.count, places, old_size)

        islands = None
        if old is not None and self._level is not Level.FAST and old.view.size >= _LEAST_FOR_ISLANDS:
            islands = Islands(new, lambda: ((gap.offset, gap.size) for gap in gaps()), old.view)
        for gap in gaps():
            yield _Unit(wanted, gap, new, old, _looked_at(gap, new, old, self._bounds), tally, islands)
        yield _Unit(wanted, None, new, old, (), tally)


def _is_aside(piece: Slice | Fresh) -> bool:
    return isinstance(piece, Slice) and piece.source.base == SCRATCH


def _looked_at(gap: Gap, new: ContentView, old: Old | None, bounds: Bounds) -> tuple[tuple[ContentView, int, int], ...]:
    """The ranges that cutting and encoding the gap will read, for the most part."""
    fresh = (new, gap.offset, gap.size)
    if old is None:
        return (fresh,)
    assert isinstance(old.view, ContentView)
    return (fresh, *[(old.view, start, end - start) for start, end in likely_windows(gap, old.view.size, bounds)])


def _groups(units: Iterator[_Unit], most_bytes: int) -> Iterator[list[_Unit]]:
    group: list[_Unit] = []
    size = 0
    for unit in units:
        group.append(unit)
        size += sum([length for _view, _offset, length in unit.ranges])
        if size >= most_bytes or len(group) >= _GROUP_UNITS:
            yield group
            group, size = [], 0
    yield group


def _outcome(wanted: Wanted, tally: _Tally, *, has_bases: bool) -> FilePlan:
    if tally.inside:
        why = Why.INSIDE
    elif tally.packed_bytes * 2 > wanted.content.size:
        why = Why.PACKED
    elif wanted.base is not None:
        why = Why.DELTA
    else:
        why = Why.NOTHING_ALIKE if has_bases else Why.NO_BASE
    return _told(wanted.path, wanted.label, wanted.content, wanted.base, tally.fresh_bytes, why)


def _told(path: bytes, label: bytes | None, content: ContentRef, base: Held | None, fresh: int, why: Why) -> FilePlan:
    return FilePlan(
        path=path,
        stream=label,
        size=content.size,
        bytes_reused=max(0, content.size - fresh),
        bytes_new=fresh,
        base=base.path if base is not None else None,
        why=why,
    )
