"""What the last capture of a source saw: change tokens beside the manifest they belong to, and a digest of them for each page. Only
a hint: damaged, foreign or stale hints mean that files are read again, never that a change is missed. Knows trees' tokens and the
manifest; nothing of reading files.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec
from blake3 import blake3

from haulage.base.errors import HaulageError
from haulage.engine.content.capture_report import CaptureWarning
from haulage.engine.content.capture_rules import WarningKind
from haulage.engine.content.capture_survey import unchanged_pages
from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ManifestEntry, Totals
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.content.pages import KeptPage
from haulage.engine.trees.model import Entry, Omission, Owner, PathRange, Survey

MAGIC = b"HLGHINT2"
TOTALS = tuple(Totals.__dataclass_fields__)
LENGTH = struct.Struct(">Q")
"""Of the head; then one length byte and a token for each entry; then the BLAKE3 of all."""
TRAILER_BYTES = 32


class PageHint(msgspec.Struct, frozen=True, array_like=True):
    """One page."""

    digest: bytes
    """Of names and tokens, as :func:`capture_survey.page_digest` makes it; empty where some entry has no token to be trusted."""
    last: bytes
    folders: tuple[int, ...]
    ends_itself: bool
    totals: tuple[int, ...]
    files_with_content: int
    warnings: tuple[tuple[str, bytes], ...]
    dropped: tuple[tuple[bytes, str, str], ...]
    tokens: tuple[int, int]
    """Where its tokens stand: offset and length within all tokens."""


class HintHead(msgspec.Struct, frozen=True, array_like=True):
    """What holds for all."""

    manifest: bytes
    key: bytes
    """The survey's."""
    owners: tuple[tuple[int, int, str, str], ...]
    reliance: tuple[str, ...]
    """What the session relied upon; empty where its store cannot tell."""
    pages: tuple[PageHint, ...]


@runtime_checkable
class RelyingSession(Protocol):
    """What a session may offer beside ``WriteSession``: to rely in one go on everything that an earlier one relied upon."""

    def reliance(self) -> Sequence[str]:
        """Names for all that this session put or found so far."""
        ...

    def rely(self, reliance: Sequence[str]) -> bool:
        """Rely on it again; False, and nothing promised, if any of it may be gone or damaged."""
        ...


