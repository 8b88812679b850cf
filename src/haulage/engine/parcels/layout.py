"""The layout of batches: of which pieces what they make consists, as columns of numbers. What a receiver can reckon by itself (the
rest of a source, the last piece of a run of known length) is not said. *Pure*; knows sizes through functions given to it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from haulage.base.errors import FormatError
from haulage.engine.archives import recipe as recipes
from haulage.engine.archives.recipe import Recipe
from haulage.engine.parcels.head import MAX_BATCH_CHUNKS, MAX_STRUCTURE_BYTES
from haulage.engine.parcels.model import At, Copy, Fresh, Made, ObjectKind, Piece, Source, Window

LAYOUT_BYTES = 1024 * 1024
"""Raw bytes after which a section of layouts ends."""
MAX_WINDOW_BYTES = 64 * 1024 * 1024
"""Old bytes of one batch."""
CHECK_BYTES = 16

SizeOf = Callable[[Source], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What one batch is made from and what it makes."""

    sources: tuple[Source, ...]
    windows: tuple[Window, ...]
    objects: tuple[Made, ...]
    check: bytes
    """First 16 bytes of the BLAKE3 of what it makes: the ids of its new chunks in order, and for each thing put aside the digest of
    its bytes."""

    @property
    def window_bytes(self) -> int:
        """Old bytes it is encoded against."""
        return sum([window.length for window in self.windows])


