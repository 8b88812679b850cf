"""The shown part of the tree of sites, laid out: the top on the left, each level one column further, parents beside the middle of
their children. Pure numbers; the template draws them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from haulage.base.ids import SiteCode
from haulage.domain.reporting.hierarchy_view import Node

WIDTH, HEIGHT = 208, 48
"""Of one box, in units of the picture."""
GAP_X, GAP_Y = 52, 10
PILL_WIDTH = 132
"""Of what stands beside a site whose children are not shown."""
MARGIN = 6


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One node with its place."""

    node: Node
    x: int
    y: int


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """The way between a site and its parent, as the path of an SVG."""

    path: str
    child: SiteCode | None
    """None: to those left out."""
    link: str
    """How the child is reached."""
    busy: bool


class TreePicture(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture."""

    width: int
    height: int
    boxes: Sequence[Box]
    lines: Sequence[Line]


def lay_out(nodes: Sequence[Node]) -> TreePicture:
    """``nodes`` come parents first. Every leaf gets a row of its own."""
    depth, rows = _depths(nodes), _rows(nodes)
    at = {_key(node): (depth[_key(node)] * (WIDTH + GAP_X), round(rows[_key(node)] * (HEIGHT + GAP_Y))) for node in nodes}
    boxes = [Box(node=node, x=at[_key(node)][0], y=at[_key(node)][1]) for node in nodes]
    lines = [
        _line(node, at[str(node.parent)], at[_key(node)]) for node in nodes if node.parent is not None and str(node.parent) in at
    ]
    right = max(
        (box.x + WIDTH + (PILL_WIDTH + 10 if box.node.site is not None and box.node.hidden else 0) for box in boxes), default=WIDTH
    )
    bottom = max((box.y + HEIGHT for box in boxes), default=HEIGHT)
    return TreePicture(width=right, height=bottom, boxes=boxes, lines=lines)


def _key(node: Node) -> str:
    return str(node.site.code) if node.site is not None else f"more of {node.parent}"


def _depths(nodes: Sequence[Node]) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in nodes:
        found[_key(node)] = found.get(str(node.parent), -1) + 1 if node.parent is not None else 0
    return found


def _rows(nodes: Sequence[Node]) -> dict[str, float]:
    """In which row each node stands: leaves one below the other, a parent in the middle of its first and last child."""
    parents = {str(node.parent) for node in nodes if node.parent is not None}
    spans: dict[str, tuple[float, float]] = {}
    found: dict[str, float] = {}
    leaf = 0
    for node in nodes:
        if _key(node) not in parents:
            found[_key(node)] = leaf
            leaf += 1
    for node in reversed(nodes):
        key = _key(node)
        if key in spans:
            found[key] = (spans[key][0] + spans[key][1]) / 2
        if node.parent is not None:
            low, high = spans.get(str(node.parent), (found[key], found[key]))
            spans[str(node.parent)] = (min(low, found[key]), max(high, found[key]))
    return found


def _line(node: Node, tail: tuple[int, int], head: tuple[int, int]) -> Line:
    x1, y1 = tail[0] + WIDTH, tail[1] + HEIGHT // 2
    x2, y2 = head[0], head[1] + HEIGHT // 2
    middle = (x1 + x2) // 2
    path = f"M{x1} {y1}H{x2}" if y1 == y2 else f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    site = node.site
    return Line(
        path=path,
        child=None if site is None else site.code,
        link="more" if site is None else site.link.state,
        busy=site is not None and site.standing.busy > 0,
    )
