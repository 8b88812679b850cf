"""From a text (a log, a status message, an error) to the articles that are likely to be about it, each with why.

An article is likely because it has what the text gives away, in this order of trust: a number it declares to be about, its own id,
an error, files, components; and because it has most of the words. What has too little of that is not told at all: no answer is an
answer. Must know no more than an index.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from haulage.engine.search.error_codes import LEAST_TELLING, NAMES
from haulage.engine.search.model import Answer, Entry, Hit, Part, Piece, Question, Why
from haulage.engine.search.signature import Signature, complaint, signature

MOST_CANDIDATES = 20
_MOST_LOOKED_AT = 20
"""Files and components of a text; a log names hundreds."""
_MOST_CODES = 4
_SHOWN_CHARACTERS = 200

LIKELY = 1.5
PERHAPS = 1.2
"""Measured by ``benchmarks/knowledge``: what is asked about articles lies above, unrelated logs below."""


WORDS_ALONE = 1.6
_MANY_WORDS = 5
"""Words alone make nothing likely unless they weigh so much and are so many: one rare word is all of a question of one word."""


class Clue(enum.StrEnum):
    """What in the text points at an article."""

    MESSAGE = "message"
    ARTICLE = "article"
    ERROR = "error"
    FILE = "file"
    COMPONENT = "component"
    VERSION = "version"
    PRODUCT = "product"
    WORDS = "words"


class Certainty(enum.StrEnum):
    """How far to trust it."""

    LIKELY = "likely"
    PERHAPS = "perhaps"


WEIGHTS = {
    Clue.MESSAGE: 2.5,
    Clue.ARTICLE: 2.5,
    Clue.ERROR: 0.8,
    Clue.FILE: 0.4,
    Clue.COMPONENT: 0.3,
    Clue.VERSION: 0.05,
    Clue.PRODUCT: 0.1,
}
WORDS_WEIGHT = 2.0
_TELLING = frozenset({Clue.MESSAGE, Clue.ARTICLE, Clue.ERROR, Clue.FILE, Clue.COMPONENT})
_DECLARED_CODE = 2.0
"""What one's own article declares to be about, like the number of a message: ``point-not-there``."""
_SMALL_ERROR = 0.25
"""Of the weight of an error that anything may end with: 5 is said by thousands of programs, 998 by few."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing text and article have in common."""

    clue: Clue
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Likely:
    """An article that may be about the text."""

    hit: Hit
    certainty: Certainty
    score: float
    """How much speaks for it; comparable between texts, unlike that of the hit."""
    order: float
    """Among the articles of one text: the index ranks words better than they are counted here."""
    reasons: tuple[Reason, ...]


def diagnose(
    text: str,
    *,
    search: Callable[[Question], Answer],
    entries: Callable[[Iterable[str]], list[Entry]],
    messages: Iterable[int] = (),
    about: Callable[[int], str] | None = None,
    limit: int = 5,
) -> list[Likely]:
    """Articles that are likely to be about the text, best first; none when nothing fits.

    ``messages`` are numbers of status messages the text is known to be; ``about`` gives the id of the article that is written for
    a message, which is then looked at whatever the words say."""
    given = signature(text)
    numbers = frozenset((*given.messages, *messages))
    hits = search(Question(text=complaint(text), limit=MOST_CANDIDATES)).hits
    best = max((hit.score for hit in hits if not _named(hit)), default=0.0)
    held = {entry.id: entry for entry in entries([hit.id for hit in hits])}
    found = [(hit, held[hit.id], min(1.0, hit.score / best) if best else 0.0) for hit in hits if hit.id in held]
    for code in given.codes[:_MOST_CODES]:
        # Their words are ones that every text has ("not", "such"); as a phrase they are one word.
        sought = [hit for hit in search(Question(text=f'"{code}"', limit=MOST_CANDIDATES)).hits if hit.id not in held]
        held |= {entry.id: entry for entry in entries([hit.id for hit in sought])}
        found += [(hit, held[hit.id], 1.0) for hit in sought if hit.id in held and code in _declared(held[hit.id])]
    written = [] if about is None else [about(number) for number in sorted(numbers)]
    found += [(_unsought(entry), entry, 0.0) for entry in entries(id for id in written if id not in held)]
    weighed = [weigh(given, numbers, hit, entry, beside_best) for hit, entry, beside_best in found]
    told = sorted((one for one in weighed if one is not None), key=lambda one: -one.order)
    return told[:limit]


