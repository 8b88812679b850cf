"""The text of a section of the archive as blocks: paragraphs, items, references, fixed text. What reads sentences and what shows a
page both start here. Pure; a block holds the words as given, only unwrapped where a paragraph was wrapped."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterator

import msgspec

ID_TEXT = r"[Qq]([0-9]{5,6})"
_REFERENCE = re.compile(rf"(\s+)(?:- )?{ID_TEXT}(?:[:,.]?\s+(\S.*))?")
_AT_MARGIN = re.compile(rf"{ID_TEXT}[:,.]?\s+(\S.*)")
_TABLE_ROW = re.compile(rf"\s*\|\s*{ID_TEXT}\s*\|\s*(\S.*?)\s*\|")
_BULLET = re.compile(r"(\s*)(?:[-*o•]|[0-9]{1,2}[.)]|[a-zA-Z][.)])\s+\S")
_COLUMNS = re.compile(r"\S {3,}\S")
FIXED_INDENT = 2
"""Indented that far and more without being an item is fixed text: commands, file tables, log lines."""


class BlockKind(enum.StrEnum):
    """What a block is."""

    PARAGRAPH = "paragraph"
    ITEM = "item"
    REFERENCE = "reference"
    FIXED = "fixed"


class Block(msgspec.Struct, frozen=True):
    """One block: for FIXED the lines as they were, otherwise one line of words."""

    kind: BlockKind
    text: str
    target: str = ""
    """Of a reference: the article's id; ``text`` is its title."""
    wrapped: bool = False
    """Whether a reference's title went on in a further line."""


_REMEMBERED_CHARACTERS = 1 << 16


def blocks(text: str) -> tuple[Block, ...]:
    """The blocks of ``text`` in order. A blank line ends a block; an item and a reference also end where the next one starts.
    References, tables and sentences of one article are all read from them, so the last texts are remembered."""
    return _remembered(text) if len(text) < _REMEMBERED_CHARACTERS else tuple(_blocks(text))


@functools.lru_cache(maxsize=32)
def _remembered(text: str) -> tuple[Block, ...]:
    return tuple(_blocks(text))


def _blocks(text: str) -> Iterator[Block]:
    run: list[str] = []
    for line in text.split("\n"):
        if not line:
            if run:
                yield from _of_run(run)
                run = []
        else:
            run.append(line)
    if run:
        yield from _of_run(run)


def _of_run(run: list[str]) -> Iterator[Block]:
    """Blocks of lines without a blank one between."""
    if _AT_MARGIN.fullmatch(run[0]) and _is_list(run):
        yield from _at_margin(run)
        return
    at = 0
    while at < len(run):
        line = run[at]
        end = at + 1
        reference = _REFERENCE.fullmatch(line)
        if reference is not None:
            end = _title_end(run, end, len(reference[1]))
            title = " ".join([reference[3] or "", *(one.strip() for one in run[at + 1 : end])]).strip()
            yield Block(BlockKind.REFERENCE, " ".join(title.split()), f"Q{reference[2]}", end > at + 1)
        elif (cell := _TABLE_ROW.match(line)) is not None:
            yield Block(BlockKind.REFERENCE, " ".join(cell[2].split()), f"Q{cell[1]}")
        elif line[:1] != " " or _BULLET.match(line):
            item = _BULLET.match(line) is not None
            while end < len(run) and not _starts_item(run, end) and not _starts_other(run[end], item):
                end += 1
            kind = BlockKind.ITEM if item else BlockKind.PARAGRAPH
            yield Block(kind, " ".join(" ".join(run[at:end]).split()))
        else:
            while end < len(run) and run[end][:1] == " " and not _REFERENCE.fullmatch(run[end]):
                end += 1
            yield Block(BlockKind.FIXED, "\n".join(run[at:end]))
        at = end


def _is_list(run: list[str]) -> bool:
    """Whether lines that start at the margin with an article's number are a list rather than a sentence: half of several, or a
    single one without a full stop."""
    number = sum(_AT_MARGIN.fullmatch(line) is not None for line in run)
    return number >= max(2, len(run) / 2) or (len(run) <= 2 and not run[-1].endswith((".", ":")))


def _at_margin(run: list[str]) -> Iterator[Block]:
    """References of a list at the margin; other lines go on with the title above."""
    target, title, lines = "", "", 0
    for line in run:
        found = _AT_MARGIN.fullmatch(line)
        if found is None:
            title, lines = f"{title} {line.strip()}", lines + 1
            continue
        if target:
            yield Block(BlockKind.REFERENCE, " ".join(title.split()), target, lines > 1)
        target, title, lines = f"Q{found[1]}", found[2], 1
    yield Block(BlockKind.REFERENCE, " ".join(title.split()), target, lines > 1)


def _starts_item(run: list[str], at: int) -> bool:
    """Whether a line starts an item; a number at its start may also be the end of a sentence: "Service Pack / 1." """
    return _BULLET.match(run[at]) is not None and not (run[at][:1].isdigit() and run[at - 1][-1:].isalnum())


def _starts_other(line: str, item: bool) -> bool:
    """Whether a line cannot go on with the paragraph or item before it."""
    if _REFERENCE.fullmatch(line) or _TABLE_ROW.match(line):
        return True
    return not item and line.startswith(" " * FIXED_INDENT)


def _title_end(run: list[str], at: int, indent: int) -> int:
    """Where the title of a reference ends: it goes on in lines indented as far as its number (in old lists: as its title)."""
    while at < len(run):
        line = run[at]
        depth = len(line) - len(line.lstrip())
        if depth < indent or depth == 0 or _REFERENCE.fullmatch(line) or _BULLET.match(line) or _COLUMNS.search(line):
            break
        at += 1
    return at
