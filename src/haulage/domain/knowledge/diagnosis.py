"""From what somebody sees (a log, a status message, an error) to the articles that are likely to be about it, best first, each with
why it matches and the fix that helps."""

from __future__ import annotations

from collections.abc import Iterable

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.knowledge.librarian import Librarian
from haulage.domain.knowledge.remedies import Remedy, remedy
from haulage.engine.database.transaction import Transaction
from haulage.engine.search.model import Entry, Hit, Part, Piece, Question, Why

View = dict[str, object]
MOST_LIKELY = 5
OWN = "HLG"
"""Ids of the articles that come with Haulage: this and the number of the message each is about."""


def diagnose(librarian: Librarian, text: str, *, limit: int = MOST_LIKELY, messages: Iterable[int] = ()) -> list[Hit]:
    """Likely articles. ``messages`` are numbers of status messages the text is known to be: the articles that are about them come
    first. Raises TransferError ``search-not-ready``."""
    own = librarian.entries(f"{OWN}{number}" for number in messages)
    first = [_known(entry) for entry in own]
    found = librarian.search(Question(text=text, limit=limit)).hits
    named = {hit.id for hit in first}
    return [*first, *(hit for hit in found if hit.id not in named)][:limit]


def likely(tx: Transaction, code: SiteCode, librarian: Librarian, text: str, *, messages: Iterable[int] = ()) -> list[View]:
    """Beside a failure: likely articles with their fixes; none while there is nothing to ask, for a failure must be told anyway."""
    try:
        hits = diagnose(librarian, text, limit=3, messages=messages)
    except HaulageError:
        return []
    return [likely_view(hit, remedy(tx, code, hit.id)) for hit in hits]


def likely_view(hit: Hit, helps: Remedy) -> View:
    """One likely article."""
    return hit_view(hit) | {"fix": remedy_view(helps)}


def hit_view(hit: Hit) -> View:
    """One found article in the stable form scripts rely on. Texts are plain; a snippet comes in pieces."""
    return {
        "id": hit.id,
        "title": hit.title,
        "score": round(hit.score, 3),
        "type": hit.type,
        "modified": hit.modified,
        "products": list(hit.products),
        "versions": list(hit.versions),
        "snippet": [{"text": piece.text, "marked": piece.marked} for piece in hit.snippet],
        "why": [{"text": why.text, "part": why.part.value} for why in hit.why],
    }


def remedy_view(helps: Remedy) -> View | None:
    """The fix that helps; None if none is known of."""
    if not helps.fix:
        return None
    known = helps.known
    return {
        "id": helps.fix,
        "title": known.title if known is not None else "",
        "own": helps.own,
        "chain": [
            {"fix": edge.under, "by": edge.over, "how": edge.kind, "said_by": edge.source, "evidence": edge.evidence}
            for edge in helps.chain
        ],
        "bundle": known is not None and bool(known.bundle),
        "package": known.package if known is not None else None,
        "here": helps.where.here,
        "run": helps.where.folder,
    }


def _known(entry: Entry) -> Hit:
    return Hit(
        id=entry.id,
        title=entry.title,
        score=1000.0,
        type=entry.type,
        modified=entry.modified,
        products=entry.products,
        versions=entry.versions,
        snippet=(Piece(text=entry.problem[:200]),),
        why=(Why(text=f"message {entry.id.removeprefix(OWN)}", part=Part.NUMBER),),
    )
