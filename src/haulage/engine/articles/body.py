"""What both forms of the archive share: everything below the header, which is products, sections, search words, footer and notice.
Must not know the header of either form."""

from __future__ import annotations

import re

import msgspec

from haulage.engine.articles.lines import tidy
from haulage.engine.articles.oddity import Oddities, OddityKind
from haulage.engine.articles.sections import KINDS
from haulage.engine.articles.versions import Applies, applies_to

PHRASE = re.compile(r"(?:The )?information (?:contained )?in this (?:article|document) applies to:?\s*", re.IGNORECASE)
FIELD = re.compile(r"([A-Z][A-Za-z/() ]{2,24}?) *:(.*)")
_EQUALS = re.compile(r"={20,}")
_RULE = re.compile(r"-{40,}")
_QUERY = re.compile(r"Additional (?:query|reference) words?\s*:?(.*)", re.IGNORECASE)
_NOTICE = re.compile(r"\s*(?:THE INFORMATION PROVIDED IN|Copyright Microsoft)")
_FURTHEST_RULE = 12
"""The rule above the products stands within so many lines of the header's end, or there is none."""


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an article below its header."""

    applies: Applies
    text: tuple[str, ...]
    """Lines of all sections."""
    query_words: tuple[str, ...]
    footer: dict[str, str]
    """Empty without a footer."""
    notice: str
    leftover: tuple[str, ...]
    """Lines of footer and product block that are none of these."""


def body(lines: list[str], oddities: Oddities) -> Body:
    """Take the lines below the header apart. Nothing raises: what is missing is noted as odd, what is strange is left over."""
    lines, notice = _without_notice(lines, oddities)
    lines, footer, strange = _without_footer(lines, oddities)
    applies, lines = _without_products(lines, oddities)
    lines, words = _without_query_words(lines)
    return Body(
        applies=applies,
        text=tuple(lines),
        query_words=words,
        footer=footer,
        notice=notice,
        leftover=(*applies.rest, *strange),
    )


def _without_notice(lines: list[str], oddities: Oddities) -> tuple[list[str], str]:
    """Cut the publisher's notice off: from the last line that starts one on, with the paragraph it belongs to."""
    start = next((at for at in range(len(lines)) if lines[at].startswith("THE INFORMATION PROVIDED IN")), None)
    if start is None:
        start = next((at for at in range(len(lines) - 1, max(-1, len(lines) - 8), -1) if _NOTICE.match(lines[at])), None)
    if start is None:
        oddities.add(OddityKind.NO_NOTICE)
        return lines, ""
    end = start
    while end > 0 and (not lines[end - 1] or _EQUALS.fullmatch(lines[end - 1])):
        end -= 1
    return lines[:end], tidy(lines[start:])


def _without_footer(lines: list[str], oddities: Oddities) -> tuple[list[str], dict[str, str], list[str]]:
    """Cut off the fields after the last rule of ``=`` that is followed by ``Keywords``. A line without a name goes on with the
    field before it."""
    start = next((at for at in range(len(lines) - 1, -1, -1) if lines[at].startswith("Keywords") and FIELD.match(lines[at])), None)
    if start is None:
        oddities.add(OddityKind.NO_FOOTER)
        return lines, {}, []
    fields: dict[str, str] = {}
    strange = []
    last = ""
    for line in lines[start:]:
        named = FIELD.match(line)
        if named is not None:
            last = named[1].strip()
            fields[last] = f"{fields[last]} {named[2].strip()}" if last in fields else named[2].strip()
        elif line[:1] == " " and last and line.strip():
            oddities.add(OddityKind.CONTINUED_FIELD, last)
            fields[last] = f"{fields[last]} {line.strip()}"
        elif line and not _EQUALS.fullmatch(line):
            strange.append(line)
    end = start
    while end > 0 and (not lines[end - 1] or _EQUALS.fullmatch(lines[end - 1])):
        end -= 1
    return lines[:end], fields, strange


def _without_products(lines: list[str], oddities: Oddities) -> tuple[Applies, list[str]]:
    """Cut off the block between the first two rules of ``-``. Without rules the phrase alone starts it, up to a blank line after
    an item."""
    first = next((at for at, line in enumerate(lines[:_FURTHEST_RULE]) if _RULE.fullmatch(line)), None)
    second = None
    if first is not None:
        second = next((at for at in range(first + 1, len(lines)) if _RULE.fullmatch(lines[at])), None)
    if first is None or second is None or any(line in KINDS for line in lines[first:second]):
        return _without_bare_products(lines, oddities)
    inside = [line for line in lines[first + 1 : second] if line.strip()]
    kept = [line for line in inside if not PHRASE.fullmatch(line.strip())]
    if len(kept) == len(inside):
        oddities.add(OddityKind.NO_PHRASE)
    return applies_to(kept), lines[:first] + lines[second + 1 :]


def _without_bare_products(lines: list[str], oddities: Oddities) -> tuple[Applies, list[str]]:
    start = next((at for at, line in enumerate(lines[:_FURTHEST_RULE]) if PHRASE.fullmatch(line.strip())), None)
    if start is None:
        oddities.add(OddityKind.NO_PHRASE)
        return applies_to([]), lines
    end = start + 1
    while end < len(lines) and (not lines[end].strip() or lines[end].startswith((" ", "-"))):
        end += 1
    rest = lines[:start] + lines[end:]
    return applies_to([line for line in lines[start + 1 : end] if not _RULE.fullmatch(line)]), rest


def _without_query_words(lines: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Cut off the last paragraph when it is the author's words for searching."""
    start = next((at for at in range(len(lines) - 1, max(-1, len(lines) - 12), -1) if _QUERY.match(lines[at])), None)
    if start is None:
        return lines, ()
    found = _QUERY.match(lines[start])
    words = [found[1] if found else "", *(line for line in lines[start + 1 :])]
    return lines[:start], tuple(dict.fromkeys(" ".join(words).split()))
