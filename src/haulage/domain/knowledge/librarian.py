"""Keeping the index up with the shelves: what came is read, what it says is written down, what is searched follows.

The shelves are the truth. The index is a folder of its own beside the database; missing, damaged or behind, it is made from the
shelves again, in pieces, while everything else goes on: no writing waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from haulage.base.errors import FormatError, HaulageError, TransferError, UsageError
from haulage.base.ids import SiteCode
from haulage.domain.knowledge import records
from haulage.domain.knowledge.deriving import derived_row, relations_in, unreadable_row
from haulage.domain.knowledge.model import DERIVATION, Relating, Shelved
from haulage.domain.knowledge.taking import foremost, precedence, reading_of, sources
from haulage.engine.articles.article import Article
from haulage.engine.articles.reading import Reading
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.search.entry import entry_of
from haulage.engine.search.model import Answer, Entry, Question, SearchIndex

BATCH = 8000
"""Articles taken into the index at once: each time costs it a moment."""
READ_AT_ONCE = 100
"""Articles whose derivation is written in one transaction."""

R = TypeVar("R")
_log = logging.getLogger("haulage.knowledge")


class _Unusable(Exception):
    """The index failed, by its own fault; the text says how."""


class Herald(Protocol):
    """What the librarian has to tell a manager."""

    def made_anew(self, tx: Transaction, cause: str) -> None:
        """The index could not be used and is made from the shelves again."""
        ...

    def unreadable(self, tx: Transaction, article: Shelved, cause: str) -> None:
        """An article on a shelf cannot be read."""
        ...


class Indexes(Protocol):
    """Where the index is; which kind it is is wiring's choice."""

    def open(self) -> SearchIndex:
        """The index as it is, or an empty one. Raises whatever it finds wrong with it."""
        ...

    def discard(self) -> None:
        """Remove what is there: it will be made again."""
        ...


