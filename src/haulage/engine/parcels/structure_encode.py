"""Writing the structure of a target against held bases, entry by entry into columns. Reads manifests; compresses nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.new_chunks import NewChunks
from haulage.engine.parcels.structure_columns import Column, RunWriter, cut_sections, folded, put
from haulage.engine.parcels.structure_contents import ContentWriter, Where
from haulage.engine.parcels.structure_entry import (
    Facts,
    Kind,
    Link,
    PathForm,
    What,
    created_of,
    encode_blob,
    facts_of,
    kind_of,
    same_facts,
    text_of,
)
from haulage.engine.parcels.structure_head import page_runs, write_pages, write_renames, write_root
from haulage.engine.parcels.structure_held import MOST_ENTRIES, WRITER_LOADS, Held
from haulage.engine.parcels.structure_match import Matches, Place
from haulage.engine.parcels.structure_paths import renamed, shared_prefix, shared_suffix
from haulage.engine.parcels.structure_times import TimeWriter
from haulage.engine.parcels.structure_track import PageRun, Track

MOST_FACTS = 4096
"""Facts that can be told by number; later ones are told in full each time."""


def encode_columns(target: Manifest, bases: Sequence[Manifest], new: NewChunks, *, give_ids: bool) -> Iterator[bytes]:
    """Raw sections. Memory: a section, the pages at hand, and what :class:`Matches` needs. Raises FormatError ``bad-parcel`` if it
    would take pages of the bases again and again, because what is told is scattered all over them."""
    helds, held_target = [Held(base, MOST_ENTRIES // len(bases)) for base in bases], Held(target)
    for held in (*helds, held_target):
        held.limit_loads(WRITER_LOADS)
    matches = Matches(held_target, new, helds)
    columns = [bytearray() for _ in Column]
    runs = page_runs(target, bases, matches.counts)
    head = columns[Column.HEAD]
    write_renames(head, matches.renames)
    write_root(head, target.read(ChunkId(target.id)), target.totals, bases)
    write_pages(head, runs)
    yield from _EntryWriter(columns, held_target, helds, matches, new, give_ids=give_ids).write(runs)


class _EntryWriter:
    """Tells the entries of fresh pages."""

    def __init__(
        self, columns: list[bytearray], target: Held, bases: Sequence[Held], matches: Matches, new: NewChunks, *, give_ids: bool
    ) -> None:
        self._columns = columns
        self._target = target
        self._bases = bases
        self._matches = matches
        self._fresh = new.fresh_pages
        self._track = Track(len(bases))
        self._facts: dict[Facts, int] = {}
        self._runs: list[RunWriter] = []
        self._link, self._path_form, self._kind, self._what = (
            self._run(column) for column in (Column.LINK, Column.PATH, Column.KIND, Column.WHAT)
        )
        self._same_time, self._changed_time, self._new_time, self._folder_time, self._created = (
            self._run(column)
            for column in (Column.SAME_TIME, Column.CHANGED_TIME, Column.NEW_TIME, Column.FOLDER_TIME, Column.CREATED)
        )
        self._times = TimeWriter(columns[Column.SECONDS], columns[Column.NANOSECONDS])
        self._creations = TimeWriter(columns[Column.SECONDS], columns[Column.NANOSECONDS])
        self._contents = ContentWriter(
            columns,
            self._run(Column.CONTENT),
            self._track,
            target.manifest,
            bases,
            new.ordinals,
            matches.elsewhere,
            give_ids=give_ids,
        )

    def _run(self, column: Column) -> RunWriter:
        writer = RunWriter(self._columns[column], self._columns[column + 1])
        self._runs.append(writer)
        return writer

    def write(self, runs: Sequence[PageRun]) -> Iterator[bytes]:
        """Sections."""
        fresh = iter(self._fresh)
        for run in runs:
            if run.base >= 0:
                held, last = self._bases[run.base], run.first + run.count
                self._track.kept(run.base, held.starts[last], held.manifest.pages()[last - 1])
                continue
            for _ in range(run.count):
                page = next(fresh)
                for number, entry in enumerate(self._target.page(page)):
                    self._entry(entry, self._matches.place(page, number))
                yield from cut_sections(self._columns, whole=False)
        for writer in self._runs:
            writer.finish()
        yield from cut_sections(self._columns, whole=True)

    def _entry(self, entry: ManifestEntry, place: Place | None) -> None:
        track, kind = self._track, kind_of(entry)
        held = self._bases[place.base].entry(place.entry) if place is not None else None
        if place is None or held is None:
            self._link.add(Link.NONE)
            self._kind.add(kind)
            self._whole_path(entry.path)
        else:
            self._link_to(place)
            self._path(entry.path, held.path)
        what = self._difference(entry, held, kind)
        self._what.add(what)
        if what & What.FACTS:
            self._tell_facts(facts_of(entry))
        if what & What.TEXT:
            text = text_of(entry)
            shared = shared_prefix(text, entry.path)
            put(self._columns[Column.TEXT_PREFIXES], shared)
            self._columns[Column.TEXTS] += text[shared:] + b"\0"
        if what & What.EXTRA:
            self._blob(encode_blob(entry.extra))
        if kind is not Kind.FURTHER_NAME:
            self._tell_times(entry, held, kind, what)
        if what & What.CONTENT:
            self._tell_contents(entry, held, place)
        if held is None or what & What.FACTS:
            track.last_facts[kind] = facts_of(entry)
        track.path, track.time = entry.path, entry.mtime_ns

    def _link_to(self, place: Place) -> None:
        track = self._track
        ahead = place.entry - track.positions[place.base]
        if place.base != track.base or ahead < 0:
            self._link.add(Link.JUMP)
            put(self._columns[Column.JUMPS], place.base)
            put(self._columns[Column.JUMPS], folded(ahead))
        elif ahead:
            self._link.add(Link.SKIP)
            put(self._columns[Column.SKIPS], ahead - 1)
        else:
            self._link.add(Link.NEXT)
        track.took(place.base, place.entry)

    def _whole_path(self, path: bytes) -> None:
        shared = shared_prefix(path, self._track.path)
        put(self._columns[Column.PREFIXES], shared)
        self._columns[Column.NAMES] += path[shared:] + b"\0"

    def _path(self, path: bytes, held_path: bytes) -> None:
        expected = renamed(held_path, self._matches.renames)
        if path == expected:
            self._path_form.add(PathForm.RENAMED)
            return
        if path == held_path:
            self._path_form.add(PathForm.UNCHANGED)
            return
        of_held, of_previous = shared_prefix(path, expected), shared_prefix(path, self._track.path)
        self._path_form.add(PathForm.OF_HELD if of_held >= of_previous else PathForm.OF_PREVIOUS)
        prefix = max(of_held, of_previous)
        suffix = min(shared_suffix(path, expected), len(path) - prefix)
        put(self._columns[Column.PREFIXES], prefix)
        put(self._columns[Column.SUFFIXES], suffix)
        self._columns[Column.NAMES] += path[prefix : len(path) - suffix] + b"\0"

    def _difference(self, entry: ManifestEntry, held: ManifestEntry | None, kind: Kind) -> int:
        what = 0
        if held is None:
            if any(content.size for content in entry.contents()):
                what |= What.CONTENT
            if facts_of(entry) != self._track.last_facts[kind]:
                what |= What.FACTS
            expected_text = b""
        else:
            if entry.content != held.content or list(entry.contents()) != list(held.contents()):
                what |= What.CONTENT
            if not same_facts(entry, held):
                what |= What.FACTS
            expected_text = renamed(text_of(held), self._matches.renames)
        if text_of(entry) != expected_text:
            what |= What.TEXT
        if entry.extra != (held.extra if held is not None else ()):
            what |= What.EXTRA
        return what

    def _tell_facts(self, facts: Facts) -> None:
        known = self._facts.get(facts)
        put(self._columns[Column.FACTS], 0 if known is None else known + 1)
        if known is None:
            if len(self._facts) < MOST_FACTS:
                self._facts[facts] = len(self._facts)
            self._blob(encode_blob(facts))

    def _blob(self, blob: bytes) -> None:
        put(self._columns[Column.BLOBS], len(blob))
        self._columns[Column.BLOBS] += blob

    def _tell_times(self, entry: ManifestEntry, held: ManifestEntry | None, kind: Kind, what: int) -> None:
        expected = held.mtime_ns if held is not None else self._track.time
        if kind is Kind.FOLDER:
            column = self._folder_time
        elif held is None:
            column = self._new_time
        else:
            column = self._changed_time if what & What.CONTENT else self._same_time
        self._times.add(column, entry.mtime_ns, expected)
        created = created_of(entry)
        if created is not None:
            before = created_of(held)
            self._creations.add(self._created, created, before if before is not None else entry.mtime_ns)

    def _tell_contents(self, entry: ManifestEntry, held: ManifestEntry | None, place: Place | None) -> None:
        before: list[ContentRef] = list(held.contents()) if held is not None else []
        for part, content in enumerate(entry.contents()):
            where: Where = (place.base, place.entry, part) if place is not None else (0, 0, 0)
            self._contents.add(content, before[part] if part < len(before) else None, where)
