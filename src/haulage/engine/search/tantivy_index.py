"""The index kept by tantivy, in a folder of its own: articles in one part, the words they use in the other."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import tantivy

from haulage.base.files import make_folder, remove_tree
from haulage.engine.search.asked import sound, take_apart
from haulage.engine.search.marks import answered
from haulage.engine.search.model import MOST_HITS, MOST_RANKED, Answer, Count, Entry, Facet, Hit, Question
from haulage.engine.search.paging import next_cursor, position
from haulage.engine.search.tantivy_query import QueryBuilder
from haulage.engine.search.vocabulary import PLAIN, TEXT, IndexVocabulary, WordIndex, analyzer, spelt_words, stem
from haulage.engine.search.wanted import Wanted, wanted

TITLE_TIMES = 3
PROBLEM_TIMES = 2
"""A word of the title counts as three, one of symptoms, cause or summary as two: one field so weighed ranks better than four whose
scores are added, and is asked in a quarter of the time."""
_HEAP_BYTES = 64 << 20
_MOST_VALUES = 30
"""Of one facet, the most frequent."""
_ENOUGH = 5
"""Fewer articles with most of the words, and those with some are shown as well."""


@functools.cache
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("known", tokenizer_name="raw", index_option="basic")
    builder.add_bytes_field("entry", stored=True)
    builder.add_unsigned_field("day", fast=True)
    builder.add_text_field(PLAIN, tokenizer_name=PLAIN, index_option="basic")
    builder.add_text_field(TEXT, tokenizer_name=TEXT)
    for facet in Facet:
        builder.add_text_field(facet.value, tokenizer_name="raw", index_option="basic", fast=True)
    return builder.build()


class TantivyIndex:
    """A :class:`~haulage.engine.search.model.SearchIndex`. What it holds can be made again from the articles: a folder that
    cannot be read, or is of another version, is emptied."""

    def __init__(self, folder: str) -> None:
        self._writing = threading.Lock()
        self._index = _opened(os.path.join(folder, "articles"))
        self._words = WordIndex(_made(os.path.join(folder, "words")))
        self._queries = QueryBuilder(_schema())

    def put(self, entries: Iterable[Entry]) -> int:
        with self._writing:
            held = self.known()
            writer = self._index.writer(_HEAP_BYTES, 1)
            number = 0
            try:
                for entry in map(Entry.sound, entries):
                    if entry.id in held:
                        writer.delete_documents_by_term("id", entry.id)
                    held[entry.id] = entry.digest
                    writer.add_document(_document(entry))
                    number += 1
                writer.commit()
            finally:
                writer.wait_merging_threads()
            self._changed()
            return number

    def remove(self, ids: Iterable[str]) -> int:
        with self._writing:
            held = self.known()
            gone = {id for id in ids if id in held}
            writer = self._index.writer(_HEAP_BYTES, 1)
            try:
                for id in gone:
                    writer.delete_documents_by_term("id", id)
                writer.commit()
            finally:
                writer.wait_merging_threads()
            self._changed()
            return len(gone)

    def known(self) -> dict[str, str]:
        held = self._index.searcher().terms_with_prefix("known", "", filter_query=tantivy.Query.all_query())
        return {id: digest for id, _, digest in (term.partition(" ") for term, _ in held)}

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        searcher = self._index.searcher()
        found = (searcher.search(tantivy.Query.term_query(_schema(), "id", sound(id)), limit=1, count=False).hits for id in ids)
        return [_entry(searcher, hits[0][1]) for hits in found if hits]

    def search(self, question: Question) -> Answer:
        first = position(question)
        searcher = self._index.searcher()
        looked_for = wanted(take_apart(question.text), question.text, IndexVocabulary(searcher, self._words))
        limit = max(1, min(question.limit, MOST_HITS, MOST_RANKED - first))
        found = self._found(searcher, question, looked_for, first, limit)
        hits = tuple(_hit(searcher, score, address, looked_for) for score, address in found.hits)
        return Answer(
            hits=hits,
            total=found.total,
            facets=_facets(searcher, found.query),
            loosely=found.loosely,
            did_you_mean=looked_for.did_you_mean,
            next=next_cursor(question, first + len(hits), found.total),
        )

    def _found(self, searcher: tantivy.Searcher, question: Question, looked_for: Wanted, first: int, limit: int) -> _Found:
        """Articles with most of the words; where these are too few, all with some."""
        if not question.text.strip():
            query = self._queries.all(question.only)
            newest = searcher.search(query, limit=limit, offset=first, order_by_field="day")
            return _Found(query, newest.hits, _count(newest), False)
        most = looked_for.least()
        for least in sorted({most, max(1, most // 2), 1}, reverse=True):
            query = self._queries.query(looked_for, question.only, least)
            found = searcher.search(query, limit=limit, offset=first)
            total = _count(found)
            if total >= _ENOUGH:
                break
        return _Found(query, found.hits, total, total > 0 and least < most)

    def close(self) -> None:
        """Nothing is held open but for reading; the files go with the last searcher."""

    def _changed(self) -> None:
        self._index.reload()
        self._words.replace(spelt_words(self._index.searcher()))


@dataclass(frozen=True, slots=True)
class _Found:
    query: tantivy.Query
    hits: Sequence[tuple[float, tantivy.DocAddress]]
    total: int
    loosely: bool


def _count(found: tantivy.SearchResult) -> int:
    return int(getattr(found, "count", 0) or 0)  # absent from the library's own stubs


def _made(path: str) -> str:
    make_folder(path)
    return path


def _opened(path: str) -> tantivy.Index:
    """The index in a folder, an empty one where there is none that can be read."""
    make_folder(path)
    try:
        index = tantivy.Index(_schema(), path=path)
    except Exception:
        remove_tree(path)
        make_folder(path)
        index = tantivy.Index(_schema(), path=path)
    index.register_tokenizer(TEXT, analyzer(stemmed=True))
    index.register_tokenizer(PLAIN, analyzer(stemmed=False))
    index.config_reader("manual")
    return index


def _document(entry: Entry) -> tantivy.Document:
    document = tantivy.Document()
    document.add_text("id", entry.id)
    document.add_text("known", f"{entry.id} {entry.digest}")
    document.add_bytes("entry", msgspec.msgpack.encode(entry))
    document.add_unsigned("day", int(entry.modified.replace("-", "") or 0))
    for times, text in ((TITLE_TIMES, entry.title), (PROBLEM_TIMES, entry.problem), (1, entry.words), (1, entry.rest)):
        for _ in range(times):
            document.add_text(TEXT, text)
        document.add_text(PLAIN, text)
    for facet in Facet:
        for value in entry.facet(facet):
            document.add_text(facet.value, value)
    return document


def _entry(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Entry:
    return msgspec.msgpack.decode(bytes(searcher.doc(address)["entry"][0]), type=Entry)


def _hit(searcher: tantivy.Searcher, score: float, address: tantivy.DocAddress, looked_for: Wanted) -> Hit:
    entry = _entry(searcher, address)
    snippet, why, share = answered(entry, looked_for, stem)
    return Hit(
        id=entry.id,
        title=entry.title,
        score=score or 0.0,
        share=share,
        type=entry.type,
        modified=entry.modified,
        products=entry.products,
        versions=entry.versions,
        snippet=snippet,
        why=why,
    )


def _facets(searcher: tantivy.Searcher, query: tantivy.Query) -> Mapping[Facet, tuple[Count, ...]]:
    wanted_counts = {facet.value: {"terms": {"field": facet.value, "size": _MOST_VALUES}} for facet in Facet}
    counted = searcher.aggregate(query, wanted_counts)
    return {
        facet: tuple(Count(value=bucket["key"], articles=bucket["doc_count"]) for bucket in counted[facet.value]["buckets"])
        for facet in Facet
    }