class Librarian:
    """Of one site. Searching may be done from any thread; one keeps up at a time."""

    def __init__(self, code: SiteCode, *, database: Database, indexes: Indexes, herald: Herald, wake: Callable[[], None]) -> None:
        self._code = code
        self._database = database
        self._indexes = indexes
        self._herald = herald
        self._wake = wake
        self._index: SearchIndex | None = None
        self._turn = threading.Lock()
        self._handing = 0
        self._runs = 0
        self._through = -1
        """Up to which change the index was seen to be right by this process; -1: it was not looked at yet."""

    def behind(self, tx: Transaction) -> int:
        """How many articles are not searched as they are now."""
        return records.count_behind(tx, max(self._through, 0)) if self._through >= 0 else records.count_articles(tx)

    def due(self, tx: Transaction) -> str | None:
        """What to call the next run; None if the index is up with the shelves."""
        last = records.last_change(tx)
        if self._handing:
            return None
        is_due = max(self._through, 0) < last or records.unread(tx, 1)
        return f"{last}.{self._runs}" if is_due else None

    def again(self) -> None:
        """A run ended and did not get everywhere."""
        self._runs += 1

    def run(self) -> None:
        """Catch up."""
        with self._turn:
            self._runs += 1
            try:
                self._catch_up()
            except _Unusable as error:
                self._start_over(str(error))
                self._catch_up()

    @contextlib.contextmanager
    def handing_over(self) -> Iterator[None]:
        """While it is open an import hands over what it has read; what is left is caught up with when it is over."""
        with self._turn:
            self._handing += 1
        try:
            yield
        finally:
            with self._turn:
                self._handing -= 1
            self._wake()

    def take(self, read: Sequence[tuple[Shelved, Article]]) -> None:
        """Articles of this very site, which are on their shelves and were read."""
        with self._turn, contextlib.suppress(_Unusable):
            index = self._index if self._index is not None else self._opened()
            entries = [_entry(article, row) for row, article in read]
            _used(lambda one: one.put(entries), index)

    def search(self, question: Question) -> Answer:
        """What answers a question. Raises TransferError ``search-not-ready`` while there is no index to ask."""
        return self._asked(lambda index: index.search(question))

    def entries(self, ids: Iterable[str]) -> list[Entry]:
        """Articles as they are indexed. Raises like :meth:`search`."""
        return self._asked(lambda index: index.entries(ids))

    def close(self) -> None:
        """Let go of the index."""
        index, self._index = self._index, None
        if index is not None:
            index.close()

    def _asked(self, question: Callable[[SearchIndex], R]) -> R:
        index = self._index
        if index is None:
            raise TransferError(
                "search-not-ready", f"The articles of {self._code} are not indexed yet.", "It is being done; ask again in a moment."
            )
        try:
            return _used(question, index)
        except _Unusable as error:
            _log.warning("the index of articles failed: %s", error)
            self._through = -1
            self._wake()
            raise TransferError(
                "search-not-ready",
                f"The index of articles of {self._code} is damaged and is being made anew.",
                "Ask again in a moment.",
            ) from error

    def _start_over(self, cause: str) -> None:
        _log.warning("the index of articles is made anew: %s", cause)
        self.close()
        self._through = -1
        self._indexes.discard()
        with self._database.writing() as tx:
            self._herald.made_anew(tx, cause)

    def _catch_up(self) -> None:
        index = self._index if self._index is not None and self._through >= 0 else self._opened()
        with self._database.reading() as tx:
            last = records.last_change(tx)
            ids = self._differing(tx, index) if self._through < 0 else self._changed(tx)
        known = _used(lambda one: one.known(), index) if ids else {}
        for start in range(0, len(ids), BATCH):
            self._bring(index, ids[start : start + BATCH], known)
        while self._read_rest():
            pass
        self._through = last
        with self._database.writing() as tx:
            records.forget_gone(tx, last)

    def _opened(self) -> SearchIndex:
        self.close()
        self._index = _used(lambda indexes: indexes.open(), self._indexes)
        return self._index

    def _differing(self, tx: Transaction, index: SearchIndex) -> list[str]:
        """Compared with everything that is there."""
        known, rank = (
            _used(lambda one: one.known(), index),
            {owner: place for place, owner in enumerate(precedence(tx, self._code))},
        )
        wanted: dict[str, tuple[int, str]] = {}
        for article, owner, sha256 in records.digests(tx):
            wanted[article] = min(wanted.get(article, (len(rank) + 1, "")), (rank.get(owner, len(rank)), _digest(sha256)))
        differ = {article for article, (_rank, digest) in wanted.items() if known.get(article) != digest}
        return sorted(differ | (known.keys() - wanted.keys()))

    def _changed(self, tx: Transaction) -> list[str]:
        return list(records.changed_after(tx, self._through))

    def _bring(self, index: SearchIndex, ids: Sequence[str], known: Mapping[str, str]) -> None:
        """These articles into the index as they are now, or out of it."""
        with self._database.reading() as tx:
            rows = records.articles_of(tx, ids)
            chosen = foremost(rows, precedence(tx, self._code))
        entries: list[Entry] = []
        unread: set[str] = set(ids) - chosen.keys()
        fresh = [row for row in chosen.values() if row.derived != DERIVATION or known.get(row.id) != _digest(row.sha256)]
        listed = sorted(fresh, key=lambda row: (row.shelf, row.place))
        for start in range(0, len(listed), READ_AT_ONCE):
            read = self._read(listed[start : start + READ_AT_ONCE])
            unread |= {row.id for row, reading in read if reading is None}
            entries += [_entry(reading.article, row) for row, reading in read if reading is not None]
        if entries:
            _used(lambda one: one.put(entries), index)
        if unread & known.keys():
            _used(lambda one: one.remove(sorted(unread)), index)

    def _read_rest(self) -> bool:
        """Articles that are not shown are read all the same: they have relations. Returns whether there may be more."""
        with self._database.reading() as tx:
            shelves = records.unread(tx, 20)
            rows = [row for shelf in shelves for row in records.list_on_shelf(tx, shelf) if row.derived != DERIVATION]
        if rows:
            self._read(rows)
        return bool(rows)

    def _read(self, rows: Sequence[Shelved]) -> list[tuple[Shelved, Reading | None]]:
        """Read articles, and write down what was derived where that is not done."""
        with self._database.reading() as tx:
            found = sources(tx, rows)
        out: list[tuple[Shelved, Reading | None]] = []
        fresh: list[Shelved] = []
        relating: list[Relating] = []
        failed: list[tuple[Shelved, str]] = []
        for row, source in found:
            try:
                reading: Reading | None = reading_of(source)
            except FormatError as error:
                reading = None
                failed.append((row, error.message))
            out.append((row, reading))
            if row.derived != DERIVATION:
                fresh.append(unreadable_row(row) if reading is None else derived_row(row, reading.article))
                relating += [] if reading is None else relations_in(row, reading)
        if fresh:
            with self._database.writing() as tx:
                records.put_derived(tx, fresh, relating)
                for row, cause in failed:
                    self._herald.unreadable(tx, row, cause)
        return out


T = TypeVar("T")


def _used(act: Callable[[T], R], index: T) -> R:
    """Something done with the index, whose own failures are told from everybody else's."""
    try:
        return act(index)
    except UsageError:
        raise
    except (HaulageError, OSError, ValueError, RuntimeError) as error:
        raise _Unusable(str(error) or type(error).__name__) from error


def _entry(article: Article, row: Shelved) -> Entry:
    """With the id it stands under, and a digest that changes when it is read in another way."""
    return msgspec.structs.replace(entry_of(article), id=row.id, digest=_digest(row.sha256))


def _digest(sha256: str) -> str:
    return f"{DERIVATION}:{sha256}"
