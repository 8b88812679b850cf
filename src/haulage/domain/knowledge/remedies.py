"""From an article to the fix that helps now: its own fix, what replaces or contains it, and which of those is at hand.

What bundles say counts; what articles say of one another is shown with the sentence that says so.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from haulage.base.ids import SiteCode
from haulage.domain.fixes import records as fixes
from haulage.domain.fixes.knowing import Availability, availability, definition_of, foremost
from haulage.domain.fixes.model import Fix, outline
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import Relating, Relation
from haulage.engine.database.transaction import Transaction
from haulage.engine.servicing import graph
from haulage.engine.servicing.definition import FixDefinition, ProductRange

UPWARDS = (Relation.CONTAINED_IN, Relation.REPLACED_BY, Relation.RESOLVED_BY)
"""The other brings, or takes the place of, what this one's fix does."""
DOWNWARDS = {Relation.CONTAINS: Relation.CONTAINED_IN, Relation.REPLACES: Relation.REPLACED_BY}
MOST_FIXES = 2000
MOST_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """``over`` contains or replaces ``under``."""

    under: str
    over: str
    kind: str
    """``contained-in`` or ``replaced-by``."""
    source: str
    """``bundle``, ``person`` or ``text``."""
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What helps with an article's problem."""

    article: str
    fix: str
    """To be installed: the last one in the chain; among several the one whose bundle is at hand. "" if no fix is known at all."""
    own: bool
    """It is the article's own fix, and nothing replaces it."""
    chain: tuple[Edge, ...]
    known: Fix | None
    where: Availability


def remedy(tx: Transaction, code: SiteCode, article: str) -> Remedy:
    """The remedy for one article."""
    known = foremost(tx, code, fixes.list_fixes(tx))
    edges = edges_around(tx, known, article, upwards_only=True)
    sets = as_definitions(known, edges)
    over = graph.superseders(article, sets) if article in sets else ()
    candidates = over or tuple(name for name in sets if name == article and (name in known or edges))
    places = {name: availability(tx, code, known[name]) for name in candidates if name in known}
    best = min(candidates, key=lambda name: (not places.get(name, Availability()).here, name not in known, name), default="")
    return Remedy(
        article=article,
        fix=best,
        own=best == article,
        chain=tuple(edges),
        known=known.get(best),
        where=places.get(best, Availability()),
    )


def edges_around(tx: Transaction, known: Mapping[str, Fix], start: str, *, upwards_only: bool = False) -> list[Edge]:
    """Who contains or replaces whom, as far as one can go from ``start``: up, and unless told otherwise down too."""
    found: dict[tuple[str, str], Edge] = {}
    seen, front = {start}, {start}
    for _step in range(MOST_STEPS):
        reached: set[str] = set()
        for edge in _edges(tx, known, front, upwards_only):
            found.setdefault((edge.under, edge.over), edge)
            reached |= {edge.over} if upwards_only else {edge.over, edge.under}
        front = reached - seen
        seen |= front
        if not front or len(seen) > MOST_FIXES:
            break
    return [found[key] for key in sorted(found)]


def as_definitions(known: Mapping[str, Fix], edges: list[Edge]) -> dict[str, FixDefinition]:
    """Known fixes, and outlines of those that are only spoken of, so that one set of rules judges all of them."""
    sets = {name: definition_of(fix) for name, fix in known.items()}
    for edge in edges:
        for name in (edge.under, edge.over):
            if name not in sets:
                sets[name] = FixDefinition(id=name, title="", product=ProductRange(id="unknown"))
        over = sets[edge.over]
        if edge.under not in over.replaces and not graph.reachable(edge.under, sets, graph.replaced) & {edge.over}:
            sets[edge.over] = dataclasses.replace(over, supersedes=(*over.supersedes, edge.under))
    return sets


def _edges(tx: Transaction, known: Mapping[str, Fix], ids: set[str], upwards_only: bool) -> list[Edge]:
    edges = []
    for name, fix in known.items():
        definition = outline(fix) if not fix.document else definition_of(fix)
        for under in definition.replaces:
            if under in ids or (name in ids and not upwards_only):
                kind = Relation.CONTAINED_IN if under in definition.contains else Relation.REPLACED_BY
                edges.append(Edge(under=under, over=name, kind=kind.value, source=fix.origin, evidence=fix.evidence))
    kinds = (*UPWARDS, *DOWNWARDS)
    said = [_edge(one) for one in records.relations_of_kinds(tx, kinds, ids)]
    return edges + [edge for edge in said if edge.under in ids or not upwards_only]


def _edge(one: Relating) -> Edge:
    if one.relation in DOWNWARDS:
        return Edge(under=one.other, over=one.article, kind=DOWNWARDS[one.relation].value, source="text", evidence=one.evidence)
    # What the other's fix resolves too, it contains: that is all one's own articles say of it.
    kind = Relation.CONTAINED_IN if one.relation is Relation.RESOLVED_BY else one.relation
    return Edge(under=one.article, over=one.other, kind=kind.value, source="text", evidence=one.evidence)