class Wire(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One batch in columns. Signed numbers are differences."""

    check: bytes
    base: list[int]
    page: list[int]
    entry: list[int]
    part: list[int]
    expanded: list[tuple[int, bytes]]
    """Sources with members: number, recipe."""
    window_source: list[int]
    window_offset: list[int]
    window_short: list[int]
    """Bytes of the source behind the window."""
    kind: list[int]
    first: list[int]
    count: list[int]
    pieces: list[int]
    """How many; none: all fresh."""
    piece_source: list[int]
    """0 fresh, else number of the source plus one."""
    piece_offset: list[int]
    """Of copies: against where the copy before from the same source ended, and as far on as bytes were fresh since in this object:
    where nothing was inserted or left out that is 0."""
    piece_length: list[int]
    """Of all but the last piece of a run."""
    archive: list[tuple[int, int, int, bytes]]
    """Page, entry, part, recipe."""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Wire])


def encode_layout(layout: Layout, size_of: SizeOf) -> Wire:
    """The columns of one batch."""
    wire = Wire(layout.check, [], [], [], [], [], [], [], [], [], [], [], [], [], [], [], [])
    before = At(0, 0, 0)
    for number, source in enumerate(layout.sources):
        wire.base.append(source.base)
        wire.page.append(source.at.page - before.page)
        wire.entry.append(source.at.entry - before.entry)
        wire.part.append(source.at.part)
        before = source.at
        if source.members:
            size = size_of(Source(source.base, source.at))
            wire.expanded.append((number, recipes.encode(Recipe(source.members, size))))
    for at, window in enumerate(layout.windows):
        wire.window_source.append(window.source - at)
        wire.window_offset.append(window.offset)
        wire.window_short.append(size_of(layout.sources[window.source]) - window.offset - window.length)
    following = 0
    ends: dict[int, int] = {}
    for made in layout.objects:
        wire.kind.append(int(made.kind))
        wire.first.append(made.first - following)
        wire.count.append(made.count)
        if made.kind is not ObjectKind.SCRATCH:
            following = made.first + made.count
        if made.kind is ObjectKind.ARCHIVE:
            assert made.at is not None
            assert made.recipe is not None
            wire.archive.append((*made.at, recipes.encode(made.recipe)))
        _encode_pieces(wire, made, ends)
    return wire


def _encode_pieces(wire: Wire, made: Made, ends: dict[int, int]) -> None:
    run = made.kind is ObjectKind.RUN
    if run and len(made.pieces) == 1 and isinstance(made.pieces[0], Fresh):
        wire.pieces.append(0)
        return
    wire.pieces.append(len(made.pieces))
    skipped = 0
    for number, piece in enumerate(made.pieces):
        if isinstance(piece, Copy):
            wire.piece_source.append(piece.source + 1)
            wire.piece_offset.append(piece.offset - ends.get(piece.source, 0) - skipped)
            ends[piece.source] = piece.offset + piece.length
            skipped = 0
        else:
            wire.piece_source.append(0)
            skipped += piece.length if number else 0
        if not run or number < len(made.pieces) - 1:
            wire.piece_length.append(piece.length)


def encode_layouts(wires: Sequence[Wire]) -> bytes:
    """The raw bytes of a section of layouts."""
    return _ENCODER.encode(wires)


def wire_bytes(wire: Wire) -> int:
    """How long a batch's columns are."""
    return len(_ENCODER.encode(wire))


class LayoutReader:
    """Reads layouts strictly, one parcel's, in order. Raises FormatError ``bad-parcel``."""

    def __init__(self, lengths: array[int], size_of: SizeOf) -> None:
        """``lengths``: of the new chunks, by ordinal."""
        self._lengths = lengths
        self._size_of = size_of
        self._made = bytearray(len(lengths))
        self._labels: dict[int, int] = {}
        """What was put aside by the batches read so far, with its size."""

    def size_of(self, source: Source) -> int:
        """Bytes of a source, put aside or held."""
        if source.base < 0:
            if source.at.page not in self._labels or source.at.entry or source.at.part or source.members:
                raise _bad("it refers to what no batch before has put aside")
            return self._labels[source.at.page]
        return self._size_of(source)

    def read(self, raw: bytes) -> list[Layout]:
        """The layouts of a section's raw bytes."""
        if len(raw) > MAX_STRUCTURE_BYTES:
            raise _bad("it is too long")
        try:
            wires = _DECODER.decode(raw)
        except (msgspec.MsgspecError, UnicodeError, ValueError, RecursionError) as error:
            raise _bad(str(error)) from error
        if _ENCODER.encode(wires) != raw:
            raise _bad("it is not in its one form")
        return [self._layout(wire) for wire in wires]

    def end(self) -> None:
        """After the last: every new chunk must be made by some batch."""
        if not all(self._made):
            raise _bad("no batch makes some of the new chunks")

    def _layout(self, wire: Wire) -> Layout:
        if len(wire.check) != CHECK_BYTES:
            raise _bad("its check is malformed")
        sources = self._sources(wire)
        windows = self._windows(wire, sources)
        return Layout(sources=sources, windows=windows, objects=_Objects(self, wire, sources).read(), check=wire.check)

    def _sources(self, wire: Wire) -> tuple[Source, ...]:
        if not len(wire.base) == len(wire.page) == len(wire.entry) == len(wire.part):
            raise _bad("its sources differ in length")
        found: list[Source] = []
        page = entry = 0
        for base, to_page, to_entry, part in zip(wire.base, wire.page, wire.entry, wire.part, strict=True):
            page += to_page
            entry += to_entry
            found.append(Source(base, At(page, entry, part)))
        for number, encoded in wire.expanded:
            if not 0 <= number < len(found) or found[number].members or found[number].base < 0:
                raise _bad("it expands a source that it does not name")
            expanded = recipes.decode(encoded)
            if expanded.size != self._size_of(found[number]) or not expanded.members:
                raise _bad("it expands a source of another size")
            found[number] = found[number]._replace(members=expanded.members)
        for source in found:
            self.size_of(source)
        return tuple(found)

    def _windows(self, wire: Wire, sources: tuple[Source, ...]) -> tuple[Window, ...]:
        if not len(wire.window_source) == len(wire.window_offset) == len(wire.window_short):
            raise _bad("its windows differ in length")
        found: list[Window] = []
        rows = zip(wire.window_source, wire.window_offset, wire.window_short, strict=True)
        total = 0
        for at, (to_source, offset, short) in enumerate(rows):
            source = at + to_source
            if not 0 <= source < len(sources):
                raise _bad("a window refers to a source that it does not name")
            length = self.size_of(sources[source]) - offset - short
            if min(offset, short, length) < 0:
                raise _bad("a window reaches out of its source")
            total += length
            found.append(Window(source, offset, length))
        if total > MAX_WINDOW_BYTES:
            raise _bad("its windows are too large")
        return tuple(found)

    def claim(self, first: int, count: int) -> int:
        """Each new chunk is made once. The bytes of these together."""
        if count < 1 or first < 0 or first + count > len(self._lengths) or any(self._made[first : first + count]):
            raise _bad("it makes a chunk that is not new, or one twice")
        self._made[first : first + count] = b"\1" * count
        return sum(self._lengths[first : first + count])

    def put_aside(self, label: int, size: int) -> None:
        """Something later batches may refer to."""
        if label < 0 or label in self._labels or size < 1:
            raise _bad("it puts something aside twice")
        self._labels[label] = size


class _Objects:
    """Reads the objects of one batch."""

    def __init__(self, reader: LayoutReader, wire: Wire, sources: tuple[Source, ...]) -> None:
        self._reader = reader
        self._wire = wire
        self._sources = sources
        self._next_piece = self._next_offset = self._next_length = self._next_archive = 0
        self._ends: dict[int, int] = {}
        self._skipped = 0

    def read(self) -> tuple[Made, ...]:
        wire = self._wire
        if not len(wire.kind) == len(wire.first) == len(wire.count) == len(wire.pieces) <= MAX_BATCH_CHUNKS:
            raise _bad("its objects differ in length, or are too many")
        following = chunks = 0
        found: list[Made] = []
        for kind, to_first, count, pieces in zip(wire.kind, wire.first, wire.count, wire.pieces, strict=True):
            first = following + to_first
            made = self._object(kind, first, count, pieces)
            if made.kind is not ObjectKind.SCRATCH:
                following = first + count
            chunks += count
            found.append(made)
        read = (self._next_piece, self._next_offset, self._next_length, self._next_archive)
        if read != (len(wire.piece_source), len(wire.piece_offset), len(wire.piece_length), len(wire.archive)):
            raise _bad("it holds more than it uses")
        if chunks > MAX_BATCH_CHUNKS:
            raise _bad("it makes too many chunks")
        return tuple(found)

    def _object(self, kind: int, first: int, count: int, pieces: int) -> Made:
        match kind:
            case ObjectKind.RUN:
                size = self._reader.claim(first, count)
                made = Made(kind=ObjectKind.RUN, first=first, count=count, pieces=self._pieces(pieces, size))
            case ObjectKind.SCRATCH if count == 0:
                made = Made(kind=ObjectKind.SCRATCH, first=first, count=0, pieces=self._pieces(pieces, None))
                self._reader.put_aside(first, made.size)
            case ObjectKind.ARCHIVE:
                self._reader.claim(first, count)
                made = self._archive(first, count, pieces)
            case _:
                raise _bad("it makes something unknown")
        return made

    def _archive(self, first: int, count: int, pieces: int) -> Made:
        if self._next_archive >= len(self._wire.archive):
            raise _bad("the recipe of an archive is missing")
        page, entry, part, encoded = self._wire.archive[self._next_archive]
        self._next_archive += 1
        recipe = recipes.decode(encoded)
        made = Made(
            kind=ObjectKind.ARCHIVE,
            first=first,
            count=count,
            pieces=self._pieces(pieces, None),
            at=At(page, entry, part),
            recipe=recipe,
        )
        if made.size != recipe.expanded_size:
            raise _bad("an archive's pieces do not fit its recipe")
        return made

    def _pieces(self, count: int, size: int | None) -> tuple[Piece, ...]:
        """``size``: of them together, where it is known."""
        if count == 0 and size is not None:
            return (Fresh(size),)
        if not 0 < count <= len(self._wire.piece_source) - self._next_piece:
            raise _bad("a piece is missing")
        found: list[Piece] = []
        left, self._skipped = size, 0
        for number in range(count):
            last = left is not None and number == count - 1
            length = left if last and left is not None else self._take_length()
            if length < 1:
                raise _bad("a piece is empty")
            if left is not None:
                left -= length
            found.append(self._piece(length, first=number == 0))
        return tuple(found)

    def _piece(self, length: int, *, first: bool) -> Piece:
        number = self._wire.piece_source[self._next_piece] - 1
        self._next_piece += 1
        if number < 0:
            self._skipped += 0 if first else length
            return Fresh(length)
        if number >= len(self._sources) or self._next_offset >= len(self._wire.piece_offset):
            raise _bad("a copy refers to a source that it does not name")
        offset = self._ends.get(number, 0) + self._skipped + self._wire.piece_offset[self._next_offset]
        self._skipped = 0
        self._next_offset += 1
        self._ends[number] = offset + length
        if offset < 0 or offset + length > self._reader.size_of(self._sources[number]):
            raise _bad("a copy reaches out of its source")
        return Copy(number, offset, length)

    def _take_length(self) -> int:
        if self._next_length >= len(self._wire.piece_length):
            raise _bad("the length of a piece is missing")
        self._next_length += 1
        return self._wire.piece_length[self._next_length - 1]


def _bad(why: str) -> FormatError:
    return FormatError("bad-parcel", f"The layout of a batch is wrong: {why}.", "Get it again from a trusted site.")
