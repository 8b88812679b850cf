"""What the rooms of articles have to tell, said as numbered status messages in the caller's transaction; decides nothing."""

from __future__ import annotations

from haulage.domain.knowledge.model import Import, Shelved
from haulage.engine.database.transaction import Transaction
from haulage.engine.status import on_knowledge
from haulage.engine.status.journal import Journal


class KnowledgeHerald:
    """Imports, and the index."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def imported(self, tx: Transaction, done: Import) -> None:
        figures = {name: int(str(done.report[name])) for name in ("articles", "added", "changed", "unchanged", "files")}
        refused = done.report["refused"]
        assert isinstance(refused, dict)
        figures["refused"] = sum(refused.values())
        self._journal.record(tx, on_knowledge.ARTICLES_IMPORTED, package=None, place=None, source=done.source, **figures)

    def failed(self, tx: Transaction, failed: Import) -> None:
        self._journal.record(
            tx,
            on_knowledge.ARTICLES_IMPORT_FAILED,
            package=None,
            place=None,
            source=failed.source,
            articles=int(str(failed.report["articles"])),
            cause=failed.error_message,
            code=failed.error_code,
        )

    def made_anew(self, tx: Transaction, cause: str) -> None:
        self._journal.record(tx, on_knowledge.INDEX_MADE_ANEW, package=None, place=None, cause=cause)

    def unreadable(self, tx: Transaction, article: Shelved, cause: str) -> None:
        owner = article.owner or "Haulage"
        self._journal.record(
            tx, on_knowledge.ARTICLE_UNREADABLE, package=None, place=None, article=article.id, owner=owner, cause=cause
        )
