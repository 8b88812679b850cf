"""A graph of fixes as an SVG drawing: boxes in columns, what has a fix to the right of it. Text and shapes only: no script, no
style sheet, no link to anywhere but the articles' own pages. Pure."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from haulage.base.text import shown
from haulage.engine.articles.graph_layout import HEIGHT, WIDTH, Box, Line, Picture
from haulage.engine.articles.graph_text import words

_MARGIN = 4
_LEFT_OUT_HEIGHT = 22
_TITLE_CHARACTERS = 27
_SENTENCES = 5
_DASHES = {"lacks": "2 3", "breaks": "6 3", "requires": "4 3", "follows": "4 3"}
_BAD = {"breaks", "lacks"}

Link = Callable[[str], str | None]
"""The address of an article's page; None for no link."""


def graph_svg(picture: Picture, link: Link | None = None) -> str:
    """The drawing as one element, to be put into a page as it is or kept as a file. Everything from articles is escaped. It looks
    well by itself; a page's style sheet may colour its classes: ``edge`` with the relation, ``box``, ``center``, ``absent``."""
    width = picture.width + 2 * _MARGIN
    height = picture.height + 2 * _MARGIN + (_LEFT_OUT_HEIGHT if picture.left_out else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-_MARGIN} {-_MARGIN} {width} {height}" width="{width}"'
        f' height="{height}" role="group" aria-label="Fixes around {escape(shown(picture.center, limit=60))}"'
        ' font-family="sans-serif" font-size="12">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#707070"/></marker></defs>',
        *map(_drawn_line, picture.lines),
        *(_drawn_box(box, link(box.id) if link else None) for box in picture.boxes),
    ]
    if picture.left_out:
        parts.append(f'<text x="0" y="{picture.height + 16}">… and {picture.left_out} more</text>')
    return "".join([*parts, "</svg>\n"])


def _drawn_line(line: Line) -> str:
    edge = line.edge
    relation = words(edge, line.tail)
    said = [f"{line.tail} {relation} {line.head}"]
    said += [f"{who}: {shown(sentence, limit=400)}" for who, sentence in edge.evidence[:_SENTENCES]]
    dashes = f' stroke-dasharray="{_DASHES[edge.kind]}"' if edge.kind in _DASHES else ""
    colour = "#b00020" if edge.kind in _BAD else "#707070"
    x, y = line.middle
    return (
        f'<g class="edge {edge.kind.value}"><title>{escape(chr(10).join(said))}</title>'
        f'<path d="{line.path}" fill="none" stroke="{colour}"{dashes} marker-end="url(#tip)"/>'
        f'<text x="{x}" y="{y - 3}" text-anchor="middle" font-size="10" class="said">{escape(relation)}</text></g>'
    )


def _drawn_box(box: Box, address: str | None) -> str:
    title = shown(" ".join(box.title.split()), limit=300)
    short = title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1] + "…"
    classes = "box" + (" center" if box.center else "") + ("" if box.held else " absent")
    told = f"{box.id} {title if box.held else '(not held here)'}"
    drawn = (
        f'<g class="{classes}" transform="translate({box.x} {box.y})"><title>{escape(shown(told, limit=400))}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#ffffff" stroke="#707070"'
        f' stroke-width="{2 if box.center else 1}"{"" if box.held else " stroke-dasharray=" + chr(34) + "4 3" + chr(34)}/>'
        f'<text x="10" y="18" class="box-id" font-weight="bold">{escape(shown(box.id, limit=40))}</text>'
        f'<text x="10" y="35" class="box-title" font-size="11">{escape(short if box.held else "not held here")}</text></g>'
    )
    return f'<a href="{escape(address)}">{drawn}</a>' if address else drawn
