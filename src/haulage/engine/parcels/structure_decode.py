"""Reading the structure of a target against held bases: drafts of entries from columns, in order or from any page on. Everything in
the sections is checked; what they lead to is proven by the root page's digest alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.content.content_list import LIST_MAX_CHUNKS, MAX_LISTS
from haulage.engine.content.manifest_model import EMPTY, MAX_INLINE_CHUNKS, ContentRef, ManifestEntry
from haulage.engine.content.manifest_wire import MAX_PAGE_BYTES, check_path
from haulage.engine.parcels.structure_columns import Column, Reader, RunReader, bad
from haulage.engine.parcels.structure_encode import MOST_FACTS
from haulage.engine.parcels.structure_entry import (
    Draft,
    Extra,
    Facts,
    Kind,
    Link,
    Part,
    PartForm,
    PathForm,
    Step,
    StepForm,
    What,
    created_of,
    decode_extra,
    decode_facts,
    kind_of,
    text_of,
)
from haulage.engine.parcels.structure_head import ends_by_rule
from haulage.engine.parcels.structure_held import Held
from haulage.engine.parcels.structure_paths import Rename, read_path, read_suffix, renamed
from haulage.engine.parcels.structure_times import TimeReader
from haulage.engine.parcels.structure_track import Track

_RUNS = (
    Column.LINK,
    Column.PATH,
    Column.KIND,
    Column.WHAT,
    Column.SAME_TIME,
    Column.CHANGED_TIME,
    Column.NEW_TIME,
    Column.FOLDER_TIME,
    Column.CREATED,
    Column.CONTENT,
)
_NEW = (-1, 0, 0)
_KNOWN = What.CONTENT | What.FACTS | What.TEXT | What.EXTRA


class State(NamedTuple):
    """A place to go on from."""

    at: tuple[int, ...]
    runs: tuple[tuple[int, int], ...]
    times: tuple[int, ...]
    creations: tuple[int, ...]
    track: Track
    facts: int


class DraftReader:
    """Reads drafts."""

    def __init__(self, columns: Sequence[Reader], bases: Sequence[Held], renames: Sequence[Rename]) -> None:
        self._columns = columns
        self._bases = bases
        self._renames = renames
        self._runs = [RunReader(columns[column], columns[column + 1]) for column in _RUNS]
        (
            self._link,
            self._path_form,
            self._kind,
            self._what,
            self._same_time,
            self._changed_time,
            self._new_time,
            self._folder_time,
            self._created,
            self._form,
        ) = self._runs
        self._times = TimeReader(columns[Column.SECONDS], columns[Column.NANOSECONDS])
        self._creations = TimeReader(columns[Column.SECONDS], columns[Column.NANOSECONDS])
        self._facts: list[bytes] = []
        self._facts_known = 0
        self._parsed: dict[bytes, Facts] = {}
        self._list_counts: list[int] = []
        self.track = Track(len(bases))
        self.lengths = array("I")
        """Of new chunks, by ordinal, as far as entries were ever read."""
        self.rows = 0
        """Chunks that contents told by steps have, in all entries read since the start."""
        self.most_rows = 2**63

    def state(self) -> State:
        """Where it is, for ``go_on``."""
        return State(
            at=tuple([reader.at for reader in self._columns]),
            runs=tuple([(run.symbol, run.left) for run in self._runs]),
            times=self._times.state(),
            creations=self._creations.state(),
            track=self.track.copy(),
            facts=self._facts_known,
        )

    def go_on(self, state: State) -> None:
        """Be where ``state`` was taken."""
        for reader, at in zip(self._columns, state.at, strict=True):
            reader.at = at
        for run, (symbol, left) in zip(self._runs, state.runs, strict=True):
            run.symbol, run.left = symbol, left
        self._times.go_on(state.times)
        self._creations.go_on(state.creations)
        self.track = state.track.copy()
        self._facts_known = state.facts

    def page(self, told_count: int) -> list[Draft]:
        """The next fresh page."""
        drafts: list[Draft] = []
        path_bytes = 0
        while True:
            draft = self._entry()
            drafts.append(draft)
            path_bytes += len(draft.path) + len(draft.text)
            if path_bytes > MAX_PAGE_BYTES:
                raise bad("a page is too large")
            if len(drafts) == told_count or (not told_count and ends_by_rule(len(drafts), draft.path)):
                return drafts

    def end(self) -> None:
        """Nothing may be left."""
        if not all(reader.done() for reader in self._columns) or any(run.left for run in self._runs):
            raise bad("it goes on behind its last entry")

    def _entry(self) -> Draft:
        track, first = self.track, not self.track.path
        link = self._link.next()
        held: ManifestEntry | None = None
        if link == Link.NONE:
            kind = _checked(Kind, self._kind.next())
            path = read_path(self._columns[Column.PREFIXES], self._columns[Column.NAMES], track.path, b"")
        else:
            held = self._held_entry(link)
            kind = kind_of(held)
            path = self._path(held.path)
        if held is None or path is not held.path:
            check_path(path)
        if path <= track.path and not (first and not path):
            raise bad("its entries are out of order")
        draft = self._filled(held, kind, path, self._what.next())
        track.path, track.time = path, draft.mtime_ns
        return draft

    def _held_entry(self, link: int) -> ManifestEntry:
        track, base = self.track, self.track.base
        if link == Link.JUMP:
            base = self._columns[Column.JUMPS].number()
        if base >= len(self._bases):
            raise bad("it names a base that it does not have")
        number = track.positions[base]
        if link == Link.JUMP:
            number += self._columns[Column.JUMPS].signed()
        elif link == Link.SKIP:
            number += self._columns[Column.SKIPS].number() + 1
        elif link != Link.NEXT:
            raise bad("an entry starts in a way that is unknown here")
        held = self._bases[base].entry(number)
        track.took(base, number)
        return held

    def _path(self, held_path: bytes) -> bytes:
        form = self._path_form.next()
        if form == PathForm.RENAMED:
            return renamed(held_path, self._renames) if self._renames else held_path
        if form == PathForm.UNCHANGED:
            return held_path
        expected = renamed(held_path, self._renames)
        if form not in (PathForm.OF_HELD, PathForm.OF_PREVIOUS):
            raise bad("a path is told in a way that is unknown here")
        suffix = read_suffix(self._columns[Column.SUFFIXES], expected)
        before = expected if form == PathForm.OF_HELD else self.track.path
        return read_path(self._columns[Column.PREFIXES], self._columns[Column.NAMES], before, suffix)

    def _filled(self, held: ManifestEntry | None, kind: Kind, path: bytes, what: int) -> Draft:
        """The draft of an entry from what is different."""
        facts: Facts | None = None
        if what & ~_KNOWN:
            raise bad("an entry differs in a way that is unknown here")
        if what & What.FACTS:
            facts = self._next_facts()
        elif held is None:
            facts = self.track.last_facts[kind]
        if facts is not None:
            self.track.last_facts[kind] = facts
        if what & What.TEXT:
            text = read_path(self._columns[Column.TEXT_PREFIXES], self._columns[Column.TEXTS], path, b"")
        else:
            text = renamed(text_of(held), self._renames) if held is not None else b""
        extra: Extra = held.extra if held is not None else ()
        if what & What.EXTRA:
            extra = decode_extra(self._blob())
        mtime, created = self._read_times(held, kind, facts, what) if kind is not Kind.FURTHER_NAME else (0, None)
        parts: tuple[Part, ...] | None = None
        if what & What.CONTENT:
            parts = self._parts(held, facts)
        elif facts is not None:
            parts = tuple(_filled_up(list(held.contents()) if held is not None else [], facts.parts))
        list_counts = tuple(self._list_counts)
        self._list_counts.clear()
        return Draft(held, path, kind, facts, mtime, created, text, extra, parts, list_counts)

    def _next_facts(self) -> Facts:
        number = self._columns[Column.FACTS].number()
        if number > self._facts_known:
            raise bad("it refers to facts that it did not tell")
        if number:
            return self._parse(self._facts[number - 1])
        blob = self._blob()
        if self._facts_known < MOST_FACTS:
            if self._facts_known == len(self._facts):
                self._facts.append(blob)
            self._facts_known += 1
        return self._parse(blob)

    def _parse(self, blob: bytes) -> Facts:
        found = self._parsed.get(blob)
        if found is None:
            if len(self._parsed) >= 64:
                self._parsed.clear()
            found = self._parsed[blob] = decode_facts(blob)
        return found

    def _blob(self) -> bytes:
        blobs = self._columns[Column.BLOBS]
        return blobs.take(blobs.number())

    def _read_times(self, held: ManifestEntry | None, kind: Kind, facts: Facts | None, what: int) -> tuple[int, int | None]:
        expected = held.mtime_ns if held is not None else self.track.time
        if kind is Kind.FOLDER:
            column = self._folder_time
        elif held is None:
            column = self._new_time
        else:
            column = self._changed_time if what & What.CONTENT else self._same_time
        mtime = self._times.next(column, expected)
        before = created_of(held)
        known = before is not None if facts is None else facts.dos is not None and facts.dos[1]
        if not known:
            return mtime, None
        return mtime, self._creations.next(self._created, before if before is not None else mtime)

    def _parts(self, held: ManifestEntry | None, facts: Facts | None) -> tuple[Part, ...]:
        before = list(held.contents()) if held is not None else []
        count = len(before) if facts is None else facts.parts
        return tuple([self._part(before[part] if part < len(before) else None, part) for part in range(count)])

    def _part(self, held: ContentRef | None, part: int) -> Part:
        form = self._form.next()
        if form == PartForm.AS_HELD:
            return held or EMPTY
        if form == PartForm.EMPTY:
            return EMPTY
        if form == PartForm.ONE_NEW:
            if held is not None and held.size:
                size = held.size + self._columns[Column.GROWTHS].signed()
            else:
                size = self._columns[Column.SIZES].number()
            self._new(size)
            self._told(1)
            return (Step(*_NEW, self.track.ordinal - 1, 1),)
        if form != PartForm.STEPS:
            raise bad("a content is told in a way that is unknown here")
        return self._steps(part if held is not None else None)

    def _steps(self, part: int | None) -> tuple[Step, ...]:
        track = self.track
        where = (track.base, track.positions[track.base] - 1, part) if part is not None else None
        source = self._bases[where[0]].rows(where[1], where[2]) if where is not None else None
        at = total = 0
        steps: list[Step] = []
        while (form := self._columns[Column.OPS].take(1)[0]) != StepForm.END:
            if form == StepForm.SOURCE:
                sources = self._columns[Column.SOURCES]
                base = sources.number()
                if base >= len(self._bases):
                    raise bad("it names a base that it does not have")
                where = (base, track.positions[base] + sources.signed(), sources.number())
                source, at = self._bases[base].rows(where[1], where[2]), 0
                continue
            if form == StepForm.MOVE:
                at += self._columns[Column.MOVES].signed()
            again = self._columns[Column.REPEATS].number() if form == StepForm.AGAIN else 0
            count = self._columns[Column.COUNTS].number() + 1
            total += count
            self._told(count)
            if form in (StepForm.ON, StepForm.MOVE):
                if where is None or source is None or at < 0 or at + count > source.count:
                    raise bad("it copies chunks that its bases do not have")
                steps.append(Step(*where, at, count))
            elif form == StepForm.AGAIN:
                first = track.ordinal - again - 1
                if first < 0 or count > again + 1:
                    raise bad("it repeats chunks that did not come before")
                steps.append(Step(*_NEW, first, count))
            elif form == StepForm.NEW:
                steps.append(Step(*_NEW, track.ordinal, count))
                for row in range(at, at + count):
                    if source is not None and 0 <= row < source.count:
                        self._new(source.row(row)[0] + self._columns[Column.LENGTH_CHANGES].signed())
                    else:
                        self._new(self._columns[Column.LENGTHS].number())
            else:
                raise bad("chunks are told in a way that is unknown here")
            at += count
        self._read_lists(total)
        return tuple(steps)

    def _read_lists(self, total: int) -> None:
        if not 0 < total <= MAX_LISTS * LIST_MAX_CHUNKS:
            raise bad("a content has no chunks or too many")
        if total > MAX_INLINE_CHUNKS:
            while total:
                count = self._columns[Column.LISTS].number()
                if not 0 < count <= min(total, LIST_MAX_CHUNKS):
                    raise bad("its chunk lists do not add up")
                self._list_counts.append(count)
                total -= count

    def _told(self, count: int) -> None:
        self.rows += count
        if self.rows > self.most_rows:
            raise bad("its contents have too many chunks")

    def _new(self, length: int) -> None:
        if not 0 < length <= MAX_BYTES:
            raise bad("a chunk has a length it cannot have")
        if self.track.ordinal == len(self.lengths):
            self.lengths.append(length)
        self.track.ordinal += 1


def _filled_up(contents: list[ContentRef], count: int) -> Iterator[ContentRef]:
    for part in range(count):
        yield contents[part] if part < len(contents) else EMPTY


def _checked(kinds: type[Kind], number: int) -> Kind:
    try:
        return kinds(number)
    except ValueError:
        raise bad("an entry is of a type that is unknown here") from None
