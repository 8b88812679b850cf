"""What people do with articles: import them, take them away, take them as the product brings them."""

from __future__ import annotations

from collections.abc import Mapping

from haulage.base.errors import ConflictError, UsageError
from haulage.domain.estate import records as estate
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import PRODUCT, Import, ImportState, Shelf, Stocked
from haulage.domain.knowledge.rules import CHANGES, standing
from haulage.domain.knowledge.shelving import pack
from haulage.domain.knowledge.taking import contents, require_article
from haulage.engine.protocol.definitions import Kind
from haulage.engine.status import on_knowledge
from haulage.operations.desk import Desk

SOURCE_CHARACTERS = 4096


def import_articles(desk: Desk, actor: str, source: str, *, spool: str = "") -> int:
    """Ask for an import from a path on the server, or from what was uploaded into ``spool`` and is called ``source``. Returns its
    number; the report is filled when it is over."""
    if not source or len(source) > SOURCE_CHARACTERS or "\0" in source:
        raise UsageError("bad-source", f"{source[:80]!r} is no folder or archive of articles.", "Name a path on the server.")
    if not spool:
        desk.check_articles(source)
    with desk.database.writing() as tx:
        asked = Import(
            number=0, source=source, spool=spool, actor=actor, state=ImportState.REQUESTED, asked=desk.clock.now(), report={}
        )
        number = records.add_import(tx, asked)
        desk.journal.record(tx, on_knowledge.IMPORT_ASKED, actor=actor, source=source)
        desk.database.after_commit(tx, desk.wake_jobs)
        return number


def remove_article(desk: Desk, actor: str, article: str) -> None:
    """Take an article of this site from its shelf, here and below. Raises ConflictError ``owned-elsewhere``."""
    with desk.database.writing() as tx:
        row = records.find_article(tx, article, desk.code)
        if row is None:
            owner = require_article(tx, desk.code, article).owner or "Haulage itself"
            raise ConflictError(
                "owned-elsewhere",
                f"The article {article} is {owner}'s.",
                "It can be removed where it was imported; an article of the same id imported here is shown instead of it.",
            )
        shelf = records.find_shelf(tx, row.shelf)
        assert shelf is not None, "an article stands on a shelf"
        left = contents(tx, shelf)
        del left[article]
        desk.definitions.issue(tx, Kind.SHELF, row.shelf, pack(left) if left else None)
        desk.journal.record(tx, on_knowledge.ARTICLE_REMOVED, actor=actor, article=article)


def stock_product_articles(desk: Desk, articles: Mapping[str, Stocked]) -> bool:
    """Take in the articles that come with this version of Haulage, if they are not what is there. They are nobody's definitions and
    go nowhere. Returns whether anything changed."""
    name = "product"
    with desk.database.writing() as tx:
        there = {row.id: row.sha256 for row in records.list_on_shelf(tx, name)}
        if there == {one.id: one.sha256 for one in articles.values()}:
            return False
        state = pack(articles)
        change = estate.next_number(tx, CHANGES)
        if state is None or not articles:
            records.remove_shelf(tx, name, change)
        else:
            shelf = Shelf(id=name, owner=PRODUCT, revision=0, packed=state.packed)
            records.put_shelf(tx, shelf, standing(shelf, state.articles), change)
        desk.database.after_commit(tx, desk.wake_jobs)
        return True
