"""A graph of fixes as an SVG drawing: boxes in columns, what has a fix to the right of it. Text and shapes only: no script, no
style sheet, no link to anywhere but the articles' own pages. Pure."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from haulage.base.text import shown
from haulage.engine.articles.fix_graph import UPWARDS, Edge, FixGraph
from haulage.engine.articles.graph_text import words

BOX_WIDTH, BOX_HEIGHT = 220, 40
GAP_WIDTH, GAP_HEIGHT = 130, 16
MARGIN = 12
_TITLE_CHARACTERS = 34
_DASHES = {"lacks": "2 3", "breaks": "6 3", "requires": "8 2 2 2", "follows": "8 2 2 2"}
_BAD = {"breaks", "lacks"}

Link = Callable[[str], str | None]
"""The address of an article's page; None for no link."""


def graph_svg(graph: FixGraph, start: str, link: Link | None = None) -> str:
    """The drawing as one element, to be put into a page as it is or kept as a file. Everything from articles is escaped."""
    places = _places(graph, start)
    width = MARGIN * 2 + max((column for column, _ in places.values()), default=0) * (BOX_WIDTH + GAP_WIDTH) + BOX_WIDTH
    height = MARGIN * 2 + max((row for _, row in places.values()), default=0) * (BOX_HEIGHT + GAP_HEIGHT) + BOX_HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="Fixes around {escape(shown(start, limit=60))}" font-family="sans-serif" font-size="12">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="currentColor"/></marker></defs>',
    ]
    parts += [_arrow(edge, places) for edge in graph.edges if edge.subject in places and edge.object in places]
    parts += [_box(node, place, graph, node == start, link(node) if link else None) for node, place in places.items()]
    return "".join([*parts, "</svg>\n"])


def _places(graph: FixGraph, start: str) -> dict[str, tuple[int, int]]:
    """Column and row of each node: further right than all it has or replaces; a ring ends where it closes."""
    nodes = graph.nodes() or [start]
    columns = dict.fromkeys(nodes, 0)
    climbing = [edge for edge in graph.edges if edge.kind in UPWARDS]
    for _ in nodes:
        moved = False
        for edge in climbing:
            wanted = columns[edge.object] + 1
            if columns[edge.subject] < wanted < len(nodes):
                columns[edge.subject], moved = wanted, True
        if not moved:
            break
    used = sorted(set(columns.values()))
    rows: dict[int, int] = {}
    places = {}
    for node in sorted(nodes, key=lambda one: (columns[one], one != start, one)):
        column = used.index(columns[node])
        places[node] = (column, rows.get(column, 0))
        rows[column] = rows.get(column, 0) + 1
    return places


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return MARGIN + place[0] * (BOX_WIDTH + GAP_WIDTH), MARGIN + place[1] * (BOX_HEIGHT + GAP_HEIGHT)


def _arrow(edge: Edge, places: dict[str, tuple[int, int]]) -> str:
    """From the object to what has it; of the other relations, from the subject to the object."""
    climbs = edge.kind in UPWARDS
    tail, head = (edge.object, edge.subject) if climbs else (edge.subject, edge.object)
    (x1, y1), (x2, y2) = _corner(places[tail]), _corner(places[head])
    y1, y2 = y1 + BOX_HEIGHT // 2, y2 + BOX_HEIGHT // 2
    if x2 > x1:
        x1 += BOX_WIDTH
        bend = (x1 + x2) // 2
    elif x2 < x1:
        x2 += BOX_WIDTH
        bend = (x1 + x2) // 2
    else:
        bend = x1 = x2 = x1 + BOX_WIDTH
        bend += GAP_WIDTH // 3
    dashes = f' stroke-dasharray="{_DASHES[edge.kind]}"' if edge.kind in _DASHES else ""
    colour = "#b00020" if edge.kind in _BAD else "currentColor"
    said = "\n".join(f"{article}: {shown(sentence, limit=400)}" for article, sentence in edge.evidence[:5])
    return (
        f'<g color="{colour}"><title>{escape(said)}</title>'
        f'<path d="M{x1} {y1} C{bend} {y1} {bend} {y2} {x2} {y2}" fill="none" stroke="currentColor"{dashes}'
        ' marker-end="url(#arrow)"/>'
        f'<text x="{bend}" y="{(y1 + y2) // 2 - 3}" text-anchor="middle" font-size="10">{escape(words(edge, tail))}</text></g>'
    )


def _box(node: str, place: tuple[int, int], graph: FixGraph, asked: bool, address: str | None) -> str:
    x, y = _corner(place)
    title = shown(graph.titles.get(node, ""), limit=300)
    short = title if len(title) <= _TITLE_CHARACTERS else title[: _TITLE_CHARACTERS - 1] + "…"
    drawn = (
        f"<g><title>{escape(f'{node} {title}'.strip())}</title>"
        f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="4" fill="none" stroke="currentColor"'
        f' stroke-width="{2 if asked else 1}"/>'
        f'<text x="{x + 8}" y="{y + 16}" font-weight="bold">{escape(shown(node, limit=40))}</text>'
        f'<text x="{x + 8}" y="{y + 32}" font-size="11">{escape(short)}</text></g>'
    )
    return f'<a href="{escape(address)}">{drawn}</a>' if address else drawn
