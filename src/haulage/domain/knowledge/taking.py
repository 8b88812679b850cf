"""Taking articles from their shelves: their sources, which owner's word counts for an id, and what they say when they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from haulage.base.errors import FormatError, HaulageError, NotFoundError
from haulage.base.ids import SiteCode
from haulage.domain.estate import records as estate
from haulage.domain.knowledge import records
from haulage.domain.knowledge.model import PRODUCT, Shelf, Shelved, Stocked
from haulage.domain.knowledge.shelving import unpack
from haulage.engine.articles.reading import Reading, read
from haulage.engine.database.transaction import Transaction
from haulage.engine.protocol.definitions import ShelfEntry


def contents(tx: Transaction, shelf: Shelf) -> dict[str, Stocked]:
    """The sources on a shelf by article. Raises FormatError ``bad-shelf``."""
    rows = records.list_on_shelf(tx, shelf.id)
    entries = [ShelfEntry(id=row.id, form=row.form, name=row.name, bytes=row.size_bytes, sha256=row.sha256) for row in rows]
    return {one.id: one for one in unpack(entries, shelf.packed)}


def sources(tx: Transaction, rows: Iterable[Shelved]) -> list[tuple[Shelved, Stocked]]:
    """The sources of these articles; each shelf is unpacked once."""
    by_shelf: dict[str, list[Shelved]] = {}
    for row in rows:
        by_shelf.setdefault(row.shelf, []).append(row)
    found: list[tuple[Shelved, Stocked]] = []
    for name, wanted in by_shelf.items():
        shelf = records.find_shelf(tx, name)
        there = {} if shelf is None else contents(tx, shelf)
        found += [(row, there[row.id]) for row in wanted if row.id in there]
    return found


def precedence(tx: Transaction, code: SiteCode) -> list[str]:
    """Whose word on an article counts more: this site's own, its parent's, and so on up; any other site's; last what comes with
    Haulage."""
    tree = estate.hierarchy(tx)
    upwards: list[str] = list(tree.upwards(code)) or [code]
    others = sorted(site.code for site in estate.list_sites(tx) if site.code not in upwards)
    return [*upwards, *others, PRODUCT]


def foremost(rows: Iterable[Shelved], order: Sequence[str]) -> dict[str, Shelved]:
    """For each id the article that is shown."""
    rank: Mapping[str, int] = {owner: place for place, owner in enumerate(order)}
    chosen: dict[str, Shelved] = {}
    for row in rows:
        before = chosen.get(row.id)
        if before is None or rank.get(row.owner, len(rank)) < rank.get(before.owner, len(rank)):
            chosen[row.id] = row
    return chosen


def require_article(tx: Transaction, code: SiteCode, article: str) -> Shelved:
    """The article that is shown for an id. Raises NotFoundError ``no-such-article``."""
    chosen = foremost(records.articles_of(tx, [article]), precedence(tx, code)).get(article)
    if chosen is None:
        raise NotFoundError("no-such-article", f"There is no article {article} here.", f"haulage kb search {article}")
    return chosen


def reading_of(source: Stocked) -> Reading:
    """What a source says. Raises FormatError ``article-unreadable``."""
    try:
        return read(source.data, source.name)
    except HaulageError as error:
        raise FormatError(
            "article-unreadable", f"The article {source.id} cannot be read: {error.message}", "Import a version of it that can."
        ) from None
