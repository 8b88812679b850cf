"""How far the receiving of a parcel is, kept in the store itself: a small manifest, pinned, that names the chunks each finished
batch brought. So they survive a kill and no sweep takes them, although nobody can know their ids before.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Sequence

from haulage.base.errors import HaulageError
from haulage.engine.content import codec
from haulage.engine.content.content_list import ContentWriter, read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest, write_manifest
from haulage.engine.content.manifest_model import ContentRef, ManifestEntry
from haulage.engine.content.model import ChunkId, ChunkStore, ManifestId, Pin, WriteSession
from haulage.engine.trees.model import EntryType

Brought = list[tuple[int, int, list[tuple[int, ChunkId]]]]
"""What one batch made: first ordinal (or -1 minus the label of what was put aside), count, and the chunks with their lengths."""
_MAX_RECORD_BYTES = 1024 * 1024


class Progress:
    """The finished batches of one parcel at one receiver."""

    def __init__(self, store: ChunkStore, parcel_id: bytes, owner: str, expires: dt.datetime | None) -> None:
        """``owner`` of the pin: at most one parcel at a time is received under it. Another parcel's progress there is forgotten."""
        self._store = store
        self._prefix = parcel_id.hex().encode()
        self._owner = owner
        self._expires = expires
        self._entries: dict[bytes, ContentRef] = {}

    def load(self) -> Iterator[tuple[int, Brought]]:
        """Number of each finished section, and what it brought; only where all of that is still held."""
        pin = next((pin for pin in self._store.pins() if pin.owner == self._owner), None)
        if pin is None:
            return
        entries: list[ManifestEntry] = []
        with contextlib.suppress(HaulageError):
            entries = [entry for entry in Manifest.open(pin.manifest, self._store.read).entries() if entry.path]
        for entry in entries:
            parcel, _, number = entry.path.partition(b"-")
            if parcel != self._prefix:
                return
            with contextlib.suppress(HaulageError):
                brought = self._read(entry.content)
                self._entries[entry.path] = entry.content
                yield int(number, 16), brought

    def _read(self, content: ContentRef) -> Brought:
        rows = list(read_chunks(content, self._store.read))
        lacking = self._store.missing([chunk for _length, chunk in rows])
        if lacking:
            raise HaulageError("chunk-missing", "Not all of a batch is held any more.", "It is fetched again.")
        record = codec.decode(self._store.read(rows[0][1]), max_bytes=_MAX_RECORD_BYTES, what="record of a batch")
        brought: Brought = []
        at = 1
        for row in record if isinstance(record, list) else []:
            match row:
                case [int() as first, int() as count, int() as chunks]:
                    brought.append((first, count, rows[at : at + chunks]))
                    at += chunks
        return brought

    def add(self, section: int, brought: Brought, session: WriteSession) -> None:
        """A batch is finished: its chunks are in the session. Durable on return."""
        writer = ContentWriter(session)
        record = codec.encode([[first, count, len(rows)] for first, count, rows in brought])
        session.put(chunk_id(record), record)
        writer.add(len(record), chunk_id(record))
        for _first, _count, rows in brought:
            for length, chunk in rows:
                writer.add(length, chunk)
        self._entries[b"%s-%08x" % (self._prefix, section)] = writer.finish()
        manifest = write_manifest(self._manifest_entries(), session)
        session.checkpoint()
        self._store.pin(Pin(owner=self._owner, manifest=ManifestId(manifest.id), expires=self._expires))

    def _manifest_entries(self) -> Sequence[ManifestEntry]:
        files = [ManifestEntry(path=path, type=EntryType.FILE, content=content) for path, content in sorted(self._entries.items())]
        return [ManifestEntry(path=b"", type=EntryType.FOLDER), *files]

    def forget(self) -> None:
        """The parcel is received, or given up."""
        self._store.unpin(self._owner)
