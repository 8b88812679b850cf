"""Finding for each entry of a target the held entry it comes from: the same path; the same path but for a name that was changed all
over the tree; the same content; a path that differs in numbers only. And where held chunks stand that came from elsewhere. Reads
manifests.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.manifest_model import EMPTY, ManifestEntry
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure_contents import RowIndex, Where
from haulage.engine.parcels.structure_entry import Kind, kind_of
from haulage.engine.parcels.structure_head import told_count
from haulage.engine.parcels.structure_held import Held
from haulage.engine.parcels.structure_paths import Rename, undone
from haulage.engine.parcels.structure_renames import MOST_LONE, Lone, by_name_or_content, small, widespread

_BASE_SHIFT = 48
_NOWHERE = -1


class Place(NamedTuple):
    """A held entry."""

    base: int
    entry: int


class Matches:
    """The held entries of the entries in fresh pages, found once. Memory: eight bytes for each, some 300 for each of up to 200,000
    paths that are in one tree only, 200 for each held chunk that moved to another file."""

    def __init__(self, target: Held, new: NewChunks, bases: Sequence[Held]) -> None:
        self._target = target
        self._new = new
        self._bases = bases
        self.counts: dict[int, int] = {}
        """What is told of each fresh page's number of entries."""
        self.renames: tuple[Rename, ...] = ()
        self.elsewhere: dict[ChunkId, tuple[Where, int]] = {}
        """Where held chunks stand that are not in the content their entry starts from."""
        self._places: dict[int, array[int]] = {}
        self._wanted: set[ChunkId] = set()
        came, lonely = self._first_look()
        if came:
            self._second_look(came, lonely)
        self._look_elsewhere()

    def place(self, page: int, number: int) -> Place | None:
        """The held entry that is most like the one of this number in a fresh page."""
        packed = self._places[page][number]
        return None if packed == _NOWHERE else Place(packed >> _BASE_SHIFT, packed & (1 << _BASE_SHIFT) - 1)

    def _first_look(self) -> tuple[list[Lone], list[int]]:
        """Same paths; gives what has none, and the pages with such entries."""
        came: list[Lone] = []
        lonely: list[int] = []
        for page in self._new.fresh_pages:
            entries = self._target.page(page)
            self.counts[page] = told_count(entries)
            places = self._places[page] = array("q", [_NOWHERE]) * len(entries)
            alone = False
            for number, entry in enumerate(entries):
                place = self._same_path(entry.path, kind_of(entry))
                if place is not None:
                    places[number] = place.base << _BASE_SHIFT | place.entry
                    self._want(entry, place)
                elif self._bases:
                    alone = True
                    if len(came) < MOST_LONE:
                        came.append(Lone(entry.path, (-1, 0), kind_of(entry), small(entry.content)))
            if alone:
                lonely.append(page)
        return came, lonely

    def _second_look(self, came: list[Lone], lonely: list[int]) -> None:
        gone = list(self._gone())
        found = by_name_or_content(came, gone)
        self.renames = widespread(came, gone, found, self._path)
        for page in lonely:
            places = self._places[page]
            for number, entry in enumerate(self._target.page(page)):
                if places[number] != _NOWHERE:
                    continue
                place = self._renamed(entry) or (Place(*found[entry.path]) if entry.path in found else None)
                if place is not None:
                    places[number] = place.base << _BASE_SHIFT | place.entry
                self._want(entry, place)

    def _path(self, place: tuple[int, int]) -> bytes:
        return self._bases[place[0]].entry(place[1]).path

    def _renamed(self, entry: ManifestEntry) -> Place | None:
        before = undone(entry.path, self.renames)
        return self._same_path(before, kind_of(entry)) if before != entry.path else None

    def _same_path(self, path: bytes, kind: Kind) -> Place | None:
        for number, base in enumerate(self._bases):
            at = base.find(path)
            if at is not None and kind_of(base.entry(at)) is kind:
                return Place(number, at)
        return None

    def _gone(self) -> Iterator[Lone]:
        count, kept = 0, {page.id for page in self._target.manifest.pages()}
        for number, base in enumerate(self._bases):
            for page, ref in enumerate(base.manifest.pages()):
                if ref.id in kept:
                    continue
                for at, entry in enumerate(base.page(page)):
                    if self._target.find(entry.path) is None:
                        yield Lone(entry.path, (number, base.starts[page] + at), kind_of(entry), small(entry.content))
                        count += 1
                        if count >= MOST_LONE:
                            return

    def _want(self, entry: ManifestEntry, place: Place | None) -> None:
        """Note which held chunks of an entry are not where it starts from."""
        held = self._bases[place.base].entry(place.entry) if place is not None else None
        if held is not None and entry.content == held.content and not (entry.streams or entry.attributes or entry.acls):
            return
        before = list(held.contents()) if held is not None else []
        ordinals = self._new.ordinals
        for part, content in enumerate(entry.contents()):
            start = before[part] if part < len(before) else EMPTY
            if not content.size or content == start:
                continue
            chunks = [chunk for _length, chunk in read_chunks(content, self._target.manifest.read) if chunk not in ordinals]
            if chunks and start.size and place is not None:
                rows = self._bases[place.base].rows(place.entry, part)
                index = RowIndex(rows) if rows is not None else None
                chunks = [chunk for chunk in chunks if index is None or index.find(chunk) is None]
            self._wanted.update(chunks)

    def _look_elsewhere(self) -> None:
        for number, held in enumerate(self._bases):
            at, base = 0, held.manifest
            for page in range(len(base.pages())):
                if not self._wanted:
                    return
                for entry in held.page(page):
                    for part, content in enumerate(entry.contents()):
                        if content.size:
                            self._look_in((number, at, part), read_chunks(content, base.read))
                    at += 1

    def _look_in(self, where: Where, rows: Iterator[tuple[int, ChunkId]]) -> None:
        for row, (_length, chunk) in enumerate(rows):
            if chunk in self._wanted:
                self._wanted.remove(chunk)
                self.elsewhere[chunk] = (where, row)
