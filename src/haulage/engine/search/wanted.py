"""What to look for: a question's words with their variants and weights, as any index can ask for them. Pure over a vocabulary."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from haulage.engine.search.asked import WORD, Asked
from haulage.engine.search.error_codes import NUMBERS, twins, value_of
from haulage.engine.search.stop_words import STOP_WORDS
from haulage.engine.search.synonyms import spellings, synonyms

MOST_CONCEPTS = 40
"""The rarest words of a long text; what stands in every article tells nothing."""

SYNONYM_WEIGHT = 0.5
SPELLING_WEIGHT = 0.9
SPOKEN_WEIGHT = 0.5
"""Of an error's name, where its number was asked for: ``access denied`` is said of much else."""
_CUES = frozenset({"error", "code", "number", "result", "hresult", "win32"})
"""What is said of a number and no more."""
_ALONE = {True: 100.0, False: 10.0}
"""Where a number is all that is asked, it as it was typed before its other spellings before its name, whatever else is there."""
NEAREST_WEIGHT = 0.8
_UNSURE = 200
"""A word is taken for misspelt when another, one letter off, stands in so many times as many articles…"""
_UNSURE_CHARACTERS = 6
"""…and it is at least so long."""
_LEAST_MISSPELT = 4
_UNKNOWN = 0.6
"""Of the weight of the rarest word."""
_LEAST_KNOWN = 3
"""A shorter word, or one with digits (a server, a thread), is no word to be missed."""


class Vocabulary(Protocol):
    """What the articles of an index say, word by word."""

    @property
    def articles(self) -> int: ...

    def stem(self, word: str) -> str:
        """What is indexed for a word; "" for what is not."""
        ...

    def holding(self, stem: str) -> int:
        """How many articles have it."""
        ...

    def nearest(self, word: str, edits: int) -> str:
        """The word most articles have among those at most so many letters off; "" without one."""
        ...


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to say a word: a stem, or several that stand side by side."""

    stems: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A word of the question with all that says the same."""

    word: str
    variants: tuple[Variant, ...]
    rarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an index looks for."""

    concepts: tuple[Concept, ...]
    names: tuple[tuple[str, ...], ...]
    """Stems that were written as one: better so."""
    phrases: tuple[tuple[str, ...], ...]
    """Stems that must stand so."""
    open: tuple[str, ...]
    numbers: tuple[str, ...]
    unknown: float
    """What the words weigh that no article has, in no variant: what is asked may be about something else."""
    did_you_mean: str

    def least(self) -> int:
        """How many of the concepts an article should have: both of two, most of few, a good part of many."""
        parts = len(self.concepts) + len(self.open)
        return parts if parts <= 2 else math.ceil(parts * 0.5) if parts <= 12 else max(6, parts // 4)


def wanted(asked: Asked, text: str, vocabulary: Vocabulary) -> Wanted:
    """Look the words of a question up."""
    errors = [name for words in asked.names if (name := "_".join(words)).upper() in NUMBERS]
    in_errors = {word for name in errors for word in name.split("_")}
    words = [word for word in asked.words if word not in in_errors]
    telling = errors + ([word for word in words if word not in STOP_WORDS] or words)
    corrected: dict[str, str] = {}
    found = [concept for word in telling if (concept := _concept(word, vocabulary, corrected)) is not None]
    chosen = sorted(found, key=lambda concept: -concept.rarity)[:MOST_CONCEPTS]
    kept = {concept.word for concept in chosen}
    if len(set(telling) - _CUES) == 1:
        found = [_alone(concept, vocabulary) for concept in found]
    return Wanted(
        concepts=tuple(concept for concept in found if concept.word in kept),
        names=tuple(_stems(name, vocabulary) for name in asked.names),
        phrases=tuple(_stems(phrase, vocabulary) for phrase in asked.phrases),
        open=asked.open,
        numbers=asked.numbers,
        unknown=_UNKNOWN * math.log(1 + vocabulary.articles) * (sum(map(_is_plain, telling)) - _plain_words(found)),
        did_you_mean="" if asked.pasted else _replaced(text, corrected),
    )


def _concept(word: str, vocabulary: Vocabulary, corrected: dict[str, str]) -> Concept | None:
    """What to look for instead of one word; None when no article has any of it."""
    own = _stems(tuple(word.split("_")), vocabulary)
    holding = min((vocabulary.holding(stem) for stem in own), default=0)
    variants = [Variant(own, 1.0)] if own else []
    near = _nearest(word, holding, vocabulary)
    if near:
        corrected[word] = near
        variants.append(Variant((vocabulary.stem(near),), NEAREST_WEIGHT))
    variants += _others(word, vocabulary)
    seen: dict[tuple[str, ...], Variant] = {}
    for variant in variants:
        if all(vocabulary.holding(stem) for stem in variant.stems):
            seen.setdefault(variant.stems, variant)
    if not seen:
        return None
    first = next(iter(seen))
    articles = min(vocabulary.holding(stem) for stem in first)
    return Concept(word=word, variants=tuple(seen.values()), rarity=math.log(1 + (vocabulary.articles + 0.5) / (articles + 0.5)))


def _is_plain(word: str) -> bool:
    return len(word) >= _LEAST_KNOWN and word.isalpha()


def _plain_words(found: list[Concept]) -> int:
    return sum(1 for concept in found if _is_plain(concept.word))


def _others(word: str, vocabulary: Vocabulary) -> Iterator[Variant]:
    for others, weight in ((spellings(word), SPELLING_WEIGHT), (twins(word), 1.0), (synonyms(word), SYNONYM_WEIGHT)):
        for other in others:
            stems = _stems(tuple(WORD.findall(other)), vocabulary)
            if stems:
                yield Variant(stems, SPOKEN_WEIGHT if weight == 1.0 and len(stems) > 1 else weight)


def _alone(concept: Concept, vocabulary: Vocabulary) -> Concept:
    """A question that is one error's number: who wrote just that comes first."""
    if value_of(concept.word) is None or concept.word.upper() in NUMBERS:
        return concept
    own = vocabulary.stem(concept.word)
    weighed = (Variant(one.stems, one.weight if len(one.stems) > 1 else _ALONE[one.stems == (own,)]) for one in concept.variants)
    return dataclasses.replace(concept, variants=tuple(weighed))


def _nearest(word: str, holding: int, vocabulary: Vocabulary) -> str:
    """What was probably meant; "" where the word is as good as any."""
    if len(word) < _LEAST_MISSPELT or not word.isalpha():
        return ""
    if holding == 0:
        if any(vocabulary.holding(vocabulary.stem(other)) for other in spellings(word)) or synonyms(word):
            return ""
        return vocabulary.nearest(word, 1) or (vocabulary.nearest(word, 2) if len(word) >= _UNSURE_CHARACTERS else "")
    if len(word) < _UNSURE_CHARACTERS or holding * _UNSURE > vocabulary.articles:
        return ""
    near = vocabulary.nearest(word, 1)
    stem = vocabulary.stem(near) if near else ""
    return near if stem != vocabulary.stem(word) and vocabulary.holding(stem) >= holding * _UNSURE else ""


def _stems(words: tuple[str, ...], vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(stem for word in words if (stem := vocabulary.stem(word)))


def _replaced(text: str, corrected: dict[str, str]) -> str:
    """The question with its misspelt words replaced, otherwise as typed; "" when there were none."""
    if not corrected:
        return ""
    return WORD.sub(lambda found: corrected.get(found[0].casefold(), found[0]), text)
