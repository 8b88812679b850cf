"""From what somebody sees (a log, a status message, an error) to the articles that are likely to be about it, best first, each with
why it matches and the fix that helps."""

from __future__ import annotations

from collections.abc import Iterable

from haulage.base.errors import HaulageError
from haulage.base.ids import SiteCode
from haulage.domain.knowledge.librarian import Librarian
from haulage.domain.knowledge.remedies import Remedy, remedy
from haulage.engine.database.transaction import Transaction
from haulage.engine.search import diagnosis as search_diagnosis
from haulage.engine.search.diagnosis import Likely
from haulage.engine.search.model import Hit

View = dict[str, object]
MOST_LIKELY = 5
OWN = "HLG"
"""Ids of the articles that come with Haulage: this and the number of the message each is about."""


def diagnose(librarian: Librarian, text: str, *, limit: int = MOST_LIKELY, messages: Iterable[int] = ()) -> list[Likely]:
    """Likely articles. ``messages`` are numbers of status messages the text is known to be: the articles that are about them come
    first. Raises TransferError ``search-not-ready``."""
    return search_diagnosis.diagnose(
        text,
        search=librarian.search,
        entries=librarian.entries,
        messages=messages,
        about=lambda number: f"{OWN}{number}",
        limit=limit,
    )


def likely(tx: Transaction, code: SiteCode, librarian: Librarian, text: str, *, messages: Iterable[int] = ()) -> list[View]:
    """Beside a failure: likely articles with their fixes; none while there is nothing to ask, for a failure must be told anyway."""
    try:
        found = diagnose(librarian, text, limit=3, messages=messages)
    except HaulageError:
        return []
    return [likely_view(one, remedy(tx, code, one.hit.id)) for one in found]


def likely_view(one: Likely, helps: Remedy) -> View:
    """One likely article."""
    reasons = [{"clue": reason.clue.value, "text": reason.text} for reason in one.reasons]
    return hit_view(one.hit) | {"certainty": one.certainty.value, "reasons": reasons, "fix": remedy_view(helps)}


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