def weigh(given: Signature, messages: frozenset[int], hit: Hit, entry: Entry, beside_best: float) -> Likely | None:
    """What speaks for one article; None when it is too little. ``beside_best`` is its hit's score as a part of the best one's: a
    long article has many words of any text, and its score knows."""
    reasons = list(_reasons(given, messages, entry))
    evidence = sum(_weight(reason) for reason in reasons)
    by_words = WORDS_WEIGHT * hit.share * beside_best
    score = evidence + by_words
    if score < PERHAPS:
        return None
    telling = any(reason.clue in _TELLING for reason in reasons) or (by_words >= WORDS_ALONE and _words(hit) >= _MANY_WORDS)
    words = ", ".join(dict.fromkeys(why.text.lower() for why in hit.why))
    if words:
        reasons.append(Reason(Clue.WORDS, words))
    return Likely(
        hit=hit,
        certainty=Certainty.LIKELY if score >= LIKELY and telling else Certainty.PERHAPS,
        score=score,
        order=evidence + WORDS_WEIGHT * beside_best,
        reasons=tuple(reasons),
    )


def _unsought(entry: Entry) -> Hit:
    """An article that is looked at for its message's number alone."""
    return Hit(
        id=entry.id,
        title=entry.title,
        score=0.0,
        type=entry.type,
        modified=entry.modified,
        products=entry.products,
        versions=entry.versions,
        snippet=(Piece(text=entry.problem[:_SHOWN_CHARACTERS]),),
        why=(Why(text=entry.id, part=Part.NUMBER),),
    )


def _named(hit: Hit) -> bool:
    return bool(hit.why) and hit.why[0].part is Part.NUMBER


def _words(hit: Hit) -> int:
    """How many words of the question it has; digits by themselves are none."""
    return len({why.text.lower() for why in hit.why if not why.text.isdigit()})


def _reasons(given: Signature, messages: frozenset[int], entry: Entry) -> Iterator[Reason]:
    held = signature(entry.text())
    low = entry.text().lower()
    yield from (Reason(Clue.MESSAGE, str(number)) for number in entry.messages if number in messages)
    if entry.id in given.articles:
        yield Reason(Clue.ARTICLE, entry.id)
    yield from (Reason(Clue.ERROR, _said(error)) for error in given.errors if error in held.errors)
    yield from (Reason(Clue.ERROR, code) for code in given.codes if code in _declared(entry))
    yield from (Reason(Clue.FILE, name) for name in given.files[:_MOST_LOOKED_AT] if name in held.files)
    named = (name for name in given.components[:_MOST_LOOKED_AT] if name.lower() in low or _spoken(name) in low)
    yield from (Reason(Clue.COMPONENT, name) for name in named)
    versions = {version.lower().replace(" ", "") for version in entry.versions}
    yield from (Reason(Clue.VERSION, version) for version in given.versions if version in versions)


def _declared(entry: Entry) -> frozenset[str]:
    """Keywords, codes and components its front matter names."""
    return frozenset(entry.words.split())


def _spoken(component: str) -> str:
    """``SMS_INBOX_MANAGER`` is called the inbox manager in texts."""
    return " ".join(component.lower().split("_")[1:])


def _said(error: int) -> str:
    number = str(error) if error < 1 << 16 else f"0x{error:08x}"
    return f"{number} ({NAMES[error]})" if error in NAMES else number


def _weight(reason: Reason) -> float:
    weight = WEIGHTS.get(reason.clue, 0.0)
    if reason.clue is Clue.ERROR:
        if reason.text[:1].isalpha():
            return _DECLARED_CODE
        number = reason.text.split(" ")[0]
        return weight * (_SMALL_ERROR if number.isdigit() and int(number) < LEAST_TELLING else 1.0)
    return weight
