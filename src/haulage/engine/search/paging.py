"""Where a page of an answer begins: the cursor belongs to one question and says how many hits came before. Pure."""

from __future__ import annotations

import hashlib
import re

import msgspec

from haulage.base.errors import UsageError
from haulage.engine.search.model import MOST_RANKED, Question

_CURSOR = re.compile(r"([0-9]{1,6})\.([0-9a-f]{12})")


def position(question: Question) -> int:
    """How many hits came before. Raises UsageError ``bad-cursor`` for what :func:`next_cursor` never gave for this question."""
    if not question.after:
        return 0
    found = _CURSOR.fullmatch(question.after)
    if found is None or found[2] != _belongs(question) or not 0 < int(found[1]) < MOST_RANKED:
        raise UsageError(
            "bad-cursor", "The page asked for does not belong to this question.", "Ask again without it, from the first page."
        )
    return int(found[1])


def next_cursor(question: Question, shown: int, total: int) -> str:
    """The cursor behind ``shown`` hits; "" when there are no more to be had."""
    return f"{shown}.{_belongs(question)}" if shown and shown < min(total, MOST_RANKED) else ""


def _belongs(question: Question) -> str:
    narrowed = sorted((facet.value, sorted(values)) for facet, values in question.only.items() if values)
    asked = msgspec.json.encode([question.text.encode("utf-8", "surrogatepass").hex(), narrowed])
    return hashlib.sha256(asked).hexdigest()[:12]
