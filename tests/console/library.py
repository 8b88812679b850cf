"""A library of a few articles in memory, for the pages' tests: the real readers of articles, no index."""

from __future__ import annotations

import importlib.resources

from haulage.base.errors import NotFoundError
from haulage.console.knowledge.article_view import Around, Helps
from haulage.engine.articles.article import Article
from haulage.engine.articles.fix_graph import Edge
from haulage.engine.articles.reading import read
from haulage.engine.search.diagnosis import Likely, diagnose
from haulage.engine.search.entry import entry_of
from haulage.engine.search.model import Answer, Count, Facet, Hit, Piece, Question, SearchIndex
from haulage.engine.search.tantivy_index import TantivyIndex


class FewArticles:
    """Implements :class:`~haulage.console.knowledge.reading.Library`: every word must be there."""

    def __init__(self, sources: dict[str, bytes]) -> None:
        self.articles: dict[str, Article] = {}
        for name, data in sources.items():
            article = read(data, name).article
            self.articles[article.id] = article
        self.edges: list[Edge] = []
        self.helps: dict[str, Helps] = {}
        self.index: SearchIndex | None = None

    def indexed(self, folder: str) -> FewArticles:
        """Searches the real index from now on."""
        self.index = TantivyIndex(folder)
        self.index.put(entry_of(one) for one in self.articles.values())
        return self

    def search(self, question: Question) -> Answer:
        if self.index is not None:
            return self.index.search(question)
        words = question.text.casefold().split()
        found = [
            one for one in self.articles.values() if all(word in f"{one.id} {one.title} {one.body()}".casefold() for word in words)
        ]
        hits = tuple(self._hit(one, words) for one in found[: question.limit])
        counts = (Count(value="Haulage", articles=len(found)),) if found else ()
        more = str(question.limit) if len(found) > question.limit else ""
        return Answer(hits=hits, total=len(found), facets={Facet.PRODUCT: counts}, next=more)

    def article(self, name: str) -> tuple[Article, Around, str]:
        if name not in self.articles:
            raise NotFoundError("no-such-article", f"There is no article {name} here.", "Search for it.")
        article = self.articles[name]
        titles = {one.id: one.title for one in self.articles.values() if one.id != name}
        names = [one.id for one in self.articles.values() if name in {reference.target for reference in one.references}]
        return article, Around(titles=titles, referenced_by=names, edges=self.edges, helps=self.helps.get(name)), ""

    def diagnose(self, text: str, limit: int) -> list[tuple[Likely, Helps | None]]:
        assert self.index is not None
        found = diagnose(text, search=self.index.search, entries=self.index.entries, limit=limit)
        return [(one, self.helps.get(one.hit.id)) for one in found]

    def _hit(self, article: Article, words: list[str]) -> Hit:
        entry = entry_of(article)
        pieces = tuple(Piece(text=f"{word} ", marked=word.casefold() in words) for word in entry.text().split()[:30])
        return Hit(
            id=entry.id,
            title=entry.title,
            score=1.0,
            type=entry.type,
            modified=entry.modified,
            products=entry.products,
            versions=entry.versions,
            snippet=pieces,
            why=(),
        )


def own_articles() -> dict[str, bytes]:
    """Those that come with Haulage."""
    folder = importlib.resources.files("haulage.articles")
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name.endswith(".md")}
