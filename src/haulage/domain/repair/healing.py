"""Replacing what the store lost from whoever holds the right bytes: this site's points, the source that was captured, the parent,
the children. Every byte is believed by its chunk's id alone; what cannot be replaced is named."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from haulage.base.clock import Clock
from haulage.base.errors import HaulageError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.repair.lacks import Lack, find_lacks, holders
from haulage.domain.replication.streams import Streams
from haulage.domain.transit.holdings import Holdings
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, Damage, MendReport
from haulage.engine.content.tree_chunks import chunks_in_tree
from haulage.engine.content.uses import LIST_OF_CONTENTS
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import CHUNKS_MAX, ChunkWant
from haulage.engine.protocol.codec import encode
from haulage.engine.protocol.envelopes import LackNotice, MessageKind
from haulage.engine.trees.model import TreeReader

ROUNDS = 64
"""A page that is back may show that what it names is lacking, too; a manifest is a few levels deep."""

Trees = Callable[[PackageId, VersionNumber], Iterable[tuple[str, AbstractContextManager[TreeReader]]]]
"""Trees at this site that may be as that version says, each with its name for people."""
Pages = Callable[[PackageId, VersionNumber, ChunkId], Iterable[tuple[str, bytes]]]
"""Pages of that version's manifest that lie at this site outside of the store."""


