"""Archives by what is inside: old and new are expanded where streams differ and can be made again, and compared in that form.
Knows views; the expanded forms are spilled to disk, never held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from haulage.engine.archives.differing import differing_streams
from haulage.engine.archives.expand import expand
from haulage.engine.archives.fingerprint import ability, feasible
from haulage.engine.archives.look import Effort, find, look_at
from haulage.engine.archives.recipe import Codec, Recipe
from haulage.engine.archives.view import Spill, View
from haulage.engine.content.chunker import cut, segments
from haulage.engine.content.model import ChunkId
from haulage.engine.delta.level import Level
from haulage.engine.delta.probe import looks_text
from haulage.engine.parcels.anchors import Places, Stretch, align
from haulage.engine.parcels.model import SCRATCH, At, Fresh, ObjectKind, Source
from haulage.engine.parcels.regions import Bounds, Group, Old, Region, Slice, cut_gap

_LEAST_STORED = 2048
"""With fewer differing stored bytes an archive travels as it is."""
_SAMPLES = 64
_SAMPLE_BYTES = 256
_LONG_COPY = 1 << 20
"""A longer copy ends what is put aside as one."""


@dataclass(slots=True)
class _Cut:
    """A stretch of the expanded form on its way into regions."""

    offset: int
    pieces: list[Slice | Fresh]
    windows: list[Slice]
    fresh_bytes: int = 0
    window_bytes: int = 0
    length: int = 0

    def add(self, region: Region) -> None:
        for piece in region.pieces:
            self.add_piece(piece)
        self.windows += region.windows
        self.window_bytes += sum([window.length for window in region.windows])

    def add_piece(self, piece: Slice | Fresh) -> None:
        last = self.pieces[-1] if self.pieces else None
        if isinstance(piece, Fresh):
            self.fresh_bytes += piece.length
            if isinstance(last, Fresh):
                self.pieces[-1] = Fresh(last.length + piece.length)
            else:
                self.pieces.append(piece)
        elif isinstance(last, Slice) and last.source == piece.source and last.offset + last.length == piece.offset:
            self.pieces[-1] = last._replace(length=last.length + piece.length)
        else:
            self.pieces.append(piece)
        self.length += piece.length


class Arena:
    """Expanded forms one after the other in one temporary file."""

    def __init__(self, folder: str) -> None:
        self._spill = Spill(folder)

    @property
    def size(self) -> int:
        """Bytes in it."""
        return self._spill.size

    def part(self) -> ArenaPart:
        """A view that grows; no other part may be begun before it is done."""
        return ArenaPart(self, self._spill)

    def close(self) -> None:
        """Give the space back."""
        self._spill.close()


class ArenaPart:
    """One expanded form."""

    __slots__ = ("_spill", "_start", "arena", "size")

    def __init__(self, arena: Arena, spill: Spill) -> None:
        self.arena = arena
        self._spill = spill
        self._start = spill.size
        self.size = 0

    def append(self, data: bytes) -> None:
        """Grow by ``data``."""
        self._spill.append(data)
        self.size += len(data)

    def read(self, offset: int, size: int) -> bytes:
        """As any view."""
        return self._spill.read(self._start + offset, max(0, min(size, self.size - offset)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What both sides are once expanded where they differ."""

    old: Recipe | None
    new: Recipe


def look_inside(old: View, old_name: bytes, new: View, new_name: bytes, level: Level, abilities: frozenset[str]) -> Inside | None:
    """What of an archive should be expanded, and of its base. None where that is not possible, or gains nothing."""
    new_found = find(new, new_name)
    if not new_found:
        return None
    old_found = find(old, old_name)
    if not old_found:
        return None
    old_found, new_found = differing_streams(old, old_found, new, new_found)
    able = {codec for codec in Codec if ability(codec) in abilities}
    new_found = [found for found in new_found if found.codec in able]
    if not new_found:
        return None
    new_recipe = look_at(new, new_found, level=Effort(level.value))
    new_recipe = new_recipe and feasible(new_recipe, abilities)
    if new_recipe is None or sum([member.stored_bytes for member in new_recipe.members]) < _LEAST_STORED:
        return None
    return Inside(old=look_at(old, old_found, level=Effort(level.value), prove=False), new=new_recipe)


def inside_regions(
    at: At, inside: Inside, old: Old, new: View, part: ArenaPart, folder: str, bounds: Bounds, label: int
) -> list[Region]:
    """The regions that make the content ``at``: things put aside under labels from ``label`` on, if it is large, and last itself.

    The new expanded form is appended to ``part``, which must stay until the regions were used."""
    expand(new, inside.new, part)
    if inside.old is None:
        return _regions(at, inside.new, old, part, bounds, label)
    with Spill(folder) as spill:
        source = old.source._replace(members=inside.old.members)
        return _regions(at, inside.new, Old(source, expand(old.view, inside.old, spill)), part, bounds, label)


