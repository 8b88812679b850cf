"""What many articles say about fixes, as one graph: fixes and service levels, and what one is to another. Pure; takes values from
anywhere and says nothing of where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from haulage.engine.articles.levels import Level
from haulage.engine.articles.statement import End, Statement, StatementKind

UPWARDS = (StatementKind.CONTAINS, StatementKind.REPLACES, StatementKind.FIRST_CORRECTED)
"""Whose subject is to be taken instead of, or has, the object."""
MOST_NODES = 200
"""More are not drawn around one fix; how many were left out is said."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One arrow, with the sentences it rests on. Ends are ids of articles, or levels as text."""

    subject: str
    kind: StatementKind
    object: str
    evidence: tuple[tuple[str, str], ...] = ()
    """(article, sentence), each once."""


class FixGraph(msgspec.Struct, frozen=True, kw_only=True):
    """Edges in a stable order; ``titles`` of what is known, by name of the end; ``cut`` nodes were left out."""

    edges: tuple[Edge, ...]
    titles: Mapping[str, str]
    cut: int = 0

    def nodes(self) -> list[str]:
        """Every end, in the order of their first edge."""
        return list(dict.fromkeys(end for edge in self.edges for end in (edge.subject, edge.object)))


def fix_graph(statements: Iterable[Statement], titles: Mapping[str, str]) -> FixGraph:
    """Put statements together: a level becomes the article that lists its fixes, where any statement tells which that is; what
    several articles say is one edge with several sentences."""
    said = list(statements)
    listed = _lists(said)
    names = dict(titles)
    for article, level in listed.items():
        names.setdefault(article, str(level))
    found: dict[tuple[str, StatementKind, str], dict[tuple[str, str], None]] = {}
    for one in said:
        subject, other = _name(one.subject, listed), _name(one.object, listed)
        if subject != other:
            found.setdefault((subject, one.kind, other), {})[(one.said_by, one.sentence)] = None
    edges = (Edge(subject=key[0], kind=key[1], object=key[2], evidence=tuple(sentences)) for key, sentences in found.items())
    return FixGraph(edges=tuple(sorted(edges, key=lambda edge: (edge.subject, edge.kind, edge.object))), titles=names)


def around(graph: FixGraph, start: str, *, levels: bool = True) -> FixGraph:
    """The part of a graph about one fix: what it leads to and what leads to it, one way each, so that the other fixes of a rollup
    stay out unless the rollup itself is asked for. Without ``levels`` service levels are left out."""
    wanted = [edge for edge in graph.edges if levels or (_is_article(edge.subject) and _is_article(edge.object))]
    above = _reached(start, wanted, UPWARDS, lambda edge: (edge.object, edge.subject))
    below = _reached(start, wanted, UPWARDS, lambda edge: (edge.subject, edge.object))
    kept = {*above, *below, *_beside(start, wanted)}
    nodes = list(dict.fromkeys([start, *above, *below, *sorted(kept)]))[:MOST_NODES]
    inside = set(nodes)
    edges = tuple(edge for edge in wanted if edge.subject in inside and edge.object in inside and _told(edge, start, above, below))
    return FixGraph(edges=edges, titles=graph.titles, cut=len(kept | {start}) - len(nodes))


def rings(graph: FixGraph) -> list[list[str]]:
    """Fixes that contain or replace each other in a ring: each is to be settled by a person before definitions are made of it."""
    leads: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.kind in (StatementKind.CONTAINS, StatementKind.REPLACES):
            leads.setdefault(edge.subject, []).append(edge.object)
    found: dict[frozenset[str], list[str]] = {}
    done: set[str] = set()
    for start in sorted(leads):
        way: list[str] = []
        left: list[tuple[str, bool]] = [(start, False)]
        while left:
            node, leaving = left.pop()
            if leaving:
                way.pop()
                done.add(node)
            elif node in way:
                ring = way[way.index(node) :]
                found.setdefault(frozenset(ring), ring)
            elif node not in done:
                way.append(node)
                left.append((node, True))
                left.extend((one, False) for one in reversed(leads.get(node, ())))
    return list(found.values())


def _lists(statements: list[Statement]) -> dict[str, Level]:
    """Articles that list the fixes of a level. An article that lists several levels stands for its highest."""
    found: dict[str, Level] = {}
    for one in statements:
        for end in (one.subject, one.object):
            if end.article and end.level is not None:
                before = found.get(end.article)
                if before is None or (end.level.pack or 0, end.level.rollup) > (before.pack or 0, before.rollup):
                    found[end.article] = end.level
    return found


def _name(end: End, listed: Mapping[str, Level]) -> str:
    """What an end is called: the article, otherwise the list of its level where there is exactly one that fits, else the level."""
    if end.article or end.level is None:
        return end.article
    fitting = [article for article, level in listed.items() if _same(end.level, level)]
    return fitting[0] if len(fitting) == 1 else str(end.level)


def _same(named: Level, listed: Level) -> bool:
    """Whether a level as a sentence names it is the one of a list: a rollup may be named without its service pack."""
    if named.product != listed.product or named.rollup != listed.rollup or named.latest:
        return False
    if named.version and named.version != listed.version:
        return False
    return named.pack == listed.pack if named.pack or not named.rollup else True


def _is_article(name: str) -> bool:
    return name[:1].isalpha() and name[-1:].isdigit() and " " not in name and "." not in name


def _reached(
    start: str, edges: list[Edge], kinds: tuple[StatementKind, ...], way: Callable[[Edge], tuple[str, str]]
) -> dict[str, None]:
    """Nodes reached from ``start`` over edges of these kinds, in order of distance."""
    next_of: dict[str, list[str]] = {}
    for edge in edges:
        if edge.kind in kinds:
            first, second = way(edge)
            next_of.setdefault(first, []).append(second)
    found: dict[str, None] = {}
    left = [start]
    for node in left:
        for one in next_of.get(node, ()):
            if one not in found and one != start:
                found[one] = None
                left.append(one)
    return found


def _beside(start: str, edges: list[Edge]) -> Iterator[str]:
    """What ``start`` has any other relation with."""
    for edge in edges:
        if edge.subject == start:
            yield edge.object
        elif edge.object == start:
            yield edge.subject


def _told(edge: Edge, start: str, above: Mapping[str, None], below: Mapping[str, None]) -> bool:
    """Whether an edge belongs to the part about ``start``: its own, or between what is on one side of it."""
    if start in (edge.subject, edge.object):
        return True
    if edge.kind not in UPWARDS:
        return False
    return (edge.subject in above and edge.object in above) or (edge.subject in below and edge.object in below)
