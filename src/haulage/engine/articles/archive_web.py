"""The archive's web form, as the text of its page: the archive's banner, a line ``Qn: title``, fields ``Name(s): value``, then the
body both forms share."""

from __future__ import annotations

import re

from haulage.engine.articles.article import Article, Form
from haulage.engine.articles.header import Header, article_of
from haulage.engine.articles.oddity import Oddities, OddityKind

_ARTICLE = re.compile(r"Article *: *[Qq]([0-9]{4,7})\s*")
_FIELD = re.compile(r"(Article|Product\(s\)|Version\(s\)|Operating System\(s\)|Keyword\(s\)|Last Modified) *:(.*)")
_RULE = re.compile(r"-{40,}|={40,}")
_BANNER = ("KnowledgeBase Archive", "An Archive of Early Microsoft KnowledgeBase Articles", "View on GitHub")
MOST_HEADER_LINES = 60


def is_archive_web(lines: list[str]) -> bool:
    """Whether one of the first lines names the article as the page does."""
    return any(_ARTICLE.fullmatch(line) for line in lines[:MOST_HEADER_LINES])


def archive_web(lines: list[str], name: str, sha256: str, size_bytes: int, oddities: Oddities) -> Article:
    """Read an article whose lines hold an ``Article:`` field; see :func:`is_archive_web`."""
    first, number = next((at, found[1]) for at, line in enumerate(lines) if (found := _ARTICLE.fullmatch(line)))
    title, strange = _title(lines[:first], f"Q{number}")
    fields: dict[str, str] = {}
    end = _read_fields(lines, first + 1, fields, strange, oddities)
    header = Header(
        id=f"Q{number}",
        date=fields.pop("Last Modified", ""),
        title=title,
        product=fields.pop("Product(s)", ""),
        versions=fields.pop("Version(s)", ""),
        systems=fields.pop("Operating System(s)", ""),
        keywords=fields.pop("Keyword(s)", ""),
        tags=(),
        others=fields,
        strange=tuple(strange),
        title_width=None,
    )
    return article_of(Form.ARCHIVE_WEB, header, lines[end:], name, sha256, size_bytes, oddities)


def _title(lines: list[str], own: str) -> tuple[str, list[str]]:
    """The title in the lines above the fields, and the lines that are neither title nor banner."""
    title = ""
    others = []
    start = re.compile(rf"{own}\s*:\s*(.*)", re.IGNORECASE)
    for line in lines:
        found = start.match(line)
        if found is not None and not title:
            title = found[1].strip()
        elif line.strip() and line.strip() not in _BANNER:
            others.append(line)
    return title, others


def _read_fields(lines: list[str], at: int, fields: dict[str, str], strange: list[str], oddities: Oddities) -> int:
    """Read fields into ``fields`` up to the first rule; its number, or of the first line of a body without one."""
    last = ""
    for number in range(at, min(len(lines), at + MOST_HEADER_LINES)):
        line = lines[number]
        if _RULE.fullmatch(line):
            return number
        field = _FIELD.match(line)
        if field is not None:
            last = field[1]
            fields[last] = field[2].strip()
        elif line.strip() and last and not lines[number - 1]:
            return number
        elif line.strip() and last:
            oddities.add(OddityKind.CONTINUED_FIELD, last)
            fields[last] = f"{fields[last]} {line.strip()}".strip()
        elif line.strip():
            strange.append(line)
    return min(len(lines), at + MOST_HEADER_LINES)
