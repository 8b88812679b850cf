"""The archive's text form: header lines ``NAME    :value``, a rule of ``=``, then the body both forms share."""

from __future__ import annotations

import re

from haulage.engine.articles.article import Article, Form
from haulage.engine.articles.header import Header, article_of
from haulage.engine.articles.oddity import Oddities, OddityKind

DOCUMENT = re.compile(r"DOCUMENT *: *[Qq]([0-9]{4,7})\b *([0-9]{1,2}-[A-Za-z]{3}-[0-9]{4})? *(.*)")
_FIELD = re.compile(r"([A-Z][A-Z/]{2,8}) *:(.*)")
_RULE = re.compile(r"={20,}|-{40,}")
_TAG = re.compile(r"\[([^\]]*)\]")
MOST_HEADER_LINES = 40
TITLE_WIDTH = 63
"""Longer titles are cut about there."""


def is_archive_text(lines: list[str]) -> bool:
    """Whether one of the first lines is the header's first."""
    return any(DOCUMENT.match(line) for line in lines[:5])


def archive_text(lines: list[str], name: str, sha256: str, size_bytes: int, oddities: Oddities) -> Article:
    """Read an article whose lines hold a ``DOCUMENT`` header; see :func:`is_archive_text`."""
    first = next(at for at, line in enumerate(lines) if DOCUMENT.match(line))
    document = DOCUMENT.match(lines[first])
    assert document is not None
    fields: dict[str, str] = {}
    strange = [line for line in lines[:first] if line.strip()]
    end = _read_fields(lines, first + 1, fields, strange, oddities)
    tags = tuple(word for found in _TAG.findall(document[3]) for word in found.split())
    header = Header(
        id=f"Q{document[1]}",
        date=document[2] or "",
        title=fields.pop("TITLE", ""),
        product=fields.pop("PRODUCT", ""),
        versions=fields.pop("PROD/VER", ""),
        systems=fields.pop("OPER/SYS", ""),
        keywords=fields.pop("KEYWORDS", ""),
        tags=tags,
        others=fields,
        strange=tuple(strange),
        title_width=TITLE_WIDTH,
    )
    return article_of(Form.ARCHIVE_TEXT, header, lines[end:], name, sha256, size_bytes, oddities)


def _read_fields(lines: list[str], at: int, fields: dict[str, str], strange: list[str], oddities: Oddities) -> int:
    """Read fields into ``fields`` up to the rule; the number of the first line of the body."""
    last = ""
    for number in range(at, min(len(lines), at + MOST_HEADER_LINES)):
        line = lines[number]
        if _RULE.fullmatch(line):
            return number + 1 if line[0] == "=" else number
        field = _FIELD.match(line)
        if field is not None:
            last = field[1]
            fields[last] = field[2].strip()
        elif line.strip() and last:
            oddities.add(OddityKind.CONTINUED_FIELD, last)
            fields[last] = f"{fields[last]} {line.strip()}".strip()
        elif line.strip():
            strange.append(line)
        elif not line and number + 1 < len(lines) and lines[number + 1] and not _looks_like_header(lines[number + 1]):
            return number
    return min(len(lines), at + MOST_HEADER_LINES)


def _looks_like_header(line: str) -> bool:
    return _RULE.fullmatch(line) is not None or _FIELD.match(line) is not None
