"""What the articles of a tantivy index say, word by word, and a small index of those words to find the one that was meant."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import tantivy

from haulage.engine.search.asked import MOST_WORD_CHARACTERS

TEXT = "text"
"""The field of an article's text, and its tokenizer: small letters without accents, stemmed."""
PLAIN = "plain"
"""The same, not stemmed."""
_LEAST_CHARACTERS = 4
_MOST_NEAR = 40
_FEW_ARTICLES = 500
"""In so few, a word of a single article is a word; in more it may be misspelt itself."""
_HEAP_BYTES = 15 << 20


@functools.cache
def analyzer(*, stemmed: bool) -> tantivy.TextAnalyzer:
    """What makes words of a text, the same for articles and questions."""
    words = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
    folded = words.filter(tantivy.Filter.lowercase()).filter(tantivy.Filter.ascii_fold())
    return folded.filter(tantivy.Filter.stemmer("english")).build() if stemmed else folded.build()


@functools.lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What is indexed for one word; "" for what is no word."""
    found = analyzer(stemmed=True).analyze(word[:MOST_WORD_CHARACTERS])
    return found[0] if len(found) == 1 else ""


@functools.cache
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("word", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


class WordIndex:
    """The words of all articles, to be found with letters wrong. Losing it loses suggestions only, until the next writing."""

    def __init__(self, path: str) -> None:
        self._index = tantivy.Index(_schema(), path=path)
        self._index.config_reader("manual")

    def replace(self, words: Iterable[str]) -> None:
        """Hold these words and no others."""
        writer = self._index.writer(_HEAP_BYTES, 1)
        writer.delete_all_documents()
        for word in words:
            document = tantivy.Document()
            document.add_text("word", word)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()

    def near(self, word: str, edits: int) -> list[str]:
        """Words at most so many letters off."""
        searcher = self._index.searcher()
        query = tantivy.Query.fuzzy_term_query(_schema(), "word", word, distance=edits)
        found = searcher.search(query, limit=_MOST_NEAR, count=False)
        return [str(searcher.doc(address).get_first("word")) for _, address in found.hits]


class IndexVocabulary:
    """The vocabulary of one state of an index."""

    def __init__(self, searcher: tantivy.Searcher, words: WordIndex) -> None:
        self._searcher = searcher
        self._words = words
        self._holding: dict[str, int] = {}

    @property
    def articles(self) -> int:
        return self._searcher.num_docs

    def stem(self, word: str) -> str:
        return stem(word)

    def holding(self, stem: str) -> int:
        if stem not in self._holding:
            self._holding[stem] = self._searcher.doc_freq(TEXT, stem)
        return self._holding[stem]

    def nearest(self, word: str, edits: int) -> str:
        near = (other for other in self._words.near(word, edits) if other != word)
        ranked = ((self._searcher.doc_freq(PLAIN, other), other) for other in near)
        articles, best = max(ranked, default=(0, ""))
        return best if articles else ""


def spelt_words(searcher: tantivy.Searcher) -> Iterable[str]:
    """The words worth suggesting."""
    least = 2 if searcher.num_docs > _FEW_ARTICLES else 1
    for word, articles in searcher.terms_with_prefix(PLAIN, ""):
        if articles >= least and len(word) >= _LEAST_CHARACTERS and word.isalpha():
            yield word
