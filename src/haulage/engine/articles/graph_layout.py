"""Which fix replaces which, laid out: older on the left, what contains or replaces it to the right. Pure numbers; ``graph_svg``
draws them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from haulage.engine.articles.fix_graph import UPWARDS, Edge, FixGraph
from haulage.engine.articles.statement import StatementKind

WIDTH, HEIGHT = 180, 44
"""Of one box, in units of the picture."""
GAP_X, GAP_Y = 110, 14
MOST_BOXES = 40
"""More are not a picture any more."""
_FIRST = (StatementKind.CONTAINS, StatementKind.REPLACES)
"""Of several relations between two fixes the one that says most is drawn."""


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One fix in the picture."""

    id: str
    title: str
    x: int
    y: int
    held: bool
    """Its article has a title here."""
    center: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A curve from box to box, as the path of an SVG, with the middle of it."""

    path: str
    middle: tuple[int, int]
    tail: str
    head: str
    edge: Edge


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The whole graph."""

    center: str
    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int
    """Boxes there was no room for."""


def picture(graph: FixGraph, center: str) -> Picture:
    """Everything around ``center``, at least its own box."""
    near = _near(center, graph.edges)
    kept = set(near[:MOST_BOXES])
    inside = _single(edge for edge in graph.edges if {edge.subject, edge.object} <= kept and edge.subject != edge.object)
    inside = [edge for edge in inside if not _told_otherwise(edge, inside)]
    rows: dict[str, tuple[int, int]] = {}
    for at, names in enumerate(_columns(kept, inside)):
        for row, name in enumerate(sorted(names, key=lambda one: (one != center, one))):
            rows[name] = (at * (WIDTH + GAP_X), row * (HEIGHT + GAP_Y))
    boxes = tuple(
        Box(id=name, title=graph.titles.get(name, ""), x=x, y=y, held=name in graph.titles, center=name == center)
        for name, (x, y) in sorted(rows.items())
    )
    return Picture(
        center=center,
        width=max(box.x for box in boxes) + WIDTH,
        height=max(box.y for box in boxes) + HEIGHT,
        boxes=boxes,
        lines=tuple(_line(edge, rows) for edge in inside),
        left_out=graph.cut + len(near) - len(kept),
    )


def ends(edge: Edge) -> tuple[str, str]:
    """Tail and head of an arrow: from a fix to what has it; of the other relations, from the subject to the object."""
    return (edge.object, edge.subject) if edge.kind in UPWARDS else (edge.subject, edge.object)


def _near(center: str, edges: Iterable[Edge]) -> list[str]:
    """What can be reached either way, the nearest first."""
    beside: dict[str, list[str]] = {}
    for edge in edges:
        beside.setdefault(edge.subject, []).append(edge.object)
        beside.setdefault(edge.object, []).append(edge.subject)
    found, at = [center], 0
    seen = {center}
    while at < len(found):
        for name in beside.get(found[at], ()):
            if name not in seen:
                seen.add(name)
                found.append(name)
        at += 1
    return found


def _single(edges: Iterable[Edge]) -> list[Edge]:
    """One line between two boxes: what is contained is replaced, too."""
    said_most = sorted(edges, key=lambda edge: _FIRST.index(edge.kind) if edge.kind in _FIRST else len(_FIRST))
    return list({ends(edge): edge for edge in reversed(said_most)}.values())


def _told_otherwise(edge: Edge, edges: Sequence[Edge]) -> bool:
    """Whether there is a longer way from the one to the other: the short one would cross what lies between."""
    if edge.kind not in UPWARDS:
        return False
    tail, head = ends(edge)
    upwards = [ends(one) for one in edges if one.kind in UPWARDS]
    seen: set[str] = set()
    wanted = {above for below, above in upwards if below == tail and above != head}
    while wanted:
        seen |= wanted
        wanted = {above for below, above in upwards if below in wanted} - seen - {tail}
    return head in seen


def _columns(names: set[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Each name as far right as the longest way to it; a circle, which articles may well claim, ends after so many
    rounds."""
    depth = dict.fromkeys(names, 0)
    for _round in range(len(names)):
        moved = False
        for tail, head in map(ends, edges):
            if depth[head] <= depth[tail] < len(names) - 1:
                depth[head] = depth[tail] + 1
                moved = True
        if not moved:
            break
    used = sorted(set(depth.values()))
    return [[name for name in names if depth[name] == one] for one in used]


def _line(edge: Edge, rows: Mapping[str, tuple[int, int]]) -> Line:
    tail, head = ends(edge)
    (x1, y1), (x2, y2) = rows[tail], rows[head]
    forward = x1 < x2
    start = (x1 + WIDTH if forward else x1, y1 + HEIGHT // 2)
    end = (x2 if forward else x2 + WIDTH, y2 + HEIGHT // 2)
    bend = (GAP_X // 2) if forward else -(GAP_X // 2)
    path = f"M{start[0]} {start[1]} C{start[0] + bend} {start[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    return Line(path=path, middle=((start[0] + end[0]) // 2, (start[1] + end[1]) // 2), tail=tail, head=head, edge=edge)
