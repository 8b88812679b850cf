"""Which other articles an article names, and by what title: ``Qnnnnnn Title`` on an indented line, or inline. Pure."""

from __future__ import annotations

import re

from haulage.engine.articles.article import Reference, Section, SectionKind
from haulage.engine.articles.blocks import Block, BlockKind, blocks
from haulage.engine.articles.oddity import Oddities, OddityKind

ID = re.compile(r"(?<![A-Za-z0-9_])[Qq]([0-9]{5,6})(?![0-9A-Za-z_]|\.[A-Za-z]{3}\b)")
"""An article's id within a text; not the ``Q316316`` of the file ``Q316316.exe``."""

_QUOTED = re.compile(r"[\s,:]*[\"“]([^\"”]{5,250})[\"”]")


def references(sections: tuple[Section, ...], own: str, oddities: Oddities) -> tuple[Reference, ...]:
    """Every article named, each once in order of first mention, with the first title that stands beside any mention of it."""
    found: dict[str, Reference] = {}
    for section in sections:
        for text in (section.text, *(part for one in section.subsections for part in (one.heading, one.text))):
            if "Q" in text or "q" in text:
                _collect(text, section.kind, found, oddities)
    found.pop(own, None)
    return tuple(found.values())


def _collect(text: str, section: SectionKind, found: dict[str, Reference], oddities: Oddities) -> None:
    for block in blocks(text):
        for target, title in _named(block):
            before = found.get(target)
            if before is None:
                found[target] = Reference(target=target, title=title, section=section)
            elif title and not before.title:
                found[target] = Reference(target=target, title=title, section=before.section)
        if block.wrapped:
            oddities.add(OddityKind.WRAPPED_REFERENCE, block.target)


def named_in(text: str) -> list[str]:
    """Ids in ``text`` in order, each once."""
    return list(dict.fromkeys(f"Q{number}" for number in ID.findall(text)))


def _named(block: Block) -> list[tuple[str, str]]:
    if block.kind is BlockKind.REFERENCE:
        return [(block.target, block.text), *((one, "") for one in named_in(block.text))]
    pairs = []
    for found in ID.finditer(block.text):
        quoted = _QUOTED.match(block.text, found.end())
        pairs.append((f"Q{found[1]}", " ".join(quoted[1].strip(" ,.").split()) if quoted else ""))
    return pairs
