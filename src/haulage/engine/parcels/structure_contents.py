"""Writing contents: each as steps over the chunks of a held content, new chunks by ordinal. Reads held chunk rows only."""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterable, Mapping, Sequence

from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, EMPTY, ContentRef
from haulage.engine.content.model import ChunkId
from haulage.engine.parcels.structure_columns import Column, RunWriter, folded, put
from haulage.engine.parcels.structure_entry import PartForm, StepForm
from haulage.engine.parcels.structure_held import Held, HeldRows
from haulage.engine.parcels.structure_track import Track

_ROW_BITS = 28
Where = tuple[int, int, int]
"""Base, entry and part of a held content."""


class RowIndex:
    """Finds the rows of a content by chunk id. Memory: eight bytes for each."""

    __slots__ = ("_keys", "_rows")

    def __init__(self, rows: HeldRows) -> None:
        self._rows = rows
        keys: list[int] = []
        for piece in rows.slices(0, rows.count):
            for _length, chunk in CHUNK_ROW.iter_unpack(piece):
                keys.append(_key(chunk) | len(keys))
        keys.sort()
        self._keys = array("Q", keys)

    def find(self, chunk: ChunkId) -> int | None:
        """The first row with this chunk."""
        key = _key(chunk)
        at = bisect.bisect_left(self._keys, key)
        while at < len(self._keys) and self._keys[at] >> _ROW_BITS == key >> _ROW_BITS:
            row = self._keys[at] & (1 << _ROW_BITS) - 1
            if self._rows.row(row)[1] == chunk:
                return row
            at += 1
        return None


def _key(chunk: bytes) -> int:
    return int.from_bytes(chunk[:8]) >> _ROW_BITS << _ROW_BITS


class ContentWriter:
    """Writes the contents of entries into columns."""

    def __init__(
        self,
        columns: list[bytearray],
        forms: RunWriter,
        track: Track,
        target: Manifest,
        bases: Sequence[Held],
        ordinals: Mapping[ChunkId, int],
        elsewhere: Mapping[ChunkId, tuple[Where, int]],
        *,
        give_ids: bool,
    ) -> None:
        self._columns = columns
        self._forms = forms
        self._track = track
        self._read = target.read
        self._bases = bases
        self._ordinals = ordinals
        self._give_ids = give_ids
        self._elsewhere = elsewhere

    def add(self, content: ContentRef, held: ContentRef | None, where: Where) -> None:
        """The next content. ``held``: the one it starts from, which stands ``where``."""
        if content == (held or EMPTY):
            self._forms.add(PartForm.AS_HELD)
        elif not content.size:
            self._forms.add(PartForm.EMPTY)
        elif len(content.chunks) == CHUNK_ROW.size and self._is_next(ChunkId(content.chunks[4:])):
            self._forms.add(PartForm.ONE_NEW)
            if held is not None and held.size:
                put(self._columns[Column.GROWTHS], folded(content.size - held.size))
            else:
                put(self._columns[Column.SIZES], content.size)
            self.took_new(ChunkId(content.chunks[4:]))
        else:
            self._forms.add(PartForm.STEPS)
            _Steps(self, self._columns, self._track, self._bases, where if held is not None else None).write(
                read_chunks(content, self._read), self._ordinals, self._elsewhere
            )
            for _size, count, _chunk in list_rows(content):
                put(self._columns[Column.LISTS], count)

    def took_new(self, chunk: ChunkId) -> None:
        """The next new chunk was told."""
        self._track.ordinal += 1
        if self._give_ids:
            self._columns[Column.IDS] += chunk

    def _is_next(self, chunk: ChunkId) -> bool:
        return self._ordinals.get(chunk) == self._track.ordinal


class _Steps:
    """The steps of one content."""

    def __init__(
        self, writer: ContentWriter, columns: list[bytearray], track: Track, bases: Sequence[Held], home: Where | None
    ) -> None:
        self._writer = writer
        self._columns = columns
        self._track = track
        self._bases = bases
        self._home = home
        self._where: Where | None = None
        self._source: HeldRows | None = None
        self._index: RowIndex | None = None
        self._at = 0
        """The row of the source that is expected next."""
        self._form = StepForm.END
        self._count = 0
        self._again = 0
        if home is not None:
            self._enter(home)

    def write(
        self,
        rows: Iterable[tuple[int, ChunkId]],
        ordinals: Mapping[ChunkId, int],
        elsewhere: Mapping[ChunkId, tuple[Where, int]],
    ) -> None:
        for length, chunk in rows:
            ordinal = ordinals.get(chunk)
            if ordinal is None:
                self._held(chunk, elsewhere)
            elif ordinal == self._track.ordinal:
                self._new(length, chunk)
            else:
                self._repeated(ordinal)
        self._close()
        self._columns[Column.OPS].append(StepForm.END)

    def _new(self, length: int, chunk: ChunkId) -> None:
        if self._form is not StepForm.NEW:
            self._begin(StepForm.NEW)
        self._count += 1
        if self._source is not None and 0 <= self._at < self._source.count:
            put(self._columns[Column.LENGTH_CHANGES], folded(length - self._source.row(self._at)[0]))
        else:
            put(self._columns[Column.LENGTHS], length)
        self._at += 1
        self._writer.took_new(chunk)

    def _repeated(self, ordinal: int) -> None:
        if self._form is not StepForm.AGAIN or ordinal != self._again:
            self._begin(StepForm.AGAIN)
            put(self._columns[Column.REPEATS], self._track.ordinal - ordinal - 1)
        self._count += 1
        self._again = ordinal + 1
        self._at += 1

    def _held(self, chunk: ChunkId, elsewhere: Mapping[ChunkId, tuple[Where, int]]) -> None:
        row = self._row(chunk)
        if row is None:
            where, row = self._look_elsewhere(chunk, elsewhere)
            self._begin(StepForm.SOURCE)
            self._form = StepForm.END
            self._enter(where)
            self._tell_source(where)
        if row != self._at:
            self._begin(StepForm.MOVE)
            put(self._columns[Column.MOVES], folded(row - self._at))
        elif self._form not in (StepForm.ON, StepForm.MOVE):
            self._begin(StepForm.ON)
        self._count += 1
        self._at = row + 1

    def _row(self, chunk: ChunkId) -> int | None:
        """The row of the source with this chunk, the expected one if it has it."""
        if self._source is None:
            return None
        if 0 <= self._at < self._source.count and self._source.row(self._at)[1] == chunk:
            return self._at
        if self._index is None:
            self._index = RowIndex(self._source)
        return self._index.find(chunk)

    def _look_elsewhere(self, chunk: ChunkId, elsewhere: Mapping[ChunkId, tuple[Where, int]]) -> tuple[Where, int]:
        if self._home is not None and self._where != self._home:
            rows = self._bases[self._home[0]].rows(self._home[1], self._home[2])
            row = RowIndex(rows).find(chunk) if rows is not None else None
            if row is not None:
                return self._home, row
        return elsewhere[chunk]

    def _enter(self, where: Where) -> None:
        base, entry, part = self._where = where
        self._source = self._bases[base].rows(entry, part)
        self._index = None
        self._at = 0

    def _tell_source(self, where: Where) -> None:
        base, entry, part = where
        sources = self._columns[Column.SOURCES]
        put(sources, base)
        put(sources, folded(entry - self._track.positions[base]))
        put(sources, part)

    def _begin(self, form: StepForm) -> None:
        self._close()
        self._columns[Column.OPS].append(form)
        self._form = form

    def _close(self) -> None:
        if self._count:
            put(self._columns[Column.COUNTS], self._count - 1)
        self._count = 0
