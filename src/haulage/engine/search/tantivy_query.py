"""What is wanted, said in tantivy's queries. Every word is a term: no text is ever parsed as a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tantivy import Occur, Query, Schema

from haulage.engine.search.asked import sound
from haulage.engine.search.model import Facet
from haulage.engine.search.vocabulary import PLAIN, TEXT
from haulage.engine.search.wanted import Concept, Wanted

OPEN_WEIGHT = 3.0
NUMBER_WEIGHT = 10_000.0
"""More than any words weigh: who names an article wants it first."""
_OTHER_VARIANTS = 0.2


class QueryBuilder:
    """Builds queries for one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def query(self, wanted: Wanted, only: Mapping[Facet, Sequence[str]], least: int) -> Query:
        """Articles that have at least ``least`` of the words, or are named, within what the facets leave."""
        parts = [(Occur.Should, self._concept(concept)) for concept in wanted.concepts]
        parts += [(Occur.Should, self._open(beginning)) for beginning in wanted.open]
        words = Query.boolean_query(parts, minimum_number_should_match=min(least, len(parts))) if parts else Query.empty_query()
        numbers = [(Occur.Should, self._number(number, at)) for at, number in enumerate(wanted.numbers)]
        either = Query.boolean_query([(Occur.Should, words), *numbers])
        phrases = [(Occur.Must, self._standing(phrase)) for phrase in wanted.phrases]
        better = [(Occur.Should, self._standing(name)) for name in wanted.names if len(name) > 1]
        return Query.boolean_query([(Occur.Must, either), *phrases, *better, *self._within(only)])

    def all(self, only: Mapping[Facet, Sequence[str]]) -> Query:
        """Everything the facets leave."""
        return Query.boolean_query([(Occur.Must, Query.all_query()), *self._within(only)])

    def _within(self, only: Mapping[Facet, Sequence[str]]) -> Iterator[tuple[Occur, Query]]:
        for facet, values in only.items():
            if values:
                yield (
                    Occur.Must,
                    Query.const_score_query(
                        Query.term_set_query(self._schema, facet.value, [sound(value) for value in values]), 0.0
                    ),
                )

    def _concept(self, concept: Concept) -> Query:
        ways = [Query.boost_query(self._standing(variant.stems), variant.weight) for variant in concept.variants]
        return ways[0] if len(ways) == 1 else Query.disjunction_max_query(ways, _OTHER_VARIANTS)

    def _standing(self, stems: tuple[str, ...]) -> Query:
        """A stem, or several side by side."""
        if len(stems) == 1:
            return Query.term_query(self._schema, TEXT, stems[0])
        return Query.phrase_query(self._schema, TEXT, list(stems))

    def _open(self, beginning: str) -> Query:
        return Query.const_score_query(Query.regex_query(self._schema, PLAIN, f"{beginning}.*"), OPEN_WEIGHT)

    def _number(self, number: str, at: int) -> Query:
        return Query.const_score_query(Query.term_query(self._schema, "id", number), NUMBER_WEIGHT - at)
