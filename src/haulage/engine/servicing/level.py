"""Versions, ranges of versions and service levels: which is later, which is meant. Pure; what cannot be read is no version."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haulage.engine.servicing.strict_json import bad

MOST_CHARACTERS = 128
MOST_CONDITIONS = 16
EARLY_WORDS = {"dev": 0, "snapshot": 0, "alpha": 1, "a": 1, "beta": 2, "b": 2, "pre": 3, "preview": 3, "rc": 3, "c": 3}
"""Words before a release, in their order; ``a``, ``b``, ``c`` only where a number follows at once (``1.0b2``; not ``1.0.2a``)."""

FORM = re.compile(r"[0-9A-Za-z][0-9A-Za-z.:~+_-]*")
PIECE = re.compile(r"[0-9]+|[A-Za-z]+|~")
_TILDE, _EARLY, _END, _WORD, _NUMBER = range(5)
Key = tuple[tuple[int, int, str], ...]


@functools.total_ordering
@dataclass(frozen=True)
class Version:
    """A version: numbers by value, trailing zeros without weight, words before or after the release they stand at.

    ``2.0`` = ``2.0.0.0``; ``2.0.1493.999`` < ``2.0.1493.2038``; ``1.2.3`` < ``1.2.3-4``; ``1.0rc1`` < ``1.0`` < ``1.0.2a``;
    ``1.0~x`` < ``1.0``; an epoch (``1:0.9``) weighs most.
    """

    text: str

    @functools.cached_property
    def key(self) -> tuple[int, Key]:
        """What is compared."""
        return _key(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.key == other.key

    def __lt__(self, other: Version) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text


def parsed(text: str, where: str = "version") -> Version:
    """The version ``text``. Raises DocumentError ``bad-document``."""
    if len(text) > MOST_CHARACTERS or not FORM.fullmatch(text) or not any(each.isdigit() for each in text):
        raise bad(where, f"{text[:60]!r} is not a version")
    version = Version(text)
    if ":" in text and not re.fullmatch("[0-9]+", text.partition(":")[0]):
        raise bad(where, f"{text[:60]!r} is not a version")
    return version


def parsed_or_none(text: str | None) -> Version | None:
    """The version, or None for what is none."""
    if text is None or len(text) > MOST_CHARACTERS or not FORM.fullmatch(text):
        return None
    return Version(text) if any(each.isdigit() for each in text) else None


def _key(text: str) -> tuple[int, Key]:
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdigit():
        epoch, rest = "0", text
    parts: list[tuple[int, int, str]] = []
    pieces = list(PIECE.finditer(rest))
    for index, piece in enumerate(pieces):
        follows = pieces[index + 1].group() if index + 1 < len(pieces) and pieces[index + 1].start() == piece.end() else ""
        parts.append(_part(piece.group(), follows))
    return int(epoch), _without_idle_zeros([*parts, (_END, 0, "")])


def _part(piece: str, follows: str) -> tuple[int, int, str]:
    if piece == "~":
        return (_TILDE, 0, "")
    if piece.isdigit():
        return (_NUMBER, int(piece), "")
    word = piece.lower()
    if word in EARLY_WORDS and (len(word) > 1 or follows.isdigit()):
        return (_EARLY, EARLY_WORDS[word], "")
    return (_WORD, 0, word)


def _without_idle_zeros(parts: Sequence[tuple[int, int, str]]) -> Key:
    """Zeros before the end, a word or a tilde weigh nothing; so ``1.0rc1`` comes before ``1``."""
    kept: list[tuple[int, int, str]] = []
    for part in parts:
        if part[0] != _NUMBER:
            while kept and kept[-1] == (_NUMBER, 0, ""):
                kept.pop()
        kept.append(part)
    return tuple(kept)


COMPARISONS: dict[str, Callable[[Version, Version], bool]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne, ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip


@dataclass(frozen=True)
class VersionRange:
    """Conditions that all hold; none is every version."""

    conditions: tuple[tuple[str, Version], ...]
    text: str

    def __contains__(self, version: Version) -> bool:
        return all(COMPARISONS[sign](version, bound) for sign, bound in self.conditions)

    def __str__(self) -> str:
        return self.text


def parsed_range(text: str, where: str = "versions") -> VersionRange:
    """``any``, or conditions joined by commas: ``>=2.0.1380,<2.1``; a version without sign is that one. Raises DocumentError."""
    if text == "any":
        return VersionRange((), text)
    pieces = text.split(",")
    if len(pieces) > MOST_CONDITIONS:
        raise bad(where, f"has more than {MOST_CONDITIONS} conditions")
    conditions = []
    for piece in pieces:
        sign = next((each for each in COMPARISONS if piece.strip().startswith(each)), "")
        conditions.append((sign or "=", parsed(piece.strip()[len(sign) :].strip(), where)))
    return VersionRange(tuple(conditions), text)


def at_least(order: Sequence[str], level: str | None, least: str) -> bool | None:
    """Whether ``level`` is ``least`` or later in the product's order; None where the order does not say."""
    if level is None or level not in order or least not in order:
        return None
    return list(order).index(level) >= list(order).index(least)
