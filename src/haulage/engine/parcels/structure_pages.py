"""The structure of a target told in columns: its pages and chunk lists made again, and the chunks of any one content. Memory: the
columns, a few pages, and a place to go on from for about every thousandth page.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Generator, Iterable, Iterator, Sequence

from haulage.base.errors import FormatError
from haulage.engine.content import codec
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, LIST_ROW, MAX_INLINE_CHUNKS, ContentRef, ManifestEntry
from haulage.engine.content.manifest_wire import MAX_PAGE_BYTES, encode_entry, encode_page
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.model import At
from haulage.engine.parcels.structure_columns import Column, Reader, bad, join_sections
from haulage.engine.parcels.structure_decode import DraftReader, State
from haulage.engine.parcels.structure_entry import Draft, Part, Step, created_of, entry_of, text_of
from haulage.engine.parcels.structure_head import encode_root, read_pages, read_renames, read_root
from haulage.engine.parcels.structure_held import MOST_ENTRIES, READER_LOADS, Held, HeldRows

Row = tuple[int, ChunkId | None, int]
"""Length of a chunk, its id if it is held or given, its ordinal if it is new (else -1)."""
_SPARE_ROWS = 2**16
_REPEATS = 64
"""More chunks than this many times what bases and sections name are refused: work for nothing."""
_STATES = 1024
_PAGES_KEPT = 4
_NUMBERS = (Column.GROWTHS, Column.SIZES, Column.LENGTH_CHANGES, Column.LENGTHS)


class ToldPages:
    """What the sections tell, read once and checked."""

    def __init__(self, sections: Iterable[bytes], bases: Sequence[Manifest]) -> None:
        """Raises FormatError ``bad-parcel``, and what reading the bases raises."""
        columns = join_sections(sections)
        self.ids: bytearray | None = columns[Column.IDS] or None
        columns[Column.IDS] = bytearray()
        self._columns = columns
        self._bases = [Held(base, MOST_ENTRIES // len(bases)) for base in bases]
        for held in self._bases:
            held.limit_loads(READER_LOADS)
        readers = [Reader(column) for column in columns]
        head = readers[Column.HEAD]
        self._renames = read_renames(head)
        self._root = read_root(head, bases)
        self._runs = read_pages(head, bases)
        self._reader = DraftReader(readers, self._bases, self._renames)
        named = sum([base.totals.chunks for base in bases]) + sum([len(columns[column]) for column in _NUMBERS])
        self._reader.most_rows = _SPARE_ROWS + _REPEATS * named
        self._kept: dict[int, tuple[int, int]] = {}
        self._fresh: dict[int, int] = {}
        """Target's page to number of the fresh page."""
        self._fresh_pages: list[int] = []
        self._states: list[State] = []
        self._counts = [count for run in self._runs for count in run.entries]
        self._stride = len(self._counts) // _STATES + 1
        self._drafts: OrderedDict[int, list[Draft]] = OrderedDict()
        self._walk()
        if self.ids is not None and len(self.ids) != 32 * len(self.lengths):
            raise bad("it has not one id for each new chunk")

    @property
    def lengths(self) -> array[int]:
        """Of new chunks, by ordinal."""
        return self._reader.lengths

    def _walk(self) -> None:
        """Read everything once."""
        page, reader = 0, self._reader
        for run in self._runs:
            for at in range(run.count):
                if run.base >= 0:
                    self._kept[page] = (run.base, run.first + at)
                    self._after_kept(page, reader)
                else:
                    number = self._fresh[page] = len(self._fresh)
                    self._fresh_pages.append(page)
                    if number % self._stride == 0:
                        self._states.append(reader.state())
                    reader.page(self._counts[number])
                page += 1
        reader.end()
        reader.most_rows = 2**63
        for held in self._bases:
            held.loads_left = 2**63

    def _after_kept(self, page: int, reader: DraftReader) -> None:
        base, number = self._kept[page]
        held = self._bases[base]
        reader.track.kept(base, held.starts[number + 1], held.manifest.pages()[number])

    def pages(self, ids: memoryview) -> Iterator[bytes]:
        """Chunk lists, pages and the root."""
        if len(ids) != 32 * len(self.lengths):
            raise bad("it has not one id for each new chunk")
        rows: list[codec.Value] = []
        reader = DraftReader([Reader(column) for column in self._columns], self._bases, self._renames)
        reader.lengths = self.lengths
        if self._states:
            reader.go_on(self._states[0])
        for page in range(len(self._kept) + len(self._fresh)):
            if page in self._kept:
                base, number = self._kept[page]
                ref = self._bases[base].manifest.pages()[number]
                self._after_kept(page, reader)
                rows.append([bytes(ref.id), ref.first, ref.entries])
                continue
            drafts = reader.page(self._counts[self._fresh[page]])
            encoded: list[bytes] = []
            for draft in drafts:
                entry = yield from self._made(draft, ids)
                encoded.append(encode_entry(entry))
            data = encode_page(encoded)
            if len(data) > MAX_PAGE_BYTES:
                raise bad("a page is too large")
            rows.append([chunk_id(data), drafts[0].path, len(drafts)])
            yield data
        yield encode_root(self._root, rows)

    def _made(self, draft: Draft, ids: memoryview) -> Generator[bytes, None, ManifestEntry]:
        """An entry, once the chunk lists it names were yielded."""
        held = draft.held
        if held is not None and draft.facts is None and draft.parts is None and held.path == draft.path and _same_rest(draft, held):
            return held
        parts: Sequence[Part] = list(held.contents()) if draft.parts is None and held is not None else draft.parts or ()
        counts = iter(draft.list_counts)
        contents: list[ContentRef] = []
        for part in parts:
            if isinstance(part, ContentRef):
                contents.append(part)
            else:
                content = yield from self._content(part, ids, counts)
                contents.append(content)
        return entry_of(draft, contents)

    def _content(self, steps: Sequence[Step], ids: memoryview, counts: Iterator[int]) -> Generator[bytes, None, ContentRef]:
        pieces = self._packed(steps, ids)
        total = sum([step.chunks for step in steps])
        if total <= MAX_INLINE_CHUNKS:
            rows = b"".join(pieces)
            return ContentRef(sum([length for length, _chunk in CHUNK_ROW.iter_unpack(rows)]), rows)
        pending, names, size = bytearray(), bytearray(), 0
        while total:
            count = next(counts)
            while len(pending) < count * CHUNK_ROW.size:
                pending += next(pieces)
            rows = bytes(pending[: count * CHUNK_ROW.size])
            del pending[: len(rows)]
            covered = sum([length for length, _chunk in CHUNK_ROW.iter_unpack(rows)])
            names += LIST_ROW.pack(covered, count, chunk_id(rows))
            yield rows
            size += covered
            total -= count
        return ContentRef(size, b"", bytes(names))

    def _packed(self, steps: Sequence[Step], ids: memoryview) -> Iterator[bytes]:
        """Chunk rows, in pieces."""
        for step in steps:
            if step.base < 0:
                for first in range(step.first, step.first + step.chunks, 4096):
                    some = range(first, min(first + 4096, step.first + step.chunks))
                    yield b"".join([CHUNK_ROW.pack(self.lengths[n], bytes(ids[32 * n : 32 * n + 32])) for n in some])
            else:
                rows = self._bases[step.base].rows(step.entry, step.part)
                if rows is None:
                    raise bad("it names a content that its base does not have")
                yield from rows.slices(step.first, step.chunks)

    def rows(self, at: At) -> Iterator[Row]:
        """The chunks of one content of the target."""
        if at.page in self._kept:
            base, page = self._kept[at.page]
            held = self._bases[base]
            number = held.starts[page] + at.entry
            if number < held.starts[page + 1] and at.part >= 0:
                yield from self._rows_of(held.rows(number, at.part))
                return
            raise _no_content(at)
        draft = self._draft(at)
        held_parts = list(draft.held.contents()) if draft.held is not None else []
        parts: Sequence[Part] = held_parts if draft.parts is None else draft.parts
        if not 0 <= at.part < len(parts):
            raise _no_content(at)
        part = parts[at.part]
        if isinstance(part, ContentRef):
            read = self._bases[0].manifest.read if self._bases else _nothing
            for length, chunk in read_chunks(part, read):
                yield length, chunk, -1
            return
        for step in part:
            if step.base < 0:
                for ordinal in range(step.first, step.first + step.chunks):
                    given = ChunkId(bytes(self.ids[32 * ordinal : 32 * ordinal + 32])) if self.ids else None
                    yield self.lengths[ordinal], given, ordinal
            else:
                yield from self._rows_of(self._bases[step.base].rows(step.entry, step.part), step.first, step.chunks)

    def _draft(self, at: At) -> Draft:
        number = self._fresh.get(at.page)
        if number is None:
            raise _no_content(at)
        drafts = self._drafts.get(number)
        if drafts is None:
            drafts = self._drafts[number] = self._read_again(number)
            if len(self._drafts) > _PAGES_KEPT:
                self._drafts.popitem(last=False)
        if not 0 <= at.entry < len(drafts):
            raise _no_content(at)
        return drafts[at.entry]

    def _read_again(self, number: int) -> list[Draft]:
        nearest = number // self._stride
        self._reader.go_on(self._states[nearest])
        drafts: list[Draft] = []
        for some in range(nearest * self._stride, number + 1):
            page = self._fresh_pages[some]
            if page - 1 in self._kept:
                self._after_kept(page - 1, self._reader)
            drafts = self._reader.page(self._counts[some])
        return drafts

    def _rows_of(self, rows: HeldRows | None, first: int = 0, count: int | None = None) -> Iterator[Row]:
        if rows is None:
            raise bad("it names a content that its base does not have")
        for piece in rows.slices(first, rows.count if count is None else count):
            for length, chunk in CHUNK_ROW.iter_unpack(piece):
                yield length, chunk, -1


def _no_content(at: At) -> FormatError:
    return bad(f"nothing stands at {tuple(at)} of its target")


def _nothing(chunk: ChunkId) -> bytes:
    raise bad(f"it has no base that could hold chunk {chunk.hex()[:16]}")


def _same_rest(draft: Draft, held: ManifestEntry) -> bool:
    """Whether an entry with the held one's path, facts and contents is the held one."""
    return (
        draft.mtime_ns == held.mtime_ns
        and draft.created_ns == created_of(held)
        and draft.text == text_of(held)
        and draft.extra == held.extra
    )
