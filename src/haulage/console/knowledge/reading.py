"""The pages of the knowledge base: search, and one article."""

from __future__ import annotations

from typing import Protocol

from haulage.console.frame.page import Page, Shown, Visit
from haulage.console.knowledge.article_view import Around, Helps, article_view
from haulage.console.knowledge.search_view import Asked, search_view
from haulage.engine.articles.article import Article, article_id
from haulage.engine.search.diagnosis import Likely
from haulage.engine.search.model import Answer, Question

PAGE_HITS = 20


class Library(Protocol):
    """What the pages read."""

    def search(self, question: Question) -> Answer:
        """Articles that answer a question. Raises TransferError ``search-not-ready``."""
        ...

    def article(self, name: str) -> tuple[Article, Around, str]:
        """An article, how it stands to others, and the site it came from ("" for none). Raises NotFoundError
        ``no-such-article``."""
        ...

    def diagnose(self, text: str, limit: int) -> list[tuple[Likely, Helps | None]]:
        """Likely articles for a text, best first, each with the fix that helps. Raises TransferError ``search-not-ready``."""
        ...


def knowledge_pages(library: Library) -> tuple[Page, ...]:
    """Both pages."""

    def search(visit: Visit) -> Shown:
        asked: Asked = visit.query
        answer = library.search(asked.question(PAGE_HITS))
        return Shown(title=f"{asked.q} · Knowledge" if asked.q else "Knowledge", view=search_view(asked, answer))

    def show(visit: Visit) -> Shown:
        article, around, owner = library.article(article_id(visit.path["article"]))
        return Shown(title=f"{article.id} {article.title}", view=article_view(article, around, owner=owner))

    return (
        Page(path="/knowledge", template="knowledge.html", show=search, query=Asked, place="knowledge"),
        Page(path="/knowledge/{article}", template="article.html", show=show, place="knowledge"),
    )