class Herald(Protocol):
    """What healing has to tell a manager."""

    def found(self, tx: Transaction, damages: Sequence[Damage]) -> None: ...

    def healed(self, tx: Transaction, count: int, other: str) -> None: ...

    def remains(self, tx: Transaction, lacks: Sequence[Lack], asked: Sequence[SiteCode]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HealReport:
    """What healing did."""

    healed: dict[str, int]
    """Chunks by where they came from."""
    mended: MendReport | None
    """None: nothing could be moved, because not every version could be listed."""
    left: tuple[Lack, ...]
    asked: tuple[SiteCode, ...]
    """Children that were asked and will answer by themselves."""


class Healer:
    """Heals one site's store. One thread at a time."""

    def __init__(
        self,
        code: SiteCode,
        *,
        database: Database,
        store: ChunkStore,
        clock: Clock,
        link: Link | None,
        parent: Callable[[Transaction], SiteCode | None],
        streams: Streams,
        children: Callable[[Transaction], set[SiteCode]],
        holdings: Holdings,
        trees: Trees,
        pages: Pages,
        herald: Herald,
        recalled: Callable[[Transaction, PackageId], None],
        wake: Callable[[], None],
    ) -> None:
        """``recalled`` is told of each package of which a version that was lost is whole again; ``wake`` is called when there is
        something to heal."""
        self._code = code
        self._database = database
        self._store = store
        self._clock = clock
        self._link = link
        self._parent = parent
        self._streams = streams
        self._children = children
        self._holdings = holdings
        self._trees = trees
        self._pages = pages
        self._herald = herald
        self._recalled = recalled
        self._wake = wake
        self._lock = threading.Lock()
        self._recall_wanted = False
        self._waited: set[PackageId] = set()
        """Packages of which something is lacking that somebody may wait for."""
        self.lacks: tuple[Lack, ...] = ()
        """What the last try could not replace."""

    @property
    def wanted(self) -> bool:
        """Whether anything is known to be wrong."""
        return bool(self._recall_wanted or self.lacks or self._store.damaged() or self._store.unsound())

    def recall(self) -> None:
        """Something of this site's own that was lost is wanted: it is looked for soon, in another thread."""
        if not self._recall_wanted:
            self._recall_wanted = True
            self._wake()

    def heal(self) -> HealReport:
        """Replace what can be replaced now, prove it, and set damaged packs aside. Raises TransferError where the store cannot be
        written; then nothing is lost, and the next try goes on."""
        with self._lock:
            self._holdings.mend_pins()
            self._recall_wanted = False
            healed: Counter[str] = Counter()
            lacks = find_lacks(self._database, self._store, self._code)
            self._waited |= {lack.package for lack in lacks}
            for _round in range(ROUNDS):
                gained = sum((self._replace(lack) for lack in lacks), Counter[str]())
                if not gained:
                    break
                healed += gained
                lacks = find_lacks(self._database, self._store, self._code)
            news = lacks and tuple(lacks) != self.lacks
            asked = self._ask_children(lacks)
            mended = self._mend()
            self._note(lacks)
            self._say(healed, lacks if news else [], asked)
            return HealReport(healed=dict(healed), mended=mended, left=self.lacks, asked=tuple(asked))

    def accept(self, child: SiteCode, parts: Sequence[bytes]) -> int:
        """Chunks from a child that was asked; returns how many were kept. What this site does not lack (any more) is not."""
        with self._lock:
            lacking = {chunk for lack in self.lacks for chunk in lack.chunks}
            known = [(chunk_id(part), part) for part in parts]
            count = self._put(f"heal:{child}", [one for one in known if one[0] in lacking])
            asked = [chunk for lack in self.lacks for chunk in lack.chunks[:CHUNKS_MAX]]
            if count and not self._store.missing(asked):
                # Everything that was asked for came; a notice names only so much, and a page only shows now what it names.
                lacks = find_lacks(self._database, self._store, self._code)
                self._ask_children(lacks)
                self._note(lacks)
        if count:
            with self._database.writing() as tx:
                self._herald.healed(tx, count, f"site {child}")
        return count

    def _note(self, lacks: Sequence[Lack]) -> None:
        """What is lacking now; whoever waited for what was lacking before is woken."""
        self.lacks, lacking = tuple(lacks), {lack.package for lack in lacks}
        whole, self._waited = self._waited - lacking, lacking
        if whole:
            with self._database.writing() as tx:
                for package in sorted(whole):
                    self._recalled(tx, package)

    def render(self, tx: Transaction, _peer: SiteCode, key: str, _sequence: int) -> bytes | None:
        """The notice to a child of what this site lacks of a version; None if it is whole again."""
        package, _colon, number = key.partition(":")
        lack = next((one for one in self.lacks if (one.package, str(one.version)) == (package, number)), None)
        version = catalog.find_version(tx, PackageId(package), VersionNumber(int(number)))
        if lack is None or version is None:
            return None
        chunks = tuple(chunk.hex() for chunk in lack.chunks[:CHUNKS_MAX])
        return encode(LackNotice(package=lack.package, version=lack.version, manifest=lack.manifest.hex(), chunks=chunks))

    def _replace(self, lack: Lack) -> Counter[str]:
        """What one version lacks, from one place after the other until nothing is lacking."""
        gained: Counter[str] = Counter()
        for label, found in self._places(lack):
            left = self._store.missing(lack.chunks)
            if not left:
                break
            try:
                gained[label] += self._put(f"heal:{lack.package}", ((one, data) for one, data in found if one in left))
            except HaulageError as error:
                if error.code in ("disk-full", "store-io"):
                    raise
                # That place does not help this time; the next one may.
        return +gained

    def _places(self, lack: Lack) -> Iterator[tuple[str, Iterator[tuple[ChunkId, bytes]]]]:
        pages = [use.chunk for use in lack.uses if use.what == LIST_OF_CONTENTS]
        for page in dict.fromkeys(pages):
            for label, data in self._pages(lack.package, lack.version, page):
                yield label, iter([(chunk_id(data), data)])
        if len(pages) < len(lack.uses):
            for label, opening in self._trees(lack.package, lack.version):
                yield label, _in_tree(opening, lack)
        if self._link is not None:
            with self._database.reading() as tx:
                parent = self._parent(tx)
            yield f"site {parent}", self._from_parent(lack, self._link)

    def _from_parent(self, lack: Lack, link: Link) -> Iterator[tuple[ChunkId, bytes]]:
        """As long as an answer brings something: an answer holds a few megabytes."""
        missing = self._store.missing(lack.chunks)
        wanted = [chunk for chunk in lack.chunks if chunk in missing]
        while left := wanted[:CHUNKS_MAX]:
            want = ChunkWant(
                package=lack.package,
                version=lack.version,
                target=lack.manifest.hex(),
                chunks=tuple(chunk.hex() for chunk in left),
            )
            parts = [(chunk_id(part), part) for part in link.ask_chunks(want)]
            fresh = {chunk: part for chunk, part in parts if chunk in missing}
            yield from fresh.items()
            if not fresh:
                return
            wanted = [chunk for chunk in wanted if chunk not in fresh]

    def _put(self, owner: str, found: Iterable[tuple[ChunkId, bytes]]) -> int:
        """Store what proves right, durably, and read it back. Nothing else is believed."""
        put: list[ChunkId] = []
        with self._store.session(owner) as session:
            for chunk, data in found:
                if chunk_id(data) == chunk and session.put(chunk, data):
                    put.append(chunk)
        for chunk in put:
            self._store.read(chunk)
        return len(put)

    def _ask_children(self, lacks: Sequence[Lack]) -> list[SiteCode]:
        asked: dict[SiteCode, list[Lack]] = {}
        with self._database.reading() as tx:
            children = self._children(tx)
        for lack in lacks:
            for child in holders(self._database, lack, children):
                asked.setdefault(child, []).append(lack)
        if asked:
            # What is rendered is looked up when the child comes for it.
            self.lacks = tuple(lacks)
            with self._database.writing() as tx:
                for child, wanted in asked.items():
                    for lack in wanted:
                        self._streams.mark(tx, child, MessageKind.LACKING, f"{lack.package}:{lack.version}")
        return sorted(asked)

    def _mend(self) -> MendReport | None:
        if not self._store.unsound():
            return None
        try:
            return self._store.mend(lambda manifest: live_chunks(manifest, self._store), now=self._clock.now())
        except HaulageError as error:
            if error.code in ("disk-full", "store-io"):
                raise
            return None

    def _say(self, healed: Counter[str], lacks: Sequence[Lack], asked: Sequence[SiteCode]) -> None:
        if healed or lacks:
            with self._database.writing() as tx:
                if healed:
                    self._herald.healed(tx, sum(healed.values()), ", ".join(sorted(healed)))
                if lacks:
                    self._herald.remains(tx, lacks, asked)


def _in_tree(opening: AbstractContextManager[TreeReader], lack: Lack) -> Iterator[tuple[ChunkId, bytes]]:
    with opening as reader:
        yield from chunks_in_tree(reader, lack.uses)
