"""Giving a neighbour the very chunks it lost: a child by request, the parent by its notice. Chunks prove themselves by their ids;
what is asked here is whether the neighbour may have them (B71)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from haulage.base.errors import HaulageError, NotFoundError
from haulage.base.ids import PackageId, SiteCode, VersionNumber
from haulage.domain.catalog import records as catalog
from haulage.domain.estate import records as estate
from haulage.domain.transit import records as transit
from haulage.domain.transit.route import concerned_children
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import live_chunks
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId
from haulage.engine.database.transaction import Database, Transaction
from haulage.engine.links.link import Link
from haulage.engine.protocol.asks import ChunkWant
from haulage.engine.protocol.envelopes import LackNotice, Message, body_of

ANSWER_BYTES = 4 * 1024 * 1024
"""About so much goes in one answer; who lacks more asks again."""


class Lender:
    """What this site holds for others that lost it."""

    def __init__(
        self, code: SiteCode, *, database: Database, store: ChunkStore, link: Link | None, wake: Callable[[], None]
    ) -> None:
        """``wake`` is called when the parent has asked for something; ``help_parent`` is to be called then."""
        self._code = code
        self._database = database
        self._store = store
        self._link = link
        self._wake = wake
        self._lock = threading.Lock()
        self._asked: dict[tuple[PackageId, VersionNumber], LackNotice] = {}

    def lend(self, child: SiteCode, want: ChunkWant) -> list[bytes]:
        """Those of the chunks that can be given, in the order asked for, until an answer is full. Raises NotFoundError
        ``not-for-you`` or ``version-not-held``."""
        with self._database.reading() as tx:
            package = catalog.find_package(tx, want.package)
            tree = estate.hierarchy(tx)
        if package is None or child not in concerned_children(package.assignments, self._code, tree):
            raise NotFoundError("not-for-you", f"Package {want.package} is not assigned at or below site {child}.", "")
        return list(self._read(want.package, want.version, want.target, want.chunks))

    def take(self, tx: Transaction, _peer: SiteCode, message: Message) -> None:
        """The parent lost chunks of a version that this site holds: remembered until ``help_parent``. It asks again by itself."""
        notice = body_of(message, LackNotice)
        with self._lock:
            self._asked[notice.package, notice.version] = notice
        self._database.after_commit(tx, self._wake)

    def help_parent(self) -> int:
        """Hand over what was asked for; returns how many chunks the parent took. Raises TransferError: it asks again."""
        given = 0
        while self._link is not None:
            with self._lock:
                if not self._asked:
                    return given
                _key, notice = self._asked.popitem()
            given += self._give(notice, self._link)
        return given

    def _give(self, notice: LackNotice, link: Link) -> int:
        """All that was asked for, one answer after the other."""
        given, left = 0, list(notice.chunks)
        while left:
            try:
                parts = list(self._read(notice.package, notice.version, notice.manifest, left))
            except NotFoundError:
                break
            if not parts:
                break
            link.give_chunks(parts)
            given += len(parts)
            gone = {chunk_id(part).hex() for part in parts}
            left = [chunk for chunk in left if chunk not in gone]
        return given

    def _read(self, package: PackageId, version: VersionNumber, target: str, chunks: Iterable[str]) -> Iterator[bytes]:
        """Only chunks of that very version: an id that was guessed or overheard gives nothing."""
        with self._database.reading() as tx:
            held = transit.held_versions(tx, package).get(version)
        if held is None or held.hex() != target:
            raise NotFoundError("version-not-held", f"{package}:{version} is not held at {self._code}.", "")
        wanted = [ChunkId(bytes.fromhex(text)) for text in dict.fromkeys(chunks)]
        size = 0
        for chunk in self._of_version(ManifestId(held), wanted):
            try:
                data = self._store.read(chunk)
            except HaulageError:
                continue  # damaged here, too
            size += len(data)
            if size > ANSWER_BYTES and size > len(data):
                return
            yield data

    def _of_version(self, manifest: ManifestId, wanted: Sequence[ChunkId]) -> list[ChunkId]:
        left, known = set(wanted), set[ChunkId]()
        try:
            for chunk in live_chunks(manifest, self._store):
                if chunk in left:
                    left.discard(chunk)
                    known.add(chunk)
                if not left:
                    break
        except HaulageError:
            # This site's own list is damaged, too; what was seen of it before counts.
            pass
        return [chunk for chunk in wanted if chunk in known]
