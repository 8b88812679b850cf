"""Which fix replaces which, laid out as a picture: older on the left, what contains or replaces it to the right. Pure numbers; what
draws them is a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

WIDTH, HEIGHT = 150, 44
"""Of one box, in units of the picture."""
GAP_X, GAP_Y = 46, 14
MOST_BOXES = 40
"""More are not a picture any more; the list beside it has them all."""


class Edge(msgspec.Struct, frozen=True):
    """``old``'s fix is in, or is replaced by, ``new``'s; or needs it first."""

    old: str
    new: str
    relation: str


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One fix in the picture."""

    id: str
    title: str
    x: int
    y: int
    held: bool
    center: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A curve from box to box, as the path of an SVG."""

    path: str
    relation: str
    old: str
    new: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """The whole graph."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int
    """Boxes there was no room for."""


def picture(center: str, edges: Sequence[Edge], titles: Mapping[str, str], *, left_out: int = 0) -> Picture | None:
    """Everything around ``center``; None if nothing stands to it in any relation. ``titles`` has those that are here;
    ``left_out`` were never among the edges."""
    near = _near(center, edges)
    if len(near) < 2:
        return None
    kept = set(near[:MOST_BOXES])
    inside = _single(edge for edge in edges if edge.old in kept and edge.new in kept and edge.old != edge.new)
    inside = [edge for edge in inside if not _told_otherwise(edge, inside)]
    columns = _columns(kept, inside)
    rows: dict[str, tuple[int, int]] = {}
    for at, names in enumerate(columns):
        for row, name in enumerate(sorted(names, key=lambda one: (one != center, one))):
            rows[name] = (at * (WIDTH + GAP_X), row * (HEIGHT + GAP_Y))
    boxes = tuple(
        Box(id=name, title=titles.get(name, ""), x=x, y=y, held=name in titles, center=name == center)
        for name, (x, y) in sorted(rows.items())
    )
    return Picture(
        width=max(box.x for box in boxes) + WIDTH,
        height=max(box.y for box in boxes) + HEIGHT,
        boxes=boxes,
        lines=tuple(_line(edge, rows) for edge in inside),
        left_out=left_out + len(near) - len(kept),
    )


def _near(center: str, edges: Iterable[Edge]) -> list[str]:
    """What can be reached either way, the nearest first."""
    beside: dict[str, list[str]] = {}
    for edge in edges:
        beside.setdefault(edge.old, []).append(edge.new)
        beside.setdefault(edge.new, []).append(edge.old)
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
    order = sorted(edges, key=lambda edge: edge.relation != "contained-in")
    return list({(edge.old, edge.new): edge for edge in reversed(order)}.values())


def _told_otherwise(edge: Edge, edges: Sequence[Edge]) -> bool:
    """Whether there is a longer way from the one to the other: the short one would cross what lies between."""
    seen: set[str] = set()
    wanted = {one.new for one in edges if one.old == edge.old and one.new != edge.new}
    while wanted:
        seen |= wanted
        wanted = {one.new for one in edges if one.old in wanted} - seen - {edge.old}
    return edge.new in seen


def _columns(names: set[str], edges: Sequence[Edge]) -> list[list[str]]:
    """Each name as far right as the longest way to it; a circle, which articles may well claim, ends after so many
    rounds."""
    depth = dict.fromkeys(names, 0)
    for _round in range(len(names)):
        moved = False
        for edge in edges:
            if depth[edge.new] <= depth[edge.old] < len(names) - 1:
                depth[edge.new] = depth[edge.old] + 1
                moved = True
        if not moved:
            break
    used = sorted(set(depth.values()))
    return [[name for name in names if depth[name] == one] for one in used]


def _line(edge: Edge, rows: Mapping[str, tuple[int, int]]) -> Line:
    (x1, y1), (x2, y2) = rows[edge.old], rows[edge.new]
    forward = x1 < x2
    start = (x1 + WIDTH if forward else x1, y1 + HEIGHT // 2)
    end = (x2 if forward else x2 + WIDTH, y2 + HEIGHT // 2)
    bend = (GAP_X // 2) if forward else -(GAP_X // 2)
    path = f"M{start[0]} {start[1]} C{start[0] + bend} {start[1]} {end[0] - bend} {end[1]} {end[0]} {end[1]}"
    return Line(path=path, relation=edge.relation, old=edge.old, new=edge.new)
