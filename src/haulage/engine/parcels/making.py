"""Making chunks of a batch: its pieces put together from old and fresh bytes, archives made again from their expanded form. Knows
bytes and lengths; nothing of stores or transport.
"""

from __future__ import annotations

import bisect
import itertools
from array import array
from collections.abc import Callable, Iterator, Sequence

from haulage.base.errors import FormatError
from haulage.engine.archives.expand import rebuild
from haulage.engine.archives.view import View
from haulage.engine.content.chunker import MAX_BYTES
from haulage.engine.parcels.model import At, Fresh, Made, ObjectKind, Piece
from haulage.engine.parcels.structure_pages import Row

Emit = Callable[[int, bytes], None]
"""Ordinal of a new chunk, or -1 for a part of what is put aside; its bytes."""


class PieceView:
    """The pieces of one object as bytes with random access."""

    def __init__(self, pieces: Sequence[Piece], old: Callable[[int], View], fresh: View, fresh_offset: int) -> None:
        """``old`` gives the view of a source by its number; the fresh pieces begin at ``fresh_offset``."""
        self._pieces = pieces
        self._old = old
        self._fresh = fresh
        self._ends = list(itertools.accumulate([piece.length for piece in pieces]))
        self._fresh_at: list[int] = []
        for piece in pieces:
            self._fresh_at.append(fresh_offset)
            if isinstance(piece, Fresh):
                fresh_offset += piece.length
        self.fresh_end = fresh_offset
        """Where in the fresh bytes the next object's begin."""

    @property
    def size(self) -> int:
        """In bytes."""
        return self._ends[-1] if self._ends else 0

    def read(self, offset: int, size: int) -> bytes:
        """The bytes at ``offset``, fewer only at the end."""
        end = min(offset + size, self.size)
        parts: list[bytes] = []
        at = bisect.bisect_right(self._ends, offset)
        while offset < end:
            piece = self._pieces[at]
            begin = self._ends[at] - piece.length
            count = min(end, self._ends[at]) - offset
            if isinstance(piece, Fresh):
                part = self._fresh.read(self._fresh_at[at] + offset - begin, count)
            else:
                part = self._old(piece.source).read(piece.offset + offset - begin, count)
            if len(part) != count:
                raise FormatError("bad-parcel", "A piece of a parcel reaches out of what it is taken from.")
            parts.append(part)
            offset += count
            at += 1
        return parts[0] if len(parts) == 1 else b"".join(parts)


def make(made: Made, view: View, lengths: array[int], rows_of: Callable[[At], Iterator[Row]], emit: Emit) -> None:
    """Make what an object stands for. Raises FormatError ``bad-parcel`` if it does not come out as long as it should."""
    match made.kind:
        case ObjectKind.RUN:
            offset = 0
            for ordinal in range(made.first, made.first + made.count):
                emit(ordinal, view.read(offset, lengths[ordinal]))
                offset += lengths[ordinal]
        case ObjectKind.SCRATCH:
            for offset in range(0, view.size, MAX_BYTES):
                emit(-1, view.read(offset, MAX_BYTES))
        case ObjectKind.ARCHIVE:
            assert made.at is not None
            assert made.recipe is not None
            cutter = _Cutter(list(rows_of(made.at)), made.first, emit)
            rebuild(view, made.recipe, cutter.write)
            cutter.end(made.first + made.count)


class _Cutter:
    """Cuts bytes that come in runs of any length into the chunks of a content, and gives out those that are new here."""

    def __init__(self, rows: Sequence[Row], first: int, emit: Emit) -> None:
        self._rows = rows
        self._at = 0
        self._next = first
        self._emit = emit
        self._rest = b""

    def write(self, data: bytes) -> None:
        """The next bytes."""
        if self._rest:
            data = self._rest + data
        offset = 0
        while self._at < len(self._rows) and len(data) - offset >= self._rows[self._at][0]:
            length, _chunk, ordinal = self._rows[self._at]
            if ordinal == self._next:
                self._emit(ordinal, data[offset : offset + length])
                self._next += 1
            offset += length
            self._at += 1
        self._rest = data[offset:]
        if self._rest and self._at == len(self._rows):
            raise FormatError("bad-parcel", "An archive became longer than it is.", "Get it again from a trusted site.")

    def end(self, following: int) -> None:
        """Everything came: it must be all, and have made the chunks up to ``following``."""
        if self._rest or self._at != len(self._rows) or self._next != following:
            raise FormatError("bad-parcel", "An archive did not become what it is.", "Get it again from a trusted site.")
