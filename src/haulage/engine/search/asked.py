"""A question's text taken apart: words, phrases, open words, numbers of articles. Pure, and takes any text at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MOST_CHARACTERS = 64 * 1024
"""What stands behind that is not read: a log of that length has said what it has to say."""
MOST_WORDS = 400
MOST_PHRASES = 16
_TYPED_CHARACTERS = 200
"""A longer text, or one of several lines, was pasted: quotes in it are part of a log, no wish."""
MOST_WORD_CHARACTERS = 40

WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"(?<![^\W_])[^\W_]+(?:[._$&:-]+[^\W_]+)+")
"""``client.lkp``, ``SMS_INBOX_MANAGER``, ``2.0.1493.2038``."""
_PHRASE = re.compile(r'"([^"\n]{2,300})"')
_OPEN = re.compile(r"([^\W_]{2,40})\*")
_NUMBER = re.compile(
    r"(?<![^\W_])(?:(?:KB|Q)[ -]?)?([0-9]{5,7})(?![^\W_])|(?<![^\W_])([A-Z]{1,8}-?[0-9]{2,7})(?![^\W_])", re.IGNORECASE
)
_MOST_NUMBERS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a question says."""

    words: tuple[str, ...]
    """Lower case, each once, in order; those of phrases and names too, open ones not."""
    phrases: tuple[tuple[str, ...], ...]
    """Typed in quotes: wanted as they stand."""
    names: tuple[tuple[str, ...], ...]
    """Words that were written as one: file names, components, versions."""
    open: tuple[str, ...]
    """Beginnings of words, from ``open*``."""
    numbers: tuple[str, ...]
    """What may be the id of an article, most likely first: ``316316`` and ``KB316316`` as ``Q316316`` too."""
    pasted: bool
    """A log or the like, not something typed."""


def take_apart(text: str) -> Asked:
    """Any text, of any length, with anything in it."""
    pasted = "\n" in text.strip() or len(text) > _TYPED_CHARACTERS
    plain = _plain(text[:MOST_CHARACTERS])
    opened = () if pasted else tuple(dict.fromkeys(found[1] for found in _OPEN.finditer(plain)))
    closed = plain if pasted else _OPEN.sub(" ", plain)
    phrases = [] if pasted else [_words(found[1]) for found in _PHRASE.finditer(closed)]
    names = [_words(found[0]) for found in _NAME.finditer(closed)]
    return Asked(
        words=tuple(dict.fromkeys(_words(closed)))[:MOST_WORDS],
        phrases=tuple(dict.fromkeys(phrase for phrase in phrases if len(phrase) > 1))[:MOST_PHRASES],
        names=tuple(dict.fromkeys(name for name in names if len(name) > 1))[:MOST_PHRASES],
        open=opened[:MOST_PHRASES],
        numbers=tuple(dict.fromkeys(_numbers(plain)))[:_MOST_NUMBERS],
        pasted=pasted,
    )


def sound(text: str) -> str:
    """``text`` with lone surrogates, which no UTF-8 can hold, replaced by question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _plain(text: str) -> str:
    """Compatible forms made one, case folded; what cannot be text (NUL, lone surrogates) becomes a space."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(" " if unicodedata.category(one) in ("Cc", "Cf", "Cs") and one != "\n" else one for one in folded)


def _words(text: str) -> tuple[str, ...]:
    return tuple(found[0][:MOST_WORD_CHARACTERS] for found in WORD.finditer(text))


def _numbers(plain: str) -> Iterator[str]:
    for found in _NUMBER.finditer(plain):
        if found[1]:
            yield f"Q{found[1]}"
        else:
            yield found[2].upper()
