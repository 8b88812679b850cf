"""Laying a sidecar's records over what the place itself shows, both in byte order of paths. Pure; does no IO."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from haulage.engine.trees.model import Entry, EntryType
from haulage.engine.trees.paths import parent_of, shown
from haulage.engine.trees.sidecar_format import Header, Record, entry_of_whole, overlay
from haulage.engine.trees.trouble import foreign_sidecar


def merge(
    native: Iterator[Entry], records: Iterator[Record], header: Header, seen: Callable[[Entry, Record], bytes]
) -> Iterator[Entry]:
    """The tree's true entries. ``seen`` answers with the change token of an entry with a record, and checks that what the record
    says is stored is stored. Raises FormatError where records and place contradict each other."""
    folders: set[bytes] = set()
    record = next(records, None)
    for entry in native:
        while record is not None and record.path < entry.path:
            yield _whole(record, folders, seen)
            record = next(records, None)
        if record is not None and record.path == entry.path:
            yield _laid(entry, record, header, seen)
            record = next(records, None)
        else:
            yield overlay(entry, None, header)
        if entry.type is EntryType.FOLDER:
            folders.add(entry.path)
    while record is not None:
        yield _whole(record, folders, seen)
        record = next(records, None)


def _whole(record: Record, folders: set[bytes], seen: Callable[[Entry, Record], bytes]) -> Entry:
    if record.whole is None:
        raise foreign_sidecar(f"it speaks of {shown(record.path)}, which is not there")
    if parent_of(record.path) not in folders:
        raise foreign_sidecar(f"it holds {shown(record.path)}, whose folder is not there")
    entry = entry_of_whole(record)
    if entry.type is EntryType.FOLDER:
        folders.add(entry.path)
    return _with_seen(entry, seen(entry, record))


def _laid(entry: Entry, record: Record, header: Header, seen: Callable[[Entry, Record], bytes]) -> Entry:
    if record.whole is not None:
        raise foreign_sidecar(f"it holds {shown(record.path)}, which also stands beside it")
    if entry.same_as is not None:
        raise foreign_sidecar(f"it speaks of {shown(record.path)}, which is a hard link")
    there = {(stream.name, stream.size) for stream in entry.streams}
    if any(not stream.stored and (stream.name, stream.size) not in there for stream in record.streams or ()):
        raise foreign_sidecar(f"it names a stream of {shown(record.path)} that is not there")
    true = overlay(entry, record, header)
    return _with_seen(true, seen(true, record))


def _with_seen(entry: Entry, seen: bytes) -> Entry:
    return replace(entry, seen=seen)