class Hints:
    """The hints of an earlier capture: first asked which pages are unchanged, then entry by entry, in path order, for the rest."""

    def __init__(self, store: ChunkStore, found: tuple[Manifest, HintHead, bytes] | None) -> None:
        self._store = store
        self._manifest: Manifest | None = found[0] if found else None
        self.head: HintHead | None = found[1] if found else None
        self._tokens = found[2] if found else b""
        self.kept: dict[int, KeptPage] = {}
        """Pages found unchanged, by number."""
        self._source: Iterator[tuple[bytes, ManifestEntry]] | None = None
        self._next: tuple[bytes, ManifestEntry] | None = None

    @classmethod
    def load(cls, path: str | None, store: ChunkStore) -> Hints:
        """Hints from a file; none at all if it is absent, damaged, foreign, or its manifest is no longer held."""
        try:
            if path is not None:
                with open(path, "rb") as file:
                    return cls(store, _parse(file.read(), store))
        except (OSError, struct.error, msgspec.DecodeError, ValueError, HaulageError):
            pass
        return cls(store, None)

    def look(self, survey: Survey, session: WriteSession) -> None:
        """Find the pages that are certainly unchanged, all of whose chunks are held (and now relied upon)."""
        manifest, head = self._manifest, self.head
        if manifest is None or head is None or not head.key or head.key != survey.key:
            return
        if not survey.knows([Owner(uid=uid, gid=gid, user=user, group=group) for uid, gid, user, group in head.owners]):
            return
        digests = [page.digest for page in head.pages]
        found = unchanged_pages(survey, [page.first for page in manifest.pages()], digests)
        held = isinstance(session, RelyingSession) and bool(head.reliance) and session.rely(head.reliance)
        for number in found:
            if held or self._holds_page(number, session):
                self.kept[number] = self._page(number)

    def known_ranges(self) -> list[PathRange]:
        """The paths of the pages kept, neighbours joined."""
        if self._manifest is None:
            return []
        pages = self._manifest.pages()
        ranges: list[PathRange] = []
        for number in self.kept:
            start, end = pages[number].first, pages[number + 1].first if number + 1 < len(pages) else None
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
        return ranges

    def hint(self, number: int) -> PageHint:
        """What is known of a page."""
        assert self.head is not None
        return self.head.pages[number]

    def page_warnings(self, number: int) -> list[CaptureWarning]:
        """What a page's names warn of."""
        return [CaptureWarning(kind=WarningKind(kind), path=path) for kind, path in self.hint(number).warnings]

    def dropped(self) -> list[Omission]:
        """What the policy dropped in the pages kept."""
        return [
            Omission(path=path, what=what, detail=detail)
            for number in self.kept
            for path, what, detail in self.hint(number).dropped
        ]

    def all_kept(self) -> bool:
        """Whether there was nothing else."""
        return self.head is not None and len(self.kept) == len(self.head.pages)

    def token_bytes(self, number: int) -> bytes:
        """The tokens of a page's entries as they stand in the file."""
        at, length = self.hint(number).tokens
        return self._tokens[at : at + length]

    def tokens(self, number: int) -> list[bytes]:
        """The tokens of a page's entries."""
        data, at, found = self.token_bytes(number), 0, list[bytes]()
        while at < len(data):
            size = data[at]
            found.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        return found

    def unchanged(self, entry: Entry, token: bytes, session: WriteSession) -> ManifestEntry | None:
        """The earlier entry if content and streams are certainly the same and every chunk of them is held (and now relied upon)."""
        if self._source is None:
            self._source = self._entries()
            self._advance()
        while self._next is not None and self._next[1].path < entry.path:
            self._advance()
        if self._next is None or self._next[1].path != entry.path:
            return None
        known_token, known = self._next
        if not token or token != known_token:
            return None
        if entry.type is not known.type or entry.size != known.content.size or entry.same_as != known.same_as:
            return None
        if (entry.streams or known.streams) and not _same_streams(entry, known):
            return None
        return known if self._holds(known, session) else None

    def _page(self, number: int) -> KeptPage:
        manifest = self._manifest
        assert manifest is not None
        page, hint = manifest.pages()[number], self.hint(number)
        return KeptPage(
            id=page.id,
            first=page.first,
            last=hint.last,
            folders=hint.folders,
            ends_itself=hint.ends_itself,
            entries=page.entries,
            totals=Totals(**dict(zip(TOTALS, hint.totals, strict=True))),
            number=number,
            expand=lambda: manifest.page(number),
        )

    def _holds_page(self, number: int, session: WriteSession) -> bool:
        assert self._manifest is not None
        try:
            page = self._manifest.pages()[number]
            return session.has(page.id) and all(self._holds(entry, session) for entry in self._manifest.page(number))
        except HaulageError:
            return False

    def _holds(self, known: ManifestEntry, session: WriteSession) -> bool:
        contents = list(known.contents())
        if len(contents) == 1 and len(known.content.chunks) == CHUNK_ROW.size:
            return session.has(ChunkId(known.content.chunks[-32:]))
        try:
            for content in contents:
                if not all(session.has(chunk) for _size, _count, chunk in list_rows(content)):
                    return False
                if not all(session.has(chunk) for _length, chunk in read_chunks(content, self._store.read)):
                    return False
        except HaulageError:
            return False
        return True

    def _entries(self) -> Iterator[tuple[bytes, ManifestEntry]]:
        """Entries of the other pages with their tokens."""
        if self._manifest is not None:
            for number in range(len(self._manifest.pages())):
                if number not in self.kept:
                    yield from zip(self.tokens(number), self._manifest.page(number), strict=True)

    def _advance(self) -> None:
        try:
            self._next = next(self._source, None) if self._source is not None else None
        except (HaulageError, ValueError):
            self._next = None


def _parse(data: bytes, store: ChunkStore) -> tuple[Manifest, HintHead, bytes] | None:
    view = memoryview(data)
    if data[: len(MAGIC)] != MAGIC or blake3(view[:-TRAILER_BYTES]).digest() != view[-TRAILER_BYTES:]:
        return None
    start = len(MAGIC) + LENGTH.size
    (length,) = LENGTH.unpack_from(data, len(MAGIC))
    head = msgspec.msgpack.decode(view[start : start + length], type=HintHead)
    manifest = Manifest.open(ManifestId(head.manifest), store.read)
    if len(manifest.pages()) != len(head.pages):
        return None
    return manifest, head, data[start + length : -TRAILER_BYTES]


def _same_streams(entry: Entry, known: ManifestEntry) -> bool:
    return [(item.name, item.size) for item in entry.streams] == [(item.name, item.content.size) for item in known.streams]
