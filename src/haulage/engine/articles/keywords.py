"""The lists of keywords in header and footer, which are cut, glued together and repeated. Pure."""

from __future__ import annotations

import re

from haulage.engine.articles.oddity import Oddities, OddityKind

HEADER_WIDTH = 87
"""The archive cuts the keywords of a header there, with or without the name of the field counted."""

_GLUE = re.compile(r"(?<=[A-Za-z0-9]{3})(?=kb[A-Za-z])")


def keywords(header: str, footer: str | None, oddities: Oddities) -> tuple[str, ...]:
    """The keywords of an article: the footer's, then those of the header that the footer does not have and that are not merely
    one of the footer's cut short. Each once, in order."""
    first = tuple(dict.fromkeys((footer or "").replace(",", " ").split()))
    second = split_glued(header, first, oddities)
    cut = len(header.rstrip()) >= HEADER_WIDTH - len("KEYWORDS:")
    if cut and footer is not None and len(second) <= len(first):
        oddities.add(OddityKind.KEYWORDS_CUT, header[-20:])
    listed = dict.fromkeys(first)
    for number, word in enumerate(second):
        last = number == len(second) - 1
        if word in listed or (last and any(one.startswith(word) for one in first)):
            continue
        if footer is not None:
            oddities.add(OddityKind.KEYWORDS_DIFFER, word)
        listed[word] = None
    return tuple(listed)


def split_glued(text: str, known: tuple[str, ...], oddities: Oddities) -> tuple[str, ...]:
    """Words of ``text``, and those that were glued together (``smsinvkbfaq``) apart unless they are known as one; each once."""
    found: dict[str, None] = {}
    for word in text.replace(",", " ").split():
        parts = _GLUE.split(word) if "kb" in word[3:] and word not in known else [word]
        if len(parts) > 1:
            oddities.add(OddityKind.KEYWORDS_GLUED, word)
        found.update(dict.fromkeys(parts))
    return tuple(found)
