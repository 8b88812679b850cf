"""From a folder or an archive of articles to shelves: read, compared with what is there, put where it belongs, and told in a
report.

Every shelf is one definition, and some shelves make one transaction: nobody waits long for the database. What was taken in stays if
the import is cut off; done again, it counts as unchanged.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import FormatError, HaulageError, TransferError
from haulage.base.ids import SiteCode
from haulage.domain.knowledge import records
from haulage.domain.knowledge.deriving import derived_row, relations_in
from haulage.domain.knowledge.model import Import, ImportState, Shelved, Stocked
from haulage.domain.knowledge.shelving import arrange, shelf_name, stocked
from haulage.domain.knowledge.taking import contents
from haulage.domain.replication.definitions import Definitions
from haulage.engine.articles.archive import Found
from haulage.engine.articles.article import Article
from haulage.engine.articles.import_report import ImportReport
from haulage.engine.articles.read_ahead import Read
from haulage.engine.articles.reading import Reading, read
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.protocol.definitions import Kind, ShelfState

GATHERED_BYTES = 4 << 20
"""So much is held in memory before it goes on its shelves: the more, the fewer shelves are signed twice."""
INDEXED_AT_ONCE = 5000
"""Articles; each time costs the index the more, the more it holds."""
SHELVES_AT_ONCE = 16
_log = logging.getLogger("haulage.knowledge")

Understood = tuple[Stocked, Reading]
"""A source and what it says."""
Files = Callable[[str, str, Callable[[bytes], bool]], Iterator[Found]]
"""The files of a folder or an archive at a path, which people call by the second argument; perhaps read already: those for whose
bytes the third says so need not be. Raises HaulageError if it cannot be read on."""


class Herald(Protocol):
    """What an import has to tell a manager."""

    def imported(self, tx: Transaction, done: Import) -> None: ...

    def failed(self, tx: Transaction, failed: Import) -> None: ...


class Indexing(Protocol):
    """Whoever keeps the index up: spared what this import has read already."""

    def handing_over(self) -> AbstractContextManager[None]:
        """While it is open the index is not caught up with from the shelves."""
        ...

    def take(self, read: Sequence[tuple[Shelved, Article]]) -> None:
        """These articles are on their shelves. Never fails: what is not taken is caught up with later."""
        ...


class Tally:
    """What an import came across, and what became of it."""

    def __init__(self) -> None:
        self.read = ImportReport()
        self.counts: Counter[str] = Counter()

    def report(self) -> dict[str, object]:
        """As it is stored and shown."""
        names = ("articles", "added", "changed", "unchanged", "twice", "shelves")
        return {**{name: self.counts[name] for name in names}, **self.read.counts()}


class Importer:
    """Takes articles in at their owner."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        clock: Clock,
        definitions: Definitions,
        files: Files,
        herald: Herald,
        indexing: Indexing,
        drop: Callable[[str], None],
    ) -> None:
        """``drop`` removes an uploaded file."""
        self._code = code
        self._database = database
        self._clock = clock
        self._definitions = definitions
        self._files = files
        self._herald = herald
        self._indexing = indexing
        self._drop = drop

    def due(self, tx: Transaction) -> Sequence[Import]:
        """Imports that were asked for and are not over."""
        return records.list_imports(tx, unfinished=True)

    def run(self, number: int) -> None:
        """One import, from its beginning."""
        with self._database.writing() as tx:
            asked = records.find_import(tx, number)
            if asked is None or asked.state in (ImportState.DONE, ImportState.FAILED):
                return
            running = dataclasses.replace(asked, state=ImportState.RUNNING)
            records.put_import(tx, running)
        tally = Tally()
        try:
            with self._indexing.handing_over():
                self._take_in(running, tally)
        except HaulageError as error:
            self._finish(running, tally, error)
        except Exception as defect:
            _log.exception("defect while importing articles from %s", running.source)
            sentence = f"The import ended unexpectedly: {type(defect).__name__}."
            self._finish(running, tally, TransferError("defect", sentence, "Please report it with the server's log."))
        else:
            self._finish(running, tally, None)

    def _take_in(self, running: Import, tally: Tally) -> None:
        fresh: list[tuple[Shelved, Article]] = []
        for batch in _batches(self._articles(running.spool or running.source, running, tally)):
            fresh += self._shelve(batch, tally)
            if len(fresh) >= INDEXED_AT_ONCE:
                self._indexing.take(fresh)
                fresh = []
        self._indexing.take(fresh)

    def _shelve(self, batch: Sequence[Understood], tally: Tally) -> list[tuple[Shelved, Article]]:
        """Put articles on their shelves; what is there already, byte for byte, stays untouched. Returns those that did not."""
        by_shelf: dict[str, dict[str, Understood]] = {}
        for one in batch:
            by_shelf.setdefault(shelf_name(one[0].id), {})[one[0].id] = one
        names = sorted(by_shelf)
        out: list[tuple[Shelved, Article]] = []
        for start in range(0, len(names), SHELVES_AT_ONCE):
            with self._database.writing() as tx:
                out += self._fill(tx, {name: by_shelf[name] for name in names[start : start + SHELVES_AT_ONCE]}, tally)
        return out

    def _fill(self, tx: Transaction, shelves: dict[str, dict[str, Understood]], tally: Tally) -> list[tuple[Shelved, Article]]:
        """Some shelves at once: asking and telling the database for each alone takes most of the time."""
        coming = {one: understood for shelf in shelves.values() for one, understood in shelf.items()}
        there = {row.id: row for row in records.articles_of(tx, coming) if row.owner == self._code}
        fresh = {one for one, (stock, _read) in coming.items() if one not in there or there[one].sha256 != stock.sha256}
        tally.counts["added"] += len(fresh - there.keys())
        tally.counts["changed"] += len(fresh & there.keys())
        tally.counts["unchanged"] += len(coming) - len(fresh)
        for name, on_it in shelves.items():
            new = {one: stock for one, (stock, _read) in on_it.items() if one in fresh}
            for shelf, state in (self._arranged(tx, name, new, there) if new else {}).items():
                self._definitions.issue(tx, Kind.SHELF, f"{self._code}.{shelf}", state)
                tally.counts["shelves"] += 1
        rows = [row for row in records.articles_of(tx, fresh) if row.owner == self._code]
        readings = {row.id: coming[row.id][1] for row in rows}
        derived = [derived_row(row, readings[row.id].article) for row in rows]
        records.put_derived(tx, derived, [one for row in rows for one in relations_in(row, readings[row.id])])
        return [(row, readings[row.id].article) for row in derived]

    def _arranged(self, tx: Transaction, name: str, fresh: dict[str, Stocked], there: dict[str, Shelved]) -> dict[str, ShelfState]:
        """Articles that stand alone stay alone; the others share the shelf ``name``."""
        alone = {one for one in fresh.keys() & there.keys() if there[one].shelf != f"{self._code}.{name}"}
        shelf = records.find_shelf(tx, f"{self._code}.{name}")
        common = {} if shelf is None else contents(tx, shelf)
        states: dict[str, ShelfState] = {}
        for one in sorted(alone & fresh.keys()):
            states |= arrange(one, {}, [fresh[one]])
        rest = [fresh[one] for one in sorted(fresh.keys() - alone)]
        return states | (arrange(name, common, rest) if rest else {})

    def _articles(self, path: str, asked: Import, tally: Tally) -> Iterator[Understood]:
        seen: dict[str, str] = {}
        held = self._held()
        for found in self._files(path, asked.source, lambda data: hashlib.sha256(data).digest() in held):
            tally.read.file(len(found.data))
            same = held.get(hashlib.sha256(found.data).digest())
            if same is not None and same not in seen:
                seen[same] = found.name
                tally.counts.update(articles=1, unchanged=1)
                continue
            try:
                one, reading = _understood(found)
            except HaulageError as error:
                tally.read.refuse(found.name, error)
                continue
            tally.read.take(found.name, reading)
            tally.counts["articles" if one.id not in seen else "twice"] += 1
            if one.id in seen:
                # The later one wins, and it is said: nothing is dropped silently.
                sentence = f"{one.id} came again as {found.name}, which was taken instead."
                tally.read.refuse(seen[one.id], FormatError("article-twice", sentence))
            seen[one.id] = found.name
            yield one, reading
        if not tally.counts["articles"]:
            refused = tally.read.refused_files
            raise FormatError(
                "no-articles",
                f"There is no article in {asked.source}.{f' First refused: {refused[0].detail}' if refused else ''}",
                "Name a folder or .tar.zst with articles of the archive (Q316316.TXT) or Markdown with front matter.",
            )

    def _held(self) -> dict[bytes, str]:
        """Articles of this site by the digest of their source: what comes again need not even be read."""
        with self._database.reading() as tx:
            return {bytes.fromhex(sha256): article for article, owner, sha256 in records.digests(tx) if owner == self._code}

    def _finish(self, running: Import, tally: Tally, error: HaulageError | None) -> None:
        done = dataclasses.replace(
            running,
            state=ImportState.DONE if error is None else ImportState.FAILED,
            finished=self._clock.now(),
            report=tally.report(),
            error_code="" if error is None else error.code,
            error_message="" if error is None else error.message,
            error_hint="" if error is None else error.hint,
        )
        with self._database.writing() as tx:
            records.put_import(tx, done)
            if error is None:
                self._herald.imported(tx, done)
            else:
                self._herald.failed(tx, done)
        if running.spool:
            self._drop(running.spool)


def _understood(found: Found) -> Understood:
    if found.refused is not None:
        raise found.refused
    reading = found.reading if isinstance(found, Read) else read(found.data, found.name)
    return stocked(reading.article.id, reading.article.source.form.value, found.name, found.data), reading


def _batches(articles: Iterator[Understood]) -> Iterator[list[Understood]]:
    batch: list[Understood] = []
    size = 0
    for one in articles:
        batch.append(one)
        size += len(one[0].data)
        if size >= GATHERED_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