def _regions(at: At, recipe: Recipe, old: Old, new: View, bounds: Bounds, label: int) -> list[Region]:
    cuts = list(_cuts(old, new, bounds))
    group = _group(cuts, new)
    if any(one.fresh_bytes > bounds.fresh_bytes[group] or one.window_bytes > bounds.window_bytes[group] for _group, one in cuts):
        cuts = list(_cuts(old, new, _bounds_of(bounds, group)))
    whole = _Cut(0, [], [])
    for piece in [piece for _group, one in cuts for piece in one.pieces]:
        whole.add_piece(piece)
    whole.windows = [window for _group, one in cuts for window in one.windows]
    whole.window_bytes = sum([window.length for window in whole.windows])
    if whole.fresh_bytes <= bounds.fresh_bytes[group] and whole.window_bytes <= bounds.window_bytes[group]:
        return [_region(group, ObjectKind.ARCHIVE, 0, whole, new, at, recipe)]
    aside: list[Region] = []
    last = _Cut(0, [], [])
    for stretch in _stretches([one for _group, one in cuts], bounds, group):
        if not stretch.fresh_bytes:
            for piece in stretch.pieces:
                last.add_piece(piece)
            continue
        number = label + len(aside)
        aside.append(_region(group, ObjectKind.SCRATCH, number, stretch, new))
        last.add_piece(Slice(Source(SCRATCH, At(number, 0, 0)), 0, stretch.length))
    return [*aside, _region(group, ObjectKind.ARCHIVE, 0, last, new, at, recipe)]


def _bounds_of(bounds: Bounds, group: Group) -> Bounds:
    """For gaps whatever they look like, what a batch of this group may hold."""
    fresh, window = bounds.fresh_bytes[group], bounds.window_bytes[group]
    return replace(bounds, fresh_bytes=dict.fromkeys(Group, fresh), window_bytes=dict.fromkeys(Group, window))


def _region(
    group: Group, kind: ObjectKind, first: int, cut: _Cut, view: View, at: At | None = None, recipe: Recipe | None = None
) -> Region:
    return Region(
        group=group,
        kind=kind,
        first=first,
        count=0,
        pieces=tuple(cut.pieces),
        windows=tuple(cut.windows),
        view=view,
        offset=cut.offset,
        at=at,
        recipe=recipe,
    )


def _cuts(old: Old, new: View, bounds: Bounds) -> Iterator[tuple[Group, _Cut]]:
    """The new expanded form in order, as copies and as what gaps become."""
    places = Places(_rows(old.view), exact=True)
    for item in align(_rows(new), places):
        if isinstance(item, Stretch):
            yield Group.BINARY, _Cut(item.offset, [Slice(old.source, item.old, item.length)], [], length=item.length)
            continue
        for region in cut_gap(item, new, old, bounds):
            cut_ = _Cut(region.offset, [], [])
            cut_.add(region)
            yield region.group, cut_


def _rows(view: View) -> Iterator[tuple[int, ChunkId]]:
    for offset, size in segments(view.size):
        yield from cut(view.read(offset, size))


def _group(cuts: list[tuple[Group, _Cut]], view: View) -> Group:
    """The kind of most fresh bytes, by many small samples: between members of text stand the container's own few bytes, which are
    not. Archives whose members all stay compressed are not expanded, so they are not packed."""
    fresh = [one for _group, one in cuts if one.fresh_bytes]
    step = sum([one.length for one in fresh]) // _SAMPLES + 1
    text = samples = position = 0
    for one in fresh:
        for at in range(-position % step, one.length, step):
            samples += 1
            text += looks_text(view.read(one.offset + at, _SAMPLE_BYTES))
        position += one.length
    return Group.TEXT if 4 * text > 3 * samples else Group.BINARY


def _stretches(cuts: list[_Cut], bounds: Bounds, group: Group) -> Iterator[_Cut]:
    """Neighbouring cuts together, each stretch within what a batch may hold; long copies by themselves."""
    now: _Cut | None = None
    for one in cuts:
        copy = not one.fresh_bytes and one.length >= _LONG_COPY
        full = now is not None and (
            now.fresh_bytes + one.fresh_bytes > bounds.fresh_bytes[group]
            or now.window_bytes + one.window_bytes > bounds.window_bytes[group]
        )
        if now is not None and (copy or full):
            yield now
            now = None
        if copy:
            yield one
            continue
        if now is None:
            now = _Cut(one.offset, [], [])
        for piece in one.pieces:
            now.add_piece(piece)
        now.windows += one.windows
        now.window_bytes += one.window_bytes
    if now is not None:
        yield now
