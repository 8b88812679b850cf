"""What the last capture of a source saw: change tokens beside the manifest they belong to. Only a hint: damaged, foreign or stale
hints mean that files are read again, never that a change is missed. Knows trees' tokens and the manifest; nothing of reading files.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Iterator

from blake3 import blake3

from haulage.base.errors import HaulageError
from haulage.base.files import write_durable
from haulage.engine.content.content_list import list_rows, read_chunks
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ManifestEntry
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, WriteSession
from haulage.engine.trees.change_token import TOKEN_BYTES, changed_ns
from haulage.engine.trees.model import Entry

_HEAD = struct.Struct(">8sq32s")
"""Magic, start of the capture in ns since 1970 UTC, manifest id; then length byte and token for each entry; then the BLAKE3."""
_MAGIC = b"HLGHINT1"
_TRAILER_BYTES = 32
SETTLED_NS = 2_000_000_000
"""A file changed less than this before a capture began may change again under the same token (coarse clocks)."""
_MAX_TOKEN_BYTES = 255


class HintWriter:
    """Gathers the tokens of a capture, in path order."""

    def __init__(self, started: dt.datetime) -> None:
        self._started_ns = _ns(started)
        self._tokens = bytearray()

    def add(self, token: bytes) -> None:
        """The token of the next entry; empty if the place cannot vouch."""
        if len(token) > _MAX_TOKEN_BYTES:
            token = b""
        self._tokens.append(len(token))
        self._tokens += token

    def save(self, path: str, manifest: ManifestId) -> None:
        """Replace the hints at ``path``, durably."""
        data = _HEAD.pack(_MAGIC, self._started_ns, manifest) + bytes(self._tokens)
        write_durable(path, data + blake3(data).digest(), mode=0o600)


class Hints:
    """The hints of an earlier capture, asked in path order."""

    def __init__(self, source: Iterator[tuple[bytes, ManifestEntry]], started_ns: int, store: ChunkStore) -> None:
        self._source = source
        self._started_ns = started_ns
        self._store = store
        self._next: tuple[bytes, ManifestEntry] | None = None
        self._advance()

    @classmethod
    def load(cls, path: str | None, store: ChunkStore) -> Hints:
        """Hints from a file; none at all if it is absent, damaged, foreign, or its manifest is no longer held."""
        try:
            if path is not None:
                with open(path, "rb") as file:
                    data = file.read()
                magic, started_ns, manifest_id = _HEAD.unpack_from(data)
                if magic == _MAGIC and blake3(data[:-_TRAILER_BYTES]).digest() == data[-_TRAILER_BYTES:]:
                    manifest = Manifest.open(ManifestId(manifest_id), store.read)
                    return cls(_join(manifest, data), started_ns, store)
        except (OSError, struct.error, HaulageError):
            pass
        return cls(iter(()), 0, store)

    def unchanged(self, entry: Entry, token: bytes, session: WriteSession) -> ManifestEntry | None:
        """The earlier entry if content and streams are certainly the same and every chunk of them is held (and now relied upon)."""
        while self._next is not None and self._next[1].path < entry.path:
            self._advance()
        if self._next is None or self._next[1].path != entry.path:
            return None
        known_token, known = self._next
        if not token or token != known_token or not self._settled(token):
            return None
        if entry.type is not known.type or entry.size != known.content.size or entry.same_as != known.same_as:
            return None
        if (entry.streams or known.streams) and not _same_streams(entry, known):
            return None
        return known if self._held(known, session) else None

    def _settled(self, token: bytes) -> bool:
        # A token may join several, one for each file that holds a part of the entry (streams in the sidecar). Nearly all are one.
        if len(token) > TOKEN_BYTES:
            return all(self._settled(token[at : at + TOKEN_BYTES]) for at in range(0, len(token), TOKEN_BYTES))
        changed = changed_ns(token)
        return changed is None or changed + SETTLED_NS <= self._started_ns

    def _held(self, known: ManifestEntry, session: WriteSession) -> bool:
        if not known.streams and len(known.content.chunks) == CHUNK_ROW.size:
            return session.has(ChunkId(known.content.chunks[-32:]))
        try:
            for content in (known.content, *[stream.content for stream in known.streams]):
                if not all(session.has(chunk) for _size, _count, chunk in list_rows(content)):
                    return False
                if not all(session.has(chunk) for _length, chunk in read_chunks(content, self._store.read)):
                    return False
        except HaulageError:
            return False
        return True

    def _advance(self) -> None:
        try:
            self._next = next(self._source, None)
        except HaulageError:
            self._next = None


def _same_streams(entry: Entry, known: ManifestEntry) -> bool:
    return [(item.name, item.size) for item in entry.streams] == [(item.name, item.content.size) for item in known.streams]


def _join(manifest: Manifest, data: bytes) -> Iterator[tuple[bytes, ManifestEntry]]:
    """Entries with their tokens; ends early where the two do not fit together."""
    at, end = _HEAD.size, len(data) - _TRAILER_BYTES
    for index in range(len(manifest.pages())):
        for entry in manifest.page(index):
            if at >= end:
                return
            length = data[at]
            yield data[at + 1 : at + 1 + length], entry
            at += 1 + length


def _ns(moment: dt.datetime) -> int:
    delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return ((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1000
