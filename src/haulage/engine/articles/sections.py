"""Sections of an article of the archive: a heading underlined with ``=`` starts one, with ``-`` one below it. Pure."""

from __future__ import annotations

import re

import msgspec

from haulage.engine.articles.article import Section, SectionKind, Subsection
from haulage.engine.articles.lines import tidy
from haulage.engine.articles.oddity import Oddities, OddityKind

KINDS = {
    "SUMMARY": SectionKind.SUMMARY,
    "SYMPTOM": SectionKind.SYMPTOMS,
    "SYMPTOMS": SectionKind.SYMPTOMS,
    "CAUSE": SectionKind.CAUSE,
    "CAUSES": SectionKind.CAUSE,
    "RESOLUTION": SectionKind.RESOLUTION,
    "RESOLUTIONS": SectionKind.RESOLUTION,
    "WORKAROUND": SectionKind.WORKAROUND,
    "WORKAROUNDS": SectionKind.WORKAROUND,
    "STATUS": SectionKind.STATUS,
    "MORE INFORMATION": SectionKind.MORE_INFORMATION,
    "REFERENCE": SectionKind.REFERENCES,
    "REFERENCES": SectionKind.REFERENCES,
}
_UNDERLINE = re.compile(r"={3,}|-{3,}")
_COLUMNS = re.compile(r"\S {2,}\S")


class _Heading(msgspec.Struct, frozen=True):
    at: int
    """The line of the heading."""
    after: int
    """The line its text starts at."""
    level: int
    """1 for a section, 2 for a subsection."""


def sections(lines: tuple[str, ...], oddities: Oddities) -> tuple[Section, ...]:
    """The sections in order; what stands before the first heading is the opening, left out when blank. A section that occurs
    twice stays two."""
    headings = _headings(lines, oddities)
    starts = [*(one.at for one in headings), len(lines)]
    opening = tidy(list(lines[: starts[0]]))
    found: list[Section] = []
    below: list[Subsection] = []
    kind, heading, text = SectionKind.OPENING, "", opening
    for number, one in enumerate(headings):
        inside = tidy(list(lines[one.after : starts[number + 1]]))
        if one.level == 2:
            below.append(Subsection(heading=lines[one.at].strip(), text=inside))
            continue
        _close(found, Section(kind=kind, heading=heading, text=text, subsections=tuple(below)))
        below = []
        heading, text = lines[one.at].strip(), inside
        kind = KINDS.get(heading.rstrip(":").upper(), SectionKind.OTHER)
    _close(found, Section(kind=kind, heading=heading, text=text, subsections=tuple(below)))
    if not found:
        oddities.add(OddityKind.EMPTY)
    elif not any(one.heading for one in found):
        oddities.add(OddityKind.NO_SECTIONS)
    return tuple(found)


def _close(found: list[Section], section: Section) -> None:
    """Keep a section that says anything; a heading alone says something too."""
    if section.text or section.subsections or section.heading:
        found.append(section)


def _headings(lines: tuple[str, ...], oddities: Oddities) -> list[_Heading]:
    found = []
    for at, line in enumerate(lines):
        first = line[:1]
        if first in ("=", "-") and at and _UNDERLINE.fullmatch(line):
            if _is_heading(lines, at - 1, line, oddities):
                found.append(_Heading(at - 1, at + 1, 1 if first == "=" else 2))
        elif first.isupper() and line in KINDS and _stands_alone(lines, at):
            oddities.add(OddityKind.NO_UNDERLINE, line)
            found.append(_Heading(at, at + 1, 1))
    return found


def _is_heading(lines: tuple[str, ...], at: int, rule: str, oddities: Oddities) -> bool:
    """Whether the line above a rule is its heading: not indented, after a blank line, as long as the rule; a section's usual
    name may have a rule of any length, and so may any line whose rule is off by one."""
    line = lines[at]
    if not line or line[0] in " =-" or (at and lines[at - 1]):
        return line in KINDS
    if len(line) == len(rule):
        return True
    if _COLUMNS.search(line) or (line not in KINDS and abs(len(line) - len(rule)) > 3):
        return False
    oddities.add(OddityKind.UNEVEN_RULE, line)
    return True


def _stands_alone(lines: tuple[str, ...], at: int) -> bool:
    above = at == 0 or not lines[at - 1]
    below = at + 1 == len(lines) or not lines[at + 1]
    return above and below
