"""The tables of files in the text of a fix: date, time, version, size, name, platform in whatever order the author chose. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

from haulage.engine.articles.article import Article
from haulage.engine.articles.blocks import Block, BlockKind, blocks
from haulage.engine.articles.header import MONTHS
from haulage.engine.articles.levels import Level, level_in

_DATE = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})[a-z]*-([0-9]{4}|[0-9]{2})|([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4}|[0-9]{2})")
_TIME = re.compile(r"([0-9]{1,2}|xx):([0-9]{2}|xx)(?::[0-9]{2})?(?:[apAP]?[mM]?|[AP]\.M\.)")
_VERSION = re.compile(r"v?[0-9]+(?:\.[0-9]+){1,3}(?:\((?:[Bb]uild)?[0-9]+\))?")
_SIZE = re.compile(r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{2,10})(?:bytes)?", re.IGNORECASE)
_ROUGH_SIZE = re.compile(r"[0-9][0-9,]*(?:\.[0-9]+)?(?:[KM]?B?|bytes)?", re.IGNORECASE)
_APART = re.compile(r"(?<=[0-9]) +(?=(?:[KM]B?|bytes|[AaPp]\.?[Mm]\b\.?)(?![A-Za-z]))|(?<=\([Bb]uild) (?=[0-9])")
"""Between a number and its unit, or a build and its number."""
_NAME = re.compile(r"[A-Za-z0-9_~$&%\\/-][\w~$&%.\\/<>-]*\.[A-Za-z][A-Za-z0-9_]{0,3}")
_PLATFORMS = re.compile(r"(?:alpha|axp|intel|i-?[3-6]86|x-?86|mips|ppc|all|win\w*|msdos|ms-dos|dos|nt|neutral)\W*", re.IGNORECASE)
_COLUMNS = ("date", "time", "size", "version", "file", "platform")
_MOST_COLUMN_WORDS = 12
_MAYBE = re.compile(r"[0-9][-/](?:[0-9]{1,2}|[A-Za-z]{3,9})[-/][0-9]{2}|[0-9]\.[0-9]+\.[0-9]{2,}")
"""Without any of these a section has no table."""
_CENTURY = 70
"""Two-digit years from there on are of the 1900s."""
MOST_FILES = 5000


class FileFact(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: what a file of the fix looks like. Fields that the table does not tell are None or ""."""

    name: str
    version: str | None = None
    size_bytes: int | None = None
    rough_size: str = ""
    """As written, where that is not the number of bytes: ``249KB``."""
    date: dt.date | None = None
    time: str = ""
    """As written; the time zone is not told."""
    platform: str = ""


class FileTable(msgspec.Struct, frozen=True, kw_only=True):
    """A table with the sentence that introduces it."""

    introduction: str
    level: Level | None
    """The service level the introduction names: the fix is for sites of that level."""
    files: tuple[FileFact, ...]


def file_tables(article: Article) -> tuple[FileTable, ...]:
    """All tables of files in an article; a table goes on over blank lines and new headings of columns until words stand between."""
    found: list[FileTable] = []
    for section in article.sections:
        introduction = ""
        files: list[FileFact] = []
        texts = [section.text, *(one.text for one in section.subsections)]
        if not any(map(_MAYBE.search, texts)):
            continue
        for block in (part for text in texts for part in _parts(text)):
            rows = list(_rows(block))
            if rows:
                files += rows[: MOST_FILES - len(files)]
            elif not _is_frame(block):
                _close(found, introduction, files)
                introduction, files = block.text, []
        _close(found, introduction, files)
    return tuple(found)


def unread_rows(article: Article) -> list[str]:
    """Lines that look like a row of such a table and are none to :func:`file_tables`, so that none is lost unseen."""
    found = []
    for section in article.sections:
        for line in section.whole().split("\n"):
            words = line.split()
            if len(words) > 2 and _DATE.fullmatch(words[0]) and any(map(_NAME.fullmatch, words)) and row(line) is None:
                found.append(line.strip())
    return found


def row(line: str) -> FileFact | None:
    """One line of a table: a name and a date, or a name with version and size. None for any other line."""
    words = _APART.sub("", line).split()
    if not 3 <= len(words) <= 12:
        return None
    found: dict[str, str] = {}
    rest: list[str] = []
    for word in words:
        kind = _kind(word, found) if not rest or ("version" not in found and _VERSION.fullmatch(word)) else None
        if kind is None:
            rest.append(word)
        else:
            found[kind] = word
    if "rough" in found and "size" in found and "version" not in found:
        found["version"] = found.pop("rough")
    date = _date(found.get("date", ""))
    if "name" not in found or not (date or ("version" in found and "size" in found)) or not _is_platform(rest):
        return None
    exact = _SIZE.fullmatch(found.get("size", ""))
    return FileFact(
        name=found["name"],
        version=found["version"].lstrip("v") if "version" in found else None,
        size_bytes=int(exact[1].replace(",", "")) if exact else None,
        rough_size=found.get("rough", ""),
        date=date,
        time=found.get("time", ""),
        platform=" ".join(rest).strip("() "),
    )


def _kind(word: str, found: dict[str, str]) -> str | None:
    """Which column a word belongs to, given those that were filled before it; None for what ends the row: the platform."""
    if "date" not in found and _DATE.fullmatch(word):
        return "date"
    if "time" not in found and _TIME.fullmatch(word):
        return "time"
    if "version" not in found and _VERSION.fullmatch(word):
        return "version"
    if "size" in found and "version" not in found and _ROUGH_SIZE.fullmatch(word):
        found["version"] = found.pop("size")
    if "size" not in found and _SIZE.fullmatch(word):
        return "size"
    if "rough" not in found and "size" not in found and _ROUGH_SIZE.fullmatch(word):
        return "rough"
    return "name" if "name" not in found and _NAME.fullmatch(word) else None


def _is_platform(rest: list[str]) -> bool:
    """Whether the words left of a line name a platform, or are the few of a remark in that column."""
    return not rest or _PLATFORMS.fullmatch(rest[0].strip("()")) is not None or (len(rest) <= 2 and len(" ".join(rest)) <= 24)


def _date(word: str) -> dt.date | None:
    found = _DATE.fullmatch(word)
    if found is None:
        return None
    day, month, year = (
        (int(found[1]), MONTHS.get(found[2].upper(), 0), int(found[3]))
        if found[1]
        else (int(found[5]), int(found[4]), int(found[6]))
    )
    if year < 100:
        year += 1900 if year >= _CENTURY else 2000
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _parts(text: str) -> Iterator[Block]:
    for block in blocks(text):
        if block.kind is BlockKind.REFERENCE:
            yield Block(BlockKind.PARAGRAPH, f"{block.target} {block.text}")
        else:
            yield block


def _rows(block: Block) -> Iterator[FileFact]:
    for line in block.text.split("\n"):
        found = row(line)
        if found is not None:
            yield found


def _is_frame(block: Block) -> bool:
    """Whether a block is nothing but headings of columns and rules."""
    for line in block.text.split("\n"):
        words = line.lower().split()
        if len(words) > _MOST_COLUMN_WORDS:
            return False
        named = sum(word.startswith(_COLUMNS) for word in words)
        if named * 2 < len(words) and line.strip(" -="):
            return False
    return True


def _close(found: list[FileTable], introduction: str, files: list[FileFact]) -> None:
    if files:
        found.append(FileTable(introduction=introduction, level=_level(introduction), files=tuple(files)))


def _level(introduction: str) -> Level | None:
    level = level_in(introduction)
    return None if level is None or level.latest else level
