"""Verify: re-read every byte, stream and attribute of a place against a manifest, and name every difference.

Changes nothing; repairing is the caller's business, with the paths and streams named here. Knows trees by their interface.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from haulage.base.errors import TransferError
from haulage.engine.content.chunker import SEGMENT_BYTES
from haulage.engine.content.content_list import read_chunks
from haulage.engine.content.digest import chunk_id
from haulage.engine.content.manifest import Manifest
from haulage.engine.content.manifest_model import CHUNK_ROW, ContentRef, ManifestEntry, shown
from haulage.engine.content.ordered import in_order
from haulage.engine.content.tree_entry import tree_entry
from haulage.engine.trees.model import Entry, EntryType, TreeDifference, TreeReader

BATCH_ENTRIES = 256
BATCH_BYTES = SEGMENT_BYTES
LIGHT_BYTES = 64 * 1024
"""A batch whose contents are smaller on average is no work for a thread."""

MISSING = "missing"
UNEXPECTED = "unexpected"
CONTENT = "content"
STREAM = "stream"
UNREADABLE = "unreadable"


@dataclass(slots=True)
class _Batch:
    pairs: list[tuple[ManifestEntry | None, Entry | None]]
    size_bytes: int = 0


def verify_tree(manifest: Manifest, reader: TreeReader, *, threads: int = 2) -> Iterator[TreeDifference]:
    """Every difference between the manifest and the tree at a place, in path order; none means identical.

    ``what`` is ``missing``, ``unexpected``, ``type``, ``content``, ``stream``, ``attribute``, ``acl``, ``mode``, ``owner``,
    ``times``, ``target``, ``hard-link``, ``dos`` or ``unreadable``; ``expected`` and ``found`` of
    a stream or attribute begin with its name.
    Raises what listing the place raises, and what reading the manifest raises.
    """
    work = in_order(_Comparer(manifest, reader), _batches(manifest, reader), threads=threads, light=_is_light)
    with contextlib.closing(work) as done:
        for _, differences in done:
            yield from differences


def _is_light(batch: _Batch) -> bool:
    return batch.size_bytes < LIGHT_BYTES * len(batch.pairs)


def _batches(manifest: Manifest, reader: TreeReader) -> Iterator[_Batch]:
    batch = _Batch([])
    for pair in _pairs(manifest.entries(), reader.entries()):
        batch.pairs.append(pair)
        wanted = pair[0]
        if wanted is not None:
            batch.size_bytes += wanted.content.size + sum([stream.content.size for stream in wanted.streams])
        if len(batch.pairs) >= BATCH_ENTRIES or batch.size_bytes >= BATCH_BYTES:
            yield batch
            batch = _Batch([])
    if batch.pairs:
        yield batch


def _pairs(wanted: Iterator[ManifestEntry], found: Iterator[Entry]) -> Iterator[tuple[ManifestEntry | None, Entry | None]]:
    """Merge two sequences in path order."""
    one, two = next(wanted, None), next(found, None)
    while one is not None or two is not None:
        if one is not None and (two is None or one.path < two.path):
            yield one, None
            one = next(wanted, None)
        elif two is not None and (one is None or two.path < one.path):
            yield None, two
            two = next(found, None)
        else:
            yield one, two
            one, two = next(wanted, None), next(found, None)


class _Comparer:
    """Compares batches; used by several threads at once."""

    def __init__(self, manifest: Manifest, reader: TreeReader) -> None:
        self._manifest = manifest
        self._reader = reader
        self._read_whole: Callable[[Entry, bytes | None], bytes] | None = getattr(reader, "read_whole", None)

    def __call__(self, batch: _Batch) -> list[TreeDifference]:
        differences: list[TreeDifference] = []
        for wanted, found in batch.pairs:
            if wanted is None or found is None or not _is_plainly_same(wanted, found):
                differences += self._compare(wanted, found)
            elif wanted.type is EntryType.FILE and wanted.same_as is None:
                differences += self._compare_content(found, None, wanted.content, found.size)
        return differences

    def _compare(self, wanted: ManifestEntry | None, found: Entry | None) -> Iterator[TreeDifference]:
        if wanted is None:
            if found is not None:
                yield TreeDifference(path=found.path, what=UNEXPECTED, found=found.type.value)
        elif found is None:
            yield TreeDifference(path=wanted.path, what=MISSING, expected=wanted.type.value)
        elif wanted.type is not found.type:
            yield TreeDifference(path=wanted.path, what="type", expected=wanted.type.value, found=found.type.value)
        else:
            if not _same_facts(wanted, found):
                yield from compare_facts(tree_entry(wanted, self._manifest.read), found)
            yield from self._compare_contents(wanted, found)

    def _compare_contents(self, wanted: ManifestEntry, found: Entry) -> Iterator[TreeDifference]:
        if wanted.type is EntryType.FILE and wanted.same_as is None and found.same_as is None:
            yield from self._compare_content(found, None, wanted.content, found.size)
        sizes = {stream.name: stream.size for stream in found.streams}
        for stream in wanted.streams:
            size = sizes.pop(stream.name, None)
            if size is None:
                yield TreeDifference(path=wanted.path, what=STREAM, expected=f"{shown(stream.name)}: {stream.content.size} bytes")
            else:
                yield from self._compare_content(found, stream.name, stream.content, size)
        for name, size in sizes.items():
            yield TreeDifference(path=wanted.path, what=STREAM, found=f"{shown(name)}: {size} bytes")

    def _compare_content(self, found: Entry, stream: bytes | None, wanted: ContentRef, size: int) -> Iterator[TreeDifference]:
        what, name = (CONTENT, "") if stream is None else (STREAM, f"{shown(stream)}: ")
        if size != wanted.size:
            yield TreeDifference(path=found.path, what=what, expected=f"{name}{wanted.size} bytes", found=f"{name}{size} bytes")
            return
        if not size:
            return
        try:
            at = self._first_damage(found, stream, wanted)
        except TransferError as error:
            yield TreeDifference(path=found.path, what=UNREADABLE, expected=name.rstrip(": "), found=error.message)
            return
        if at is not None:
            yield TreeDifference(
                path=found.path, what=what, expected=f"{name}as published", found=f"{name}other bytes from {at} on"
            )

    def _first_damage(self, found: Entry, stream: bytes | None, wanted: ContentRef) -> int | None:
        """Offset of the first chunk that is not as it should be. Reads in runs of up to a segment."""
        if self._read_whole is not None and wanted.size <= BATCH_BYTES and not wanted.lists:
            data = self._read_whole(found, stream)
            if len(data) != wanted.size:
                return min(len(data), wanted.size)
            return _check_run(data, CHUNK_ROW.iter_unpack(wanted.chunks))
        handle = self._reader.open(found, stream)
        try:
            if handle.size != wanted.size:
                return min(handle.size, wanted.size)
            run: list[tuple[int, bytes]] = []
            start = size = 0
            for length, chunk in read_chunks(wanted, self._manifest.read):
                run.append((length, chunk))
                size += length
                if size >= BATCH_BYTES:
                    at = _check_run(handle.read_at(start, size), run)
                    if at is not None:
                        return start + at
                    run, start, size = [], start + size, 0
            at = _check_run(handle.read_at(start, size), run) if run else None
            return None if at is None else start + at
        finally:
            handle.close()


def _is_plainly_same(wanted: ManifestEntry, found: Entry) -> bool:
    """Whether nothing but the unnamed content is left to compare, as with nearly all entries."""
    return wanted.type is found.type and not wanted.streams and not found.streams and _same_facts(wanted, found)


def _same_facts(wanted: ManifestEntry, found: Entry) -> bool:
    """Whether all but contents and streams is the same, for the many entries where that is quickly told."""
    if wanted.attributes or found.attributes or wanted.acls or found.acls:
        return False
    if wanted.mode != found.mode or wanted.mtime_ns != found.mtime_ns or wanted.owner != found.owner:
        return False
    return wanted.target == found.target and wanted.same_as == found.same_as and wanted.dos == found.dos


def _check_run(data: bytes, run: Iterable[tuple[int, bytes]]) -> int | None:
    view, offset = memoryview(data), 0
    for length, chunk in run:
        if chunk_id(view[offset : offset + length]) != chunk:
            return offset
        offset += length
    return None


def compare_facts(wanted: Entry, found: Entry) -> Iterator[TreeDifference]:
    """Everything of two entries of one type except contents and streams."""
    for what, expected, actual in (
        ("mode", wanted.mode, found.mode),
        ("owner", wanted.owner, found.owner),
        ("times", wanted.mtime_ns, found.mtime_ns),
        ("target", shown(wanted.target), shown(found.target)),
        ("hard-link", wanted.same_as, found.same_as),
        ("dos", wanted.dos, found.dos),
    ):
        if expected != actual:
            yield TreeDifference(path=wanted.path, what=what, expected=_told(what, expected), found=_told(what, actual))
    yield from _compare_named(
        wanted.path, "attribute", {a.name: a.value for a in wanted.attributes}, {a.name: a.value for a in found.attributes}
    )
    yield from _compare_named(
        wanted.path,
        "acl",
        {a.dialect.encode(): a.value for a in wanted.acls},
        {a.dialect.encode(): a.value for a in found.acls},
    )


def _compare_named(path: bytes, what: str, wanted: dict[bytes, bytes], found: dict[bytes, bytes]) -> Iterator[TreeDifference]:
    for name in sorted({*wanted, *found}):
        one, two = wanted.get(name), found.get(name)
        if one != two:
            yield TreeDifference(path=path, what=what, expected=_value(name, one), found=_value(name, two))


def _value(name: bytes, value: bytes | None) -> str:
    if value is None:
        return ""
    return f"{shown(name)}: {value[:32].hex()}{'…' if len(value) > 32 else ''} ({len(value)} bytes)"


def _told(what: str, value: object) -> str:
    if value is None:
        return ""
    if what == "mode" and isinstance(value, int):
        return f"{value:04o}"
    return shown(value) if isinstance(value, bytes) else str(value)
