"""What is wrong with a file: every mistake at once, each with its line. Pure."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from haulage.base.errors import UsageError
from haulage.base.text import shown

SHOWN = 50
"""Mistakes that are told at once."""
_PART = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_HEADER = re.compile(rf"\s*\[\s*({_PART}(?:\s*\.\s*{_PART})*)\s*\]")
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake: where, and what to do."""

    path: Path
    sentence: str
    word: str = ""
    """A word in the value, if the value is a list."""


class Problems:
    """Collects mistakes, and tells them with their lines."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: list[Problem] = []

    def add(self, sentence: str, *path: str, word: str = "") -> None:
        """Note one."""
        self._found.append(Problem(path=path, sentence=sentence, word=word))

    def unknown(self, known: Iterable[str], *path: str) -> None:
        """A key that means nothing, and the nearest one that does."""
        listed = sorted(known)
        near = difflib.get_close_matches(path[-1], listed, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(listed)}."
        self.add(f"{shown('.'.join(path), limit=120)} is not known here; {hint}", *path)

    def __bool__(self) -> bool:
        return bool(self._found)

    def refuse(self) -> None:
        """Raises UsageError ``bad-declaration`` if there are any."""
        if not self._found:
            return
        lines = Lines(self._text)
        told = sorted((lines.of(one.path, one.word), index, one.sentence) for index, one in enumerate(self._found))
        sentences = [f"line {line}: {sentence}" if line else sentence for line, _index, sentence in told[:SHOWN]]
        if len(told) > SHOWN:
            sentences.append(f"and {len(told) - SHOWN} more.")
        raise UsageError("bad-declaration", "The file cannot be used:\n" + "\n".join(sentences), "See docs/declared.md.")


class Lines:
    """On which line of a file something stands. Looked for only when there is something to tell."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at: dict[Path, int] = {}
        table: Path = ()
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            key = None if header else _KEY.match(line)
            if header:
                table = _parts(header[1])
            for end in range(1, len(table) + 1) if header else ():
                self._at.setdefault(table[:end], number)
            if key:
                self._at.setdefault((*table, *_parts(key[1])), number)

    def of(self, path: Path, word: str = "") -> int:
        """The line; of the nearest thing around it if it is written in an unusual way; 0 if nowhere."""
        while path and path not in self._at:
            path = path[:-1]
        begun = self._at.get(path, 0)
        if not word or not begun:
            return begun
        quoted = (f'"{word}"', f"'{word}'")
        for number in range(begun, min(begun + 10_000, len(self._lines) + 1)):
            if any(one in self._lines[number - 1] for one in quoted):
                return number
        return begun


def _parts(key: str) -> Path:
    """A dotted key as its parts."""
    try:
        inner = tomllib.loads(f"{key} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    parts = []
    while isinstance(inner, dict) and inner:
        name, inner = next(iter(inner.items()))
        parts.append(name)
    return tuple(parts)
