"""The text of an article as HTML: paragraphs, lists, fixed text and links to other articles. Whatever an article holds, only what
this module writes becomes markup; knows no page."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from markupsafe import Markup, escape

from haulage.base.text import shown
from haulage.engine.articles.blocks import Block, BlockKind, blocks

NAMED = re.compile(r"\b(Q\d{5,6}|HLG\d{3,5})\b")
_NUMBERED = re.compile(r"\s*([0-9]{1,2}|[a-zA-Z])[.)]\s+")
_BULLET = re.compile(r"\s*[-*o•]\s+")
_MOST_LINE = 4000
"""A line is cut there: nobody reads further, and no browser should have to lay it out."""


def plain_html(text: str, held: Collection[str]) -> Markup:
    """Text of the archive. ``held`` are the articles that are here: only those become links."""
    found = list(blocks(text))
    parts: list[Markup] = []
    for kind, run in groupby(found, key=_group):
        group = list(run)
        if kind.startswith("item"):
            parts += _lists(group, held)
        else:
            parts += [_block(block, held) for block in group]
    return Markup("\n").join(parts)


def linked(text: str, held: Collection[str]) -> Markup:
    """One line of words in which articles are links."""
    pieces = NAMED.split(shown(text, limit=_MOST_LINE))
    return Markup("").join(_article_link(piece, piece) if odd and piece in held else escape(piece) for odd, piece in _odd(pieces))


def _odd(pieces: Iterable[str]) -> Iterator[tuple[bool, str]]:
    for at, piece in enumerate(pieces):
        yield at % 2 == 1, piece


def _group(block: Block) -> str:
    if block.kind is not BlockKind.ITEM:
        return block.kind.value
    return "item-number" if _NUMBERED.match(block.text) else "item"


def _lists(items: list[Block], held: Collection[str]) -> list[Markup]:
    """Items in one list; what they were numbered with stays, since other text may refer to it."""
    rows = []
    for item in items:
        number = _NUMBERED.match(item.text)
        words = item.text[number.end() :] if number else _BULLET.sub("", item.text, count=1)
        value = Markup(' value="{}"').format(number[1]) if number and number[1].isdecimal() else Markup("")
        rows.append(Markup("<li{}>{}</li>").format(value, linked(words, held)))
    frame = Markup("<ol>{}</ol>") if _NUMBERED.match(items[0].text) else Markup("<ul>{}</ul>")
    return [frame.format(Markup("").join(rows))]


def _block(block: Block, held: Collection[str]) -> Markup:
    if block.kind is BlockKind.FIXED:
        return Markup('<pre tabindex="0">{}</pre>').format(_fixed(block.text))
    if block.kind is BlockKind.REFERENCE:
        title = escape(shown(block.text, limit=_MOST_LINE))
        name = _article_link(block.target, block.target) if block.target in held else Markup("<span>{}</span>").format(block.target)
        return Markup('<p class="reference">{} <span class="reference-title">{}</span></p>').format(name, title)
    return Markup("<p>{}</p>").format(linked(block.text, held))


def _fixed(text: str) -> str:
    lines = text.split("\n")
    depth = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return "\n".join(shown(line[depth:], limit=_MOST_LINE) for line in lines)


def _article_link(article: str, words: str) -> Markup:
    return Markup('<a href="/knowledge/{}">{}</a>').format(article, words)
