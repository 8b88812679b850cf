"""Rows as CSV (RFC 4180) for spreadsheets, a piece at a time. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from haulage.base.text import shown

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be calculated by a spreadsheet."""
PIECE_ROWS = 500
CELL_CHARACTERS = 32_000
"""Spreadsheets hold no more in one cell."""


def csv_pieces(rows: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    """The rows with a line of names before them, which are those of the first row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    names: list[str] = []
    for index, row in enumerate(rows):
        if not names:
            names = list(row)
            writer.writerow(names)
        writer.writerow([cell(row.get(name)) for name in names])
        if index % PIECE_ROWS == PIECE_ROWS - 1:
            yield _taken(buffer)
    yield _taken(buffer)


def cell(value: object) -> str:
    """One cell. Numbers stay numbers; a text that a spreadsheet would take for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return shown(msgspec.json.encode(value).decode(), limit=CELL_CHARACTERS)
    if not isinstance(value, str):
        return str(value)
    text = shown(value, limit=CELL_CHARACTERS)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode("utf-8", "replace")
