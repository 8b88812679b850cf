"""Columns of small numbers: the structure of a target taken apart by kind of fact, so that each column is regular, and put into
sections of bounded length. *Pure*; knows nothing of manifests.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from haulage.base.errors import FormatError
from haulage.engine.content.codec import AGAIN

SECTION_BYTES = 4 * 1024 * 1024
"""Raw bytes after which a section ends."""
MOST_SECTION_BYTES = 8 * 1024 * 1024
MOST_BYTES = 512 * 1024 * 1024
"""Of all sections of one parcel together, ids not counted: what a receiver keeps in memory."""
COLUMNS = 0
VERBATIM = 1
_MOST_NUMBER_BYTES = 10


class Column(enum.IntEnum):
    """Which fact; the number is the place in a section. The last one, ids, is kept apart from the others in memory."""

    HEAD = 0
    LINK = 1
    LINK_RUNS = 2
    SKIPS = 3
    JUMPS = 4
    PATH = 5
    PATH_RUNS = 6
    PREFIXES = 7
    SUFFIXES = 8
    NAMES = 9
    KIND = 10
    KIND_RUNS = 11
    WHAT = 12
    WHAT_RUNS = 13
    FACTS = 14
    BLOBS = 15
    TEXT_PREFIXES = 16
    TEXTS = 17
    SAME_TIME = 18
    SAME_TIME_RUNS = 19
    CHANGED_TIME = 20
    CHANGED_TIME_RUNS = 21
    NEW_TIME = 22
    NEW_TIME_RUNS = 23
    FOLDER_TIME = 24
    FOLDER_TIME_RUNS = 25
    CREATED = 26
    CREATED_RUNS = 27
    SECONDS = 28
    NANOSECONDS = 29
    CONTENT = 30
    CONTENT_RUNS = 31
    GROWTHS = 32
    SIZES = 33
    OPS = 34
    COUNTS = 35
    MOVES = 36
    REPEATS = 37
    SOURCES = 38
    LENGTH_CHANGES = 39
    LENGTHS = 40
    LISTS = 41
    IDS = 42


_MASK_BYTES = (len(Column) + 7) // 8


def bad(why: str) -> FormatError:
    """The structure sections contradict themselves or their bases."""
    return FormatError("bad-parcel", f"The structure of a parcel is wrong: {why}.", AGAIN)


def put(column: bytearray, number: int) -> None:
    """Append a whole number of at least 0: seven bits a byte, the lowest first, the top bit set on all but the last."""
    while number > 127:
        column.append(number & 127 | 128)
        number >>= 7
    column.append(number)


def folded(number: int) -> int:
    """A signed number as one of at least 0: 0, -1, 1, -2 …"""
    return number * 2 if number >= 0 else -number * 2 - 1


def unfolded(number: int) -> int:
    """The inverse of ``folded``."""
    return -(number + 1 >> 1) if number & 1 else number >> 1


class RunWriter:
    """A column of symbols (0 to 255) and one of how often each stands in a row, less one. Zeros at the end are left out."""

    __slots__ = ("_count", "_runs", "_symbols", "symbol")

    def __init__(self, symbols: bytearray, runs: bytearray) -> None:
        self._symbols = symbols
        self._runs = runs
        self._count = 0
        self.symbol = 0
        """The one that goes on."""

    def add(self, symbol: int) -> None:
        """The next symbol."""
        if symbol != self.symbol:
            self.flush()
            self.symbol = symbol
        self._count += 1

    def flush(self) -> None:
        """Write the run that is open."""
        if self._count:
            self._symbols.append(self.symbol)
            put(self._runs, self._count - 1)
            self._count = 0

    def finish(self) -> None:
        """No more symbols."""
        if self.symbol:
            self.flush()


class Reader:
    """Reads a column. Raises FormatError ``bad-parcel`` where it ends too early."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        """The next number."""
        data, at = self.data, self.at
        if at >= len(data):
            raise bad("a column ends too early")
        value = data[at]
        at += 1
        if value > 127:
            value &= 127
            shift = 7
            while True:
                if at >= len(data) or shift >= 7 * _MOST_NUMBER_BYTES:
                    raise bad("a number is cut short or too large")
                byte = data[at]
                at += 1
                value |= (byte & 127) << shift
                if byte < 128:
                    break
                shift += 7
        self.at = at
        return value

    def signed(self) -> int:
        """The next number, which may be negative."""
        return unfolded(self.number())

    def take(self, size: int) -> bytes:
        """The next bytes."""
        if size > len(self.data) - self.at:
            raise bad("a column ends too early")
        self.at += size
        return bytes(self.data[self.at - size : self.at])

    def text(self) -> bytes:
        """The next bytes up to a NUL."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise bad("a text has no end")
        found = bytes(self.data[self.at : end])
        self.at = end + 1
        return found

    def done(self) -> bool:
        """Whether all was read."""
        return self.at == len(self.data)


class RunReader:
    """Reads what :class:`RunWriter` wrote; zeros without end after the last run."""

    __slots__ = ("_runs", "_symbols", "left", "symbol")

    def __init__(self, symbols: Reader, runs: Reader) -> None:
        self._symbols = symbols
        self._runs = runs
        self.symbol = 0
        self.left = 0

    def next(self) -> int:
        """The next symbol."""
        if not self.left:
            symbols = self._symbols
            if symbols.at >= len(symbols.data):
                self.symbol = 0
                return 0
            self.symbol = symbols.data[symbols.at]
            symbols.at += 1
            self.left = self._runs.number() + 1
        self.left -= 1
        return self.symbol


def cut_sections(columns: list[bytearray], *, whole: bool) -> Iterator[bytes]:
    """Columns as sections, emptying them; unless ``whole``, only as long as a full section is there."""
    while (pending := sum(map(len, columns))) and (whole or pending >= SECTION_BYTES):
        room, mask, lengths, parts = SECTION_BYTES, 0, bytearray(), []
        for number, column in enumerate(columns):
            part = bytes(column[:room])
            if part:
                mask |= 1 << number
                put(lengths, len(part))
                parts.append(part)
                del column[: len(part)]
                room -= len(part)
        yield b"".join([bytes([COLUMNS]), mask.to_bytes(_MASK_BYTES, "little"), lengths, *parts])


def join_sections(sections: Iterable[bytes]) -> list[bytearray]:
    """The columns of sections made by ``cut_sections``. Raises FormatError ``bad-parcel``. Memory: what is read."""
    columns = [bytearray() for _ in Column]
    total = 0
    for raw in sections:
        reader = Reader(raw)
        if len(raw) > MOST_SECTION_BYTES or reader.take(1) != bytes([COLUMNS]):
            raise bad("a section is too long or of another form")
        mask = int.from_bytes(reader.take(_MASK_BYTES), "little")
        if mask >> len(Column):
            raise bad("it has columns that are unknown here")
        present = [column for column in Column if mask >> column & 1]
        lengths = [reader.number() for _ in present]
        for column, length in zip(present, lengths, strict=True):
            columns[column] += reader.take(length)
        if not reader.done():
            raise bad("something follows the columns of a section")
        total += len(raw) - (lengths[-1] if mask >> Column.IDS else 0)
        if total > MOST_BYTES:
            raise bad("it is too large")
    return columns
