"""What commands print: data on stdout as a table, JSON, JSON lines or CSV; everything said to a person on stderr. Knows no command.

Text of others (names, sentences, paths) never reaches a terminal unescaped."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from haulage.base.errors import HaulageError
from haulage.base.text import shown

Form = Literal["table", "json", "jsonl", "csv"]
Row = Mapping[str, Any]
Cell = Callable[[Row], str]
Column = tuple[str, Cell]
"""Header of a table's column, and what stands in it."""

Tint = Literal["red", "yellow"]
_TINTS: Mapping[Tint, str] = {"red": "31", "yellow": "33"}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def print_rows(rows: Iterable[Row], form: Form, columns: Sequence[Column], *, empty: str = "") -> None:
    """A list. JSON keeps every field; a table shows the columns; ``empty`` is said instead of an empty table."""
    if form == "jsonl":
        for row in rows:
            _line(_json(row))
        return
    listed = list(rows)
    if form == "json":
        _line(_json(listed, indent=True))
    elif form == "csv":
        _csv(listed)
    elif listed:
        _table(listed, columns)
    else:
        say(empty or "Nothing to list.")


def print_object(found: Row, form: Form, columns: Sequence[Column]) -> None:
    """One thing: its JSON, or one line per column."""
    if form == "table":
        width = max(len(header) for header, _ in columns)
        for header, cell in columns:
            _line(f"{header:<{width}}  {shown(cell(found))}")
    elif form == "csv":
        _csv([found])
    else:
        _line(_json(found, indent=form == "json"))


def print_made(made: Row, form: Form, sentence: str, *, key: str = "id") -> None:
    """The outcome of a change: the object, or its id on stdout and a sentence for the person."""
    if form == "table":
        if key in made:
            _line(shown(str(made[key])))
        say(sentence)
    else:
        print_object(made, form, [])


def print_line(text: str, *, tint: Tint | None = None) -> None:
    """One line of data, coloured on a terminal that may be."""
    code = _TINTS[tint] if tint is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ else ""
    _line(f"\x1b[{code}m{shown(text)}\x1b[0m" if code else shown(text))


def print_text(text: str) -> None:
    """A document of ours, as it is: whoever made it escaped what came from others."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say(sentence: str) -> None:
    """A sentence for the person, on stderr."""
    print("\n".join(shown(line) for line in sentence.split("\n")), file=sys.stderr, flush=True)


def say_error(error: HaulageError, as_json: bool) -> None:
    """What went wrong and what to do, on stderr."""
    if as_json:
        print(_json({"error": {"code": error.code, "message": error.message, "hint": error.hint}}), file=sys.stderr, flush=True)
        return
    say(f"haulage: {error.message}")
    if error.hint:
        say(f"hint: {error.hint}")


def field(name: str, header: str | None = None) -> Column:
    """A column that shows a field as it is."""
    return (header or name.replace("_", " "), lambda row: text_of(row.get(name)))


def size_field(name: str, header: str | None = None) -> Column:
    """A column that shows a number of bytes."""
    return (header or name.replace("_", " "), lambda row: size_text(row.get(name)))


def time_field(name: str, header: str | None = None) -> Column:
    """A column that shows a moment, to the second."""
    return (header or name.replace("_", " "), lambda row: time_text(row.get(name)))


def text_of(value: Any) -> str:
    """A value in a table."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(text_of, value)) or "-"
    return _json(value) if isinstance(value, dict) else str(value)


def size_text(size_bytes: int | None) -> str:
    """A number of bytes for people: three digits and a unit."""
    if size_bytes is None:
        return "-"
    size, unit = float(size_bytes), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size_bytes} B" if unit == 0 else f"{size:.{0 if size >= 99.95 else 1}f} {_UNITS[unit]}"


def time_text(moment: str | None) -> str:
    """An ISO moment without its microseconds."""
    return "-" if not moment else dt.datetime.fromisoformat(moment).strftime("%Y-%m-%d %H:%M:%SZ")


def _json(value: Any, *, indent: bool = False) -> str:
    # ASCII only: nothing in it can move a cursor or turn a line around, and every locale can print it.
    return json.dumps(value, indent=2 if indent else None)


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _csv(rows: Sequence[Row]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([_csv_cell(row.get(name)) for name in names])
    sys.stdout.flush()


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    return _json(value) if isinstance(value, (dict, list, bool)) else shown(str(value))


def _table(rows: Sequence[Row], columns: Sequence[Column]) -> None:
    """On a terminal with the terminal's width; elsewhere every cell whole, on one line."""
    cells = [[shown(cell(row)) for _, cell in columns] for row in rows]
    headers = [header for header, _ in columns]
    if sys.stdout.isatty():
        _rich_table(headers, cells)
        return
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    for line in (headers, *cells):
        _line("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _rich_table(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # heavy, and not needed by most commands
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    Console(no_color="NO_COLOR" in os.environ, highlight=False).print(table)
