"""The ways in which one error is written: decimal, hexadecimal, as a result of a call, by name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from haulage.engine.search.error_table import RESULTS, WIN32

_HEX = re.compile(r"0x([0-9a-f]{1,8})")
_BARE = re.compile(r"[8c][0-9a-f]{7}")
_DECIMAL = re.compile(r"[1-9][0-9]{0,9}")
_WIN32_PAGE = 0x80070000
_SIGNED = 1 << 31
_WHOLE = 1 << 32
LEAST_TELLING = 100
"""A smaller number without "error" beside it may be anything."""


def _entries(table: str) -> Iterator[tuple[str, str]]:
    for entry in re.split(r"[|\n]", table.strip()):
        number, name = entry.split()
        yield number, name


def _names() -> dict[str, int]:
    win32 = {name if name.startswith(("RPC_", "EPT_")) else f"ERROR_{name}": int(number) for number, name in _entries(WIN32)}
    return {**win32, **{name: int(number, 16) for number, name in _entries(RESULTS)}}


NUMBERS: dict[str, int] = _names()
"""Number of each name."""
NAMES: dict[int, str] = {number: name for name, number in reversed(NUMBERS.items())}
"""Name of each number; a HRESULT around a Win32 error goes by that error."""


def value_of(word: str) -> int | None:
    """The number a word writes: ``998``, ``0x3e6``, ``0x800703e6`` and its decimal twins, ``ERROR_NOACCESS`` are all 998.

    None for what is no number and no known name."""
    upper = word.upper().lstrip("-")
    if upper in NUMBERS:
        return plain(NUMBERS[upper])
    low = word.lower()
    found = _HEX.fullmatch(low)
    if found is not None:
        return plain(int(found[1], 16))
    if _BARE.fullmatch(low):
        return plain(int(low, 16))
    digits = low.removeprefix("-")
    if not _DECIMAL.fullmatch(digits):
        return None
    number = int(digits)
    if low.startswith("-") or (number >= 2**30 and number <= _SIGNED):
        number = (_WHOLE - number) % _WHOLE
    return plain(number) if number < _WHOLE else None


def plain(number: int) -> int:
    """A HRESULT around a Win32 error is that error."""
    return number - _WIN32_PAGE if number & 0xFFFF0000 == _WIN32_PAGE else number


def written(number: int) -> Iterator[str]:
    """All ways to write one error, most usual first; as :func:`plain` gives it."""
    if number in NAMES:
        yield NAMES[number].lower()
    if number < 0x10000:
        yield str(number)
        number_of_result = _WIN32_PAGE + number
        yield f"0x{number:x}"
    else:
        number_of_result = number
    yield f"0x{number_of_result:08x}"
    yield f"{number_of_result:08x}"
    yield str(_WHOLE - number_of_result)
    yield str(number_of_result)


def twins(word: str) -> Iterator[str]:
    """The other ways to write a word that is an error number, as far as they are telling."""
    number = value_of(word)
    if number is None or (word.isdigit() and int(word) < LEAST_TELLING):
        return
    for other in written(number):
        if other != word and not (other.isdigit() and int(other) < LEAST_TELLING):
            yield other
