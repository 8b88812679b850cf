"""A graph of fixes as text: a tree from one fix upwards (what has it) and downwards (what it has), for terminals and logs. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from haulage.base.text import shown
from haulage.engine.articles.fix_graph import UPWARDS, Edge, FixGraph
from haulage.engine.articles.statement import StatementKind

_FROM_OBJECT = {
    StatementKind.CONTAINS: "contained in",
    StatementKind.REPLACES: "replaced by",
    StatementKind.FIRST_CORRECTED: "first corrected in",
    StatementKind.LACKS: "not contained in",
    StatementKind.REQUIRES: "required by",
    StatementKind.FOLLOWS: "followed by",
    StatementKind.BREAKS: "broken by",
}
_FROM_SUBJECT = {
    StatementKind.CONTAINS: "contains",
    StatementKind.REPLACES: "replaces",
    StatementKind.FIRST_CORRECTED: "first corrected",
    StatementKind.LACKS: "lacks",
    StatementKind.REQUIRES: "requires",
    StatementKind.FOLLOWS: "follows",
    StatementKind.BREAKS: "breaks",
}


def words(edge: Edge, node: str) -> str:
    """What the edge says of its other end, seen from ``node``: ``contained in``, ``replaces``."""
    return _FROM_SUBJECT[edge.kind] if edge.subject == node else _FROM_OBJECT[edge.kind]


def graph_text(graph: FixGraph, start: str) -> str:
    """The tree as lines; a node that was told before is named again and not opened. No line is wider than its title makes it."""
    lines = [_label(graph, start)]
    lines += _branches(graph, start, {start}, upwards=True)
    lines += _branches(graph, start, {start}, upwards=False)
    if graph.cut:
        lines.append(f"… and {graph.cut} more")
    return "\n".join(lines) + "\n"


def _branches(graph: FixGraph, start: str, told: set[str], *, upwards: bool) -> Iterator[str]:
    """Depth first with a stack, so that a chain may be as long as it likes; edges to one node are one branch."""
    stack = [(other, said, "") for other, said in _next(graph, start, upwards=upwards, first=True)]
    while stack:
        other, said, margin = stack.pop()
        again = other in told
        yield f"{margin}├─ {said} {_label(graph, other)}{' (see above)' if again else ''}"
        if not again:
            told.add(other)
            stack += [(one, more, margin + "│  ") for one, more in _next(graph, other, upwards=upwards, first=False)]


def _next(graph: FixGraph, node: str, *, upwards: bool, first: bool) -> list[tuple[str, str]]:
    """Nodes to follow with what they are to ``node``, last first. Edges that do not climb are told at the fix that was asked for,
    with the way down."""
    found: dict[str, list[str]] = {}
    for edge in graph.edges:
        climbs = edge.kind in UPWARDS
        ends = (edge.object,) if climbs and upwards else (edge.subject,) if climbs else (edge.subject, edge.object)
        if node in ends and (climbs or (first and not upwards)):
            found.setdefault(edge.object if edge.subject == node else edge.subject, []).append(words(edge, node))
    return [(other, ", ".join(said)) for other, said in reversed(found.items())]


def _label(graph: FixGraph, node: str) -> str:
    title = graph.titles.get(node, "")
    return f"{node}  {shown(title, limit=100)}" if title and title != node else node
