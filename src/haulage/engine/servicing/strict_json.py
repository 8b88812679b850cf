"""JSON with one spelling: read within bounds, every field by name and kind, nothing unknown, nothing twice. Knows no document."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from haulage.engine.servicing.errors import DocumentError

MOST_DEPTH = 12
MOST_INTEGER = 2**53 - 1
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What no text may hold: control characters (tab and line feed may stand in long texts), and what turns the reading direction."""


def bad(where: str, what: str) -> DocumentError:
    """The error of a field."""
    return DocumentError("bad-document", f"{where}: {what}.", "Correct the field, or get the file again from its maker.")


def encoded(value: Any) -> bytes:
    """The one spelling: UTF-8, sorted keys, no space, no escape that is not needed. ``value`` holds no floats."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def decoded(data: bytes, where: str, *, most_bytes: int, canonical: bool = True) -> Any:
    """The value of a JSON text. Raises DocumentError: too long or deep, a key twice, no JSON, a float, not canonical."""
    if len(data) > most_bytes:
        raise bad(where, f"has {len(data)} bytes, more than {most_bytes}")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=lambda pairs: _object(where, pairs),
            parse_int=lambda digits: _integer(where, digits),
            parse_float=lambda digits: _not_a_number(where, digits),
            parse_constant=lambda digits: _not_a_number(where, digits),
        )
        _depth(value, where, MOST_DEPTH)
        spelled = encoded(value)
    except (ValueError, RecursionError):
        raise bad(where, "is not JSON in UTF-8") from None
    if canonical and spelled != data:
        raise bad(where, "is not in its one canonical spelling (sorted keys, no spaces)")
    return value


def _object(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = collections.Counter(name for name, _ in pairs)
        raise bad(where, f"the key {counts.most_common(1)[0][0][:60]!r} stands twice")
    return found


def _integer(where: str, digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > MOST_INTEGER:
        raise bad(where, "a number is too large")
    return int(digits)


def _not_a_number(where: str, digits: str) -> Any:
    raise bad(where, f"{digits[:20]} is not a whole number")


def _depth(value: Any, where: str, left: int) -> None:
    if left == 0:
        raise bad(where, f"is nested more than {MOST_DEPTH} deep")
    if isinstance(value, dict):
        for inner in value.values():
            _depth(inner, where, left - 1)
    elif isinstance(value, list):
        for inner in value:
            _depth(inner, where, left - 1)


class Fields:
    """One JSON object read field by field; ``done()`` refuses what nobody asked for. Every error names the field."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise bad(where, "must be an object")
        self._values: dict[str, Any] = value
        self._asked: set[str] = set()
        self.where = where

    def at(self, name: str) -> str:
        """How a field is called in messages."""
        return f"{self.where}.{name}"

    def take(self, name: str) -> Any:
        """Any value; the field must be there."""
        self._asked.add(name)
        if name not in self._values:
            raise bad(self.at(name), "is missing")
        return self._values[name]

    def has(self, name: str) -> bool:
        """Whether an optional field is there."""
        return name in self._values

    def is_null(self, name: str) -> bool:
        """Whether the field is there and null."""
        return self.take(name) is None

    def text(self, name: str, *, most: int = 200, least: int = 1, lines: bool = False, pattern: str | None = None) -> str:
        """A text of ``least`` to ``most`` characters without control characters; line feeds and tabs only with ``lines``."""
        return checked_text(self.take(name), self.at(name), most=most, least=least, lines=lines, pattern=pattern)

    def text_or_none(self, name: str, *, most: int = 200, pattern: str | None = None) -> str | None:
        """A text, or null."""
        return None if self.is_null(name) else self.text(name, most=most, pattern=pattern)

    def integer(self, name: str, *, least: int = 0, most: int = MOST_INTEGER) -> int:
        """A whole number within bounds (true and false are none)."""
        value = self.take(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise bad(self.at(name), "must be a whole number")
        if not least <= value <= most:
            raise bad(self.at(name), f"must lie between {least} and {most}")
        return value

    def flag(self, name: str) -> bool:
        """true or false."""
        value = self.take(name)
        if not isinstance(value, bool):
            raise bad(self.at(name), "must be true or false")
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of the given words."""
        value = self.take(name)
        if not isinstance(value, str) or value not in choices:
            raise bad(self.at(name), f"must be one of {', '.join(choices)}")
        return value

    def items(self, name: str, *, most: int) -> list[Any]:
        """A list of at most ``most`` values."""
        value = self.take(name)
        if not isinstance(value, list):
            raise bad(self.at(name), "must be a list")
        if len(value) > most:
            raise bad(self.at(name), f"has {len(value)} entries, more than {most}")
        return value

    def texts(self, name: str, *, most: int, longest: int = 200, pattern: str | None = None) -> tuple[str, ...]:
        """A list of texts, none of them twice."""
        values = self.items(name, most=most)
        found = tuple(
            checked_text(each, f"{self.at(name)}[{index}]", most=longest, pattern=pattern) for index, each in enumerate(values)
        )
        if len(set(found)) != len(found):
            raise bad(self.at(name), "names the same thing twice")
        return found

    def objects(self, name: str, *, most: int) -> list[Fields]:
        """A list of objects."""
        return [Fields(each, f"{self.at(name)}[{index}]") for index, each in enumerate(self.items(name, most=most))]

    def object(self, name: str) -> Fields:
        """An object."""
        return Fields(self.take(name), self.at(name))

    def mapping(self, name: str, *, most: int) -> Mapping[str, Any]:
        """An object used as a table: its keys are data."""
        value = self.take(name)
        if not isinstance(value, dict):
            raise bad(self.at(name), "must be an object")
        if len(value) > most:
            raise bad(self.at(name), f"has {len(value)} entries, more than {most}")
        return value

    def done(self) -> None:
        """Refuses fields that nobody asked for."""
        unknown = sorted(set(self._values) - self._asked)
        if unknown:
            raise bad(self.where, f"has the unknown field {unknown[0][:60]!r}")


def checked_text(value: Any, where: str, *, most: int, least: int = 1, lines: bool = False, pattern: str | None = None) -> str:
    """``value`` if it is a text as asked for; DocumentError otherwise."""
    if not isinstance(value, str):
        raise bad(where, "must be a text")
    if not least <= len(value) <= most:
        raise bad(where, f"must have {least} to {most} characters")
    if CONTROL.search(value) or (not lines and ("\n" in value or "\t" in value)):
        raise bad(where, "holds a control character")
    if pattern is not None and not re.fullmatch(pattern, value):
        raise bad(where, f"{value[:60]!r} does not have the form {pattern}")
    return value
